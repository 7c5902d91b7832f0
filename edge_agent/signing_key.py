"""The device's Ed25519 key: made before the agent enrols, signs what leaves the store as a file.

The private half never leaves the data folder, where its file is readable by the agent's account alone; the
public half goes to headquarters with the enrolment. `cryptography` takes 12 MB and is loaded by the few commands
that sign, never by the running agent.
"""

from collections.abc import Callable
from pathlib import Path

from edge_agent.data_folder import write_durably
from edge_agent.errors import EnrolmentFailed

KEY_BYTES = 32


def public_signing_key(path: Path) -> str:
    """The public half as 64 hex digits; the key is made, and on the disk, before it is first used.

    Raises EnrolmentFailed when a key is there that cannot be read.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # 12 MB, see above

    if not path.exists():
        fresh = Ed25519PrivateKey.generate().private_bytes_raw()
        write_durably(path, fresh.hex().encode("ascii"), secret=True)
    secret = _read(path)
    if secret is None:
        raise EnrolmentFailed(
            f"The device's key {path} cannot be read; give the agent's account the right to, or remove it."
        )
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw().hex()


def signer(path: Path) -> Callable[[bytes], bytes] | None:
    """What signs with the device's key; None when there is none that can be read."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # 12 MB, see above

    secret = _read(path)
    return None if secret is None else Ed25519PrivateKey.from_private_bytes(secret).sign


def _read(path: Path) -> bytes | None:
    try:
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError):
        return None
    return secret if len(secret) == KEY_BYTES else None
