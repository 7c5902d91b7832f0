"""Receipts of a stream, read for proofs: what arrived of one stamped business date, with what content."""

from datetime import date

from shared.day_digest import DayDigest, digest_of
from sync_server.database import Work

_HASH_BYTES = 32
_RUNS = """
SELECT first_sequence, content_hashes FROM stream_receipt
WHERE store_no = %s AND stream_no = %s AND business_date = %s
"""


def receipt_digest(work: Work, store_no: int, stream_no: int, business_date: date) -> DayDigest:
    """The digest of everything received of the stream under that (agent's) business date, held events included."""
    return digest_of(receipts_of_day(work, store_no, stream_no, business_date))


def receipts_of_day(
    work: Work, store_no: int, stream_no: int, business_date: date
) -> list[tuple[int, bytes]]:
    """(sequence, content hash) of everything received of the stream under that (agent's) business date."""
    events: list[tuple[int, bytes]] = []
    for first, hashes in work.connection.execute(_RUNS, [store_no, stream_no, business_date]):
        pieces = (hashes[start : start + _HASH_BYTES] for start in range(0, len(hashes), _HASH_BYTES))
        events.extend(enumerate(pieces, first))
    return events
