"""From a till's record to a stamped event."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.packed_event import pack_event, wire_form
from edge_agent.stamped_event import StampedEvent, UnreadableLine
from edge_agent.translation import Arrival, StoreRule, group_key, translate
from shared.business_date import DayRule
from shared.identifiers import event_key
from shared.pos_event import PosEvent, read_event
from shared.problems import Violation
from shared.wire_json import decode_json, encode_json
from tests.edge_agent.builders import NEW_YORK, sale, stamped

ARRIVED = datetime(2026, 2, 10, 15, tzinfo=UTC)
ARRIVAL = Arrival(ARRIVED)


def wire(event: StampedEvent) -> dict[str, Any]:
    """The event as it will cross the wire, as the only one of its group."""
    packed = pack_event(event.own_fields, event.stamp, event.business_day, lines_before=0, lines_after=0)
    document: dict[str, Any] = decode_json(wire_form(packed, 1, event.business_day, 0))
    return document


def stamp_of(
    raw: dict[str, Any], previous: datetime | None = None, store: StoreRule = NEW_YORK
) -> dict[str, Any]:
    result = translate(raw, "events[0]", store, ARRIVAL, previous)
    assert isinstance(result, tuple), result
    stamp: dict[str, Any] = wire(result[0])["stamp"]
    return stamp


def violations(raw: Any) -> list[Violation]:
    result = translate(raw, "events[3]", NEW_YORK, ARRIVAL, None)
    assert isinstance(result, list)
    return result


def test_the_smallest_event_gets_an_id_and_its_arrival_as_time() -> None:
    event = stamped({"type": "SALE", "itemId": "item-001", "quantity": 2, "amount": 50})
    assert wire(event)["stamp"] == {
        "businessDate": "2026-02-10",
        "occurredAt": "2026-02-10T15:00:00Z",
        "timeReading": "ARRIVAL",
        "receivedAt": "2026-02-10T15:00:00Z",
        "groupFirst": 1,
        "groupSize": 1,
    }
    assert event_key(event.event_id).version == 7


def test_the_server_reads_what_the_agent_wrote_with_the_same_hash() -> None:
    raw = sale(
        quantity=decode_json(b"2.500"), amount=decode_json(b"12345678901234567.89"), eventId=77, note={"x": None},
        occurredAt="2026-02-10T10:00:00-05:00", tenders=[{"type": "CASH", "amount": 50}],
    )  # fmt: skip
    event = stamped(raw)
    read = read_event(wire(event), "events[0]")
    assert isinstance(read, PosEvent), read
    assert read.content_hash == event.content_hash
    assert read.event_id == event.event_id == "77"
    assert b"12345678901234567.89" in event.own_fields


@given(
    st.dictionaries(
        st.text(max_size=20).filter(lambda name: name not in ("streamId", "sequence", "stamp")),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=10),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=5,
        ),
        max_size=5,
    )
)
def test_whatever_a_till_adds_is_either_named_or_read_back_with_the_same_hash(extra: dict[str, Any]) -> None:
    raw = decode_json(encode_json({**extra, **sale()}))
    result = translate(raw, "events[0]", NEW_YORK, ARRIVAL, None)
    if isinstance(result, tuple):
        read = read_event(wire(result[0]), "events[0]")
        assert isinstance(read, PosEvent)
        assert read.content_hash == result[0].content_hash


def test_an_instant_before_the_day_start_belongs_to_the_day_before() -> None:
    stamp = stamp_of(sale(occurredAt="2026-02-10T03:59:59-05:00"))
    assert (stamp["businessDate"], stamp["timeReading"]) == ("2026-02-09", "OFFSET")


def test_a_bare_local_time_is_read_in_the_stores_zone() -> None:
    stamp = stamp_of(sale(occurredAt="2026-02-10T12:30:00"))
    assert (stamp["occurredAt"], stamp["timeReading"]) == ("2026-02-10T17:30:00Z", "LOCAL")


def test_in_the_hour_that_happens_twice_the_workstations_own_order_decides() -> None:
    raw = sale(occurredAt="2026-11-01T01:30:00")
    earlier = stamp_of(raw, previous=datetime(2026, 11, 1, 5, 0, tzinfo=UTC))
    later = stamp_of(raw, previous=datetime(2026, 11, 1, 5, 45, tzinfo=UTC))
    assert (earlier["occurredAt"], earlier["timeReading"]) == ("2026-11-01T05:30:00Z", "FOLD_EARLIER")
    assert (later["occurredAt"], later["timeReading"]) == ("2026-11-01T06:30:00Z", "FOLD_LATER")


def test_in_the_hour_that_never_happens_the_offset_before_it_is_taken() -> None:
    stamp = stamp_of(sale(occurredAt="2026-03-08T02:30:00"))
    assert (stamp["occurredAt"], stamp["timeReading"]) == ("2026-03-08T07:30:00Z", "GAP")


def test_a_declared_business_date_is_believed_within_one_day() -> None:
    at = "2026-02-10T12:00:00-05:00"
    assert stamp_of(sale(occurredAt=at, businessDate="2026-02-11"))["businessDate"] == "2026-02-11"
    assert stamp_of(sale(occurredAt=at, businessDate="2026-02-12"))["businessDate"] == "2026-02-10"


def test_an_id_is_derived_from_the_tills_own_words_alone() -> None:
    words = {
        "workstationId": "T1",
        "transactionNumber": "17",
        "lineNumber": 2,
        "occurredAt": "2026-02-10T12:00:00",
    }
    first = stamped(sale(**words))
    again = translate(
        sale(**words), "e", StoreRule("STORE-01", DayRule("Europe/Berlin", time(0))), ARRIVAL, None
    )
    assert isinstance(again, tuple)
    assert again[0].event_id == first.event_id
    assert stamped(sale(**{**words, "lineNumber": 3})).event_id != first.event_id


@pytest.mark.parametrize("missing", ["workstationId", "transactionNumber", "lineNumber", "occurredAt"])
def test_nothing_is_derived_when_a_word_is_missing(missing: str) -> None:
    words = {
        "workstationId": "T1",
        "transactionNumber": "17",
        "lineNumber": 2,
        "occurredAt": "2026-02-10T12:00:00",
    }
    del words[missing]
    assert stamped(sale(**words)).event_id != stamped(sale(**words)).event_id


def test_the_fallback_id_serves_where_nothing_else_identifies() -> None:
    arrival = Arrival(ARRIVED, "file-abc-0")
    result = translate(sale(), "e", NEW_YORK, arrival, None)
    assert isinstance(result, tuple)
    assert result[0].event_id == "file-abc-0"


def test_a_till_may_not_number_or_stamp() -> None:
    found = violations(sale(sequence=4, stamp={}, streamId=None))
    assert [violation.field for violation in found] == ["events[3].sequence", "events[3].stamp"]


def test_an_envelope_of_nulls_is_left_out() -> None:
    assert b"null" not in stamped(sale(sequence=None, stamp=None, streamId=None)).own_fields


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_times_at_the_edge_of_the_calendar_are_named_not_crashed_upon(text: str) -> None:
    found = violations(sale(occurredAt=text))
    assert [violation.field for violation in found] == ["events[3].occurredAt"]


def test_an_unreadable_line_is_named() -> None:
    found = violations(UnreadableLine(raw=b"{oops", reason="the JSON is malformed"))
    assert found[0].field == "events[3]"
    assert "malformed" in found[0].constraint


def test_a_group_is_a_transaction_of_a_workstation_or_a_sale() -> None:
    assert group_key(sale(transactionNumber=1, workstationId="T1")) == group_key(
        sale(transactionNumber="1", workstationId="T1", saleId="other")
    )
    assert group_key(sale(transactionNumber=1, workstationId="T1")) != group_key(
        sale(transactionNumber=1, workstationId="T2")
    )
    assert group_key(sale(saleId="S")) is not None
    assert group_key(sale()) is None
    assert group_key("no object") is None


def test_key_halves_are_signed_as_sqlite_keeps_them() -> None:
    event = stamped(sale(eventId="ffffffff-ffff-4fff-bfff-ffffffffffff"))
    assert -(2**63) <= event.key_high < 0
    assert event.business_day == date(2026, 2, 10).toordinal()
