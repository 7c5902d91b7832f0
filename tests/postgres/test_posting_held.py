"""What may not be posted as it is lies at headquarters, raw and with its reason, and never blocks what may."""

import pytest

from tests.agent_stream import AgentStream
from tests.postgres.conftest import NewStore
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, Event, sale, void


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with ten pieces of item-001."""
    ledger = new_store()
    ledger.open_with({ITEM: ("10", "4.00")})
    return ledger


def test_an_event_id_with_other_content_is_held_and_never_dropped_as_a_duplicate(store: StoreLedger) -> None:
    store.post(sale(1, "10.00", eventId="e-1"))
    answer = store.post(sale(1, "11.00", eventId="e-1", note="new till"), sale(1, eventId="e-2"))
    assert (answer.accepted, answer.duplicates, answer.held) == (1, 0, 1)
    assert answer.findings == [{"code": "EVENT_ID_REUSED", "subject": "e-1"}]
    assert store.held() == [("e-1", "EVENT_ID_REUSED")]
    assert store.stock() == ("8", "32")
    raw = store.rows("SELECT raw::text FROM held_event WHERE store_no = %(store_no)s")[0][0]
    assert '"note":"new till"' in raw
    assert '"amount":"11.00"' in raw
    store.check()


def test_what_is_held_counts_as_received_and_comes_again_as_a_duplicate(store: StoreLedger) -> None:
    store.post(sale(1, eventId="e-1"))
    reused = sale(2, eventId="e-1")
    assert store.post(reused).held == 1
    answer = store.post(reused, batch_id="again")
    assert (answer.held, answer.duplicates) == (0, 1)
    assert len(store.held()) == 1
    store.check()


def test_one_id_for_two_contents_in_one_batch_posts_the_first(store: StoreLedger) -> None:
    answer = store.post(sale(1, eventId="e-1"), sale(2, eventId="e-1"), sale(1, eventId="e-1"))
    assert (answer.accepted, answer.held, answer.duplicates) == (1, 1, 1)
    assert store.stock()[0] == "9"
    store.check()


def test_the_finding_names_the_event_whose_id_was_reused(store: StoreLedger) -> None:
    store.post(sale(1, eventId="e-2"))
    group: Event = {"transactionNumber": 1, "workstationId": "till-1"}
    answer = store.post(sale(1, eventId="e-1", **group), sale(3, eventId="e-2", **group))
    assert answer.held == 2
    assert answer.findings == [{"code": "EVENT_ID_REUSED", "subject": "e-2"}]
    store.check()


def test_two_agents_that_claim_one_stream_are_held_apart(store: StoreLedger) -> None:
    genuine, clone = AgentStream(), AgentStream()
    store.post(*genuine.groups(sale(1, eventId="a-1"), sale(1, eventId="a-2")), stream=genuine)
    answer = store.post(
        *clone.groups(sale(1, eventId="b-1"), sale(1, eventId="b-2"), sale(1, eventId="b-3")), stream=clone
    )
    assert (answer.accepted, answer.held, answer.acknowledged_sequence) == (1, 2, 3)
    assert store.held() == [("b-1", "STREAM_CONFLICT"), ("b-2", "STREAM_CONFLICT")]
    assert answer.findings == [{"code": "STREAM_CONFLICT", "subject": clone.stream_id}]
    assert store.stock()[0] == "7"
    store.check()


def test_a_void_of_what_is_held_waits_for_it(store: StoreLedger) -> None:
    store.post(sale(1, eventId="e-1"))
    store.post(sale(5, eventId="e-1", saleId="S-9"), void({"saleId": "S-9"}, eventId="v-1"))
    assert store.stock()[0] == "9"
    assert store.count("SELECT count(*) FROM void_claim WHERE store_no = %(store_no)s AND pending") == 1
    store.check()


def test_an_event_without_an_id_is_held_under_its_place_in_the_batch(store: StoreLedger) -> None:
    store.post(sale(1, eventId="e-1"))
    store.post(sale(2, eventId="e-1", saleId="S-1"), sale(1, saleId="S-1"), sale(1, saleId="S-1"))
    assert store.held() == [("e-1", "EVENT_ID_REUSED"), (None, "EVENT_ID_REUSED"), (None, "EVENT_ID_REUSED")]
    store.check()
