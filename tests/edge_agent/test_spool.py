"""The spool: what is accepted is numbered, known, and on the disk."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from edge_agent.errors import SpoolFault, SpoolUnsafe
from edge_agent.event_keys import KEYS_IN_MEMORY, EventKeys
from edge_agent.spool import Spool
from edge_agent.spool_schema import CHECKPOINT_PAGES, open_spool_file
from shared.wire_json import decode_json
from tests.edge_agent.builders import ManualClock, fill, open_spool, sale, stamped


def test_sequences_start_at_one_and_have_no_gap(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    answers = spool.accept([[[stamped()], [stamped(), stamped()]], [[stamped()]]])
    assert [[line.sequence for line in intake] for intake in answers] == [[1, 2, 3], [4]]


def test_sequences_go_on_after_a_restart(tmp_path: Path) -> None:
    first = open_spool(tmp_path)
    fill(first, 1, 2)
    first.close()
    again = open_spool(tmp_path)
    assert again.stream_id == first.stream_id
    assert again.accept([[[stamped()]]])[0][0].sequence == 4


def test_an_event_is_stored_as_it_will_cross_the_wire(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.accept([[[stamped()], [stamped(), stamped(sale(eventId="till-7"))]]])
    document = decode_json(spool.body_at(3) or b"")
    assert document["eventId"] == "till-7"
    assert document["sequence"] == 3
    assert (document["stamp"]["groupFirst"], document["stamp"]["groupSize"]) == (2, 2)


def test_the_same_event_again_is_answered_with_its_first_sequence(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    event = stamped(sale(eventId="till-1"))
    first = spool.accept([[[event]]])[0][0]
    fill(spool, 3)
    again = spool.accept([[[stamped(sale(eventId="till-1", quantity="2.00"))]]])[0][0]
    assert (again.sequence, again.business_date, again.duplicate) == (
        first.sequence,
        first.business_date,
        True,
    )
    assert spool.last_sequence == 4


def test_a_duplicate_is_known_over_a_restart(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.accept([[[stamped(sale(eventId="till-1"))]]])
    spool.close()
    assert open_spool(tmp_path).accept([[[stamped(sale(eventId="till-1"))]]])[0][0].duplicate


def test_a_known_id_with_other_content_is_a_fact_of_its_own(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.accept([[[stamped(sale(eventId="till-1"))]]])
    other = spool.accept([[[stamped(sale(eventId="till-1", quantity=3))]]])[0][0]
    assert (other.sequence, other.duplicate) == (2, False)
    assert spool.accept([[[stamped(sale(eventId="till-1", quantity=3))]]])[0][0].sequence == 2
    assert spool.accept([[[stamped(sale(eventId="till-1"))]]])[0][0].sequence == 1


def test_what_is_new_in_a_group_gets_consecutive_sequences_beside_what_is_known(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    known = stamped(sale(eventId="a"))
    spool.accept([[[known]]])
    group = [stamped(sale(eventId="b")), known, stamped(sale(eventId="c")), stamped(sale(eventId="b"))]
    answers = spool.accept([[group]])[0]
    assert [(line.sequence, line.duplicate) for line in answers] == [
        (2, False),
        (1, True),
        (3, False),
        (2, True),
    ]
    assert decode_json(spool.body_at(3) or b"")["stamp"]["groupSize"] == 2


def test_the_file_has_the_guarantees_that_the_agent_promises(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 1)
    pragmas = {name: spool.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in
               ("journal_mode", "synchronous", "locking_mode")}  # fmt: skip
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "locking_mode": "exclusive"}
    assert not (tmp_path / "spool.sqlite3-shm").exists()


def test_a_file_without_the_guarantees_is_refused() -> None:
    with pytest.raises(SpoolUnsafe, match="journal_mode 'memory' instead of 'wal'"):
        open_spool_file(Path(":memory:"))


def test_a_spool_that_another_program_has_open_is_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "spool.sqlite3", isolation_level=None)
    other.execute("PRAGMA journal_mode = wal")
    other.execute("CREATE TABLE x (y)")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SpoolFault, match="Another program has the spool"):
        open_spool_file(tmp_path / "spool.sqlite3")
    other.close()


def test_nobody_else_can_read_or_write_the_open_spool(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 1)
    other = sqlite3.connect(tmp_path / "spool.sqlite3", timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("SELECT * FROM event")
    other.close()


def test_a_spool_of_a_newer_agent_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "spool.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SpoolUnsafe, match="newer agent"):
        open_spool(tmp_path)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool.sqlite3").write_bytes(b"this is no database, but somebody put it here" * 100)
    with pytest.raises(SpoolFault, match="cannot be read or written"):
        open_spool(tmp_path)


def ordinary(number: int) -> dict[str, Any]:
    """A sale as most tills send it."""
    return sale(
        saleId=f"{31_000_000_000 + number // 4}", lineNumber=number % 4, transactionNumber=f"{number // 4:08}",
        workstationId="TILL-1", cashierId="4711", occurredAt="2026-02-10T12:34:56-05:00", taxAmount=3,
        unitOfMeasure="EA", currency="USD",
    )  # fmt: skip


def large(number: int) -> dict[str, Any]:
    """A sale with every optional field that a sale may have, and an id of its own."""
    return sale(
        eventId=str(UUID(int=number, version=4)), saleId=str(UUID(int=number // 4, version=4)),
        lineNumber=number % 4, transactionNumber=f"{number // 4:08}", workstationId="TILL-1", cashierId="4711",
        occurredAt="2026-02-10T12:34:56.789-05:00", businessDate="2026-02-10", barcode="4006381333931",
        unitCost="12.3456", currency="USD", taxAmount="3.21", discountAmount="1.50", unitOfMeasure="EA",
        tenders=[{"type": "CARD", "amount": "30.00"}, {"type": "CASH", "amount": "20.00"}],
        reservationId=f"res-{number:012}", reasonCode="PROMOTION",
    )  # fmt: skip


@pytest.mark.parametrize("event", [ordinary, large])
def test_a_buffered_event_takes_at_most_700_bytes(
    tmp_path: Path, event: Callable[[int], dict[str, Any]]
) -> None:
    spool = open_spool(tmp_path)
    for start in range(0, 2000, 50):
        spool.accept([[[stamped(event(number))] for number in range(start, start + 50)]])
    spool.write_keys()
    spool.close()
    connection = sqlite3.connect(tmp_path / "spool.sqlite3")
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    connection.close()
    assert pages * size / 2000 <= 700


@pytest.mark.parametrize("restart", [False, True])
def test_every_event_is_known_whether_its_key_is_in_memory_or_in_the_index(
    tmp_path: Path, restart: bool
) -> None:
    spool = open_spool(tmp_path)
    dice = random.Random(7)
    ids = [str(UUID(int=dice.getrandbits(128), version=4)) for _ in range(2 * KEYS_IN_MEMORY + 50)]
    for start in range(0, len(ids), 50):
        intakes = [[[stamped(sale(eventId=event_id))]] for event_id in ids[start : start + 50]]
        assert not any(line.duplicate for (line,) in spool.accept(intakes))
    indexed = spool.connection.execute("SELECT COUNT(*) FROM event_key").fetchone()[0]
    assert 0 < indexed < len(ids)
    if restart:
        spool.close()
        spool = open_spool(tmp_path)
    for number, event_id in enumerate(ids, 1):
        again = spool.accept([[[stamped(sale(eventId=event_id))]]])[0][0]
        assert (again.sequence, again.duplicate) == (number, True)
    assert spool.last_sequence == len(ids)


def test_keys_that_a_failed_commit_should_have_written_down_stay_known(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    events = [stamped(sale(eventId=f"till-{n}")) for n in range(KEYS_IN_MEMORY)]
    spool.accept([[[event] for event in events]])
    pages = spool.connection.execute("PRAGMA page_count").fetchone()[0]
    spool.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Exception, match="full"):
        spool.accept([[[stamped()]]])
    spool.connection.execute("PRAGMA max_page_count = 1073741823")
    assert all(spool.accept([[[event]]])[0][0].duplicate for event in events[:3])
    assert not spool.accept([[[stamped()]]])[0][0].duplicate
    assert spool.connection.execute("SELECT COUNT(*) FROM event_key").fetchone()[0] == KEYS_IN_MEMORY


def test_sales_of_several_tills_are_known_to_be_new_without_reading_the_index(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.accept([[[stamped(sale(eventId=f"yesterday-{n}"))] for n in range(KEYS_IN_MEMORY)]])
    spool.accept([[[stamped(sale(eventId="yesterday-9999"))]]])
    statements: list[str] = []
    spool.connection.set_trace_callback(statements.append)
    for number in range(20):
        for till in (3000, 1000, 2000):  # each counts upwards, and between the numbers of the others
            spool.accept([[[stamped(sale(eventId=f"today-{20_000 + till + number}"))]]])
    assert [text for text in statements if "event_key" in text] == []
    spool.connection.set_trace_callback(None)
    assert spool.accept([[[stamped(sale(eventId="yesterday-7"))]]])[0][0].duplicate


def test_every_event_is_known_when_a_fresh_sieve_is_begun(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    events = [stamped(sale(eventId=f"till-{n}")) for n in range(3)]
    spool.accept([[[event] for event in events]])
    keys = EventKeys(spool.connection, sieve_capacity=1)
    with spool.transaction():
        keys.write_down(2)
    keys.written(2)
    assert [list(keys.positions(event.key_high)) for event in events] == [[1], [2], [3]]
    assert not keys.positions(stamped(sale(eventId="till-4")).key_high)


def test_the_log_is_brought_into_the_file_before_it_grows_long(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    for _ in range(2 * CHECKPOINT_PAGES):
        spool.accept([[[stamped()]]])
    assert (tmp_path / "spool.sqlite3-wal").stat().st_size <= (CHECKPOINT_PAGES + 20) * 4200


def test_two_ids_whose_keys_begin_alike_are_two_events(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    ids = [f"00000000-0000-4000-8000-{n:012}" for n in range(3)]
    answers = [spool.accept([[[stamped(sale(eventId=event_id))]]])[0][0] for event_id in [*ids, *ids]]
    assert [answer.sequence for answer in answers] == [1, 2, 3, 1, 2, 3]


def test_the_key_is_looked_up_by_an_index(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    plan = spool.connection.execute(
        "EXPLAIN QUERY PLAN SELECT position FROM event_key WHERE key_high = 1"
    ).fetchall()
    assert "USING PRIMARY KEY (key_high=?)" in plan[0][3]


def test_a_failed_commit_leaves_no_trace(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    fill(spool, 1)
    spool.connection.execute("PRAGMA max_page_count = 40")
    with pytest.raises(Exception, match="full"):
        fill(spool, *([1] * 2000))
    spool.connection.execute("PRAGMA max_page_count = 1073741823")
    assert spool.accept([[[stamped()]]])[0][0].sequence == 2


def test_what_a_failed_commit_noted_is_not_known(tmp_path: Path) -> None:
    spool = open_spool(tmp_path)
    spool.connection.execute("PRAGMA max_page_count = 40")
    event = stamped(sale(eventId="till-1"))
    with pytest.raises(Exception, match="full"):
        spool.accept([[[event], *[[stamped()] for _ in range(2000)]]])
    spool.connection.execute("PRAGMA max_page_count = 1073741823")
    assert not spool.accept([[[event]]])[0][0].duplicate


def test_two_positions_of_the_clock_make_no_difference_to_numbering(tmp_path: Path) -> None:
    clock = ManualClock()
    spool = Spool(tmp_path / "s.sqlite3", clock)
    late = stamped(clock=clock)
    clock.move(-86_400)
    early = stamped(clock=clock)
    assert [line.sequence for line in spool.accept([[[late], [early]]])[0]] == [1, 2]
