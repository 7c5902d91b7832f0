"""Every finding of a till's events from its raising to its closing, in one table: what raises it, what closes it.

`None` closes it: a person does, since nothing that comes later can make it untrue. Findings of other rooms are in
the tests named beside them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sync_server.accounting.late_costs import post_late_costs
from sync_server.ingestion.waiting_voids import find_waiting_voids
from sync_server.inventory.item_findings import close_item_findings
from sync_server.inventory.item_import import import_items
from sync_server.stores.finding_codes import FindingCode
from tests.agent_stream import AgentStream
from tests.builders import OPERATOR
from tests.held_desk import HeldDesk
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_ledger import StoreLedger, add_barcode, describe_items
from tests.till_events import ITEM, basket, cash, receipt, returned, sale, void

Step = Callable[[StoreLedger], object]
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Life:
    """A code, the subject that is named, what raises it, and what closes it by itself."""

    code: str
    subject: str
    raised: Step
    closed: Step | None = None


def _discard_all(store: StoreLedger) -> None:
    desk = HeldDesk(store)
    for number in desk.numbers():
        desk.discard(number)


def _reuse(store: StoreLedger) -> None:
    store.post(sale(1, eventId="e-1"))
    store.post(sale(2, eventId="e-1"))


def _clone(store: StoreLedger) -> None:
    for name in ("a-1", "b-1"):
        stream = AgentStream("s-1")
        store.post(*stream.group(sale(1, eventId=name)), stream=stream)


def _half(store: StoreLedger) -> None:
    stream = AgentStream("s-1")
    store.post(stream.group(sale(1, saleId="S-1"), sale(1, saleId="S-1"))[0], stream=stream)


def _foreign_barcode(store: StoreLedger) -> None:
    describe_items(store.database, {"life-other": "1.00"})
    add_barcode(store.database, "life-barcode", "life-other")
    store.post(sale(1, barcode="life-barcode"))


def _describe(item: str) -> Step:
    """What an import of the item does to its findings."""

    def act(store: StoreLedger) -> None:
        with store.database.unit_of_work() as work:
            work.connection.execute(
                "UPDATE item SET placeholder = false, unit_cost = 1 WHERE item_id = %s", [item]
            )
            close_item_findings(work, [item], START)

    return act


def _costless(store: StoreLedger) -> None:
    describe_items(store.database, {"life-costless": None})
    store.post(sale(1, item="life-costless"))


def _wait_for_sale(store: StoreLedger) -> None:
    store.post(void("late-1", note="\x00"))
    assert _look(store, START + timedelta(hours=24)) == 0
    assert _look(store, START + timedelta(hours=25)) == 1
    assert _look(store, START + timedelta(hours=25)) == 0, "told once"


def _look(store: StoreLedger, now: datetime) -> int:
    with store.database.unit_of_work() as work:
        return find_waiting_voids(work, store.store_no, now)


def _void_twice(store: StoreLedger) -> None:
    store.post(sale(1, eventId="e-1"), void("e-1", eventId="v-1"), void("e-1", eventId="v-2"))


def _bring_too_much_back(store: StoreLedger) -> None:
    store.post(*basket("S-1", sale(1, "10.00")))
    store.post(returned(2, "20.00", originalSaleId="S-1", lineNumber=1))


def _cost_comes(store: StoreLedger) -> None:
    _describe("life-costless")(store)
    with store.database.unit_of_work() as work:
        post_late_costs(work, store.store_no, by=OPERATOR, now=START)


LIVES = [
    Life("EVENT_ID_REUSED", "e-1", _reuse, lambda store: HeldDesk(store).release(new_identity=True)),
    Life("STREAM_CONFLICT", "s-1", _clone, lambda store: HeldDesk(store).release()),
    Life("GROUP_INCOMPLETE", "S-1", _half, lambda store: HeldDesk(store).release()),
    Life("EVENT_REFUSED", "s-1", lambda store: store.hold_refused("{"), _discard_all),
    Life("UNKNOWN_ITEM", "life-1", lambda store: store.post(sale(1, item="life-1")), _describe("life-1")),
    Life("COST_UNKNOWN", "life-costless", _costless, _cost_comes),
    Life("BARCODE_CONFLICT", "life-barcode", _foreign_barcode),
    Life(
        "NEGATIVE_STOCK",
        ITEM,
        lambda store: store.post(sale(99)),
        lambda store: store.post(receipt(99)),
    ),
    Life(
        "TENDER_MISMATCH",
        "S-1",
        lambda store: store.post(*basket("S-1", sale(1, "10.00", tenders=[cash("9.00")]))),
    ),
    Life("FOREIGN_CURRENCY", "EUR", lambda store: store.post(sale(1, currency="EUR"))),
    Life("VOID_WITHOUT_SALE", "late-1", _wait_for_sale, lambda store: store.post(sale(1, eventId="late-1"))),
    Life("VOID_REPEATED", "e-1", _void_twice),
    Life(
        "RETURN_WITHOUT_SALE", "S-9", lambda store: store.post(returned(1, originalSaleId="S-9", eventId="r"))
    ),
    Life("RETURN_EXCEEDS_SALE", "S-1", _bring_too_much_back),
    Life(
        "BUSINESS_DATE_MISMATCH",
        "-",
        lambda store: store.post(sale(1, businessDate="2026-01-01")),
    ),
    Life("TIMEZONE_DATA_DIFFERS", "1999.1", lambda store: store.post(sale(1), timezoneData="1999.1")),
    Life("CLOCK_SUSPECT", "-", lambda store: store.post(sale(1, occurredAt="2020-01-01T00:00:00Z"))),
]
ELSEWHERE = {
    "TYPE_NOT_POSTED": "",  # every type is posted by now; it is what an earlier version may have left
    "SECOND_CHANNEL": "postgres/test_posting_intake.py",
    "RESERVATION_SHORT": "sync_server/reservations/test_reserved_sales.py",
    "RESERVATION_NOT_OPEN": "sync_server/reservations/test_reserved_sales.py",
    "TRANSFER_UNKNOWN": "sync_server/transfers/test_transfer_scans.py",
    "TRANSFER_CANCELLED": "sync_server/transfers/test_transfer_scans.py",
    "TRANSFER_DIFFERENCE": "sync_server/transfers/test_transfer_books.py",
    "DAY_DIFFERS": "sync_server/stores/test_store_days.py",
    "Z_TOTAL_DIFFERS": "postgres/test_till_proof.py",
    "TRANSACTION_GAP": "postgres/test_till_proof.py",
    "COUNT_CORRECTED": "postgres/test_counts.py",
}


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with ten pieces of item-001."""
    ledger = new_store()
    ledger.open_with({ITEM: ("10", "4.00")})
    return ledger


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.code)
def test_a_finding_is_raised_and_closes_when_its_cause_is_gone(store: StoreLedger, life: Life) -> None:
    life.raised(store)
    assert (life.code, life.subject) in store.findings()
    if life.closed is not None:
        life.closed(store)
        assert (life.code, life.subject) not in store.findings()
        assert (life.code, life.subject) in store.findings("RESOLVED")
    store.check()


def test_every_finding_of_a_till_s_events_has_its_line_in_the_table() -> None:
    known = {life.code for life in LIVES} | ELSEWHERE.keys()
    named = set((_ROOT.parent / "docs" / "findings.md").read_text().split("`"))
    assert known <= set(FindingCode)
    assert known <= named
    for code, file in ELSEWHERE.items():
        assert not file or code in (_ROOT / file).read_text(), f"{file} does not test {code}"


def test_an_import_closes_what_was_found_about_its_items(store: StoreLedger, tmp_path: Path) -> None:
    store.post(sale(1, item="life-imported"))
    assert set(store.findings()) >= {("UNKNOWN_ITEM", "life-imported"), ("COST_UNKNOWN", "life-imported")}
    file = tmp_path / "items.csv"
    file.write_text("itemId,description,unitCost\nlife-imported,Tea,1.50\n")
    with store.database.unit_of_work() as work:
        import_items(work, file, by=OPERATOR, now=START)
        post_late_costs(work, store.store_no, by=OPERATOR, now=START)
    assert {subject for _, subject in store.findings()} == {"life-imported"}, "its stock is short still"
    assert {code for code, _ in store.findings()} == {"NEGATIVE_STOCK"}
