"""Tills that are known: their real tables, read by the mappings that come with the agent."""

import sqlite3
from pathlib import Path

import psycopg
import pytest

from edge_agent.sources.database_tail.configuration import read_databases, ready_made_names
from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from tests.edge_agent.tailed_store import Store
from tests.edge_agent.till_databases import CHROMIS, ODOO, UNICENTA

Lines = list[tuple[str | None, float, float]]


def ticket(till: sqlite3.Connection, number: int, kind: int, at: str, lines: Lines, status: int = 0) -> None:
    """A receipt as uniCenta and Chromis write it: all of it in one transaction."""
    receipt = f"r-{kind}-{number}"
    till.execute("BEGIN")
    till.execute("INSERT INTO receipts VALUES (?, 'cash-1', ?, NULL, NULL)", (receipt, at))
    till.execute("INSERT INTO tickets VALUES (?, ?, ?, 'ann', NULL, ?)", (receipt, kind, number, status))
    for line, (product, units, price) in enumerate(lines):
        till.execute(
            "INSERT INTO ticketlines (ticket, line, product, units, price, taxid) VALUES (?, ?, ?, ?, ?, 'vat')",
            (receipt, line, product, units, price),
        )
    total = sum(units * price * 1.21 for _, units, price in lines)
    till.execute(
        "INSERT INTO payments (id, receipt, payment, total) VALUES (?, ?, ?, ?)",
        (f"pay-{receipt}", receipt, "cashrefund" if kind == 1 else "magcard", total),
    )
    till.execute("COMMIT")


@pytest.mark.parametrize(("mapping", "schema"), [("unicenta", UNICENTA), ("chromis", CHROMIS)])
def test_sales_and_refunds_of_unicenta_and_chromis(tmp_path: Path, mapping: str, schema: str) -> None:
    store = Store(tmp_path, schema)
    ticket(store.till, 41, 0, "2026-02-10 09:00:00", [("p-1", 9, 9.0)])  # before the agent came
    tail = store.tail(name="till", mapping=mapping, start="2026-02-10 09:10:00")
    ticket(store.till, 42, 0, "2026-02-10 09:30:00", [("p-1", 3, 1.0), ("p-2", 0.125, 4.132231404958677)])
    status = 42 if mapping == "unicenta" else 0
    ticket(
        store.till, 7, 1, "2026-02-10 09:40:00", [("p-2", -0.125, 4.132231404958677), (None, -1, 0.1)], status
    )
    store.till.execute("INSERT INTO receipts VALUES ('drawer', 'cash-1', '2026-02-10 09:45:00', NULL, NULL)")
    tail.look()
    first, second, returned, loose = store.events()
    assert (first["type"], first["itemId"], first["quantity"], first["amount"]) == ("SALE", "1001", 3, 3.63)
    assert (second["quantity"], second["amount"], second["taxAmount"]) == (0.125, 0.62, 0.11)
    assert first["tenders"] == [{"type": "CARD", "amount": 4.26}]  # 4.255, half-even
    assert (first["transactionNumber"], first["workstationId"], first["cashierId"]) == ("42", "TILL-1", "ann")
    assert first["stamp"]["occurredAt"] == "2026-02-10T14:30:00Z"
    assert [event["stamp"]["groupSize"] for event in store.events()] == [2, 2, 2, 2]
    assert (returned["type"], returned["quantity"], returned["amount"]) == ("RETURN", 0.125, 0.62)
    assert returned.get("originalSaleId") == ("r-0-42" if mapping == "unicenta" else None)
    assert (returned["transactionNumber"], returned["tenders"][0]["type"]) == ("R7", "CASH")
    assert (loose["itemId"], loose["amount"]) == ("NO-PRODUCT", 0.12)


def test_orders_and_refunds_of_odoo_on_postgresql(
    tmp_path: Path, postgres: EmbeddedPostgres, database_name: str
) -> None:
    url = postgres.url(database_name, OWNER_ROLE)
    with psycopg.connect(url) as odoo:
        odoo.execute(ODOO)
    store = Store(tmp_path)
    tail = store.tail(
        name="till",
        mapping="odoo",
        start="2026-02-10 14:00:00",
        url=url.replace("postgresql:", "postgresql+psycopg:"),
    )
    tail.look()
    first, second, returned = store.events()
    assert (first["itemId"], first["quantity"], first["amount"], first["taxAmount"]) == ("PEN", 10, 12.1, 2.1)
    assert first["tenders"] == [{"type": "CASH", "amount": 13.31}]
    assert first["stamp"]["occurredAt"] == "2026-02-10T14:30:00Z"
    assert (second["itemId"], second["quantity"]) == ("4006381333948", 0.5)
    assert (returned["type"], returned["quantity"], returned["originalSaleId"]) == ("RETURN", 1, "1")
    assert returned["tenders"] == [{"type": "OTHER", "amount": -1.21}]
    with psycopg.connect(url) as odoo:  # the draft is paid, and the first order posted, which writes it anew
        odoo.execute("UPDATE pos_order SET state = 'paid', write_date = '2026-02-10 14:58:00' WHERE id = 2")
        odoo.execute("UPDATE pos_order SET state = 'done', write_date = '2026-02-10 14:59:00' WHERE id = 1")
    tail.look()
    assert [event["saleId"] for event in store.events()] == ["1", "1", "3", "2"]
    tail.stop()


@pytest.mark.parametrize("mapping", ready_made_names())
def test_every_ready_made_mapping_makes_sense(mapping: str) -> None:
    (source,) = read_databases([{"name": "till", "mapping": mapping, "file": "till.db"}])
    assert source.table.overlap > 0
