"""`sync-server verify` as a person types it: exit 0 on a whole database, else the first fault and exit 1."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres

pytestmark = [pytest.mark.system, pytest.mark.long]


def _sync_server(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sync_server", *words, "--data-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done


@pytest.fixture(scope="module")
def folder(data_folder_of_many: Path) -> Iterator[Path]:
    """A data folder with two stores that have opening stock."""
    folder = data_folder_of_many
    items, stock = folder / "items.csv", folder / "stock.csv"
    items.write_text("itemId,description,unitCost\nitem-001,Milk,0.50\n", encoding="utf-8")
    stock.write_text(
        "storeId,itemId,quantity,unitCost\nSTORE-01,item-001,10,0.50\nSTORE-02,item-001,4,0.50\n",
        encoding="utf-8",
    )
    with EmbeddedPostgres(folder):
        for store in ("STORE-01", "STORE-02"):
            _sync_server(folder, "store", "add", store, "--location", "L", "--timezone", "UTC")
        _sync_server(folder, "item", "import", str(items))
        _sync_server(folder, "stock", "import", str(stock))
        yield folder


def test_a_whole_database_is_said_to_be_whole(folder: Path) -> None:
    assert "is whole" in _sync_server(folder, "verify").stdout
    assert json.loads(_sync_server(folder, "verify", "--json").stdout) == {"ok": True, "faults": []}


def test_the_first_fault_is_named_and_the_exit_code_is_one(folder: Path) -> None:
    with psycopg.connect(EmbeddedPostgres(folder).url(role=OWNER_ROLE), autocommit=True) as owner:
        owner.execute(
            """UPDATE store_stock SET on_hand = 99
               WHERE store_no = (SELECT store_no FROM store WHERE store_id = 'STORE-02')"""
        )
        failed = _sync_server(folder, "verify", code=1)
        assert failed.stdout == ""
        assert failed.stderr.startswith("STORE-02, item item-001: stock says 99")
        assert failed.stderr.count("\n") == 1
        report = json.loads(_sync_server(folder, "verify", "--store", "STORE-02", "--json", code=1).stdout)
        assert not report["ok"]
        assert report["faults"][0]["storeId"] == "STORE-02"
        assert "STORE-01 is whole" in _sync_server(folder, "verify", "--store", "STORE-01").stdout
        owner.execute(
            """UPDATE store_stock SET on_hand = 4
               WHERE store_no = (SELECT store_no FROM store WHERE store_id = 'STORE-02')"""
        )
    _sync_server(folder, "verify")


def test_a_store_that_does_not_exist_is_a_failure_with_what_to_do(folder: Path) -> None:
    failed = _sync_server(folder, "verify", "--store", "STORE-99", code=1)
    assert "STORE-99" in failed.stderr
    assert "store add" in failed.stderr
