"""Several people and tills at one count at the same moment: one of them decides, and nothing is posted twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from sync_server.errors import Conflict, Refused
from sync_server.people.roles import Role
from tests.postgres.conftest import NewStore
from tests.store_counts import StoreCounts, at, person
from tests.till_events import receipt, sale


@pytest.fixture
def counts(new_store: NewStore) -> StoreCounts:
    """A store with ten apples."""
    store = new_store()
    store.post(receipt(10, "4.00", "apple", occurredAt=at(6)))
    return StoreCounts(store)


def _at_once(*acts: Callable[[], object]) -> list[Refused | None]:
    """All acts at the same moment; who was refused."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> Refused | None:
        barrier.wait(timeout=30)
        try:
            act()
        except Refused as refused:
            return refused
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_two_approvers_one_decides(counts: StoreCounts) -> None:
    document = counts.count({"apple": "6"})
    carl = person(counts.store, f"carl {counts.store.store_id}", Role.APPROVER)
    outcome = _at_once(lambda: counts.approve(document), lambda: counts.approve(document, by=carl))
    assert sorted(type(each).__name__ for each in outcome) == ["Conflict", "NoneType"]
    counts.post(document)
    counts.store.check()


def test_what_is_posted_by_several_at_once_is_posted_once(counts: StoreCounts) -> None:
    document = counts.count({"apple": "6"})
    counts.approve(document)
    outcome = _at_once(*[lambda: counts.post(document)] * 4)
    assert sum(isinstance(each, Conflict) for each in outcome) == 3
    assert counts.store.stock("apple") == ("6", "24")
    counts.store.check()


def test_posting_against_approving_never_posts_what_is_not_approved(counts: StoreCounts) -> None:
    document = counts.count({"apple": "6"})
    approved, posted = _at_once(lambda: counts.approve(document), lambda: counts.post(document))
    assert approved is None
    assert counts.show(document).status == ("APPROVED" if posted else "POSTED")
    if posted:
        counts.post(document)
    assert counts.store.stock("apple") == ("6", "24")
    counts.store.check()


@pytest.mark.parametrize("step", ["approve", "post"])
def test_late_sales_in_the_very_moment_of_a_decision_leave_the_shelf_as_counted(
    counts: StoreCounts, step: str
) -> None:
    """Whether a sale comes just before or just after, 6 lie there, and what was sold is not lost."""
    store, document = counts.store, counts.count({"apple": "6"})
    if step == "post":
        counts.approve(document)

    def decide() -> None:
        try:
            getattr(counts, step)(document)
        except Conflict:  # it was another proposal by then
            counts.approve(document)

    sales = [
        lambda number=number: store.post(
            sale(1, "10.00", "apple", occurredAt=at(9), eventId=f"{store.store_id} {number}")
        )
        for number in range(3)
    ]
    assert _at_once(decide, *sales) == [None] * 4
    if step == "approve":
        counts.post(document)
    assert store.stock("apple") == ("6", "24")
    assert store.balances() == {
        "1000": "30", "4000": "-30", "5000": "12", "2100": "-40", "1400": "24", "6550": "4",
    }  # fmt: skip
    store.check()
