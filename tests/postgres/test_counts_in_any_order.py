"""Whatever the order in which events arrive and counts are approved and posted, the books end the same.

The model is a page of arithmetic: every count explains what changed since the count before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sync_server.errors import Conflict
from tests.postgres.conftest import NewStore
from tests.store_counts import NOON, StoreCounts, at, hour
from tests.till_events import Event, adjusted, receipt, returned, sale, void

COST = Decimal("4.00")
BEGAN_WITH = 100
SIGNS = {"SALE": -1, "RETURN": 1, "RECEIPT": 1, "ADJUSTMENT": -1}
FREE_HOURS = [7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 19, 20]
COUNT_HOURS = [12, 18]


@dataclass(frozen=True)
class Happening:
    """Something that happened in the store, and whether a till took it back."""

    kind: str
    quantity: int
    hour: int
    voided: bool

    def events(self, name: str) -> list[Event]:
        """What the till sends of it."""
        fields = {"occurredAt": at(self.hour), "eventId": name}
        made = {
            "SALE": lambda: sale(self.quantity, 10 * self.quantity, "apple", **fields),
            "RETURN": lambda: returned(self.quantity, 10 * self.quantity, "apple", **fields),
            "RECEIPT": lambda: receipt(self.quantity, COST, "apple", **fields),
            "ADJUSTMENT": lambda: adjusted(-self.quantity, "apple", "DAMAGE", **fields),
        }[self.kind]()
        return [made, void({"eventId": name}, occurredAt=at(21))] if self.voided else [made]

    @property
    def moved(self) -> int:
        """What it did to the shelf in the end."""
        return 0 if self.voided else SIGNS[self.kind] * self.quantity


_happening = st.builds(
    Happening,
    kind=st.sampled_from(sorted(SIGNS)),
    quantity=st.integers(1, 5),
    hour=st.sampled_from(FREE_HOURS),
    voided=st.booleans(),
)


def _expected(happened: Sequence[Happening], counted: Sequence[int]) -> dict[str, Decimal]:
    """Balances by account, zeros left out."""
    begins = [0, *COUNT_HOURS[: len(counted)]]
    shelf = [BEGAN_WITH, *counted]
    losses = gains = 0
    for (start, end), (before, after) in zip(pairwise(begins), pairwise(shelf), strict=True):
        variance = after - before - sum(each.moved for each in happened if start < each.hour < end)
        losses, gains = losses - min(variance, 0), gains + max(variance, 0)
    on_hand = shelf[-1] + sum(each.moved for each in happened if each.hour > begins[-1])
    by_kind = {kind: sum(abs(e.moved) for e in happened if e.kind == kind) for kind in SIGNS}
    sold = by_kind["SALE"] - by_kind["RETURN"]
    balances = {
        "1000": Decimal(10 * sold),
        "4000": Decimal(-10 * sold),
        "5000": COST * sold,
        "1400": COST * on_hand,
        "2100": -COST * (BEGAN_WITH + by_kind["RECEIPT"]),
        "6550": COST * (losses + by_kind["ADJUSTMENT"]),
        "6560": -COST * gains,
    }
    return {account: balance for account, balance in balances.items() if balance}


@settings(
    max_examples=15,
    # Each example is a store of its own with a dozen postings: one that fails says enough without being shrunk.
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    happened=st.lists(_happening, min_size=1, max_size=5),
    counted=st.lists(st.integers(80, 110), min_size=1, max_size=2),
    order=st.randoms(use_true_random=False),
)
def test_on_hand_stays_as_counted_and_the_books_come_out_the_same(
    new_store: NewStore, happened: list[Happening], counted: list[int], order: object
) -> None:
    store = new_store()
    store.post(receipt(BEGAN_WITH, COST, "apple", occurredAt=at(6)))
    counts = StoreCounts(store)
    documents = [
        counts.count({"apple": str(number)}, when=hour(at_hour))
        for number, at_hour in zip(counted, COUNT_HOURS, strict=False)
    ]
    steps: list[Event | str] = [
        event for number, each in enumerate(happened) for event in each.events(f"{store.store_id} {number}")
    ]
    steps += [*documents, *documents]
    order.shuffle(steps)  # type: ignore[attr-defined]
    for step in [*steps, *documents, *documents]:
        if isinstance(step, dict):
            store.post(step)
        else:
            _decide(counts, step)
    assert hour(12) == NOON
    assert store.balances() == {
        account: f"{balance.normalize():f}" for account, balance in _expected(happened, counted).items()
    }
    assert {counts.show(document).status for document in documents} == {"POSTED"}
    store.check()


def _decide(counts: StoreCounts, document: str) -> None:
    """The next step of a document, if it may be taken now."""
    status = counts.show(document).status
    try:
        if status == "OPEN":
            counts.approve(document)
        elif status == "APPROVED":
            counts.post(document)
    except Conflict:
        assert status == "OPEN", "only an approval waits for another document"
