"""A store whose till keeps its sales in a database, and the agent's way in beside it."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_agent.data_folder import DataFolder
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources.database_tail.configuration import read_databases
from edge_agent.sources.database_tail.tail import DatabaseTail
from tests.edge_agent.builders import NEW_YORK, ManualClock, open_intake

PLAIN: dict[str, Any] = {
    "name": "till",
    "query": "SELECT * FROM sale WHERE id >= :since ORDER BY id",
    "order": ["id"],
    "identity": ["id"],
    "start": 1,
    "fields": {
        "itemId": "item",
        "quantity": "qty",
        "amount": {"column": "amount", "scale": 2},
        "saleId": "sale",
    },
}
SALES = (
    "CREATE TABLE sale (id INTEGER PRIMARY KEY, sale INTEGER, item TEXT, qty NUMERIC, amount REAL, at TEXT)"
)
BY_TIME = {
    **PLAIN,
    "query": "SELECT * FROM sale WHERE at >= :since ORDER BY at, id",
    "order": ["at", "id"],
    "start": "2026-02-10 08:00:00",
}


class Store:
    """An agent's way in, and a till's SQLite database beside it."""

    def __init__(self, root: Path, schema: str = SALES) -> None:
        self.folder = DataFolder(root / "agent")
        self.folder.create()
        self.clock = ManualClock(datetime(2026, 2, 10, 15, tzinfo=UTC))  # 10:00 in New York
        self.desk, self.intake = open_intake(self.folder.root, self.clock)
        self.refused = RefusedRecords(self.folder.undeliverable, 1_000_000, self.clock)
        self.file = root / "till.db"
        self.till = sqlite3.connect(self.file, isolation_level=None)
        self.till.executescript(schema)

    def tail(self, **keys: Any) -> DatabaseTail:
        """The source as a freshly started agent has it."""
        table = {"file": str(self.file), **keys} if "url" not in keys else keys
        (source,) = read_databases([table])
        tail = DatabaseTail(
            source, self.folder.positions, self.intake, self.refused, lambda: NEW_YORK, self.clock
        )
        tail.start()
        return tail

    def sell(self, number: int, **cells: Any) -> None:
        row = {"sale": number, "item": "A", "qty": 1, "amount": 2.5, "at": None, **cells}
        columns = ", ".join(row)
        marks = ", ".join("?" * len(row))
        self.till.execute(f"INSERT INTO sale (id, {columns}) VALUES (?, {marks})", (number, *row.values()))

    def events(self) -> list[Any]:
        return [json.loads(body) for body in self.desk.ask(lambda spool: spool.newest_bodies(10_000))]

    def sales(self) -> list[str]:
        return [event["saleId"] for event in self.events()]

    def position(self) -> Any:
        return json.loads((self.folder.positions / "till.json").read_bytes())["position"]
