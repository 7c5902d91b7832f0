"""When an event happened and which date it is booked under, by headquarters' own record of the store."""

from datetime import timedelta

import pytest

from shared.business_date import DayRule
from shared.zone_data import use_own_zone_data, zone_data_version
from tests.agent_stream import AgentStream
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, sale

EARLY = "2026-02-11T03:30:00-05:00"


@pytest.fixture
def store(new_store: NewStore) -> StoreLedger:
    """A store in New York whose day starts at four."""
    use_own_zone_data()
    ledger = new_store(timezone="America/New_York", day_start="04:00")
    ledger.open_with({ITEM: ("100", "4.00")})
    return ledger


def _times(store: StoreLedger) -> list[tuple[str, str, str, str | None]]:
    return store.rows(
        """SELECT occurred_at::text, time_reading, business_date::text, agent_business_date::text
           FROM pos_event WHERE store_no = %(store_no)s ORDER BY store_sequence"""
    )


def test_before_the_day_starts_a_sale_belongs_to_the_day_before(store: StoreLedger) -> None:
    store.post(sale(occurredAt=EARLY), now=START + timedelta(days=1))
    assert _times(store) == [("2026-02-11 08:30:00+00", "OFFSET", "2026-02-10", None)]
    store.check()


def test_without_a_time_the_batch_s_own_counts(store: StoreLedger) -> None:
    store.post(sale())
    assert _times(store) == [("2026-02-10 23:00:00+00", "POSTED_AT", "2026-02-10", None)]


def test_a_bare_local_time_is_read_in_the_store_s_zone_and_the_workstation_s_order(
    store: StoreLedger,
) -> None:
    times = ["2026-11-01T01:50:00", "2026-11-01T01:10:00", "2026-11-01T01:20:00"]
    store.post(*[sale(occurredAt=time, workstationId="till-1") for time in times])
    store.post(sale(occurredAt="2026-03-08T02:30:00", workstationId="till-1"))
    assert [(at, reading) for at, reading, _, _ in _times(store)] == [
        ("2026-11-01 05:50:00+00", "FOLD_EARLIER"),
        ("2026-11-01 06:10:00+00", "FOLD_LATER"),
        ("2026-11-01 06:20:00+00", "FOLD_LATER"),
        ("2026-03-08 07:30:00+00", "GAP"),
    ]
    store.check()


@pytest.mark.parametrize(("declared", "booked"), [("2026-02-09", "2026-02-09"), ("2026-02-11", "2026-02-11")])
def test_a_declared_date_next_to_the_computed_one_is_believed(
    store: StoreLedger, declared: str, booked: str
) -> None:
    assert store.post(sale(businessDate=declared)).findings == []
    assert _times(store)[0][2] == booked
    store.check()


def test_a_declared_date_far_off_is_set_aside_and_found(store: StoreLedger) -> None:
    answer = store.post(sale(businessDate="2026-02-01", workstationId="till-7"))
    assert answer.findings == [{"code": "BUSINESS_DATE_MISMATCH", "subject": "till-7"}]
    assert _times(store)[0][2] == "2026-02-10"
    store.check()


def test_an_agent_that_stamps_another_date_is_overruled_and_its_date_kept(store: StoreLedger) -> None:
    stream = AgentStream(rule=DayRule("UTC"))
    answer = store.post(*stream.groups(sale(occurredAt=EARLY)), stream=stream, now=START + timedelta(days=1))
    assert answer.findings == [{"code": "BUSINESS_DATE_MISMATCH", "subject": "-"}]
    assert _times(store)[0][2:] == ("2026-02-10", "2026-02-11")
    assert store.rows("SELECT business_date::text FROM stream_receipt WHERE store_no = %(store_no)s") == [
        ("2026-02-11",)
    ]
    store.check()


@pytest.mark.parametrize(
    ("occurred", "suspect"),
    [
        (START + timedelta(minutes=5), False),
        (START + timedelta(minutes=5, seconds=1), True),
        (START - timedelta(days=35), False),
        (START - timedelta(days=35, seconds=1), True),
    ],
)
def test_a_clock_far_off_is_found_and_the_sale_posted(
    store: StoreLedger, occurred: object, *, suspect: bool
) -> None:
    answer = store.post(sale(occurredAt=occurred.isoformat(), workstationId="till-1"))  # type: ignore[attr-defined]
    assert answer.accepted == 1
    assert answer.findings == ([{"code": "CLOCK_SUSPECT", "subject": "till-1"}] if suspect else [])
    store.check()


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00", "2999-12-31T23:59:59", "1970-01-01T00:00:00+14:00"])
def test_a_till_whose_clock_is_nonsense_still_sells(store: StoreLedger, time: str) -> None:
    answer = store.post(sale(occurredAt=time))
    assert answer.accepted == 1
    assert answer.findings == [{"code": "CLOCK_SUSPECT", "subject": "-"}]
    store.check()


def test_an_agent_with_other_zone_data_is_found(store: StoreLedger) -> None:
    assert store.post(sale(), timezoneData=zone_data_version()).findings == []
    answer = store.post(sale(), timezoneData="1999.1")
    assert answer.findings == [{"code": "TIMEZONE_DATA_DIFFERS", "subject": "1999.1"}]
    store.check()


def _local(store: StoreLedger, said: str, stamped: str, **stamp: str) -> list[dict[str, str]]:
    """Posts a sale of a bare local time, stamped by the agent with an instant; returns the findings."""
    event = {**sale(workstationId="till-1"), "occurredAt": said}
    stamp = {"occurredAt": stamped, "timeReading": "LOCAL", "businessDate": said[:10], **stamp}
    sequence = store.count("SELECT count(*) FROM pos_event WHERE store_no = %(store_no)s") + 1
    envelope = {"receivedAt": stamped, "groupFirst": sequence, "groupSize": 1}
    event |= {"eventId": f"e-{sequence}", "sequence": sequence, "stamp": stamp | envelope}
    return store.post_document(
        {"batchId": f"b-{sequence}", "postedAt": stamped, "streamId": "s-1", "events": [event]}, agent=True
    ).findings


def test_a_local_time_that_the_agent_read_in_another_zone_is_read_again(store: StoreLedger) -> None:
    assert _local(store, "2026-02-10T10:00:00", "2026-02-10T15:00:00Z") == []
    found = _local(store, "2026-02-10T02:00:00", "2026-02-10T01:00:00Z")
    assert found == [{"code": "BUSINESS_DATE_MISMATCH", "subject": "till-1"}]
    assert _times(store)[1] == ("2026-02-10 07:00:00+00", "LOCAL", "2026-02-09", "2026-02-10")
    ((details,),) = store.rows(
        "SELECT details::text FROM pos_event WHERE store_no = %(store_no)s AND agent_business_date IS NOT NULL"
    )
    assert '"agentOccurredAt":"2026-02-10T01:00:00Z"' in details
    store.check()


@pytest.mark.parametrize("stamped", ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"])
def test_in_the_hour_that_happens_twice_the_agent_s_choice_stands(store: StoreLedger, stamped: str) -> None:
    found = _local(store, "2026-11-01T01:30:00", stamped, businessDate="2026-10-31")
    assert [each["code"] for each in found] == ["CLOCK_SUSPECT"]
    assert _times(store)[0][0] == stamped.replace("T", " ").replace("Z", "+00")
    assert _local(store, "2026-11-01T01:30:00", "2026-11-01T07:30:00Z", businessDate="2026-10-31") != found
