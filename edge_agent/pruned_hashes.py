"""What is left of pruned events: their content hashes, and with them the knowledge of what was there."""

from collections.abc import Sequence

from edge_agent.resend import Range, without
from edge_agent.spool import Spool

HASH_BYTES = 32
HASHES_IN_ROW = 1000
"""Neighbours of one day share a row, up to so many."""


def pruned_pairs(
    spool: Spool, stream_no: int, business_day: int, first: int, last: int
) -> list[tuple[int, bytes]]:
    """(position, content hash) of pruned events of a stream's day between two positions."""
    rows = spool.connection.execute(
        "SELECT first_position, hashes FROM pruned WHERE stream_no = ? AND business_day = ?"
        " AND first_position BETWEEN ? AND ?",
        (stream_no, business_day, first - HASHES_IN_ROW, last),
    )
    return [
        (position, hashes[at : at + HASH_BYTES])
        for start, hashes in rows
        for position, at in enumerate(range(0, len(hashes), HASH_BYTES), start)
        if first <= position <= last
    ]


def still_here(spool: Spool, ranges: Sequence[Range]) -> list[Range]:
    """`ranges` of positions less what was pruned: that can be proven, and not be sent again."""
    if not ranges:
        return []
    low, high = min(first for first, _ in ranges), max(last for _, last in ranges)
    rows = spool.connection.execute(
        "SELECT first_position, first_position + length(hashes) / ? - 1 FROM pruned"
        " WHERE first_position BETWEEN ? AND ?",
        (HASH_BYTES, low - HASHES_IN_ROW, high),
    )
    return without(ranges, rows.fetchall())
