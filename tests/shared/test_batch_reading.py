"""A batch is understood as a whole or refused with every violation named; its hash says that it is the same batch."""

from decimal import Decimal
from typing import Any

import pytest

from shared.event_batch import BATCH_FAILED, EventBatch, batch_hash, hash_of_pairs, read_batch
from shared.problems import Violation

SALE = {"type": "SALE", "itemId": "item-001", "quantity": 2, "amount": Decimal("50.00")}


def stamped(sequence: int, **fields: Any) -> dict[str, Any]:
    """A sale as an agent sends it: with id, sequence and stamp."""
    stamp = {
        "businessDate": "2026-02-10",
        "occurredAt": "2026-02-10T22:00:00Z",
        "timeReading": "OFFSET",
        "receivedAt": "2026-02-10T22:00:01Z",
        "groupFirst": sequence,
        "groupSize": 1,
    }
    return {**SALE, "eventId": f"e-{sequence}", "sequence": sequence, "stamp": stamp, **fields}


def raw_batch(*events: Any, **fields: Any) -> dict[str, Any]:
    """A batch of these events, one plain sale when there are none; a field of None is absent."""
    batch = {"batchId": "B-1", "postedAt": "2026-02-10T23:00:00Z", "events": list(events) or [SALE], **fields}
    return {name: value for name, value in batch.items() if value is not None}


def understood(*events: Any, **fields: Any) -> EventBatch:
    """The batch that `raw_batch` states."""
    batch = read_batch(raw_batch(*events, **fields), 2000)
    assert isinstance(batch, EventBatch), batch
    return batch


def violations(*events: Any, **fields: Any) -> dict[str, str]:
    """Constraint by field of what is wrong with `raw_batch`."""
    found = read_batch(raw_batch(*events, **fields), 3)
    return {each.field: each.constraint for each in found} if isinstance(found, list) else {}


@pytest.mark.parametrize("raw", [None, [], "batch", 1, True, [SALE]])
def test_what_is_no_object_is_no_batch(raw: object) -> None:
    found = read_batch(raw, 2000)
    assert found == [Violation("", "Batch must be a JSON object with batchId, postedAt and events", raw)]


def test_an_empty_object_lacks_everything() -> None:
    found = read_batch({}, 2000)
    assert isinstance(found, list)
    assert [each.field for each in found] == ["batchId", "postedAt", "events"]


@pytest.mark.parametrize("batch_id", ["", 7, "x" * 129, "a\x00", ["B"]])
def test_a_batch_has_an_id(batch_id: object) -> None:
    assert set(violations(batchId=batch_id)) == {"batchId"}


@pytest.mark.parametrize(
    "posted_at", ["", "soon", "2026-02-10T23:00:00", "2026-02-10", 5, "9999-12-31T23:59:59-14:00"]
)
def test_a_batch_was_posted_at_an_instant(posted_at: object) -> None:
    assert set(violations(postedAt=posted_at)) == {"postedAt"}


def test_the_instant_of_posting_is_kept_in_utc() -> None:
    assert understood(postedAt="2026-02-10T18:00:00-05:00").posted_at == "2026-02-10T23:00:00Z"


@pytest.mark.parametrize("events", [[], {}, "x", 1])
def test_a_batch_holds_events(events: object) -> None:
    raw = {"batchId": "B-1", "postedAt": "2026-02-10T23:00:00Z", "events": events}
    assert read_batch(raw, 3) == [Violation("events", "Events must be a list of at least one event", events)]


def test_a_batch_of_more_events_than_the_limit_is_refused_unread() -> None:
    assert violations(*[{}] * 4) == {"events": "Events must be at most 3 in a batch"}
    assert violations(*[SALE] * 3) == {}


def test_every_violation_of_every_event_is_named_by_its_index() -> None:
    broken = {**SALE, "quantity": 0}
    found = violations(SALE, broken, {**broken, "amount": -1}, postedAt=None)
    assert set(found) == {"postedAt", "events[1].quantity", "events[2].quantity", "events[2].amount"}


def test_an_event_of_a_stream_carries_id_sequence_and_stamp() -> None:
    assert violations(stamped(1), streamId="s-1") == {}
    for field in ("eventId", "sequence", "stamp"):
        assert set(violations({**stamped(1), field: None}, streamId="s-1")) == {"events[0]"}


def test_sequences_rise_within_a_batch() -> None:
    assert violations(stamped(1), stamped(5), stamped(7), streamId="s-1") == {}
    assert set(violations(stamped(5), stamped(5), stamped(4), streamId="s-1")) == {
        "events[1].sequence",
        "events[2].sequence",
    }


def test_a_sequence_without_a_stream_means_nothing() -> None:
    assert set(violations(stamped(1))) == {"events[0].sequence"}


def test_the_declared_hash_guards_against_damage_on_the_way() -> None:
    batch = understood(stamped(1), stamped(2), streamId="s-1")
    declared = batch.content_hash.hex()
    assert violations(stamped(1), stamped(2), streamId="s-1", contentHash=declared) == {}
    for damaged in (declared[::-1], declared.upper(), "", 5):
        assert set(violations(stamped(1), stamped(2), streamId="s-1", contentHash=damaged)) == {"contentHash"}


def test_the_hash_of_a_batch_depends_on_ids_content_and_order_alone() -> None:
    one = understood({**SALE, "eventId": "e-1"}, {**SALE, "eventId": "e-2"})
    same = understood(
        {**SALE, "eventId": "e-1", "quantity": "2.0"}, {**SALE, "eventId": "e-2"}, batchId="B-2"
    )
    assert one.content_hash == same.content_hash
    others = [
        understood({**SALE, "eventId": "e-2"}, {**SALE, "eventId": "e-1"}),
        understood({**SALE, "eventId": "e-1"}, {**SALE, "eventId": "e-3"}),
        understood({**SALE, "eventId": "e-1"}, {**SALE, "eventId": "e-2", "quantity": 3}),
        understood({**SALE, "eventId": "e-1"}),
    ]
    assert len({one.content_hash, *(other.content_hash for other in others)}) == 5


def test_a_side_that_keeps_ids_and_hashes_alone_gets_the_same_hash() -> None:
    batch = understood({**SALE, "eventId": "e-1"}, SALE)
    pairs = [(event.event_id or "", event.content_hash) for event in batch.events]
    assert hash_of_pairs(pairs) == batch_hash(batch.events) == batch.content_hash


def test_a_refused_batch_is_called_so_in_the_spec_s_words() -> None:
    assert BATCH_FAILED == "POS batch validation failed"
