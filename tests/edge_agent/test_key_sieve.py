"""The sieve of keys: it may ask for a needless look, and never calls a known event new."""

import random

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.key_sieve import CAPACITY, KeySieve
from shared.identifiers import event_key

KEYS = st.integers(-(2**63), 2**63 - 1)


@given(st.none() | KEYS, st.lists(KEYS))
def test_a_known_key_is_never_called_new(floor: int | None, keys: list[int]) -> None:
    sieve = KeySieve(floor)
    for key in keys:
        sieve.admit(key)
    assert not any(sieve.admit(key) for key in keys)


@given(KEYS, KEYS)
def test_nothing_at_or_below_the_floor_is_called_new(floor: int, key: int) -> None:
    assert KeySieve(floor).admit(key) == (key > floor)


def test_a_full_sieve_still_spares_most_looks() -> None:
    dice = random.Random(3)
    keys = [event_key(f"SALE-{dice.randrange(10**9)}-{n}").int >> 64 for n in range(CAPACITY + 2000)]
    sieve = KeySieve(None)
    for key in keys[:CAPACITY]:
        sieve.admit(key)
    let_through = sum(not sieve.admit(key) for key in keys[CAPACITY:])
    assert let_through < 2000 / 20
