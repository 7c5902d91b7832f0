"""Pages: fair shares, nothing behind a row that cannot be told, marks that stop before the first gap."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sync_server.publishing.page import (
    Backlog,
    Entry,
    Mark,
    Page,
    PublishedStore,
    Span,
    draw_up,
    marks_after,
    share_out,
)
from tests.sync_server.publishing.test_messages import LINE


def backlog(store_no: int, published: int, last: int) -> Backlog:
    """A store with something to tell."""
    return Backlog(PublishedStore(store_no, f"STORE-{store_no:02}", "USD"), published, last)


def sales(store_no: int, sequences: Sequence[int]) -> list[Entry]:
    """Outbox rows of sales."""
    return [
        (store_no, number, 1, replace(LINE, store_id=f"STORE-{store_no:02}", store_sequence=number))
        for number in sequences
    ]


def test_a_page_holds_all_of_a_small_backlog() -> None:
    spans = share_out([backlog(1, 10, 14)], size=100)
    assert [(span.low, span.high) for span in spans] == [(11, 14)]


def test_a_store_with_a_weeks_backlog_leaves_room_for_the_others() -> None:
    spans = share_out([backlog(1, 0, 1_000_000), backlog(2, 50, 53), backlog(3, 7, 8)], size=100)
    taken = {span.store.store_no: span.high - span.low + 1 for span in spans}
    assert taken == {2: 3, 3: 1, 1: 96}


@given(st.lists(st.integers(1, 500), max_size=40), st.integers(1, 1000))
def test_shares_never_exceed_the_page_nor_the_backlog_and_leave_no_room_unused(
    lengths: list[int], size: int
) -> None:
    spans = share_out([backlog(number, 100, 100 + length) for number, length in enumerate(lengths, 1)], size)
    taken = [span.high - span.low + 1 for span in spans]
    assert all(count >= 1 for count in taken)
    assert sum(taken) == min(size, sum(lengths))
    assert all(span.low == 101 and span.high <= 100 + lengths[span.store.store_no - 1] for span in spans)


def test_nothing_is_told_behind_a_row_that_refers_to_nothing() -> None:
    page = draw_up([*sales(1, [1, 2]), (1, 3, 1, None), *sales(1, [4]), *sales(2, [1])])
    assert page.places == [(1, 1), (1, 2), (2, 1)]
    assert page.faults == {1: (3, "what the row of kind 1 refers to is not in the ledger")}


def test_nothing_is_told_behind_a_kind_that_a_later_version_wrote() -> None:
    page = draw_up([*sales(1, [1]), (1, 2, 99, None), *sales(1, [3])])
    assert page.places == [(1, 1)]
    assert page.faults == {1: (2, "outbox kind 99 is unknown to this version")}


def test_a_mark_stops_before_the_first_message_that_is_not_confirmed() -> None:
    page = draw_up(sales(1, [11, 12, 14]))
    span = Span(PublishedStore(1, "STORE-01", "USD"), 11, 15)
    assert marks_after([span], page, {0, 1, 2}) == [Mark(1, 10, 15)]
    assert marks_after([span], page, {0, 2}) == [Mark(1, 10, 11)]
    assert marks_after([span], page, {0, 1}) == [Mark(1, 10, 13)]
    assert marks_after([span], page, {1, 2}) == []


def test_a_mark_passes_sequences_that_have_nothing_to_tell() -> None:
    span = Span(PublishedStore(1, "STORE-01", "USD"), 1, 40)
    assert marks_after([span], Page(), frozenset()) == [Mark(1, 0, 40)]


def test_a_mark_stops_before_a_row_that_cannot_be_told() -> None:
    page = draw_up([*sales(1, [1, 2]), (1, 4, 1, None)])
    span = Span(PublishedStore(1, "STORE-01", "USD"), 1, 9)
    assert marks_after([span], page, {0, 1}) == [Mark(1, 0, 3)]


@given(st.data())
def test_whatever_is_confirmed_every_row_up_to_a_mark_is_in_kafka(data: st.DataObject) -> None:
    rows = {number: data.draw(st.sets(st.integers(1, 20))) for number in (1, 2, 3)}
    page = draw_up([entry for number, row in rows.items() for entry in sales(number, sorted(row))])
    confirmed = data.draw(st.sets(st.sampled_from(range(len(page.places))))) if page.places else set()
    spans = [Span(PublishedStore(number, f"STORE-{number:02}", "USD"), 1, 20) for number in rows]
    in_kafka = {page.places[index] for index in confirmed}
    marks = {mark.store_no: mark.after for mark in marks_after(spans, page, confirmed)}
    for number, row in rows.items():
        mark = marks.get(number, 0)
        assert all((number, sequence) in in_kafka for sequence in row if sequence <= mark)
        waiting = [sequence for sequence in row if (number, sequence) not in in_kafka]
        assert mark == (min(waiting) - 1 if waiting else 20)
