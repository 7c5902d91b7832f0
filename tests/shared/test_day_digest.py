"""The digest of a store-day depends on which events there are, and on nothing else."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from shared.day_digest import DayDigest, digest_of

EVENTS = st.dictionaries(st.integers(1, 2**53), st.binary(min_size=32, max_size=32), max_size=30)


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_in_which_events_are_read_does_not_matter(events: dict[int, bytes], chance: object) -> None:
    pairs = list(events.items())
    chance.shuffle(pairs)  # type: ignore[attr-defined]
    assert digest_of(pairs) == digest_of(sorted(pairs))


@given(EVENTS.filter(bool))
def test_a_missing_a_moved_and_a_changed_event_each_show(events: dict[int, bytes]) -> None:
    whole = digest_of(events.items())
    first, *others = sorted(events.items())
    changed = bytes([first[1][0] ^ 1]) + first[1][1:]
    assert digest_of(others) != whole
    assert digest_of([(first[0] + 2**54, first[1]), *others]) != whole
    assert digest_of([(first[0], changed), *others]) != whole


def test_it_is_sha_256_over_one_line_an_event() -> None:
    lines = b"9:" + b"ab" * 32 + b"\n" + b"10:" + b"01" * 32 + b"\n"
    expected = DayDigest(events=2, digest=hashlib.sha256(lines).hexdigest())
    assert digest_of([(10, b"\x01" * 32), (9, b"\xab" * 32)]) == expected


def test_a_day_without_events_has_the_digest_of_nothing() -> None:
    assert digest_of([]) == DayDigest(events=0, digest=hashlib.sha256(b"").hexdigest())
