"""Real processes that the demo starts: programs that run until they are stopped, and commands that end.

Each runs in a session of its own, so that a Ctrl-C in the terminal reaches the demo alone and the demo
decides the order of ending. On Linux each dies with the demo; the watchdog ends the rest.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sync_server.demo.errors import DemoFailed
from sync_server.demo.watchdog import Watchdog
from sync_server.embedded import leash

STOP_TIMEOUT_SECONDS = 30
COMMAND_TIMEOUT_SECONDS = 180
_LAST_WORDS = 2000


class ChildProcess:
    """A program that runs until it is stopped; it may be started again and keeps its log file."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, watchdog: Watchdog, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self._command = list(command)
        self._log = log
        self._watchdog = watchdog
        self._environment = dict(environment)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Starts the program; whether it serves is the caller's to find out."""
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *_leashed(self._command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(self._environment),
                start_new_session=True,
            )
        self._watchdog.watch_group(self._process.pid)

    async def stop(self) -> None:
        """Asks the program to end (SIGTERM) and waits; what does not listen is killed.

        Raises DemoFailed when it had to be killed: a clean end is part of the job.
        """
        if self._process is None or not self.is_running:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_SECONDS)
        except TimeoutError:
            await self.kill()
            raise DemoFailed(
                f"The {self.name} did not end within {STOP_TIMEOUT_SECONDS} seconds of being asked and was "
                f"killed; its last words: {self.last_words()}"
            ) from None
        self._forget()

    async def kill(self) -> None:
        """Kills the program and all that it started, at once and without a word (SIGKILL)."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._forget()

    def _forget(self) -> None:
        """The process has ended as it was meant to."""
        assert self._process is not None
        self._watchdog.forget(self._process.pid)
        self._process = None

    def check(self) -> None:
        """Raises DemoFailed when the program has ended without having been told to."""
        if self._process is not None and not self.is_running:
            raise DemoFailed(
                f"The {self.name} ended by itself with code {self._process.returncode}; its last words: "
                f"{self.last_words()} The whole log is {self._log}."
            )

    def last_words(self) -> str:
        """The end of the program's log."""
        return _ending(self._log.read_text(errors="replace") if self._log.exists() else "")


async def run_command(
    command: Sequence[str], environment: Mapping[str, str], watchdog: Watchdog, log: Path
) -> str:
    """Runs a command to its end and gives back what it printed on stdout.

    Raises DemoFailed with its own words when it fails or does not end.
    """
    process = await asyncio.create_subprocess_exec(
        *_leashed(list(command)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(environment),
        start_new_session=True,
    )
    watchdog.watch_group(process.pid)
    try:
        output, complaint = await asyncio.wait_for(process.communicate(), COMMAND_TIMEOUT_SECONDS)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    finally:
        watchdog.forget(process.pid)
    said = complaint.decode(errors="replace")
    await asyncio.to_thread(_note, log, command, said)
    if process.returncode:
        raise DemoFailed(f"`{_readable(command)}` failed with code {process.returncode}: {_ending(said)}")
    return output.decode()


def _leashed(command: list[str]) -> list[str]:
    """`command` in a form that dies with this process; on systems other than Linux the command itself."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *command]


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Ours without any setting of the two programs: the demo's processes obey the demo alone."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SYNC_SERVER_", "EDGE_AGENT_"))
    }
    return {**inherited, **given}


def _note(log: Path, command: Sequence[str], said: str) -> None:
    """Keeps what a command complained of; its arguments may hold a code and are left out."""
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {_readable(command)}\n{said}")


def _readable(command: Sequence[str]) -> str:
    """The command as a person would type it, without the interpreter and without codes and paths."""
    words = [word for word in command[2:] if not word.startswith(("-", "/")) and "://" not in word]
    return " ".join(words[:3]).replace("_", "-")


def _ending(text: str) -> str:
    return text.strip()[-_LAST_WORDS:] or "it said nothing."
