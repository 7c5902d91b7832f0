"""Findings: raised in sets, counted while open, opened anew after they were closed, listed by page."""

import pytest

from sync_server.database import Database
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import raise_findings, resolve_findings
from tests.builders import build_person, build_store
from tests.http_caller import HttpCaller
from tests.set_clock import START

FINDINGS = "/api/v1/inventory/findings"
NEGATIVE = FindingCode.NEGATIVE_STOCK


def _rows(database: Database) -> list[tuple[object, ...]]:
    with database.reading() as work:
        query = "SELECT code, subject, count, status FROM finding ORDER BY finding_no"
        return work.connection.execute(query).fetchall()


def test_one_finding_is_open_per_code_and_subject_and_counts(database: Database) -> None:
    store_no = build_store(database)
    found = [
        (NEGATIVE, "item-2"),
        (NEGATIVE, "item-1"),
        (NEGATIVE, "item-1"),
        (FindingCode.UNKNOWN_ITEM, "item-1"),
    ]
    for _ in range(2):
        with database.unit_of_work() as work:
            raise_findings(work, store_no, found, now=START)
    assert _rows(database) == [
        ("NEGATIVE_STOCK", "item-1", 4, "OPEN"),
        ("NEGATIVE_STOCK", "item-2", 2, "OPEN"),
        ("UNKNOWN_ITEM", "item-1", 2, "OPEN"),
    ]


def test_a_cause_that_comes_back_opens_a_new_finding(database: Database) -> None:
    store_no = build_store(database)
    with database.unit_of_work() as work:
        raise_findings(work, store_no, [(NEGATIVE, "item-1")], now=START)
        assert resolve_findings(work, store_no, NEGATIVE, ["item-1"], reason="stock is back", now=START) == 1
        assert resolve_findings(work, store_no, NEGATIVE, ["item-1"], reason="stock is back", now=START) == 0
        raise_findings(work, store_no, [(NEGATIVE, "item-1")], now=START)
    assert _rows(database) == [
        ("NEGATIVE_STOCK", "item-1", 1, "RESOLVED"),
        ("NEGATIVE_STOCK", "item-1", 1, "OPEN"),
    ]


def test_nothing_found_asks_the_database_nothing(database: Database) -> None:
    store_no = build_store(database)
    with database.unit_of_work() as work:
        raise_findings(work, store_no, [], now=START)
        assert resolve_findings(work, store_no, NEGATIVE, [], reason="", now=START) == 0


@pytest.mark.parametrize("code", list(FindingCode))
def test_every_code_says_what_it_means(code: FindingCode) -> None:
    assert code.meaning.endswith(".")


def test_findings_are_listed_by_page_store_code_and_status(database: Database, http: HttpCaller) -> None:
    first, second = build_store(database, "STORE-01"), build_store(database, "STORE-02")
    with database.unit_of_work() as work:
        raise_findings(work, first, [(NEGATIVE, f"item-{number}") for number in range(5)], now=START)
        raise_findings(work, second, [(FindingCode.CLOCK_SUSPECT, "till 1")], now=START)
        resolve_findings(work, first, NEGATIVE, ["item-0"], reason="stock is back", now=START)
    reader = http.as_caller(build_person(database))
    seen: list[str] = []
    after: str | None = None
    while True:
        page = reader.get(FINDINGS, params={"limit": 2, **({"after": after} if after else {})}).json()
        seen += [finding["subject"] for finding in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == ["item-0", "item-1", "item-2", "item-3", "item-4", "till 1"]

    def subjects(**filters: str) -> list[str]:
        return [each["subject"] for each in reader.get(FINDINGS, params=filters).json()["items"]]

    assert subjects(storeId="STORE-02") == ["till 1"]
    assert subjects(code="CLOCK_SUSPECT") == ["till 1"]
    assert subjects(status="RESOLVED") == ["item-0"]
    assert reader.get(FINDINGS, params={"storeId": "NOWHERE"}).status_code == 404
    assert reader.get(FINDINGS, params={"code": "NONSENSE"}).status_code == 422
