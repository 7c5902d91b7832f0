"""A till's ordinary event, read once from its bytes and kept in them: nothing is decoded to be written again.

Most tills send compact JSON of known fields. Such a record needs no dictionary: `shared.plain_event` reads the
event straight from the bytes, and the bytes themselves, which say all that the till said, go into the spool.
Whatever is not so plain is decoded; a test holds both ways to the same stamped event.
"""

from typing import Any

import msgspec

from shared.plain_event import is_printable, read_plain_json
from shared.pos_event import PosEvent
from shared.wire_json import decode_json

_TIME = b'"occurredAt":"'
_DATE_LENGTH = len("2026-02-10")


class PlainRecord(msgspec.Struct, frozen=True, gc=False):
    """An ordinary event that no agent has touched, and what it was read from."""

    event: PosEvent
    document: bytes
    """The till's own JSON object, without white space."""
    date_text: str
    """The date as the till spelled it, in `businessDate` or at the head of `occurredAt`; empty if in neither."""


def read_record(document: bytes) -> Any:
    """A PlainRecord where the bytes allow it, else the decoded JSON; raises JsonError for what is no JSON."""
    return read_plain_record(document) or decode_json(document)


def read_plain_record(document: bytes) -> PlainRecord | None:
    """The ordinary event that these bytes are, or None: then they are to be decoded and looked at closely."""
    document = document.strip()
    # Without white space and escapes, what stands before a colon is a field's name and never part of a text.
    if document[:1] != b"{" or not is_printable(document) or len(document.split(None, 1)) != 1:
        return None
    event = read_plain_json(document, printable=True)
    if event is None or b'"sequence":' in document or b'"stamp":' in document:
        return None
    if event.event_id is None and b'"eventId":' in document:
        return None  # a null, which must not stand beside the id that the event is given
    date_text = event.business_date or ""
    if not date_text and event.occurred_at is not None:
        at = document.find(_TIME)
        if at != document.rfind(_TIME):
            return None  # some tender has a time, too
        date_text = document[at + len(_TIME) :][:_DATE_LENGTH].decode("ascii")
    return PlainRecord(event, document, date_text)
