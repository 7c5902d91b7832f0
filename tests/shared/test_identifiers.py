"""Identities: which texts may be one, and the 16-byte keys by which an event counts once, for ever."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers import (
    MAX_LENGTH,
    batch_event_key,
    derive_event_id,
    derived_key_hex,
    event_key,
    is_identifier,
    is_store_id,
    new_event_id,
    new_stream_id,
)

NOW = datetime(2026, 2, 10, 23, 5, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=MAX_LENGTH)


@pytest.mark.parametrize(
    "text", ["a", "item-001", "x" * 128, "Ärmelband № 7", "日本", "'; DROP TABLE item; --", "{a,b}", "NULL"]
)
def test_any_text_of_reasonable_length_may_name_something(text: str) -> None:
    assert is_identifier(text)


@pytest.mark.parametrize("text", ["", "x" * 129, "a\x00b", "a\nb", "\x1f", "a\x7f"])
def test_empty_long_and_control_characters_may_not(text: str) -> None:
    assert not is_identifier(text)


@pytest.mark.parametrize("text", ["STORE-01", "a", "0.1_b-c", "x" * 64])
def test_a_store_s_id_is_safe_in_a_path(text: str) -> None:
    assert is_store_id(text)


@pytest.mark.parametrize("text", ["", "-a", ".a", "a/b", "a b", "ä", "x" * 65, "..", "a\n", "a%2f"])
def test_what_is_unsafe_in_a_path_names_no_store(text: str) -> None:
    assert not is_store_id(text)


def test_a_lower_case_uuid_is_its_own_key() -> None:
    text = "018f6b1e-7c3a-7d2e-9b1a-0123456789ab"
    assert event_key(text) == UUID(text)


def test_a_uuid_in_capitals_is_another_id() -> None:
    text = "018f6b1e-7c3a-7d2e-9b1a-0123456789ab"
    assert event_key(text.upper()) not in (UUID(text), event_key(text))


@given(TEXTS, TEXTS)
def test_two_ids_never_share_a_key(one: str, other: str) -> None:
    assert (event_key(one) == event_key(other)) == (one == other)


@given(TEXTS)
def test_a_hashed_key_is_marked_as_one_of_our_own_making(text: str) -> None:
    key = event_key(text)
    assert key.version == 8
    assert key.variant == "specified in RFC 4122"


@given(st.integers(0, 10**13), st.integers(1, 1000))
def test_ids_that_count_upwards_have_keys_that_do(number: int, step: int) -> None:
    assert event_key(f"SALE-{number}") < event_key(f"SALE-{number + step}")


def test_events_of_a_batch_without_ids_have_neighbouring_keys_in_order() -> None:
    keys = [batch_event_key("BATCH-2026-02-10", index) for index in range(2000)]
    assert keys == sorted(keys)
    assert len(set(keys)) == 2000
    assert not set(keys) & {batch_event_key("BATCH-2026-02-11", index) for index in range(2000)}


def test_the_same_line_read_again_gets_the_same_id() -> None:
    words = ("STORE-01", "till-2", "10/02/2026", "4711", "3")
    assert derive_event_id(*words) == derive_event_id(*words)


@given(
    st.lists(st.text("ab1", max_size=3), min_size=5, max_size=5),
    st.lists(st.text("ab1", max_size=3), min_size=5, max_size=5),
)
def test_lines_that_differ_in_any_word_get_different_ids(one: list[str], other: list[str]) -> None:
    assert (derive_event_id(*one) == derive_event_id(*other)) == (one == other)


def test_a_derived_id_is_its_own_key() -> None:
    words = ("STORE-01", "till-2", "2026-02-10", "4711", "3")
    derived = derive_event_id(*words)
    assert event_key(derived) == UUID(derived) == UUID(derived_key_hex(*words))


@pytest.mark.parametrize("make", [new_event_id, new_stream_id])
def test_a_fresh_id_is_a_uuid_of_version_7_in_the_order_of_time(make: object) -> None:
    ids = [make(NOW + timedelta(milliseconds=step)) for step in range(50)]  # type: ignore[operator]
    assert ids == sorted(ids)
    assert {UUID(each).version for each in ids} == {7}
    assert len({make(NOW) for _ in range(100)}) == 100  # type: ignore[operator]
