"""Rows of any values: an event that can be checked, or named violations, never an exception."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.till_rows.configuration import RowsTable, read_table
from edge_agent.sources.till_rows.mapping import FIELDS, RowMapping
from shared.pos_event import PosEvent, check_event
from shared.wire_json import decode_json, encode_json

TABLE = {
    "fields": {
        "itemId": "item",
        "quantity": {"column": "qty", "scale": 3},
        "amount": {"column": "price", "times": "qty", "plus": "tax", "scale": 2},
        "taxAmount": "tax",
        "occurredAt": {"column": "at", "format": "%d.%m.%Y %H:%M", "utc": True},
        "businessDate": "day",
        "voids.saleId": "sale",
        "originalSaleId": "sale",
        "saleId": {"columns": ["sale", "item"], "join": "/"},
    },
    "extra": {"note": "note"},
    "type": {
        "column": "kind",
        "values": {"0": "SALE"},
        "prefixes": {"R": "RETURN", "X": "VOID"},
        "default": "SALE",
    },
    "negative_quantity": "RETURN",
    "group": ["sale"],
    "tenders": [{"type": {"column": "paid_by"}, "amount": {"column": "price", "scale": 2}}],
    "tenders_repeat": True,
}
VALUES = st.one_of(
    st.none(), st.text(max_size=20), st.integers(), st.floats(), st.decimals(), st.binary(max_size=9), st.booleans(),
    st.datetimes(), st.dates(), st.sampled_from(["R1", "X", "0", "10.02.2026 09:30", "-1.5", "1e5"]),
)  # fmt: skip
COLUMNS = ("item", "qty", "price", "tax", "at", "day", "sale", "note", "kind", "paid_by")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(COLUMNS, VALUES)))
@settings(max_examples=400, deadline=None)
def test_any_row_ends_in_an_event_or_in_named_violations(row: dict[str, Any]) -> None:
    mapping = RowMapping(read_table(TABLE, RowsTable, "test"), "test")
    try:
        event = mapping.read(dict.fromkeys(COLUMNS) | row if len(row) % 2 else row)
    except KeyError as missing:
        raise AssertionError(f"{missing} was not named") from missing
    if isinstance(event, list):
        assert all(violation.field and violation.constraint for violation in event)
    elif event is not None:
        check_event(event, "")
        assert decode_json(encode_json(event))


def test_every_field_of_an_event_can_be_mapped_except_what_is_a_list() -> None:
    words = {
        name.partition("_")[0] + name.partition("_")[2].title().replace("_", "") for name in FIELDS_OF_EVENT
    }
    assert words - FIELDS == {"tenders", "voids"}


FIELDS_OF_EVENT = set(PosEvent.__struct_fields__) - {"type", "content_hash", "sequence", "stamp", "extra"}


def test_a_product_is_rounded_once() -> None:
    table = {
        "fields": {
            "itemId": "item",
            "quantity": "qty",
            "amount": {"column": "price", "times": "qty", "scale": 2},
        }
    }
    mapping = RowMapping(read_table(table, RowsTable, "test"), "test")
    event = mapping.read({"item": "A", "qty": Decimal("3"), "price": 8.264462809917356})
    assert isinstance(event, dict)
    assert event["amount"] == Decimal("24.79")
