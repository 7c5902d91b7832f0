"""The parameters of a batch's one write: rows by table, the batch itself, its audit entry, its stream."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import RawCursor
from psycopg.types.multirange import Multirange

from shared.clock import read_instant
from shared.event_batch import EventBatch
from sync_server.database import RawConnection
from sync_server.ingestion.array_literals import plain
from sync_server.ingestion.ledger_rows import LedgerRows
from sync_server.ingestion.ledger_writes import (
    ALLOCATE,
    ALWAYS,
    CLAIMS,
    HELD,
    JOURNAL_LINES,
    JOURNALS,
    LINES,
    MOVEMENTS,
    OUTBOX,
    RECEIPTS,
    RETURNS,
    SALES,
    STOCK,
    VOID_EFFECTS,
    RowSet,
    write_statement,
)
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.ingestion.stream_runs import Run, runs_of
from sync_server.inventory.valuation import unit_cost_of
from sync_server.people.audit_log import AuditFacts, chain_hash, facts_by
from sync_server.people.callers import Caller, CallerKind
from sync_server.stores.locked_store import KnownStream, LockedStore

HELD_STATUS = "HELD"
JOURNAL_KIND = "POS"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A batch on its way into the ledger: who brought what, for which store and stream, and when."""

    caller: Caller
    batch: EventBatch
    store: LockedStore
    stream: KnownStream | None
    now: datetime
    channel: str | None = None
    """By which way it came, where that is not said by who brought it."""
    claims_intake: bool = False
    """Whether the batch makes its channel the store\'s intake."""


def record_batch(connection: RawConnection, delivery: Delivery, posting: OpenPosting) -> Multirange[int]:
    """Writes everything that `posting` decided; returns what has now been received of the stream."""
    stream, rows = delivery.stream, posting.rows
    runs = _runs(delivery, posting)
    sets = dict(_row_sets(delivery, rows, posting, runs))
    optional = [row_set for row_set, found in sets.items() if found and row_set not in ALWAYS]
    journals = {LINES: (rows.money_journals, rows.goods_journals), MOVEMENTS: (rows.movement_journals,)}
    parameters: dict[str, Any] = {}
    for row_set in (*ALWAYS, *optional):
        parameters |= row_set.parameters(sets[row_set], journals.get(row_set, ()))
    parameters |= _batch_parameters(delivery, posting)
    parameters |= _audit_parameters(delivery, posting)
    parameters["received"] = f"{{{','.join(f'[{first},{last}]' for first, last, *_ in runs)}}}"
    parameters["dates"] = plain(sorted({run[2] for run in runs}))
    parameters["satisfied"] = plain(rows.satisfied_claims)
    statement = write_statement(
        (*ALWAYS, *optional), stream=stream is not None, satisfied=bool(rows.satisfied_claims)
    )
    # Prepared at once: planning a statement of this size costs as much as running it.
    writing = RawCursor(connection)
    row = writing.execute(statement.sql, statement.arguments(parameters), prepare=True).fetchone()
    if rows.allocations:
        columns = map(list, zip(*rows.allocations, strict=True))
        connection.execute(ALLOCATE, [*columns, delivery.store.store_no])
    return Multirange() if row is None or row[0] is None else row[0]


def _runs(delivery: Delivery, posting: OpenPosting) -> list[Run]:
    if delivery.stream is None:
        return []
    return runs_of(posting.rows.receipts, None if posting.all_new else delivery.stream.has)


def _row_sets(
    delivery: Delivery, rows: LedgerRows, posting: OpenPosting, runs: Sequence[Run]
) -> Iterator[tuple[RowSet, Sequence[tuple[Any, ...]]]]:
    stream_no = None if delivery.stream is None else delivery.stream.stream_no
    yield LINES, rows.lines
    yield MOVEMENTS, rows.movements
    yield STOCK, _stock(posting)
    yield (
        JOURNALS,
        [
            (number, first, JOURNAL_KIND, currency, *dates, delivery.now)
            for number, first, currency, *dates in rows.journals
        ],
    )
    yield JOURNAL_LINES, list(rows.journal_lines)
    yield OUTBOX, list(rows.outbox)
    yield SALES, list(rows.sales)
    yield RECEIPTS, [(stream_no, *run) for run in runs]
    yield VOID_EFFECTS, list(rows.void_effects)
    satisfied = set(rows.satisfied_claims)
    yield (
        CLAIMS,
        [(key, void, line, pending and void not in satisfied) for key, void, line, pending in rows.claims],
    )
    yield RETURNS, list(rows.returns)
    yield (
        HELD,
        [
            (
                key,
                spelled,
                digest,
                stream_no,
                sequence,
                delivery.batch.batch_id,
                reason,
                raw,
                delivery.now,
                HELD_STATUS,
                group_key,
                subject,
            )
            for key, spelled, digest, sequence, reason, raw, group_key, subject in rows.held
        ],
    )


def _stock(posting: OpenPosting) -> list[tuple[Any, ...]]:
    """The stock of every item that moved, by item number, so that two stores never wait for each other crosswise."""
    begun = posting.context.last_sequence
    items = {
        item.item_no: item
        for item in posting.state.items.values()
        if item.last_sequence is not None and item.last_sequence > begun
    }
    return [
        (number, item.position.on_hand, item.position.value, unit_cost_of(item.position), item.last_sequence)
        for number, item in sorted(items.items())
    ]


def _batch_parameters(delivery: Delivery, posting: OpenPosting) -> dict[str, Any]:
    caller, store, batch = delivery.caller, delivery.store, delivery.batch
    moved = posting.sequence > store.last_sequence
    return {
        "store_no": store.store_no,
        "batch_id": batch.batch_id,
        "content_hash": batch.content_hash,
        "channel": delivery.channel or ("agent" if caller.kind is CallerKind.AGENT else "direct"),
        "caller": caller.name,
        "request_id": caller.request_id,
        "stream_no": None if delivery.stream is None else delivery.stream.stream_no,
        "posted_at": read_instant(batch.posted_at),
        "received_at": delivery.now,
        "accepted": posting.accepted,
        "duplicates": posting.duplicates,
        "held": posting.held,
        "findings": json.dumps(
            [{"code": code, "subject": subject} for code, subject in posting.rows.findings]
        ),
        "first_sequence": store.last_sequence + 1 if moved else None,
        "last_sequence": posting.sequence if moved else None,
        "last_store_sequence": posting.sequence,
    }


def _audit_parameters(delivery: Delivery, posting: OpenPosting) -> dict[str, Any]:
    """A batch is one entry in the store's audit chain."""
    store, caller = delivery.store, delivery.caller
    after = {
        "contentHash": delivery.batch.content_hash.hex(),
        "accepted": posting.accepted,
        "duplicates": posting.duplicates,
        "held": posting.held,
        "lastStoreSequence": posting.sequence,
    }
    if delivery.claims_intake:
        after["intake"] = delivery.channel
    facts: AuditFacts = facts_by(
        caller, at=delivery.now, action="batch.posted", subject=delivery.batch.batch_id, after=after
    )
    sequence = store.audit_sequence + 1
    return {
        "audit_sequence": sequence,
        "actor_kind": facts.actor_kind,
        "action": facts.action,
        "after": json.dumps(after),
        "origin": facts.origin,
        "previous_hash": store.audit_hash,
        "audit_hash": chain_hash(store.audit_hash, store.store_no, sequence, facts),
    }
