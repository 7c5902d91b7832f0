"""The zip for support: how the agent is and was, without secrets and without what customers bought.

Inside: `status.json`, `doctor.json`, `doctor.txt`, `configuration.toml` (secrets struck out), `folder.json` (names
and sizes of files), `log/`. Not inside: the spool, the credential, keys, raw events and refused records.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.data_folder import DataFolder
from edge_agent.doctor import lines_of
from edge_agent.doctor_check import Check
from edge_agent.program_version import program_version
from shared.clock import instant_text
from shared.wire_json import encode_json

MAX_LOG_BYTES = 1_048_576
"""Of each log file the newest part; packed it is a tenth of that."""
MAX_FILES = 2000

_SECRET_SETTING = re.compile(
    r"(?im)^(\s*#?\s*[\w.\"-]*(?:password|secret|token|credential|key)[\w\"-]*\s*=\s*).*$"
)
_SECRET_IN_URL = re.compile(r"(\w+://)[^/\s\"'@]*:[^/\s\"'@]*@|(\w+://)[^/\s\"'@]+@")
_SECRET_WORD = re.compile(r"\b(?:tsd_|tst_)[\w-]+|(?i:bearer)\s+[\w.~+/=-]+")
STRUCK_OUT = "(struck out)"


def bundle_of(folder: DataFolder, status: dict[str, Any], checks: Sequence[Check], now: datetime) -> bytes:
    """The zip's bytes; what cannot be read is named in `folder.json` and left out."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bundle:

        def add(name: str, text: bytes) -> None:
            entry = zipfile.ZipInfo(name, now.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(entry, text)

        about = {"madeAt": instant_text(now), "version": program_version()}
        add("status.json", encode_json({**about, **status}))
        add("doctor.json", encode_json(msgspec.to_builtins(list(checks))))
        add("doctor.txt", "\n".join(lines_of(checks)).encode() + b"\n")
        add("configuration.toml", without_secrets(_text(folder.configuration)).encode())
        add("folder.json", encode_json(_listing(folder.root)))
        for path in sorted(folder.log.glob("*.log*")):
            add(f"log/{path.name}", without_secrets(_text(path)).encode())
    return content.getvalue()


def without_secrets(text: str) -> str:
    """`text` with the values of secret settings, credentials, and passwords in URLs struck out."""
    text = _SECRET_SETTING.sub(rf"\1{STRUCK_OUT}", text)
    text = _SECRET_IN_URL.sub(lambda match: f"{match[1] or match[2]}{STRUCK_OUT}@", text)
    return _SECRET_WORD.sub(STRUCK_OUT, text)


def _text(path: Path) -> str:
    """The newest part of a file; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(0, io.SEEK_END)
            file.seek(max(0, file.tell() - MAX_LOG_BYTES))
            return file.read(MAX_LOG_BYTES).decode("utf-8", "backslashreplace")
    except OSError:
        return ""


def _listing(root: Path) -> list[dict[str, Any]]:
    """Names and sizes of what lies in the data folder."""
    found: list[dict[str, Any]] = []
    for path in sorted(root.rglob("*"))[:MAX_FILES]:
        try:
            size = path.stat().st_size
        except OSError as error:
            found.append({"name": path.relative_to(root).as_posix(), "trouble": error.strerror})
            continue
        if path.is_file():
            found.append({"name": path.relative_to(root).as_posix(), "bytes": size})
    return found
