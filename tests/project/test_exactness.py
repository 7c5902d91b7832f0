"""Money and quantity are exact from the till's JSON to the ledger."""

import pytest

from tests.project import exactness
from tests.project.source_tree import PACKAGES, broken_rules, python_files, sample


def test_no_float_comes_near_money_or_quantity() -> None:
    exact = [file for file in python_files(*PACKAGES) if file.path.startswith(exactness.EXACT_PLACES)]
    assert not (found := broken_rules(exactness.floats, exact)), found


def test_no_table_keeps_binary_floating_point() -> None:
    assert not (found := broken_rules(exactness.binary_columns, python_files(*PACKAGES))), found


def test_json_is_read_without_losing_a_digit() -> None:
    assert not (found := broken_rules(exactness.lossy_readers, python_files(*PACKAGES))), found


@pytest.mark.parametrize(
    "text",
    [
        "price = 0.1",
        "price = float('0.1')",
        "def f(price: float) -> None: ...",
        "p: dict[str, float]",
        "p = 1j",
    ],
)
def test_a_float_is_found(text: str) -> None:
    assert broken_rules(exactness.floats, [sample(text)])


def test_a_float_that_measures_something_else_says_so() -> None:
    assert not broken_rules(exactness.floats, [sample("pause = 0.5  # float: seconds")])
    assert broken_rules(exactness.floats, [sample("pause = 0.5  # float:")])


@pytest.mark.parametrize(
    "text", ["X = 'CREATE TABLE t (price double precision)'", "X = sa.Float()", "X = 'SELECT a::float8'"]
)
def test_a_binary_column_is_found(text: str) -> None:
    assert broken_rules(exactness.binary_columns, [sample(text)])


@pytest.mark.parametrize(
    "text",
    [
        "import json\njson.loads(b'0.1')",
        "from json import loads\nloads(b'0.1')",
        "import msgspec\nmsgspec.json.decode(b'0.1')",
        "import msgspec\nmsgspec.json.Decoder()",
        "reply.json()",
    ],
)
def test_a_reader_that_makes_floats_is_found(text: str) -> None:
    assert broken_rules(exactness.lossy_readers, [sample(text)])


def test_a_typed_reader_is_exact() -> None:
    text = "import msgspec\nmsgspec.json.decode(body, type=Receipt)\nmsgspec.json.Decoder(float_hook=Decimal)"
    assert not broken_rules(exactness.lossy_readers, [sample(text)])
