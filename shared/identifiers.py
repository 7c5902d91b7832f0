"""Identities: how each is spelled, how one is derived, and the 16-byte key by which an event is known once.

Identities never expire. Keys begin with the digits of the identity, since tills count upwards: neighbours in
time are neighbours in the index, and deduplication stays fast when millions of events are there.
"""

import hashlib
import re
import secrets
from datetime import datetime
from uuid import UUID

MAX_LENGTH = 128
"""Characters of any identifier."""

_IDENTIFIER = re.compile(rf"[^\x00-\x1f\x7f]{{1,{MAX_LENGTH}}}")
_STORE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_KEY_DIGITS = 14
"""Trailing digits of an identity that lead its key; 14 of them fit the 48 bits before the version."""

_NO_VERSION = ~(0xF << 76 | 0x3 << 62)
_VERSION_7, _VERSION_8 = 0x7 << 76 | 0x2 << 62, 0x8 << 76 | 0x2 << 62
"""Version and variant of a UUID, as bits of its 128-bit value."""


def is_identifier(text: str) -> bool:
    """Whether `text` may name an item, event, sale, workstation…: 1 to 128 characters, no control characters."""
    return _IDENTIFIER.fullmatch(text) is not None


def is_store_id(text: str) -> bool:
    """Whether `text` may name a store: 1 to 64 letters, digits, dots, dashes or underscores, safe in a path."""
    return _STORE_ID.fullmatch(text) is not None


def event_key(event_id: str) -> UUID:
    """The 16-byte key of an event id: a lower-case UUID is its own key, any other text is hashed."""
    return UUID(hex=event_key_hex(event_id))


def event_key_hex(event_id: str) -> str:
    """The key of an event id as 32 hex digits: ten times as fast as a UUID where keys come by the thousand."""
    return plain_key_hex(event_id) or f"{_ordered(event_id, event_id):032x}"


def plain_key_hex(event_id: str) -> str | None:
    """The key of an event id that is its own key, the spelling of a lower-case UUID; None for any other text."""
    return event_id.replace("-", "") if len(event_id) == 36 and _UUID_TEXT.fullmatch(event_id) else None


def batch_event_key(batch_id: str, index: int) -> UUID:
    """The key of an event without an id: its batch and its index in it, neighbours staying neighbours."""
    return UUID(hex=batch_event_key_hex(batch_id, index))


def batch_event_key_hex(batch_id: str, index: int) -> str:
    """The same, as 32 hex digits."""
    lead = int.from_bytes(hashlib.sha256(b"batch\x00" + batch_id.encode()).digest()[:12], "big")
    return f"{_version_8((lead << 32) | index):032x}"


def derive_event_id(
    store_id: str, workstation_id: str, date_text: str, transaction_number: str, line: str
) -> str:
    """The id of an event that its till gave none: the same line read again gets the same id.

    Built from the till's own words alone (`date_text` as the till wrote it, never a computed date).
    """
    return uuid_text(derived_key_hex(store_id, workstation_id, date_text, transaction_number, line))


def derived_key_hex(
    store_id: str, workstation_id: str, date_text: str, transaction_number: str, line: str
) -> str:
    """The key of that id, as 32 hex digits."""
    words = "\x1f".join((store_id, workstation_id, date_text, transaction_number, line))
    return f"{_ordered(words, date_text + transaction_number + line):032x}"


def uuid_text(key_hex: str) -> str:
    """A key of 32 hex digits as a UUID is written; a UUID object would be made only to be taken apart."""
    return f"{key_hex[:8]}-{key_hex[8:12]}-{key_hex[12:16]}-{key_hex[16:20]}-{key_hex[20:]}"


def new_event_id(now: datetime) -> str:
    """A fresh time-ordered id (UUID version 7, RFC 9562) for an event that nothing else identifies."""
    return str(_version_7(now))


def new_stream_id(now: datetime) -> str:
    """A fresh stream id (UUID version 7): a reinstalled, restored or repaired agent starts a new stream."""
    return str(_version_7(now))


def _version_7(now: datetime) -> UUID:
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds << 80) | secrets.randbits(80)
    return UUID(int=value & _NO_VERSION | _VERSION_7)


def _ordered(text: str, digits_from: str) -> int:
    digits = digits_from.encode().translate(None, _NOT_DIGITS)[-_KEY_DIGITS:]
    tail = int.from_bytes(hashlib.sha256(b"event\x00" + text.encode()).digest()[:10], "big")
    return _version_8((int(digits or b"0") << 80) | tail)


def _version_8(value: int) -> int:
    """A 128-bit value as a UUID of version 8 (RFC 9562: custom content), all other bits kept."""
    return value & _NO_VERSION | _VERSION_8
