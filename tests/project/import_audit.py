"""Imports modules and prints what they did beyond defining things: `python import_audit.py NAME…`.

Runs as a process of its own, since an audit hook cannot be taken off again. The third parties of a module are
imported before the hook watches it: what they do at import is not ours. One line a deed, nothing for none.
"""

import ast
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

WATCHED_PREFIXES = (
    "socket.",
    "subprocess.",
    "sqlite3.",
    "ftplib.",
    "smtplib.",
    "urllib.",
    "shutil.",
    "tempfile.",
)
WATCHED = {
    "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "os.exec", "os.mkdir", "os.remove",
    "os.rename", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate", "os.utime",
    "os.putenv", "os.unsetenv", "os.chdir", "os.kill", "signal.pthread_kill", "webbrowser.open",
}  # fmt: skip
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def third_parties(name: str) -> list[str]:
    """What a module imports, at its top level, from other than the packages in question."""
    spec = importlib.util.find_spec(name)
    source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


def deed(event: str, arguments: tuple[Any, ...]) -> str:
    """What an audit event says about the outside world, or nothing."""
    if event == "open":
        path, mode, flags = arguments
        writes = (flags or 0) & WRITING_FLAGS if mode is None else set(mode) & set("wax+")
        return f"opens {path} for writing" if writes else ""
    if event in WATCHED or event.startswith(WATCHED_PREFIXES):
        return f"{event} {arguments!r:.80}"
    return ""


def culprit(frame: FrameType | None, folders: tuple[str, ...]) -> str:
    """The nearest line of ours on the way to `frame`; empty when nobody of ours stands on it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(folders):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def watch(tell: Callable[[str], None], folders: tuple[str, ...]) -> None:
    """From now on tells of every deed that a line of ours causes, reading the environment included."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        what = deed(event, arguments)
        if what and (where := culprit(sys._getframe(1), folders)):
            tell(f"{where}: {what}")

    class WatchedEnvironment(type(os.environ)):  # type: ignore[misc]  # the class has no public name
        """The environment, telling when one of ours reads it; a library that reads its own variables may."""

        def __getitem__(self, key: str) -> str:
            frame = sys._getframe(1)
            while frame.f_back is not None and frame.f_code.co_filename.startswith(("<frozen", os.__file__)):
                frame = frame.f_back
            if frame.f_code.co_filename.startswith(folders):
                tell(f"{frame.f_code.co_filename}:{frame.f_lineno}: reads the environment variable {key}")
            return str(super().__getitem__(key))

    start = threading.Thread.start

    def told_start(thread: threading.Thread) -> None:
        if where := culprit(sys._getframe(1), folders):
            tell(f"{where}: starts the thread {thread.name}")
        start(thread)

    setattr(threading.Thread, "start", told_start)  # noqa: B010  # Python 3.11 has no audit event for it
    os.environ.__class__ = WatchedEnvironment
    sys.addaudithook(hook)


def main() -> None:
    """Imports every named module and prints what importing did."""
    names = sys.argv[1:]
    packages = {name.partition(".")[0] for name in names}
    folders = tuple(f"{Path.cwd() / package}{os.sep}" for package in packages)
    for name in names:
        for other in third_parties(name):
            if other.partition(".")[0] not in packages:
                importlib.import_module(other)
    deeds: list[str] = []
    watch(deeds.append, folders)
    for name in names:
        importlib.import_module(name)
    sys.stdout.write("\n".join(dict.fromkeys(deeds)))


if __name__ == "__main__":
    main()
