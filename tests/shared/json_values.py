"""Strategies for JSON values as `decode_json` gives them, ordinary, odd and hostile, for Hypothesis."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from shared.event_fields import MAX_TENDERS

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SMALL_NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6),
    st.decimals(-(10**6), 10**6, allow_nan=False, places=4),
    st.sampled_from([Decimal("0.0000001"), Decimal("2E+1"), Decimal("-0.0"), 2**63, 10**30]),
)


def json_values(numbers: st.SearchStrategy[Any] = SMALL_NUMBERS) -> st.SearchStrategy[Any]:
    """Any JSON value of moderate size and depth."""
    scalars = st.one_of(st.none(), st.booleans(), numbers, TEXTS)
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
        max_leaves=12,
    )


HOSTILE_NUMBERS = st.one_of(
    SMALL_NUMBERS,
    st.integers(-(10**400), 10**400),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.builds(
        lambda digits, power: Decimal(f"{digits}E{power}"), st.integers(), st.integers(-(10**18), 10**17)
    ),
    st.sampled_from([Decimal("1E+9999999"), Decimal("1E-9999999"), Decimal("1." + "1" * 200), 10**4299]),
)
HOSTILE_TEXTS = st.one_of(
    TEXTS,
    st.sampled_from(
        ["", "\x00", "NaN", "1e5", "0001-01-01T00:00:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "²"]
    ),
    st.text("0123456789-+.eE:TZ ", max_size=40),
)
HOSTILE = st.one_of(json_values(HOSTILE_NUMBERS), HOSTILE_TEXTS, HOSTILE_NUMBERS)

FIELDS = [
    "type", "itemId", "barcode", "quantity", "amount", "saleId", "lineNumber", "transactionNumber", "workstationId",
    "cashierId", "occurredAt", "businessDate", "unitCost", "currency", "taxAmount", "discountAmount", "unitOfMeasure",
    "tenders", "voids", "originalSaleId", "disposition", "reasonCode", "reservationId", "transferId", "eventId",
    "streamId", "sequence", "stamp",
]  # fmt: skip
TYPES = [
    "SALE",
    "RETURN",
    "VOID",
    "RECEIPT",
    "TRANSFER_OUT",
    "TRANSFER_IN",
    "ADJUSTMENT",
    "COUNT",
    "DAY_CLOSE",
]


def hostile_events() -> st.SearchStrategy[dict[str, Any]]:
    """Objects that start as a sale and have any field set to anything."""
    ordinary = st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES), "itemId": st.just("i"), "quantity": st.just(1), "amount": st.just(1)}
    )
    broken = st.dictionaries(st.sampled_from(FIELDS) | TEXTS, HOSTILE, max_size=5)
    return st.builds(lambda sound, odd: {**sound, **odd}, ordinary, broken)


NUMBERS = st.one_of(
    st.integers(0, 10**12),
    st.decimals(0, 10**6, allow_nan=False, places=3),
    st.sampled_from(
        [Decimal("20"), Decimal("2E+1"), Decimal("0.0000001"), Decimal("1.10"), 0, -1, Decimal("-0.0")]
    ),
    st.builds(lambda digits: Decimal("0.1" + "0" * digits + "1"), st.integers(0, 40)),
    st.decimals(-10, 10**19, allow_nan=False).map(str),
)
NAMES = st.one_of(
    st.text(max_size=10), st.sampled_from(["item-001", " padded ", "nb\u00a0sp", "\u2028", "a\x00b", 17])
)
TIMES = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.sampled_from(
        ["2026-02-10T23:00:00", "2026-02-10T23:00+01:00", "1969-12-31T23:00:00Z", "2026-02-10", "x", 5]
    ),
)
_OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "barcode": NAMES, "amount": NUMBERS, "saleId": NAMES, "lineNumber": NUMBERS, "transactionNumber": NAMES,
    "workstationId": NAMES, "cashierId": NAMES, "occurredAt": TIMES, "businessDate": TIMES | st.just("2026-02-10"),
    "unitCost": NUMBERS, "currency": st.sampled_from(["USD", "usd", "EURO", 1]), "taxAmount": NUMBERS,
    "discountAmount": NUMBERS, "unitOfMeasure": NAMES, "originalSaleId": NAMES,
    "disposition": st.sampled_from(["RESTOCK", "DAMAGED", "LOST"]), "eventId": NAMES, "sequence": NUMBERS,
    "reasonCode": NAMES, "tenders": st.lists(st.just({"type": "CASH", "amount": 1}), max_size=MAX_TENDERS + 1),
    "stamp": st.fixed_dictionaries({
        "businessDate": st.sampled_from(["2026-02-10", "x"]), "occurredAt": TIMES, "timeReading": NAMES,
        "receivedAt": TIMES, "groupFirst": st.integers(-1, 3), "groupSize": st.integers(-1, 3),
    }),
}  # fmt: skip


def till_events() -> st.SearchStrategy[dict[str, Any]]:
    """Events as tills may write them: mostly sound, some fields odd, some null, in any order."""
    required = {
        "type": st.sampled_from(["SALE", "RETURN", "RECEIPT", "VOID", "COUNT"]),
        "itemId": NAMES | st.none(),
        "quantity": NUMBERS,
    }
    return st.fixed_dictionaries(
        required, optional={name: st.none() | values for name, values in _OPTIONAL.items()}
    )
