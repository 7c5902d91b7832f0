"""How far each store's outbox is in Kafka, and how a mark is moved: on by the relay, back by a person."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import LiteralString

from sync_server.database import Work
from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.page import Mark


def advance(work: Work, marks: Iterable[Mark]) -> int:
    """Moves marks on; one that somebody else has moved meanwhile is left alone. Returns how many moved.

    A mark that a crash loses only repeats messages, so nobody waits for the disk here.
    """
    columns = [list(column) for column in zip(*marks, strict=True)]
    connection = work.connection
    connection.execute("SET LOCAL synchronous_commit = off")
    connection.execute(
        "INSERT INTO relay_progress (store_no) SELECT unnest(%s::int[]) ON CONFLICT (store_no) DO NOTHING",
        columns[:1],
    )
    return connection.execute(
        """
        UPDATE relay_progress p SET published_sequence = m.after
        FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS m (store_no, before, after)
        WHERE p.store_no = m.store_no AND p.published_sequence = m.before
        """,
        columns,
    ).rowcount


def published_kinds(work: Work, kinds: Iterable[OutboxKind]) -> list[OutboxKind]:
    """Those of `kinds` of which at least one row has been published."""
    return [
        kind
        for kind in kinds
        if work.connection.execute(
            """
            SELECT FROM relay_progress p JOIN outbox o USING (store_no)
            WHERE o.kind = %s AND o.store_sequence <= p.published_sequence LIMIT 1
            """,
            [kind.value],
        ).fetchone()
        is not None
    ]


Moved = tuple[int, int, int]
"""Stores whose marks were moved back, messages behind them, stores of which older messages are pruned."""


def move_back_to_beginning(work: Work) -> Moved:
    """Every mark to the start."""
    return _move_back(work, "SELECT store_no, 0 FROM relay_progress", [])


def move_back_one_store(work: Work, store_id: str, store_sequence: int) -> Moved:
    """One store's mark to just before `store_sequence`."""
    mark: LiteralString = "SELECT store_no, greatest(%s::bigint - 1, 0) FROM store WHERE store_id = %s"
    return _move_back(work, mark, [store_sequence, store_id])


def move_back_to_instant(work: Work, instant: datetime) -> Moved:
    """Each mark to before what was posted since `instant`.

    Postings carry the application's clock, which may go back a little: the earlier of both readings counts.
    """
    marks: LiteralString = """
        SELECT store_no, coalesce(least(
            max(store_sequence) FILTER (WHERE posted_at < instant.at),
            min(first_sequence) FILTER (WHERE posted_at >= instant.at) - 1), 0)
        FROM (
            SELECT store_no, store_sequence, first_sequence, posted_at FROM journal
            UNION ALL SELECT store_no, store_sequence, store_sequence, posted_at FROM announcement
        ) AS posting, (SELECT %s::timestamptz) AS instant (at) GROUP BY store_no
    """
    return _move_back(work, marks, [instant])


def _move_back(work: Work, marks: LiteralString, parameters: Sequence[object]) -> Moved:
    """Moves back what `marks` (store_no, mark) puts before the present mark, as far as the outbox reaches."""
    query: LiteralString = f"""
        WITH target (store_no, mark) AS ({marks}),
        back AS (
            SELECT p.store_no, greatest(t.mark, p.pruned_sequence) AS mark, p.published_sequence,
                t.mark < p.pruned_sequence AS is_short
            FROM relay_progress p JOIN target t USING (store_no)
            WHERE t.mark < p.published_sequence FOR UPDATE OF p
        ),
        moved AS (
            UPDATE relay_progress p SET published_sequence = back.mark FROM back WHERE back.store_no = p.store_no
        )
        SELECT count(*), coalesce(sum((
            SELECT count(*) FROM outbox o WHERE o.store_no = back.store_no
                AND o.store_sequence > back.mark AND o.store_sequence <= back.published_sequence)), 0)::bigint,
            count(*) FILTER (WHERE is_short)
        FROM back
    """  # noqa: S608  # `marks` is one of the three above, written by us
    row = work.connection.execute(query, parameters).fetchone()
    assert row is not None
    return row[0], row[1], row[2]
