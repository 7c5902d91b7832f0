"""The proof holds when everything is where it belongs, and fails for every single thing that is not."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from sync_server.demo.proof import BooksEvidence, Proof, StoreEvidence, prove

IDS = frozenset(UUID(int=number) for number in range(1, 11))
STRANGE = UUID(int=99)
DAYS = {date(2017, 9, 1): 6, date(2017, 9, 2): 4}
STORE = StoreEvidence(
    store_id="STORE-367",
    replayed=IDS,
    acknowledged=IDS,
    spooled=IDS,
    posted=tuple(IDS),
    published=IDS,
    held=0,
    agent_dates=DAYS,
    day_states=dict.fromkeys(DAYS, "PROVEN"),
    out_of_order=0,
)
BOOKS = BooksEvidence(
    journals=5, unbalanced_journals=0, stock_rows=8, stock_differences=0, events_without_movement_or_journal=0
)


def proof_with(**changes: Any) -> Proof:
    """The proof of two stores, one of them changed."""
    return prove([replace(STORE, store_id="STORE-406"), replace(STORE, **changes)], BOOKS)


def test_everything_in_its_place_is_proven() -> None:
    proof = proof_with()

    assert proof.ok
    assert proof.to_wire() == {
        "ok": True,
        "stores": [
            {
                "storeId": store_id,
                "replayed": 10,
                "acknowledged": 10,
                "posted": 10,
                "published": 10,
                "days": 2,
                "daysProven": 2,
                "ok": True,
            }
            for store_id in ("STORE-406", "STORE-367")
        ],
        "journalsBalanced": True,
        "stockEqualsMovements": True,
        "faults": [],
    }


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"acknowledged": IDS - {UUID(int=3)}}, "1 replayed events are not among the acknowledged ones"),
        ({"spooled": IDS - {UUID(int=3)}}, "1 replayed events are not among the agent's file"),
        ({"posted": tuple(IDS - {UUID(int=3)})}, "1 replayed events are not among the ledger"),
        ({"published": IDS - {UUID(int=3)}}, "1 replayed events are not among the topics"),
        ({"published": IDS | {STRANGE}}, "1 events are among the topics that nobody replayed"),
        ({"posted": (*IDS, STRANGE)}, "1 events are among the ledger that nobody replayed"),
        ({"published": IDS - {UUID(int=3)} | {STRANGE}}, "not among the topics"),
        ({"posted": (*IDS, UUID(int=3))}, "1 events are in the ledger twice"),
        ({"held": 2}, "2 events lie held"),
        ({"out_of_order": 1}, "1 messages were published out of order"),
        ({"day_states": {date(2017, 9, 1): "PROVEN"}}, "2017-09-02 is unknown to headquarters"),
        ({"day_states": dict.fromkeys(DAYS, "DIFFERS")}, "2 of 2 days are not proven"),
        ({"day_states": {**STORE.day_states, date(2017, 9, 3): "PROVEN"}}, "1 days that the agent does not"),
        ({"agent_dates": {}}, "no business date"),
    ],
)
def test_a_store_fails_for_a_single_thing_out_of_place(changes: dict[str, Any], fault: str) -> None:
    proof = proof_with(**changes)

    assert not proof.ok
    assert [store.ok for store in proof.stores] == [True, False]
    assert any(fault in found and found.startswith("STORE-367: ") for found in proof.all_faults())


def test_equal_numbers_of_other_events_are_no_proof() -> None:
    others = frozenset(UUID(int=number) for number in range(101, 111))

    assert not proof_with(published=others).ok


def test_nothing_replayed_proves_nothing() -> None:
    none: frozenset[UUID] = frozenset()

    assert not proof_with(replayed=none, acknowledged=none, spooled=none, posted=(), published=none).ok


def test_no_stores_prove_nothing() -> None:
    assert not prove([], BOOKS).ok


@pytest.mark.parametrize(
    ("changes", "balanced", "equal"),
    [
        ({"unbalanced_journals": 1}, False, True),
        ({"journals": 0}, False, True),
        ({"stock_differences": 1}, True, False),
        ({"stock_rows": 0}, True, False),
        ({"events_without_movement_or_journal": 1}, True, True),
    ],
)
def test_books_that_do_not_hold_fail_the_whole(changes: dict[str, int], balanced: bool, equal: bool) -> None:
    proof = prove([STORE], replace(BOOKS, **changes))

    assert not proof.ok
    assert (proof.journals_balanced, proof.stock_equals_movements) == (balanced, equal)
