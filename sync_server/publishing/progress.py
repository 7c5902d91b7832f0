"""How far each store's outbox is in Kafka, and how a mark is moved: on by the relay, back by a person."""

from collections.abc import Iterable

from sync_server.database import Work
from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.page import Mark


def advance(work: Work, marks: Iterable[Mark]) -> None:
    """Moves marks on; one that somebody else has moved meanwhile is left alone.

    A mark that a crash loses only repeats messages, so nobody waits for the disk here.
    """
    columns = [list(column) for column in zip(*marks, strict=True)]
    connection = work.connection
    connection.execute("SET LOCAL synchronous_commit = off")
    connection.execute(
        "INSERT INTO relay_progress (store_no) SELECT unnest(%s::int[]) ON CONFLICT (store_no) DO NOTHING",
        columns[:1],
    )
    connection.execute(
        """
        UPDATE relay_progress p SET published_sequence = m.after
        FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS m (store_no, before, after)
        WHERE p.store_no = m.store_no AND p.published_sequence = m.before
        """,
        columns,
    )


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
