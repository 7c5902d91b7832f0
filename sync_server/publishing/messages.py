"""From what was posted to the message that tells of it. Pure: rows of the ledger in, bytes for Kafka out.

Numbers, dates and instants come as PostgreSQL spells them and go into the JSON as they are: nothing that is
never converted can lose a digit. A message's `eventId` follows from its cause alone, so that a headquarters
restored from a backup publishes the same events under the same ids.

Lines and messages are made by the thousand: `gc=False` keeps them out of the search for reference cycles,
of which text and numbers can form none.
"""

from decimal import Decimal
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from typing import Final, NamedTuple

import msgspec

from sync_server.publishing.kinds import OutboxKind

SCHEMA_VERSION: Final = 1


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message for Kafka: its topic, the key that decides partition and order, the value's bytes."""

    topic: str
    key: bytes
    value: bytes


class PostedLine(msgspec.Struct, frozen=True, gc=False):
    """A line of a sale or a return as it was posted, in PostgreSQL's spelling; None is what nobody said."""

    store_id: str
    store_sequence: int
    event_key: str
    event_id: str | None
    """The till's spelling of the id, where it is not the key itself."""
    sale_id: str | None
    item_id: str | None
    quantity: str
    """In the item's unit of measure, > 0."""
    amount: str
    """The charge for the whole line after discount, tax included."""
    currency: str
    tax_amount: str | None
    line_number: int | None
    business_date: str
    accounting_date: str
    occurred_at: str
    """In UTC, as PostgreSQL spells it: `2026-02-10 22:41:07+00`."""
    posted_at: str
    """When it occurred, where the line moved no value."""
    workstation_id: str | None
    transaction_number: str | None
    details: str | None
    """The till's other fields, a JSON object."""


class PostedVoid(msgspec.Struct, frozen=True):
    """One line taken back: the line as it was posted, and the event that took it back."""

    line: PostedLine
    """What was voided; sequence, dates, instants and workstation are those of the voiding."""
    line_type: str
    """SALE, RETURN or RECEIPT."""
    void_key: str
    void_id: str | None
    void_sale_id: str | None


class PostedJournal(msgspec.Struct, frozen=True):
    """A balanced journal; `lines` are (account, tender, debit, credit)."""

    store_id: str
    store_sequence: int
    cause: str | None
    """What it books first: `EVENT` and its id, or `VOIDED` and the line's key; None without a till event."""
    kind: str
    currency: str
    business_date: str
    accounting_date: str
    posted_at: str
    pos_event_ids: list[str]
    lines: list[tuple[str, str | None, str, str]]


class Announced(msgspec.Struct, frozen=True):
    """What a document of headquarters wrote down to be told."""

    store_id: str
    store_sequence: int
    kind: OutboxKind
    cause: str
    payload: str
    """A JSON object with at least one field, without spaces around it."""
    posted_at: str


class ChangedAvailability(msgspec.Struct, frozen=True, gc=False):
    """What a store can promise of an item whose stock has moved, in PostgreSQL's spelling."""

    store_id: str
    store_sequence: int
    """The item's latest movement."""
    item_id: str
    available: str
    on_hand: str
    reserved: str
    posted_at: str
    cause: str
    """Which movement that was, in words that a restored headquarters finds again."""


class _TillDetails(msgspec.Struct, rename="camel"):
    """The fields of a till that have no column of their own and are published."""

    discount_amount: Decimal | None = None
    disposition: str | None = None
    original_sale_id: str | None = None


# Every message: the spec's two fields, and what lets a consumer recognise and order it.
_ENVELOPE: Final = (
    '{"eventType":"%s","payload":{%s},"eventId":"%s","timestamp":"%s","aggregateId":"%s",'
    f'"storeSequence":%d,"schemaVersion":{SCHEMA_VERSION}}}'
)
# The spec's fields first, in its order.
_LINE: Final = (
    '"storeId":"%s","saleId":%s,"itemId":%s,"quantity":%s,"amount":%s,"currency":"%s","taxAmount":%s,'
    '"discountAmount":%s,"lineNumber":%s,"businessDate":"%s","accountingDate":"%s","occurredAt":"%s",'
    '"workstationId":%s,"transactionNumber":%s,"posEventId":%s'
)
_OF_RETURN: Final = ',"disposition":%s,"originalSaleId":%s'
_OF_VOID: Final = ',"voidedType":"%s","voidedEventId":%s,"voidedSaleId":%s'
_AVAILABILITY_PAYLOAD: Final = (
    '"storeId":"%s","itemId":%s,"available":%s,"onHand":%s,"reserved":%s,"asOf":"%s"'
)
_JOURNAL_PAYLOAD: Final = (
    '"storeId":"%s","journalId":"%s","kind":"%s","businessDate":"%s","accountingDate":"%s","currency":"%s",'
    '"lines":[%s],"posEventIds":[%s]'
)


def sale_message(line: PostedLine) -> Message:
    """POSSalePostedEvent."""
    payload = _line_payload(line, _details(line.details))
    return _message(_SALE, line, payload, line.event_key)


def return_message(line: PostedLine) -> Message:
    """POSReturnPostedEvent; DAMAGED goods did not go back on the shelf."""
    details = _details(line.details)
    of_return = _OF_RETURN % (quoted(details.disposition or "RESTOCK"), _text(details.original_sale_id))
    return _message(_RETURN, line, _line_payload(line, details) + of_return, line.event_key)


def void_message(void: PostedVoid) -> Message:
    """POSVoidPostedEvent, one for each line taken back: quantity and money with the opposite sign."""
    line, details = void.line, _details(void.line.details)
    reverse = msgspec.structs.replace(
        line,
        quantity=_negated(line.quantity),
        amount=_negated(line.amount),
        tax_amount=line.tax_amount and _negated(line.tax_amount),
        sale_id=void.void_sale_id or line.sale_id,
        event_key=void.void_key,
        event_id=void.void_id,
    )
    if details.discount_amount is not None:
        details = _TillDetails(-details.discount_amount)
    of_void = _OF_VOID % (void.line_type, quoted(line.event_id or line.event_key), _text(line.sale_id))
    cause = f"{void.void_key}\x1f{line.event_key}"
    return _message(_VOID, line, _line_payload(reverse, details) + of_void, cause)


def journal_message(journal: PostedJournal) -> Message:
    """GLJournalPostedEvent."""
    payload = _JOURNAL_PAYLOAD % (
        journal.store_id,
        journal_id(journal.store_id, journal.store_sequence),
        journal.kind,
        journal.business_date,
        journal.accounting_date,
        journal.currency,
        ",".join([_journal_side(*side) for side in journal.lines]),
        ",".join([quoted(event_id) for event_id in journal.pos_event_ids]),
    )
    cause = journal.cause or f"{journal.kind} {journal.store_sequence}"
    return _message(_JOURNAL, journal, payload, f"{journal.currency}\x1f{cause}")


def announced_message(said: Announced) -> Message:
    """StoreStockReconciledEvent or StoreTransferUpdatedEvent."""
    payload = f'"storeId":"{said.store_id}",{said.payload[1:-1]}'
    return _message(_TOLD[said.kind], said, payload, said.cause)


def availability_message(changed: ChangedAvailability) -> Message:
    """StoreAvailabilityUpdatedEvent; the same movement that leaves the same stock has the same id."""
    payload = _AVAILABILITY_PAYLOAD % (
        changed.store_id,
        quoted(changed.item_id),
        changed.available,
        changed.on_hand,
        changed.reserved,
        _instant(changed.posted_at),
    )
    cause = "\x1f".join((changed.item_id, changed.cause, changed.on_hand, changed.reserved))
    return _message(_AVAILABILITY, changed, payload, cause)


def journal_id(store_id: str, store_sequence: int) -> str:
    """A journal's public name."""
    return f"{store_id}-{store_sequence}"


def event_id(kind: OutboxKind, store_id: str, cause: str) -> str:
    """The id of the message that `cause` has in this store, whenever and however often it is published.

    A UUID of version 8 (RFC 9562: custom content) from a hash over all three.
    """
    return _event_id(_TOLD[kind].name, store_id, cause)


class _Told(NamedTuple):
    """What the messages of one kind have in common, looked up once."""

    topic: str
    event_type: str
    name: str
    """Names the kind in ids; like the kind's number it never changes."""


_TOLD: Final = {kind: _Told(kind.topic, kind.event_type, f"tillsync {kind.value}") for kind in OutboxKind}
_SALE, _RETURN = _TOLD[OutboxKind.SALE], _TOLD[OutboxKind.RETURN]
_VOID, _JOURNAL = _TOLD[OutboxKind.VOID], _TOLD[OutboxKind.JOURNAL]
_AVAILABILITY = _TOLD[OutboxKind.AVAILABILITY]


def _event_id(kind: str, store_id: str, cause: str) -> str:
    text = sha256(f"{kind}\x1f{store_id}\x1f{cause}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-a{text[17:20]}-{text[20:32]}"


def _message(
    told: _Told,
    posted: PostedLine | PostedJournal | Announced | ChangedAvailability,
    payload: str,
    cause: str,
) -> Message:
    topic, event_type, kind = told
    store_id = posted.store_id
    value = _ENVELOPE % (
        event_type,
        payload,
        _event_id(kind, store_id, cause),
        _instant(posted.posted_at),
        store_id,
        posted.store_sequence,
    )
    return Message(topic, store_id.encode(), value.encode())


def _line_payload(line: PostedLine, details: _TillDetails) -> str:
    return _LINE % (
        line.store_id,
        _text(line.sale_id),
        _text(line.item_id),
        line.quantity,
        line.amount,
        line.currency,
        line.tax_amount or "null",
        "null" if details.discount_amount is None else details.discount_amount,
        "null" if line.line_number is None else line.line_number,
        line.business_date,
        line.accounting_date,
        _instant(line.occurred_at),
        _text(line.workstation_id),
        _text(line.transaction_number),
        quoted(line.event_id or line.event_key),
    )


def _journal_side(account: str, tender: str | None, debit: str, credit: str) -> str:
    """One side of a journal; the tender only on lines that have one."""
    named = "" if tender is None else f',"tender":{quoted(tender)}'
    return f'{{"account":{quoted(account)},"debit":{debit},"credit":{credit}{named}}}'


def _text(text: str | None) -> str:
    return "null" if text is None else quoted(text)


def _instant(text: str) -> str:
    """PostgreSQL's spelling in UTC, `2026-02-10 22:41:07.5+00`, as the wire has it."""
    return f"{text[:10]}T{text[11:-3]}Z"


def _negated(number: str) -> str:
    return str(-Decimal(number))


def _details(document: str | None) -> _TillDetails:
    return _NO_DETAILS if document is None else _decode_details(document)


_decode_details = msgspec.json.Decoder(_TillDetails).decode
_NO_DETAILS: Final = _TillDetails()
