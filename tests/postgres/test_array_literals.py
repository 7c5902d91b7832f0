"""A column that is handed over as an array literal arrives as it was, whatever stands in it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_server.database import Database
from sync_server.ingestion.array_literals import literal

TEXTS = st.lists(
    st.none()
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
    | st.sampled_from(["NULL", "null", "", '"', "\\", "\\n", "\n", "{}", ",", "a b", "\x7f", "\\\\", '\\"']),
    max_size=8,
)


def arrived(database: Database, kind: str, values: Sequence[Any]) -> list[Any]:
    """What PostgreSQL makes of the literal, row by row."""
    with database.reading() as work:
        query = f"SELECT value FROM unnest(%s::{kind}[]) WITH ORDINALITY AS row(value, place) ORDER BY place"
        return [row[0] for row in work.connection.execute(query.encode(), [literal(kind, values)])]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=TEXTS)
def test_any_text_arrives_as_it_was(database: Database, texts: list[str | None]) -> None:
    assert arrived(database, "varchar", ["", *texts]) == ["", *texts]


def test_a_column_of_nothing_is_filled_up_beside_another(database: Database) -> None:
    with database.reading() as work:
        query = "SELECT * FROM unnest(%s::int[], %s::numeric[]) AS row(a, b)"
        arrays = [literal("integer", [1, 2]), literal("numeric", [None, None])]
        assert work.connection.execute(query, arrays).fetchall() == [(1, None), (2, None)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, None, -(2**62)]),
        ("boolean", [True, False, None]),
        ("date", [date(1970, 1, 1), None, date(2999, 12, 31)]),
        ("bytea", [b"", b"\x00\\x\xff", bytes(range(256))]),
        ("uuid", []),
        ("varchar", []),
        ("bytea", []),
    ],
)
def test_values_arrive_as_they_were(database: Database, kind: str, values: list[Any]) -> None:
    assert arrived(database, kind, values) == values


def test_a_number_keeps_the_digits_it_came_with(database: Database) -> None:
    numbers = [Decimal(text) for text in ("2", "2.00", "-0.10", "12345678901234567.89", "1E+3", "0E-9")]
    assert [str(number) for number in arrived(database, "numeric", [*numbers, None])] == [
        *("2", "2.00", "-0.10", "12345678901234567.89", "1000", "0E-9"),
        "None",
    ]


def test_instants_arrive_to_the_microsecond(database: Database) -> None:
    instants = [datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)]
    assert arrived(database, "timestamptz", instants) == instants
