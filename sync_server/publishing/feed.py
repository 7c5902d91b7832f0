"""The outbox as a feed over all stores, in one order that never changes: for whoever has no Kafka, or does not want it.

Each store's numbers are in the order of its commits; between stores there is no order that the database knows.
So positions are given to what is committed, in pieces: a *span* gives the numbers of one store, from its mark to its
last, the positions behind the last span. They are given when somebody reads, by one reader at a time: nobody runs
for a feed that nobody reads, and it works without a broker. A position that was seen never changes, and nothing
appears below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sync_server.database import Work
from sync_server.errors import Conflict
from sync_server.publishing.messages import Message
from sync_server.publishing.outbox import read_entries
from sync_server.publishing.page import PublishedStore, Span, render

NUMBERS_OF_A_PAGE: Final = 4_000
"""Store sequences that a page looks through at most; not every one of them is told."""
_GIVE: Final = 7_303_014
"""The advisory lock of whoever gives positions."""

_NEWS = """
SELECT FROM store s LEFT JOIN feed_progress p USING (store_no)
WHERE s.store_no <> 0 AND s.last_sequence > coalesce(p.given_sequence, 0) LIMIT 1
"""
_SPANS = """
WITH news AS (
    SELECT s.store_no, greatest(coalesce(p.given_sequence, 0), coalesce(r.pruned_sequence, 0)) + 1 AS low,
           s.last_sequence AS high
    FROM store s LEFT JOIN feed_progress p USING (store_no) LEFT JOIN relay_progress r USING (store_no)
    WHERE s.store_no <> 0 AND s.last_sequence > coalesce(p.given_sequence, 0)
), placed AS (
    SELECT *, coalesce((SELECT max(last_position) FROM feed_span), 0)
              + coalesce(sum(high - low + 1) OVER (ORDER BY store_no ROWS BETWEEN UNBOUNDED PRECEDING
                                                   AND 1 PRECEDING), 0) AS behind
    FROM news WHERE high >= low
), marks AS (
    INSERT INTO feed_progress (store_no, given_sequence) SELECT store_no, high FROM news
    ON CONFLICT (store_no) DO UPDATE SET given_sequence = excluded.given_sequence
)
INSERT INTO feed_span (first_position, last_position, store_no, first_sequence)
SELECT behind + 1, behind + high - low + 1, store_no, low FROM placed
"""
_AFTER = """
(SELECT first_position, last_position, store_no, first_sequence FROM feed_span
 WHERE first_position <= %(after)s ORDER BY first_position DESC LIMIT 1)
UNION ALL
(SELECT first_position, last_position, store_no, first_sequence FROM feed_span
 WHERE first_position > %(after)s ORDER BY first_position LIMIT %(numbers)s)
ORDER BY first_position
"""
_STORES = """
SELECT s.store_no, s.store_id, s.currency, coalesce(r.pruned_sequence, 0)
FROM store s LEFT JOIN relay_progress r USING (store_no) WHERE s.store_no = ANY(%s::int[])
"""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """What was told behind a position: each message with its own, and the position that was read up to."""

    messages: Sequence[tuple[int, Message]]
    position: int
    more: bool
    """Whether positions behind it have been given already."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a span: positions from `first` to `last` stand for sequences from `sequence` on."""

    first: int
    last: int
    store_no: int
    sequence: int


def give_positions(work: Work) -> None:
    """Gives positions to everything that is committed and has none; waits for whoever is just doing so."""
    if work.connection.execute(_NEWS).fetchone() is None:
        return
    work.connection.execute("SELECT pg_advisory_xact_lock(%s)", [_GIVE])
    work.connection.execute(_SPANS)


def read_feed(work: Work, after: int, limit: int) -> FeedPage:
    """At most `limit` messages behind position `after` (0: the beginning, as far back as the outbox is kept).

    Raises Conflict for a position behind which the outbox has been pruned since: its reader has missed something.
    """
    pieces = _pieces(work, after)
    if not pieces:
        return FeedPage([], after, more=False)
    stores = {
        store_no: (PublishedStore(store_no, store_id, currency), pruned)
        for store_no, store_id, currency, pruned in work.connection.execute(
            _STORES, [sorted({piece.store_no for piece in pieces})]
        )
    }
    if after and any(piece.sequence <= stores[piece.store_no][1] for piece in pieces):
        raise Conflict(
            f"What was told behind position {after} has been pruned in part; read again from the beginning, "
            "without `after`, and look up what lies before in the journals."
        )
    spans = [
        Span(stores[piece.store_no][0], piece.sequence, piece.sequence + piece.last - piece.first)
        for piece in pieces
    ]
    found = []
    for entry in read_entries(work, spans):
        message = render(entry)
        if message is not None:
            found.append((_position(pieces, entry[0], entry[1]), message))
    found.sort(key=lambda each: each[0])
    reached = pieces[-1].last
    if len(found) > limit:
        found = found[:limit]
        reached = found[-1][0]
    return FeedPage(found, reached, more=_given(work) > reached)


def _pieces(work: Work, after: int) -> list[_Piece]:
    left = NUMBERS_OF_A_PAGE
    pieces = []
    rows = work.connection.execute(_AFTER, {"after": after, "numbers": NUMBERS_OF_A_PAGE}).fetchall()
    for first, last, store_no, sequence in rows:
        begin = max(first, after + 1)
        end = min(last, begin + left - 1)
        if begin <= end:
            pieces.append(_Piece(begin, end, store_no, sequence + begin - first))
            left -= end - begin + 1
    return pieces


def _position(pieces: Sequence[_Piece], store_no: int, sequence: int) -> int:
    for piece in pieces:
        if piece.store_no == store_no and 0 <= sequence - piece.sequence <= piece.last - piece.first:
            return piece.first + sequence - piece.sequence
    raise LookupError(f"sequence {sequence} of store number {store_no} was not asked for")


def _given(work: Work) -> int:
    row: Any = work.connection.execute("SELECT coalesce(max(last_position), 0) FROM feed_span").fetchone()
    return int(row[0])
