"""The registry of stores: what a store may be, adding the same one twice, and importing a file."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync_server.csv_import import RowOutcome
from sync_server.database import Database
from sync_server.errors import CannotRun, Conflict, Invalid, NotFound
from sync_server.stores.registry import NewStore, add_store, find_store, list_stores
from sync_server.stores.store_import import import_stores
from tests.builders import OPERATOR, build_store
from tests.set_clock import START

BERLIN = NewStore(
    store_id="B-1", location_id="LOC-1", timezone="Europe/Berlin", currency="EUR", day_start="04:00"
)


def test_the_very_same_store_is_added_once(database: Database) -> None:
    for expected in (True, False):
        with database.unit_of_work() as work:
            assert add_store(work, BERLIN, by=OPERATOR, now=START) is expected
    with database.reading() as work:
        assert [store.store_id for store in list_stores(work)] == ["B-1"]


def test_a_store_that_eight_add_at_once_is_there_once(database: Database) -> None:
    def add(_: int) -> bool:
        with database.unit_of_work() as work:
            return add_store(work, BERLIN, by=OPERATOR, now=START)

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(add, range(8))) == [False] * 7 + [True]


def test_a_store_that_differs_is_not_overwritten(database: Database) -> None:
    build_store(database, "B-1")
    with pytest.raises(Conflict, match="differs"), database.unit_of_work() as work:
        add_store(work, BERLIN, by=OPERATOR, now=START)


def test_everything_that_is_wrong_with_a_store_is_named(database: Database) -> None:
    wrong = NewStore(
        store_id="a/b", location_id="", timezone="Mars/Olympus", currency="usd", day_start="24:00"
    )
    with pytest.raises(Invalid) as refusal, database.unit_of_work() as work:
        add_store(work, wrong, by=OPERATOR, now=START)
    fields = {violation.field for violation in refusal.value.violations}
    assert fields == {"storeId", "locationId", "timezone", "currency", "dayStart"}


@pytest.mark.parametrize("store_id", ["NOWHERE", "HEADQUARTERS", "", "a\x00b", "x" * 1000])
def test_a_store_that_nobody_added_is_not_found(database: Database, store_id: str) -> None:
    with pytest.raises(NotFound, match="store add"), database.reading() as work:
        find_store(work, store_id)


def test_a_file_of_stores_is_imported_row_by_row(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text(
        "storeId,locationId,timezone,currency,dayStart\n"
        "B-1,LOC-1,Europe/Berlin,EUR,04:00\n"
        "T-1,LOC-2,Asia/Tokyo,JPY,\n"
        "X-1,LOC-3,Nowhere/At All,USD,00:00\n"
        "\n"
        "B-1,LOC-9,Europe/Berlin,EUR,04:00\n",
        encoding="utf-8",
    )
    with database.unit_of_work() as work:
        report = import_stores(work, file, by=OPERATOR, now=START)
    assert [(row.line, row.subject, row.outcome) for row in report.rows] == [
        (2, "B-1", RowOutcome.ADDED),
        (3, "T-1", RowOutcome.ADDED),
        (4, "X-1", RowOutcome.REFUSED),
        (6, "B-1", RowOutcome.REFUSED),
    ]
    assert "timezone" in report.rows[2].reason
    with database.unit_of_work() as work:
        again = import_stores(work, file, by=OPERATOR, now=START)
    assert again.counts == {"added": 0, "changed": 0, "unchanged": 2, "refused": 2}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("storeId,locationId\nA,B\n", "the header must be"),
        ("storeId,locationId,timezone,color\nA,B,UTC,red\n", "the header must be"),
        ("storeId,locationId,timezone\nA,B,UTC,more\n", "more cells"),
        ("", "the header must be"),
    ],
)
def test_a_file_that_is_no_list_of_stores_is_refused_whole(
    database: Database, tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "stores.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CannotRun, match=complaint), database.unit_of_work() as work:
        import_stores(work, file, by=OPERATOR, now=START)


def test_a_file_that_is_not_there_or_no_text_is_refused_with_its_name(
    database: Database, tmp_path: Path
) -> None:
    binary = tmp_path / "stores.bin"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    for file in (tmp_path / "gone.csv", binary):
        with pytest.raises(CannotRun, match=file.name), database.unit_of_work() as work:
            import_stores(work, file, by=OPERATOR, now=START)
