"""From what was posted to the message that tells of it. Pure: rows of the ledger in, bytes for Kafka out.

Decimals leave as JSON numbers with the digits they were posted with. A message's `eventId` follows from its
cause alone, so that a headquarters restored from a backup publishes the same events under the same ids.
"""

from datetime import date, datetime
from decimal import Decimal
from hashlib import sha1
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from sync_server.publishing.kinds import OutboxKind

SCHEMA_VERSION: Final = 1
CAUSES: Final = UUID("6f1d3b0a-6c0e-5d0b-9a55-0b5a7d1c2e94")
"""Names the space of ids below; it never changes, or every consumer would see every event anew."""
_SPACE: Final = CAUSES.bytes

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Message(NamedTuple):
    """One message for Kafka: its topic, the key that decides partition and order, the value's bytes."""

    topic: str
    key: bytes
    value: bytes


class PostedLine(NamedTuple):
    """A line of a sale or a return as it was posted; what the till did not say is None."""

    store_id: str
    store_sequence: int
    event_key: str
    event_id: str | None
    """The till's spelling of the id, where it is not the key itself."""
    sale_id: str | None
    item_id: str | None
    quantity: Decimal
    """In the item's unit of measure, > 0."""
    amount: Decimal
    """The charge for the whole line after discount, tax included."""
    currency: str
    tax_amount: Decimal | None
    line_number: int | None
    business_date: date
    accounting_date: date
    occurred_at: datetime
    posted_at: datetime
    """When it occurred, where the line moved no value."""
    workstation_id: str | None
    transaction_number: str | None
    details: str | None
    """The till's other fields, a JSON object."""


class PostedVoid(NamedTuple):
    """One line taken back: the line as it was posted, and the event that took it back."""

    line: PostedLine
    """What was voided, at the store sequence of its voiding."""
    line_type: str
    """SALE, RETURN or RECEIPT."""
    void_key: str
    void_id: str | None
    void_sale_id: str | None


class PostedJournal(NamedTuple):
    """A balanced journal; `lines` are (account, tender, debit, credit)."""

    store_id: str
    store_sequence: int
    cause: str | None
    """What it books first: `EVENT` and its id, or `VOIDED` and the line's key; None without a till event."""
    kind: str
    currency: str
    business_date: date
    accounting_date: date
    posted_at: datetime
    pos_event_ids: list[str]
    lines: list[tuple[str, str | None, Decimal, Decimal]]


class _TillDetails(msgspec.Struct, rename="camel"):
    """The fields of a till that have no column of their own and are published."""

    discount_amount: Decimal | None = None
    disposition: str | None = None
    original_sale_id: str | None = None


class LinePayload(msgspec.Struct, rename="camel"):
    """The payload of POSSalePostedEvent: the spec's fields and more."""

    store_id: str
    sale_id: str | None
    item_id: str | None
    quantity: Decimal
    amount: Decimal
    currency: str
    tax_amount: Decimal | None
    discount_amount: Decimal | None
    line_number: int | None
    business_date: date
    accounting_date: date
    occurred_at: datetime
    workstation_id: str | None
    transaction_number: str | None
    pos_event_id: str


class ReturnPayload(LinePayload, rename="camel"):
    """The payload of POSReturnPostedEvent; DAMAGED goods did not go back on the shelf."""

    disposition: str
    original_sale_id: str | None


class VoidPayload(LinePayload, rename="camel"):
    """The payload of POSVoidPostedEvent: the voided line, quantity and money with the opposite sign."""

    voided_type: str
    voided_event_id: str
    voided_sale_id: str | None


class JournalLinePayload(msgspec.Struct, rename="camel", omit_defaults=True):
    """One side of a journal; the tender only on lines that have one."""

    account: str
    debit: Decimal
    credit: Decimal
    tender: str | None = None


class JournalPayload(msgspec.Struct, rename="camel"):
    """The payload of GLJournalPostedEvent."""

    store_id: str
    journal_id: str
    kind: str
    business_date: date
    accounting_date: date
    currency: str
    lines: list[JournalLinePayload]
    pos_event_ids: list[str]


class Envelope(msgspec.Struct, rename="camel"):
    """What every message is wrapped in."""

    event_type: str
    payload: Any
    event_id: str
    timestamp: datetime
    """When it was posted; of a line that moved no value, when it occurred."""
    aggregate_id: str
    """The store: the unit of order, whose version `store_sequence` is."""
    store_sequence: int
    schema_version: int = SCHEMA_VERSION


def sale_message(line: PostedLine) -> Message:
    """POSSalePostedEvent."""
    payload = LinePayload(*_fields(line, _details(line)))
    return _message(OutboxKind.SALE, line, payload, line.event_key)


def return_message(line: PostedLine) -> Message:
    """POSReturnPostedEvent."""
    details = _details(line)
    of_return: tuple[Any, ...] = (details.disposition or "RESTOCK", details.original_sale_id)
    payload = ReturnPayload(*_fields(line, details), *of_return)
    return _message(OutboxKind.RETURN, line, payload, line.event_key)


def void_message(void: PostedVoid) -> Message:
    """POSVoidPostedEvent, one for each line taken back."""
    line = void.line
    of_voided: tuple[Any, ...] = (void.line_type, _till_id(line.event_id, line.event_key), line.sale_id)
    payload = VoidPayload(*_fields(line, _details(line)), *of_voided)
    payload.quantity, payload.amount = -line.quantity, -line.amount
    payload.tax_amount, payload.discount_amount = (
        _negated(payload.tax_amount),
        _negated(payload.discount_amount),
    )
    payload.pos_event_id = _till_id(void.void_id, void.void_key)
    payload.sale_id = void.void_sale_id or line.sale_id
    return _message(OutboxKind.VOID, line, payload, f"{void.void_key}\x1f{line.event_key}")


def journal_message(journal: PostedJournal) -> Message:
    """GLJournalPostedEvent."""
    payload = JournalPayload(
        store_id=journal.store_id,
        journal_id=journal_id(journal.store_id, journal.store_sequence),
        kind=journal.kind,
        business_date=journal.business_date,
        accounting_date=journal.accounting_date,
        currency=journal.currency,
        lines=[
            JournalLinePayload(account, debit, credit, tender)
            for account, tender, debit, credit in journal.lines
        ],
        pos_event_ids=journal.pos_event_ids,
    )
    cause = journal.cause or f"{journal.kind} {journal.store_sequence}"
    return _message(OutboxKind.JOURNAL, journal, payload, f"{journal.currency}\x1f{cause}")


def journal_id(store_id: str, store_sequence: int) -> str:
    """A journal's public name."""
    return f"{store_id}-{store_sequence}"


def event_id(kind: OutboxKind, store_id: str, cause: str) -> str:
    """The id of the message that `cause` has in this store, whenever and however often it is published.

    A UUID of version 5 in the space `CAUSES`, spelled out here: that takes a quarter of uuid5's time.
    """
    digest = bytearray(
        sha1(_SPACE + f"{kind:d}\x1f{store_id}\x1f{cause}".encode(), usedforsecurity=False).digest()
    )
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def _message(kind: OutboxKind, posted: PostedLine | PostedJournal, payload: Any, cause: str) -> Message:
    store_id = posted.store_id
    envelope = Envelope(
        event_type=kind.event_type,
        payload=payload,
        event_id=event_id(kind, store_id, cause),
        timestamp=posted.posted_at,
        aggregate_id=store_id,
        store_sequence=posted.store_sequence,
    )
    return Message(kind.topic, store_id.encode(), _encode(envelope))


def _fields(line: PostedLine, details: _TillDetails) -> tuple[Any, ...]:
    """The fields of LinePayload, in its order."""
    return (
        line.store_id,
        line.sale_id,
        line.item_id,
        line.quantity,
        line.amount,
        line.currency,
        line.tax_amount,
        details.discount_amount,
        line.line_number,
        line.business_date,
        line.accounting_date,
        line.occurred_at,
        line.workstation_id,
        line.transaction_number,
        _till_id(line.event_id, line.event_key),
    )


def _details(line: PostedLine) -> _TillDetails:
    return _decode_details(line.details) if line.details else _NO_DETAILS


def _till_id(event_id: str | None, event_key: str) -> str:
    return event_id or event_key


def _negated(number: Decimal | None) -> Decimal | None:
    return None if number is None else -number


_decode_details = msgspec.json.Decoder(_TillDetails).decode
_NO_DETAILS: Final = _TillDetails()
