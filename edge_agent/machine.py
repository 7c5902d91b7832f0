"""Which machine this is, as far as it can be told: so that a disk that was put into another one is found out."""

import hashlib
import sys
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

Facts = Mapping[str, str]
"""What is known of a machine, each fact as a hash: they are kept in a file that support may be sent."""

_LINUX = {
    "installation": "etc/machine-id",
    "board": "sys/class/dmi/id/product_uuid",  # for the administrator's eyes only; missing for other accounts
}


def read_machine(root: Path = Path("/")) -> Facts:
    """The facts of the machine whose file system begins at `root`; those that cannot be read are missing.

    The network adapter is not among them on Linux: it is exchanged, and containers get a new one at every start.
    """
    facts: dict[str, str] = {}
    if sys.platform == "win32":
        facts["adapter"] = f"{uuid.getnode():012x}"
        with suppress(OSError):
            facts["installation"] = _windows_installation()
    for name, path in _LINUX.items():
        with suppress(OSError, UnicodeDecodeError):
            text = (root / path).read_text("ascii").strip()
            if text:
                facts[name] = text
    return {name: hashlib.sha256(f"{name}:{text}".encode()).hexdigest()[:32] for name, text in facts.items()}


def is_other_machine(before: Facts, now: Facts) -> bool:
    """Whether a fact that was known before is another one now; what is not known on one side says nothing."""
    return any(name in now and now[name] != value for name, value in before.items())


if sys.platform == "win32":
    import winreg

    def _windows_installation() -> str:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])
