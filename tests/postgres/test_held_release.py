"""What support decides about held events: released they are posted once, through the same door as a batch."""

from decimal import Decimal

import psycopg
import pytest

from sync_server.errors import Conflict, Invalid, NotFound
from tests.agent_stream import AgentStream
from tests.held_desk import HeldDesk
from tests.postgres.conftest import NewStore
from tests.postgres.fingerprint import fingerprint
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, basket, cash, sale, void


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store with ten pieces of item-001 at 4.00."""
    ledger = new_store()
    ledger.open_with({ITEM: ("10", "4.00")})
    return ledger


@pytest.fixture
def desk(store: StoreLedger) -> HeldDesk:
    """Support, looking at that store."""
    return HeldDesk(store)


@pytest.fixture
def reused(store: StoreLedger) -> StoreLedger:
    """A till that was reinstalled and counts from 1 again: its second e-1 (three pieces for 33.00) is held."""
    store.post(sale(1, "10.00", eventId="e-1"))
    store.post(sale(3, "33.00", eventId="e-1"))
    return store


def test_released_under_a_new_identity_it_is_posted_like_any_other_sale(
    reused: StoreLedger, desk: HeldDesk
) -> None:
    released = desk.release(new_identity=True)
    # Ten pieces at 4.00, one and three sold: six are left, worth 24; 43 was taken; the four had cost 16.
    assert reused.stock() == ("6", "24")
    balances = reused.balances()
    assert (balances["1000"], balances["4000"], balances["5000"]) == ("43", "-43", "16")
    assert [(m.item_id, m.quantity, m.value) for m in released.effects.movements] == [
        (ITEM, Decimal(-3), Decimal(-12))
    ]
    assert reused.held() == [("e-1", "EVENT_ID_REUSED")]
    assert desk.numbers() == []
    reused.check()


def test_the_new_identity_of_a_held_event_is_always_the_same(reused: StoreLedger, desk: HeldDesk) -> None:
    shown = desk.release(new_identity=True, dry_run=True)
    assert desk.release(new_identity=True).events == shown.events
    assert shown.events[0][1] != "e-1"


def test_as_it_is_an_event_whose_id_is_taken_stays_held(reused: StoreLedger, desk: HeldDesk) -> None:
    with pytest.raises(Conflict, match="newIdentity"):
        desk.release()
    assert len(desk.numbers()) == 1
    assert reused.stock() == ("9", "36")
    reused.check()


def test_what_is_posted_already_is_not_released_a_second_time(reused: StoreLedger, desk: HeldDesk) -> None:
    with pytest.raises(Conflict, match="posted already"):
        desk.correct(quantity=1, amount="10.00")
    assert reused.stock() == ("9", "36")


def test_releasing_twice_posts_once(reused: StoreLedger, desk: HeldDesk) -> None:
    (number,) = desk.numbers()
    desk.release(number, new_identity=True)
    with pytest.raises(Conflict, match="released by sam"):
        desk.release(number, new_identity=True)
    with pytest.raises(Conflict, match="released by sam"):
        desk.discard(number)
    assert reused.stock() == ("6", "24")
    reused.check()


def test_what_was_released_comes_again_as_a_duplicate(reused: StoreLedger, desk: HeldDesk) -> None:
    desk.release(new_identity=True)
    answer = reused.post(sale(3, "33.00", eventId="e-1"))
    assert (answer.accepted, answer.duplicates, answer.held) == (0, 1, 0)
    reused.check()


def test_a_preview_shows_all_of_it_and_leaves_nothing(reused: StoreLedger, desk: HeldDesk) -> None:
    before = fingerprint(reused.database)
    shown = desk.release(new_identity=True, dry_run=True)
    assert fingerprint(reused.database) == before
    lines = [(line.account, line.debit, line.credit) for line in shown.effects.journal_lines]
    assert sorted(lines) == [
        ("1000", Decimal(33), 0),
        ("1400", 0, Decimal(12)),
        ("4000", 0, Decimal(33)),
        ("5000", Decimal(12), 0),
    ]


def test_the_finding_closes_with_the_last_event_of_its_subject(reused: StoreLedger, desk: HeldDesk) -> None:
    reused.post(sale(2, "22.00", eventId="e-1"))
    first, second = desk.numbers()
    desk.release(first, new_identity=True)
    assert reused.findings() == {("EVENT_ID_REUSED", "e-1"): 2}
    desk.discard(second)
    assert reused.findings() == {}
    assert reused.findings("RESOLVED") == {("EVENT_ID_REUSED", "e-1"): 2}


def test_a_decision_is_audited_with_what_was_corrected(reused: StoreLedger, desk: HeldDesk) -> None:
    (number,) = desk.numbers()
    desk.release(number, corrections={number: {"amount": "30.00"}}, new_identity=True, reason="typo")
    actor, subject, after = reused.rows(
        """SELECT actor, subject, after FROM audit_entry
           WHERE store_no = %(store_no)s AND action = 'held_event.released'"""
    )[0]
    assert (actor, subject, after["reason"]) == ("sam", str(number), "typo")
    assert after["corrections"] == {str(number): '{"amount":"30.00"}'}
    reused.check()


def test_what_the_server_could_not_read_is_released_with_corrected_fields(
    store: StoreLedger, desk: HeldDesk
) -> None:
    store.hold_refused(sale(0, "20.00", eventId="e-7"))
    assert store.findings() == {("EVENT_REFUSED", "s-1"): 1}
    with pytest.raises(Invalid) as refused:
        desk.release()
    assert [violation.field for violation in refused.value.violations] == ["event.quantity"]
    desk.correct(quantity=2)
    assert store.stock() == ("8", "32")
    assert store.findings() == {}
    store.check()


def test_what_was_no_json_has_to_be_given_whole(store: StoreLedger, desk: HeldDesk) -> None:
    store.hold_refused("{broken")
    with pytest.raises(Invalid, match="whole event"):
        desk.release()
    desk.correct(**sale(2, "20.00"))
    assert store.stock() == ("8", "32")
    store.check()


def test_a_corrected_time_is_read_anew_and_the_agent_s_stamp_set_aside(
    store: StoreLedger, desk: HeldDesk
) -> None:
    stream = AgentStream("s-1")
    (stamped,) = stream.group(sale(0, eventId="e-1", occurredAt="2026-02-10T10:00:00Z"))
    store.hold_refused(stamped)
    desk.correct(quantity=1, occurredAt="2026-02-09T10:00:00Z")
    assert store.rows("SELECT business_date::text FROM pos_event WHERE store_no = %(store_no)s") == [
        ("2026-02-09",)
    ]


def test_a_group_is_released_together_with_one_journal(store: StoreLedger, desk: HeldDesk) -> None:
    store.post(sale(1, eventId="S-1/2"))
    lines = basket("S-1", sale(1, "10.00", tenders=[cash("15.00")]), sale(2, "5.00"))
    assert store.post(*lines).held == 2
    released = desk.release(desk.numbers()[1], new_identity=True)
    assert len(released.events) == 2
    assert len({line.journal_sequence for line in released.effects.journal_lines}) == 1
    assert released.findings == []
    assert store.stock() == ("6", "24")
    assert desk.numbers() == []
    store.check()


def test_a_void_of_a_line_of_its_own_group_follows_the_new_identity(
    store: StoreLedger, desk: HeldDesk
) -> None:
    store.post(sale(1, eventId="e-1"))
    group = {"transactionNumber": "7", "workstationId": "till-1"}
    store.post(sale(4, "40.00", eventId="e-1", **group), void("e-1", eventId="v-1", **group))
    desk.release(new_identity=True)
    # The first e-1 stands; of the second group nothing is left but its trace.
    assert store.stock() == ("9", "36")
    assert store.balances()["4000"] == "-10"
    store.check()


def test_discarding_one_of_a_group_leaves_the_others_to_be_released(
    store: StoreLedger, desk: HeldDesk
) -> None:
    store.post(sale(1, eventId="S-1/2"))
    store.post(*basket("S-1", sale(1, "10.00"), sale(2, "5.00")))
    first, second = desk.numbers()
    desk.discard(second)
    desk.release(first)
    assert store.stock() == ("8", "32")
    assert [status for (status,) in store.rows(
        "SELECT status FROM held_event WHERE store_no = %(store_no)s ORDER BY held_event_no"
    )] == ["RELEASED", "DISCARDED"]  # fmt: skip
    store.check()


def test_what_a_second_agent_sent_under_the_same_numbers_is_released_as_it_is(
    store: StoreLedger, desk: HeldDesk
) -> None:
    genuine, clone = AgentStream(), AgentStream()
    store.post(*genuine.groups(sale(1, eventId="a-1")), stream=genuine)
    store.post(*clone.groups(sale(2, eventId="b-1")), stream=clone)
    desk.release()
    assert store.stock() == ("7", "28")
    assert store.findings() == {}
    store.check()


def test_nobody_decides_about_what_is_not_there(desk: HeldDesk) -> None:
    with pytest.raises(NotFound):
        desk.release(10**9)
    with pytest.raises(NotFound):
        desk.discard(10**9)


def test_the_database_lets_nobody_decide_twice(reused: StoreLedger, desk: HeldDesk) -> None:
    (number,) = desk.numbers()
    desk.release(number, new_identity=True)
    with (
        pytest.raises(psycopg.errors.RestrictViolation),
        reused.database.unit_of_work() as work,
    ):
        work.connection.execute(
            "UPDATE held_event SET status = 'HELD', decided_at = NULL, released_key = NULL "
            "WHERE held_event_no = %s",
            [number],
        )


def test_fewer_lines_than_the_group_is_stamped_with_are_held(store: StoreLedger, desk: HeldDesk) -> None:
    stream = AgentStream()
    whole = stream.group(sale(1, saleId="S-1"), sale(2, saleId="S-1"), sale(3, saleId="S-1"))
    answer = store.post(*whole[:2], *stream.group(sale(1)), stream=stream)
    assert (answer.accepted, answer.held) == (1, 2)
    assert store.findings() == {("GROUP_INCOMPLETE", "S-1"): 1}
    # The rest of it comes: it is held with what is held of its group, and nothing of it is posted half.
    assert store.post(whole[2], stream=stream).held == 1
    assert store.post(*whole, stream=stream).duplicates == 3
    assert store.stock() == ("9", "36")
    desk.release()
    assert store.stock() == ("3", "12")
    assert store.findings() == {}
    store.check()


def test_the_end_of_a_group_is_not_posted_before_its_beginning(store: StoreLedger, desk: HeldDesk) -> None:
    stream = AgentStream()
    whole = stream.group(sale(1, saleId="S-1"), sale(2, saleId="S-1"), sale(3, saleId="S-1"))
    assert store.post(whole[0], stream=stream).held == 1
    assert store.post(*whole[1:], stream=stream).held == 2
    assert len(desk.release().events) == 3
    store.check()


def test_a_part_of_a_group_that_is_there_is_sent_again_without_harm(store: StoreLedger) -> None:
    stream = AgentStream()
    whole = stream.group(sale(1), sale(2), sale(3))
    store.post(*whole, stream=stream)
    answer = store.post(whole[1], *stream.group(sale(1)), stream=stream)
    assert (answer.accepted, answer.duplicates, answer.held) == (1, 1, 0)
    store.check()
