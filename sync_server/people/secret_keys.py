"""Keys that programs sign in with: long, random, and kept here only as their SHA-256.

A random key of 256 bits needs no slow hash: nobody can try them through. The prefix tells people and secret
scanners what they have found, and the server where to look it up.
"""

import hashlib
import secrets

DEVICE_PREFIX = "tsd_"
"""An agent's own credential."""
TOKEN_PREFIX = "tst_"  # noqa: S105  # the prefix of tokens, no token
"""An API token of a person or a service."""
SHOWN_CHARACTERS = 8
"""How much of a token is kept readable, so that its owner recognises it in a list."""


def new_key(prefix: str) -> str:
    """A fresh key that begins with `prefix`."""
    return prefix + secrets.token_urlsafe(32)


def key_sha256(key: str) -> bytes:
    """The 32 bytes by which a key is kept and found."""
    return hashlib.sha256(key.encode()).digest()
