"""What most would write: the same rows through SQLModel, object by object, one commit a batch.

Each line is looked up by its key, its stock is fetched and changed, its rows are added; SQLAlchemy writes them
when the next line asks a question. Only a journal's lines go in one statement: PostgreSQL demands it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import literal_column
from sqlmodel import Session, SQLModel, create_engine, insert, select

from benchmarks.posted_rows import Columns, PostedBatch
from shared.wire_json import decode_json, encode_json
from sync_server.accounting.tables import Journal, JournalLine
from sync_server.database import psycopg_url
from sync_server.ingestion.tables import PosBatch, PosSale, PostedEvent, SaleReturn, VoidClaim, VoidEffect
from sync_server.inventory.ledger_tables import StockMovement, StoreStock
from sync_server.people.tables import AuditEntry
from sync_server.publishing.tables import Outbox
from sync_server.stores.stream_receipt_table import StreamReceipt
from sync_server.stores.tables import Store, Stream

_MODELS: dict[str, type[SQLModel]] = {
    "pos_sale": PosSale,
    "void_effect": VoidEffect,
    "void_claim": VoidClaim,
    "sale_return": SaleReturn,
    "stream_receipt": StreamReceipt,
    "pos_batch": PosBatch,
    "audit_entry": AuditEntry,
    "outbox": Outbox,
}
"""Tables whose rows are added as they are, behind the lines."""

Fields = dict[str, Any]


@dataclass
class RowByRow:
    """One session after the other; see `starting_gate.Task`."""

    url: str
    columns: Mapping[str, Columns]
    batches: Sequence[PostedBatch]
    _prepared: list[tuple[PostedBatch, dict[str, list[Fields]]]] = field(default_factory=list)

    def prepare(self) -> None:
        """Names the fields, and connects."""
        self._engine = create_engine(
            psycopg_url(self.url), json_serializer=lambda value: encode_json(value).decode()
        )
        self._engine.connect().close()
        for batch in self.batches:
            tables = {
                table: [self._fields(batch, table, row) for row in rows]
                for table, rows in batch.tables.items()
            }
            self._prepared.append((batch, tables))

    def _fields(self, batch: PostedBatch, table: str, row: tuple[Any, ...]) -> Fields:
        fields: Fields = {"store_no": batch.store_no}
        for (name, kind), value in zip(self.columns[table].items(), row, strict=True):
            document = kind.startswith("json") and value is not None
            fields[name] = decode_json(value.encode()) if document else value
        return fields

    def run(self) -> int:
        """Writes everything, a commit a batch."""
        for batch, tables in self._prepared:
            with Session(self._engine) as session:
                _write(session, batch, tables)
                session.commit()
        return sum(batch.lines for batch in self.batches)


def _write(session: Session, batch: PostedBatch, tables: Mapping[str, list[Fields]]) -> None:
    stocks = {row["item_no"]: row for row in tables["store_stock"]}
    movements: dict[int, list[Fields]] = {}
    for row in tables["stock_movement"]:
        movements.setdefault(row["event_sequence"], []).append(row)
    for event in tables["pos_event"]:
        known = session.exec(
            select(PostedEvent).where(
                PostedEvent.store_no == event["store_no"], PostedEvent.event_key == event["event_key"]
            )
        ).first()
        if known is None:
            session.add(PostedEvent(**event))
        for movement in movements.pop(event["store_sequence"], ()):
            _move(session, movement, stocks[movement["item_no"]])
    assert not movements, "every movement has its event in the same batch"
    for journal in tables["journal"]:
        session.add(Journal(**journal))
        lines = [row for row in tables["journal_line"] if row["store_sequence"] == journal["store_sequence"]]
        session.exec(insert(JournalLine).values(lines))
    for table, model in _MODELS.items():
        session.add_all([model(**row) for row in tables[table]])
    _note_heads(session, batch)


def _move(session: Session, movement: Fields, after: Fields) -> None:
    session.add(StockMovement(**movement))
    stock = session.get(StoreStock, (movement["store_no"], movement["item_no"]))
    if stock is None:
        stock = StoreStock(store_no=movement["store_no"], item_no=movement["item_no"])
    stock.on_hand, stock.value = after["on_hand"], after["value"]
    stock.unit_cost, stock.last_sequence = after["unit_cost"], after["last_sequence"]
    session.add(stock)


def _note_heads(session: Session, batch: PostedBatch) -> None:
    store = session.get_one(Store, batch.store_no)
    store.last_sequence = batch.last_sequence
    store.audit_sequence = batch.audit_sequence
    store.audit_hash = batch.audit_hash
    stream = session.get_one(Stream, batch.stream_no)
    stream.received = literal_column(f"'{batch.received}'::int8multirange")
