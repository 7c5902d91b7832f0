"""One way per store: whoever comes first claims it, a person may declare it, what comes by another is held."""

import pytest

from shared.identifiers import derive_event_id
from sync_server.errors import NotFound
from sync_server.stores.intake import Intake
from sync_server.stores.registry import declare_intake
from tests.agent_stream import AgentStream
from tests.builders import OPERATOR
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, Event, basket, sale

TILL_LINE: Event = {
    "workstationId": "W-1",
    "transactionNumber": "77",
    "lineNumber": 1,
    "businessDate": "2026-02-10",
}
SECOND_CHANNEL = "SECOND_CHANNEL"


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with ten pieces of item-001 that has not posted yet."""
    ledger = new_store()
    ledger.open_with({ITEM: ("10", "4.00")})
    return ledger


@pytest.fixture
def stream() -> AgentStream:
    """The agent's stream."""
    return AgentStream()


def intake_of(store: StoreLedger) -> tuple[str | None, bool]:
    """The store's intake, and whether a person declared it."""
    ((intake, declared),) = store.rows(
        "SELECT intake, intake_declared FROM store WHERE store_no = %(store_no)s"
    )
    return intake, declared


def declare(store: StoreLedger, intake: Intake | None) -> bool:
    """A person's word on it."""
    with store.database.unit_of_work() as work:
        return declare_intake(work, store.store_id, intake, by=OPERATOR, now=START)


def test_the_first_batch_claims_the_store_for_its_way(store: StoreLedger) -> None:
    assert intake_of(store) == (None, False)
    assert store.post(sale()).accepted == 1
    assert intake_of(store) == ("direct", False)
    assert store.post(sale()).accepted == 1
    entries = store.rows(
        """SELECT after ->> 'intake' FROM audit_entry
           WHERE store_no = %(store_no)s AND action = 'batch.posted' ORDER BY audit_sequence"""
    )
    assert entries == [("direct",), (None,)]
    store.check()


def test_what_a_till_posts_beside_its_agent_is_held_and_found(
    store: StoreLedger, stream: AgentStream
) -> None:
    store.post(*stream.groups(sale()), stream=stream)
    answer = store.post(sale(eventId="e-1"), *basket("S-9", sale(), sale()))
    assert (answer.accepted, answer.duplicates, answer.held) == (0, 0, 3)
    assert answer.findings == [{"code": SECOND_CHANNEL, "subject": "direct"}]
    assert store.findings() == {(SECOND_CHANNEL, "direct"): 3}
    assert {reason for _, reason in store.held()} == {SECOND_CHANNEL}
    assert store.stock() == ("9", "36")
    store.check()


@pytest.mark.parametrize(
    "event",
    [
        sale(eventId=derive_event_id("?", "W-1", "2026-02-10", "77", "1"), **TILL_LINE),
        sale(saleId="S-1", lineNumber=1),
    ],
    ids=["workstation, date, transaction and line", "sale and line"],
)
def test_the_same_till_line_by_another_way_is_a_duplicate(
    store: StoreLedger, stream: AgentStream, event: Event
) -> None:
    if "workstationId" in event:
        event["eventId"] = derive_event_id(store.store_id, "W-1", "2026-02-10", "77", "1")
    store.post(*stream.groups(event), stream=stream)
    by_itself = {name: value for name, value in event.items() if name != "eventId"}
    answer = store.post(by_itself)
    assert (answer.accepted, answer.duplicates, answer.held) == (0, 1, 0)
    assert store.findings() == {}
    assert store.stock() == ("9", "36")
    store.check()


def test_the_same_natural_key_with_other_content_is_held_and_not_taken_for_a_duplicate(
    store: StoreLedger, stream: AgentStream
) -> None:
    store.post(*stream.groups(sale(saleId="S-1", lineNumber=1)), stream=stream)
    assert store.post(sale(2, "20.00", saleId="S-1", lineNumber=1)).held == 1
    store.check()


def test_an_agent_that_is_enrolled_later_takes_the_store_over(
    store: StoreLedger, stream: AgentStream
) -> None:
    store.post(sale(eventId="e-1"))
    assert store.post(*stream.groups(sale()), stream=stream).accepted == 1
    assert intake_of(store) == ("agent", False)
    assert store.post(sale(eventId="e-2")).held == 1
    store.check()


def test_a_declared_way_is_kept_whoever_comes(store: StoreLedger, stream: AgentStream) -> None:
    assert declare(store, Intake.DIRECT)
    assert not declare(store, Intake.DIRECT)
    answer = store.post(*stream.groups(sale()), stream=stream)
    assert (answer.held, answer.acknowledged_sequence) == (1, 1)
    assert intake_of(store) == ("direct", True)
    assert store.post(sale()).accepted == 1
    store.check()


def test_a_way_that_is_opened_again_is_claimed_by_the_next_batch(
    store: StoreLedger, stream: AgentStream
) -> None:
    declare(store, Intake.KAFKA)
    assert store.post(sale(eventId="e-1")).held == 1
    assert declare(store, None)
    assert store.post(sale(eventId="e-2")).accepted == 1
    assert intake_of(store) == ("direct", False)
    changes = store.rows(
        "SELECT before, after FROM audit_entry WHERE store_no = %(store_no)s AND action = 'store.intake' "
        "ORDER BY audit_sequence"
    )
    assert changes[1] == (
        {"intake": "kafka", "declared": True},
        {"intake": None, "declared": False},
    )
    store.check()


def test_the_same_batch_again_is_answered_as_the_first_time_whatever_the_intake_is_now(
    store: StoreLedger,
) -> None:
    store.post(sale(), batch_id="B-1")
    declare(store, Intake.AGENT)
    again = store.post(sale(), batch_id="B-1")
    assert (again.duplicate, again.accepted, again.held) == (True, 1, 0)


def test_an_unknown_store_is_refused(store: StoreLedger) -> None:
    with pytest.raises(NotFound), store.database.unit_of_work() as work:
        declare_intake(work, "NOWHERE", Intake.AGENT, by=OPERATOR, now=START)
