"""Tills whose own database is read: SQLite files on the real disk, PostgreSQL by SQLAlchemy."""

import json
import logging
import time
from pathlib import Path

import psycopg
import pytest

from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from tests.edge_agent.tailed_store import BY_TIME, PLAIN, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store whose till numbers its sales."""
    return Store(tmp_path)


def test_another_database_is_read_only_to_us(
    tmp_path: Path, postgres: EmbeddedPostgres, database_name: str
) -> None:
    url = postgres.url(database_name, OWNER_ROLE)
    with psycopg.connect(url) as till:
        till.execute("CREATE TABLE sale (id int, sale int, item text, qty numeric, amount numeric)")
        till.execute("INSERT INTO sale VALUES (1, 1, 'A', 1, 2.5)")
    store = Store(tmp_path)
    query = "DELETE FROM sale WHERE id >= :since RETURNING *"
    tail = store.tail(**{**PLAIN, "query": query, "url": url.replace("postgresql:", "postgresql+psycopg:")})
    tail.look()
    assert store.events() == []
    with psycopg.connect(url) as till:
        assert till.execute("SELECT count(*) FROM sale").fetchone() == (1,)


def test_a_restart_goes_on_where_reading_stopped(store: Store) -> None:
    for number in (1, 2):
        store.sell(number)
    store.tail(**PLAIN).look()
    assert store.position() == 2
    store.sell(3)
    store.tail(**PLAIN).look()
    assert store.sales() == ["1", "2", "3"]
    assert store.events()[0]["eventId"] == "till:1"


def test_the_position_moves_only_after_the_events_are_durable(store: Store) -> None:
    for number in range(1, 200):
        store.sell(number, item="x" * 100)
    store.desk.ask(lambda spool: spool.connection.execute("PRAGMA max_page_count = 13").fetchall())
    tail = store.tail(**PLAIN)
    tail.look()
    assert store.position() == 1
    assert store.events() == []
    store.desk.ask(lambda spool: spool.connection.execute("PRAGMA max_page_count = 100000").fetchall())
    tail.look()
    assert len(store.events()) == 199
    assert store.position() == 199


def test_rows_that_turn_up_late_are_taken_within_the_overlap(store: Store) -> None:
    for number in (10, 20):
        store.sell(number)
    tail = store.tail(**PLAIN, overlap=15)
    tail.look()
    for number in (4, 5, 15):
        store.sell(number)
    tail.look()
    tail.look()
    assert store.sales() == ["10", "20", "5", "15"]


def test_a_till_that_is_writing_is_neither_disturbed_nor_waited_for(store: Store) -> None:
    store.sell(1)
    tail = store.tail(**PLAIN)
    store.till.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    tail.look()
    assert time.monotonic() - began < 1.5
    assert store.events() == []
    store.till.execute("COMMIT")
    tail.look()
    assert store.sales() == ["1"]
    store.till.execute("PRAGMA busy_timeout = 0")
    store.till.execute("BEGIN EXCLUSIVE")  # nothing of ours is left locked
    store.till.execute("COMMIT")


def test_a_till_in_wal_mode_is_read_while_it_writes(store: Store) -> None:
    store.till.execute("PRAGMA journal_mode = WAL")
    store.sell(1)
    tail = store.tail(**PLAIN)
    store.till.execute("BEGIN IMMEDIATE")
    store.sell(2)
    tail.look()
    assert store.sales() == ["1"]
    store.till.execute("COMMIT")
    tail.look()
    assert store.sales() == ["1", "2"]


def test_a_sqlite_file_cannot_be_written_through_us(store: Store) -> None:
    store.sell(1)
    tail = store.tail(**{**PLAIN, "query": "DELETE FROM sale WHERE id >= :since RETURNING *"})
    tail.look()
    assert store.till.execute("SELECT count(*) FROM sale").fetchone() == (1,)


def test_a_till_that_is_not_there_yet_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path)
    store.sell(1)
    store.till.close()
    store.file.rename(tmp_path / "away.db")
    tail = store.tail(**PLAIN)
    for _ in range(3):
        tail.look()
    assert [record.getMessage() for record in caplog.records if "is not there" in record.getMessage()][
        1:
    ] == []
    (tmp_path / "away.db").rename(store.file)
    tail.look()
    assert store.sales() == ["1"]


def test_a_backlog_larger_than_a_portion_is_read_to_its_end(store: Store) -> None:
    store.till.execute("BEGIN")
    for number in range(1, 6001):
        store.sell(number, sale=number // 3, at="2026-02-10 09:00:00")
    store.till.execute("COMMIT")
    tail = store.tail(**{**BY_TIME, "group": ["sale"]}, overlap=60)
    for _ in range(5):
        tail.look()
    assert len(store.events()) == 6000
    sizes = {event["saleId"]: event["stamp"]["groupSize"] for event in store.events()}
    assert set(sizes.values()) == {3, 2, 1}
    assert [sale for sale, size in sizes.items() if size < 3] == ["0", "2000"]


def test_a_receipt_dated_in_the_future_hides_no_others(store: Store) -> None:
    store.sell(1, at="2099-01-01 00:00:00")
    tail = store.tail(**BY_TIME, overlap=60)
    tail.look()
    store.sell(2, at="2026-02-10 10:00:01")
    tail.look()
    store.tail(**BY_TIME, overlap=60).look()
    assert store.sales() == ["1", "2"]


def test_start_now_leaves_the_past_alone_and_is_remembered(store: Store) -> None:
    store.sell(1, at="2026-02-10T09:59:00")
    store.tail(**{**BY_TIME, "start": "now"})
    store.clock.move(3600)
    store.sell(2, at="2026-02-10T10:30:00")
    store.tail(**{**BY_TIME, "start": "now"}).look()
    assert store.sales() == ["2"]


def test_a_row_that_cannot_be_understood_is_kept_and_the_rest_goes_on(store: Store) -> None:
    store.sell(1)
    store.sell(2, qty="many")
    store.sell(3, amount=float("inf"))
    store.sell(4, qty=-1)
    store.till.execute("INSERT INTO sale VALUES (5, 5, CAST(X'4BE47365' AS TEXT), 1, 2, NULL)")  # cp1252
    tail = store.tail(**PLAIN, extra={"price": "amount"})
    tail.look()
    tail.look()
    assert store.sales() == ["1", "5"]
    assert store.events()[0]["price"] == "2.5"
    assert store.events()[1]["itemId"] == "Käse"
    assert store.refused.count() == 3
    assert store.position() == 5


def test_a_binary_amount_needs_its_scale(store: Store) -> None:
    store.sell(1, amount=0.1 + 0.2)
    store.tail(**PLAIN).look()
    assert b'"amount":0.30,' in store.desk.ask(lambda spool: spool.newest_bodies(1))[0]
    fields = {**PLAIN["fields"], "amount": "amount"}
    store.tail(**{**PLAIN, "name": "other", "fields": fields}).look()
    kept = json.loads(next(store.folder.undeliverable.glob("*.json")).read_bytes())
    assert "state its scale in the configuration" in kept["violations"][0]["constraint"]


def test_a_transaction_that_may_still_grow_is_waited_for(store: Store) -> None:
    store.sell(1, sale=1)
    tail = store.tail(**{**PLAIN, "group": ["sale"]}, settle=3)
    tail.look()
    store.sell(2, sale=1)
    store.clock.move(2)
    tail.look()
    store.clock.move(2)
    tail.look()
    assert store.events() == []
    store.clock.move(1)
    tail.look()
    assert [event["stamp"]["groupSize"] for event in store.events()] == [2, 2]


def test_a_receipt_that_the_till_deletes_is_told_of(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    for number in (1, 2):
        store.sell(number)
    tail = store.tail(**PLAIN, overlap=10)
    tail.look()
    store.till.execute("DELETE FROM sale WHERE id = 1")
    with caplog.at_level(logging.WARNING):
        tail.look()
        tail.look()
    told = [text for text in caplog.messages if "no longer in the till's database" in text]
    assert len(told) == 1
    assert told[0].startswith("database-till: 1 is")
