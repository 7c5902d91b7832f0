"""The commands of the books as somebody types them, on this test's database."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sync_server.database import Database
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, sale

pytestmark = pytest.mark.long

Command = Callable[..., str]


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """STORE-01 after a day."""
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("10", "4.00")})
    ledger.post(sale(2, "20.00"), sale(1, item="mystery"))
    return ledger


@pytest.fixture
def command(store: StoreLedger, database_url: str, tmp_path: Path) -> Command:
    """Runs `sync-server …` and gives what it said."""
    environment = {
        **os.environ,
        "SYNC_SERVER_DATABASE_URL": database_url,
        "SYNC_SERVER_DATA_DIR": str(tmp_path / "data"),
    }

    def run(*words: str, code: int = 0) -> str:
        line = [sys.executable, "-m", "sync_server", *words]
        done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, env=environment)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    return run


def _json(text: str) -> Any:
    return json.loads(text)


def test_books_are_closed_shown_and_opened_again(store: StoreLedger, command: Command) -> None:
    closed = _json(command("period", "close", "STORE-01", "--through", "2026-01-31", "--json"))
    assert closed["closedThrough"] == "2026-01-31"
    assert "closed through 2026-01-31" in command("period", "show", "STORE-01")
    assert "must lie before" in command("period", "close", "STORE-01", "--through", "2999-01-01", code=1)
    command("period", "reopen", "STORE-01", "--from", "2026-01-15", "--reason", "an invoice")
    assert _json(command("period", "show", "STORE-01", "--json"))["closedThrough"] == "2026-01-14"
    assert "is no date" in command("period", "close", "STORE-01", "--through", "soon", code=2)
    store.check()


def test_journals_go_to_another_program_as_csv(command: Command, tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(command("journal", "export", "--store", "STORE-01"))))
    assert {row["accountingDate"] for row in rows} == {"2026-02-10"}
    assert (
        sum(float(row["debit"]) - float(row["credit"]) for row in rows) == 0
    )  # float: a test's sum of cents
    sold = [row for row in rows if row["account"] == "4000"]
    assert [row["credit"] for row in sold] == ["20.00", "10.00"]
    assert sold[0]["accountName"] == "Sales"
    file = tmp_path / "journals.csv"
    assert "0 lines" in command("journal", "export", "--from", "2026-03-01", "--file", str(file))
    assert file.read_text().startswith("journalId,storeId,kind,currency")


def test_an_account_is_set_at_the_server(store: StoreLedger, command: Command) -> None:
    command("account", "set", "sales", "4100", "--name", "Revenue", "--reason", "a new chart")
    rows = _json(command("account", "list", "--json"))["items"]
    (sales,) = [row for row in rows if row["purpose"] == "sales"]
    assert sales == {"purpose": "sales", "account": "4100", "name": "Revenue", "formerly": ["4000"]}
    assert "kept apart" in command("account", "set", "inventory", "5000", "--reason", "x", code=1)
    store.check()


def test_a_placeholder_is_mapped_and_stock_rebuilt_at_the_server(
    store: StoreLedger, command: Command, owner_url: str
) -> None:
    told = _json(command("item", "map", "mystery", ITEM, "--reason", "an old label", "--json"))
    assert (told["mapped"], told["stores"]) == (True, 1)
    assert (store.stock(), store.stock("mystery")) == (("7", "28"), ("0", "0"))
    assert "is what their movements add up to" in command("rebuild")
    owner = Database(owner_url, role=None)
    with owner.unit_of_work() as work:
        work.connection.execute("UPDATE store_stock SET on_hand = 99 WHERE item_no = 1")
    owner.close()
    assert "put them right with --apply" in command("rebuild", code=1)
    done = _json(command("rebuild", "--store", "STORE-01", "--apply", "--json"))
    assert done["differing"][0]["differences"][0]["was"] == 99
    assert store.stock()[0] == "7"
    store.check()
