"""Z reports and transaction numbers: is everything that a till rang up at headquarters, and does it add up?

The figures are checked by hand: they stand beside what was sold.
"""

from datetime import timedelta
from typing import Any

import pytest

from sync_server.errors import Invalid, NotFound
from sync_server.ingestion.gap_answers import AnswerWish, GapAnswer, answer_gap
from sync_server.ingestion.till_proof import prove_tills
from tests.builders import OPERATOR
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, Event, cash, returned, sale, tender, void

DAY = "2026-02-10"
SUBJECT = f"till-1 {DAY}"


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with a hundred pieces of item-001."""
    ledger = new_store()
    ledger.open_with({ITEM: ("100", "4.00")})
    return ledger


def _rung(number: int, amount: str, kind: Any = sale, **fields: Any) -> Event:
    """Transaction `number` of till-1, paid in cash unless `fields` say otherwise."""
    event: Event = kind(1, amount, transactionNumber=number, workstationId="till-1", eventId=f"t-{number}")
    return event | {"tenders": [cash(amount)]} | fields


def _close(totals: Any, **fields: Any) -> Event:
    return {"type": "DAY_CLOSE", "workstationId": "till-1", "totals": totals, **fields}


def _details(store: StoreLedger) -> dict[str, str]:
    rows = store.rows(
        "SELECT code, detail FROM finding WHERE store_no = %(store_no)s AND status = 'OPEN' "
        "AND code IN ('Z_TOTAL_DIFFERS', 'TRANSACTION_GAP')"
    )
    return dict(rows)


def _prove(store: StoreLedger) -> int:
    with store.database.unit_of_work() as work:
        return prove_tills(work, store.store_no, START)


def _answer(store: StoreLedger, first: int, last: int, answer: GapAnswer) -> None:
    wish = AnswerWish(
        workstation_id="till-1",
        business_date=START.date(),
        first=first,
        last=last,
        answer=answer,
        reason="asked",
    )
    with store.database.unit_of_work() as work:
        answer_gap(work, store.store_no, wish, by=OPERATOR, now=START)


def test_a_day_that_adds_up_leaves_no_finding(store: StoreLedger) -> None:
    # Sold 30.00 + 20.00 cash and 12.50 by card; 20.00 came back in cash; the last sale, 5.00, was voided.
    store.post(
        _rung(1, "30.00"),
        _rung(2, "20.00"),
        _rung(3, "12.50", tenders=[tender("CARD", "12.50")]),
        _rung(4, "20.00", returned),
        _rung(5, "5.00"),
        void("t-5", workstationId="till-1", transactionNumber=6),
    )
    z = {"SALE": 62.5, "RETURN": "20.00", "VOID": 5, "tenders": {"CASH": "30.00", "CARD": "12.50"}}
    answer = store.post(_close(z, transactionNumber=7))
    assert (answer.accepted, answer.findings) == (1, [])
    assert _details(store) == {}
    rows = store.rows(
        "SELECT kind, name, trim_scale(amount)::text FROM z_total WHERE store_no = %(store_no)s ORDER BY place"
    )
    assert rows == [("TYPE", "SALE", "62.5"), ("TYPE", "RETURN", "20"), ("TYPE", "VOID", "5"),
                    ("TENDER", "CASH", "30"), ("TENDER", "CARD", "12.5")]  # fmt: skip
    store.check()


@pytest.mark.parametrize(
    "totals",
    [
        {"SALE": {"count": 2, "amount": "45.00"}, "tenders": [{"type": "CASH", "amount": 40}]},
        [{"type": "SALE", "amount": 45}, {"tender": "CASH", "amount": 40}],
        {"SALE": 40},
    ],
)
def test_tills_state_their_totals_in_several_ways_before_or_after_voids(
    store: StoreLedger, totals: Any
) -> None:
    store.post(_rung(1, "40.00"), _rung(2, "5.00"), void("t-2", workstationId="till-1"))
    store.post(_close(totals))
    assert _details(store) == {}
    store.check()


def test_a_sale_that_is_missing_is_found_and_the_finding_closes_when_it_comes(store: StoreLedger) -> None:
    store.post(_rung(1, "30.00"), _rung(3, "10.00"))
    store.post(_close({"SALE": "60.00", "tenders": {"CASH": "60.00"}}, transactionNumber=4))
    assert _details(store) == {
        "Z_TOTAL_DIFFERS": "SALE: till 60.00, headquarters 40.00; CASH: till 60.00, headquarters 40.00",
        "TRANSACTION_GAP": "2",
    }
    assert set(store.findings()) == {("Z_TOTAL_DIFFERS", SUBJECT), ("TRANSACTION_GAP", SUBJECT)}
    store.post(_rung(2, "20.00"))
    assert len(_details(store)) == 2, "a plain batch compares nothing"
    assert _prove(store) == 1
    assert _details(store) == {}
    assert set(store.findings("RESOLVED")) == {("Z_TOTAL_DIFFERS", SUBJECT), ("TRANSACTION_GAP", SUBJECT)}
    assert _prove(store) == 0
    store.check()


def test_several_reports_of_one_day_add_up(store: StoreLedger) -> None:
    store.post(_rung(1, "30.00"), _close({"SALE": "30.00"}, eventId="z-1"), _rung(2, "12.00"))
    store.post(_close({"SALE": "12.00"}, eventId="z-2"))
    assert _details(store) == {}
    store.check()


def test_money_with_a_tender_that_the_report_does_not_have_differs(store: StoreLedger) -> None:
    store.post(_rung(1, "30.00"), _rung(2, "5.00", tenders=[tender("VOUCHER", "5.00")]))
    store.post(_close({"tenders": {"CASH": "30.00"}}))
    assert _details(store) == {"Z_TOTAL_DIFFERS": "VOUCHER: till 0, headquarters 5.00"}


def test_a_report_of_names_that_only_the_till_knows_is_recorded_and_compares_nothing(
    store: StoreLedger,
) -> None:
    store.post(_rung(1, "30.00"))
    store.post(_close([{"name": "Sales/Amount", "value": "31.00"}, {"name": "", "value": 1}, "nonsense"]))
    assert _details(store) == {}
    assert store.count("SELECT count(*) FROM z_total WHERE store_no = %(store_no)s") == 1
    store.check()


def test_a_gap_that_never_was_is_answered_and_closes(store: StoreLedger) -> None:
    store.post(_rung(1, "1.00"), _rung(4, "1.00"), _rung(9, "1.00"), _close({}))
    assert _details(store) == {"TRANSACTION_GAP": "2-3, 5-8"}
    _answer(store, 2, 3, GapAnswer.NEVER_EXISTED)
    assert _details(store) == {"TRANSACTION_GAP": "5-8"}
    _answer(store, 5, 8, GapAnswer.RESENT)
    assert _details(store) == {"TRANSACTION_GAP": "5-8"}, "what is sent again has still to come"
    store.post(*[_rung(number, "1.00") for number in (5, 6, 7, 8)])
    _prove(store)
    assert _details(store) == {}
    assert store.count(
        "SELECT count(*) FROM audit_entry WHERE store_no = %(store_no)s AND action = 'transaction_gap.answered'"
    ) == 2  # fmt: skip
    store.check()


def test_an_answer_names_a_day_and_a_range_that_are(store: StoreLedger) -> None:
    with pytest.raises(NotFound):
        _answer(store, 1, 2, GapAnswer.RESENT)
    with pytest.raises(Invalid):
        _answer(store, 2, 1, GapAnswer.RESENT)


def test_numbers_go_on_from_the_day_before_and_may_begin_anew(store: StoreLedger) -> None:
    yesterday = (START - timedelta(days=1)).isoformat()
    store.post(*[_rung(number, "1.00", occurredAt=yesterday) for number in (1, 2, 3)])
    store.post(_close({}, occurredAt=yesterday))
    # Number 4 was lost between the days; today begins with 5.
    store.post(_rung(5, "1.00"), _close({}))
    assert _details(store) == {"TRANSACTION_GAP": "4"}
    # Tomorrow the till begins again with 1: no gap.
    tomorrow = (START + timedelta(days=1)).isoformat()
    event = _rung(1, "1.00", occurredAt=tomorrow, eventId="t-1-again")
    store.post(event, _close({}, occurredAt=tomorrow), now=START + timedelta(days=1))
    assert list(store.findings()) == [("TRANSACTION_GAP", SUBJECT)]
    store.check()


def test_what_is_held_is_not_missing(store: StoreLedger) -> None:
    store.post(_rung(1, "1.00"), _rung(2, "1.00", eventId="t-1", note="\x00"), _rung(3, "1.00"), _close({}))
    assert store.count("SELECT count(*) FROM held_event WHERE store_no = %(store_no)s") == 1
    assert _details(store) == {}


def test_the_same_report_again_adds_nothing(store: StoreLedger) -> None:
    z = _close({"SALE": "1.00"}, eventId="z-1")
    store.post(_rung(1, "1.00"), z)
    assert store.post(z, batch_id="again").duplicates == 1
    assert _details(store) == {}
    store.check()


def test_a_store_whose_tills_close_no_day_is_never_counted(store: StoreLedger) -> None:
    store.post(_rung(1, "1.00"), _rung(9, "1.00"))
    assert _prove(store) == 0
    assert store.count("SELECT count(*) FROM workstation_day WHERE store_no = %(store_no)s") == 0


def test_a_void_on_the_next_day_is_the_next_day_s(store: StoreLedger) -> None:
    yesterday = (START - timedelta(days=1)).isoformat()
    store.post(_rung(1, "9.00", occurredAt=yesterday), _close({"SALE": 9}, occurredAt=yesterday))
    store.post(void("t-1", workstationId="till-1", transactionNumber=2))
    store.post(_close({"SALE": 0, "VOID": 9, "tenders": {"CASH": -9}}, transactionNumber=3))
    assert _details(store) == {}
    store.check()
