"""Whatever can be understood can be posted: no event that passes the door fails behind it, and the books stay whole."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.pos_event import check_event
from tests.agent_stream import STREAM_ID
from tests.postgres.conftest import NewStore
from tests.shared.json_values import NAMES, TIMES, hostile_events, till_events
from tests.store_ledger import POSTED_AT, StoreLedger

LONG = "12345678901234567.89"
NAMES_OF_FEW = st.sampled_from(["a", "b", "c"])
IDS = st.sampled_from([f"e-{number}" for number in range(12)])
QUANTITIES = st.one_of(
    st.integers(1, 5), st.sampled_from(["0.125", Decimal("1E+1"), 10**17, Decimal("0.000000001")])
)
AMOUNTS = st.one_of(st.integers(0, 50), st.sampled_from(["9.99", Decimal("0.005"), LONG, Decimal("1E+3")]))
LINES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["SALE", "RETURN", "RECEIPT"]),
        "itemId": NAMES_OF_FEW,
        "quantity": QUANTITIES,
        "amount": AMOUNTS,
        "saleId": NAMES_OF_FEW,
        "originalSaleId": NAMES_OF_FEW,
    },
    optional={
        "eventId": IDS,
        "lineNumber": st.integers(0, 2),
        "unitCost": AMOUNTS,
        "taxAmount": AMOUNTS,
        "currency": st.sampled_from(["USD", "EUR", "JPY"]),
        "occurredAt": TIMES,
        "workstationId": NAMES,
        "disposition": st.sampled_from(["RESTOCK", "DAMAGED"]),
        "tenders": st.lists(st.fixed_dictionaries({"type": NAMES, "amount": AMOUNTS}), max_size=3),
        "unheardOf": st.sampled_from(["\x00", "\\u0000", {"\x00": ["\x00"]}, "\u2028"]),
    },
)
VOIDS = st.fixed_dictionaries(
    {
        "type": st.just("VOID"),
        "voids": st.one_of(
            IDS,
            st.fixed_dictionaries({"saleId": NAMES_OF_FEW}, optional={"lineNumber": st.integers(0, 2)}),
        ),
    },
    optional={"eventId": IDS},
)
IN_NEW_YORK = {"timezone": "America/New_York", "day_start": "04:00"}
SHARED = settings(max_examples=50, deadline=None)


def _post_what_is_understood(store: StoreLedger, events: list[dict[str, Any]], **fields: Any) -> None:
    understood = [event for event in events if not check_event(event, "event")]
    if understood:
        document = {"batchId": "b", "postedAt": POSTED_AT, **fields, "events": understood}
        answer = store.post_document(document, agent="streamId" in fields)
        assert answer.accepted + answer.duplicates + answer.held == len(understood)
        store.check()


def test_any_events_that_are_understood_can_be_posted(new_store: NewStore) -> None:

    @SHARED
    @given(st.lists(hostile_events() | till_events(), min_size=1, max_size=3))
    def post(events: list[dict[str, Any]]) -> None:
        plain = [{name: value for name, value in event.items() if name != "sequence"} for event in events]
        _post_what_is_understood(new_store(**IN_NEW_YORK), plain)

    post()


def test_any_days_of_sales_returns_and_voids_can_be_posted_in_any_pieces(new_store: NewStore) -> None:

    @SHARED
    @given(st.lists(st.lists(LINES | VOIDS, min_size=1, max_size=4), min_size=1, max_size=4))
    def post(batches: list[list[dict[str, Any]]]) -> None:
        store = new_store(**IN_NEW_YORK)
        for number, events in enumerate(batches):
            _post_what_is_understood(store, events, batchId=f"b-{number}")

    post()


def test_any_stamp_that_is_understood_can_be_posted(new_store: NewStore) -> None:
    stamps = st.fixed_dictionaries(
        {
            "businessDate": st.dates().map(str),
            "occurredAt": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
            "timeReading": st.sampled_from(["OFFSET", "OF_TOMORROW"]),
            "receivedAt": st.datetimes().map(lambda moment: moment.isoformat() + "+14:00"),
            "groupFirst": st.integers(1, 2**63 - 1),
            "groupSize": st.integers(1, 2**63 - 1),
        }
    )
    sequences = st.lists(st.integers(1, 2**53 - 1), min_size=1, max_size=5, unique=True).map(sorted)

    @SHARED
    @given(sequences, st.data())
    def post(numbers: list[int], data: st.DataObject) -> None:
        events = [
            {**data.draw(LINES), "eventId": f"e-{number}", "sequence": number, "stamp": data.draw(stamps)}
            for number in numbers
        ]
        _post_what_is_understood(new_store(**IN_NEW_YORK), events, streamId=STREAM_ID)

    post()
