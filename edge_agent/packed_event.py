"""Pure: the form in which an event lies in the spool: the till's own fields as they came, the stamp in a few bytes.

On the wire sequence and stamp take two hundred characters, a third of an ordinary event. In the file they are
numbers: the sequence follows from the position, the business date and the lines that follow stand in the row, and
the rest is a tail of 26 bytes behind the till's fields, with a check sum, since the content hash covers only what the
till said. The wire form is made from it when the event is sent, the same bytes every time.

A till that sends nearly every optional field spends most of its bytes on their names. What is longer than an ordinary
event is therefore compressed against a fixed text of those names; ordinary events do not pay for it.
"""

import zlib
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any

from shared.business_date import TimeReading
from shared.clock import instant_text, read_instant

_MARK = b"\x01"
"""The last byte of a packed event; an event that an earlier agent wrote lies there in its wire form and ends in `}`."""
_SQUEEZED = b"\x02"
"""The same, where the till's fields are compressed and followed by how long they are."""
_STAMP = Struct(">qqB")
_PLACE = Struct(">I")
_ROW = Struct(">qq")
_SUM = _LENGTH = Struct(">I")
_STAMP_BYTES, _TAIL_BYTES = _STAMP.size, _STAMP.size + _PLACE.size + _SUM.size + len(_MARK)
_READINGS = (
    TimeReading.OFFSET,
    TimeReading.LOCAL,
    TimeReading.FOLD_EARLIER,
    TimeReading.FOLD_LATER,
    TimeReading.GAP,
    TimeReading.ARRIVAL,
    TimeReading.POSTED_AT,
)
"""By number, as they stand in files: new ones go to the end."""
_NUMBERS = {reading: number for number, reading in enumerate(_READINGS)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

SQUEEZE_FROM = 400
"""Bytes of the till's fields from which on compressing pays: an ordinary event has some 320."""
MAX_FIELDS_BYTES = 4 * 1024 * 1024
"""No till hands over more at once, so that no damaged row can claim to be larger."""
_WINDOW_BITS, _MEMORY_LEVEL = -13, 6
_WORDS = (
    b'"originalSaleId":"","disposition":"RESTOCK""DAMAGED","reasonCode":"","transferId":"res-000000"reservationId":"'
    b'},{"type":"CARD","amount":"CASH","amount":"GIFT_CARD"VOUCHER"type":"RETURN","itemId":"VOID","voids":{"saleId":"'
    b'00000000-0000-4000-8000-0000000000000123456789,"unitCost":"0.00","currency":"EUR","discountAmount":"0.00",'
    b'"unitOfMeasure":"EA","tenders":[{"type":"CARD","amount":"0.00"}],"occurredAt":"2026-02-10T12:00:00.000-05:00",'
    b'"businessDate":"2026-02-10","barcode":"400","unitCost":0.00,"currency":"USD","taxAmount":"0.00",'
    b'"cashierId":"00","workstationId":"TILL-1","transactionNumber":"0000","lineNumber":1,"saleId":"","eventId":"'
    b'{"type":"SALE","itemId":"item-001","quantity":1,"amount":0.00,"saleId":"'
)
"""Part of the file's form, as the numbers above are: it must never change. The commonest stands last."""

_WIRE_STAMP = 240
"""Bytes that sequence and stamp take on the wire, at most."""
END_BYTES = _TAIL_BYTES + _LENGTH.size
"""So many of an event's last bytes say how long it is on the wire."""


def pack_stamp(occurred_at: datetime, received_at: datetime, reading: TimeReading) -> bytes:
    """The part of the stamp that no column holds; aware instants, to the microsecond."""
    return _STAMP.pack(
        (occurred_at - _EPOCH) // _MICROSECOND, (received_at - _EPOCH) // _MICROSECOND, _NUMBERS[reading]
    )


def stamp_of(document: dict[str, Any]) -> bytes:
    """The same from a stamp as the wire has it. Raises KeyError, TypeError or ValueError for nonsense."""
    occurred_at, received_at = read_instant(document["occurredAt"]), read_instant(document["receivedAt"])
    return pack_stamp(occurred_at, received_at, TimeReading(document["timeReading"]))


def pack_event(
    own_fields: bytes, stamp: bytes, business_day: int, lines_before: int, lines_after: int
) -> bytes:
    """The event as it lies in the file, from the till's fields without their closing brace."""
    tail = stamp + _PLACE.pack(lines_before)
    mark = _MARK
    if len(own_fields) >= SQUEEZE_FROM:
        own_fields, mark = _squeeze(own_fields), _SQUEEZED
    return b"%b%b%b%b" % (own_fields, tail, _SUM.pack(_check_sum(tail, business_day, lines_after)), mark)


def _squeeze(own_fields: bytes) -> bytes:
    squeezing = zlib.compressobj(
        1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _WORDS
    )
    return squeezing.compress(own_fields) + squeezing.flush() + _LENGTH.pack(len(own_fields))


def _widen(squeezed: bytes) -> bytes:
    widening = zlib.decompressobj(_WINDOW_BITS, _WORDS)
    try:
        own_fields = widening.decompress(squeezed[: -_LENGTH.size], MAX_FIELDS_BYTES)
    except zlib.error as error:
        raise ValueError("the till's fields cannot be unpacked") from error
    if not widening.eof or squeezed[-_LENGTH.size :] != _LENGTH.pack(len(own_fields)):
        raise ValueError("the till's fields are cut off")
    return own_fields


def is_packed(body: bytes) -> bool:
    """Whether the event lies in the file in this form, and not as it crosses the wire."""
    return body[-1:] in (_MARK, _SQUEEZED)


def unpack_event(body: bytes, business_day: int, lines_after: int) -> tuple[bytes, bytes, int]:
    """(the till's fields, stamp, lines of its group before it) of a packed event; raises ValueError for damage."""
    tail = body[-_TAIL_BYTES:]
    numbers = tail[: _STAMP_BYTES + _PLACE.size]
    if len(tail) < _TAIL_BYTES or tail[-5:-1] != _SUM.pack(_check_sum(numbers, business_day, lines_after)):
        raise ValueError("the stamp does not fit its check sum")
    own_fields = body[:-_TAIL_BYTES]
    if body[-1:] == _SQUEEZED:
        own_fields = _widen(own_fields)
    return own_fields, numbers[:_STAMP_BYTES], _PLACE.unpack(numbers[_STAMP_BYTES:])[0]


def wire_form(body: bytes, sequence: int, business_day: int, lines_after: int) -> bytes:
    """The event of a row as it crosses the wire. Raises ValueError for one that is damaged."""
    if not is_packed(body):
        return body
    own_fields, stamp, lines_before = unpack_event(body, business_day, lines_after)
    occurred_at, received_at, reading = _STAMP.unpack(stamp)
    text = (
        f',"sequence":{sequence},"stamp":{{"businessDate":"{_day_text(business_day)}"'
        f',"occurredAt":"{_text_of(occurred_at)}","timeReading":"{_READINGS[reading].value}"'
        f',"receivedAt":"{_text_of(received_at)}","groupFirst":{sequence - lines_before}'
        f',"groupSize":{lines_before + lines_after + 1}}}}}'
    )
    return own_fields + text.encode("ascii")


def wire_length(length: int, end: bytes) -> int:
    """Bytes that an event takes on the wire, at most, from its length in the file and its last END_BYTES."""
    if end[-1:] == _SQUEEZED and len(end) == END_BYTES:
        length = min(_LENGTH.unpack(end[: _LENGTH.size])[0], MAX_FIELDS_BYTES)
    return length + _WIRE_STAMP


def what_the_till_said(body: bytes) -> bytes:
    """The part of a stored event that a person can read, whatever is the matter with the rest."""
    if body[-1:] == _SQUEEZED:
        try:
            return _widen(body[:-_TAIL_BYTES]) + b"}"
        except ValueError:
            return body
    return body[:-_TAIL_BYTES] + b"}" if is_packed(body) else body


def received_at(body: bytes, business_day: int, lines_after: int) -> str:
    """When a packed event was accepted, as the wire spells it. Raises ValueError for one that is damaged."""
    _, stamp, _ = unpack_event(body, business_day, lines_after)
    return _text_of(_STAMP.unpack(stamp)[1])


def _check_sum(numbers: bytes, business_day: int, lines_after: int) -> int:
    return zlib.crc32(_ROW.pack(business_day, lines_after), zlib.crc32(numbers))


@lru_cache(maxsize=256)
def _text_of(microseconds: int) -> str:
    return instant_text(_EPOCH + timedelta(microseconds=microseconds))


@lru_cache(maxsize=64)
def _day_text(business_day: int) -> str:
    return date.fromordinal(business_day).isoformat()
