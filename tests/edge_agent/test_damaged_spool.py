"""A damaged file: set aside, a fresh one in its place, and what can be read of it taken over."""

import functools
import shutil
import sqlite3
from pathlib import Path

import pytest

from edge_agent import spool_batches as batches
from edge_agent.damaged_files import DamagedFile, damaged_files
from edge_agent.errors import SpoolDamaged, SpoolFull
from edge_agent.refused_records import RefusedRecords
from edge_agent.row_check import RowCheck
from edge_agent.salvage import Salvage
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_marker import Marker, marker_of, write_marker
from edge_agent.spool_pages import SpoolPages
from edge_agent.stored_event import verified
from edge_agent.wal_check import hides_commits
from shared.wire_json import decode_json
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import LIMITS, ManualClock, sale, stamped
from tests.edge_agent.misbehaving_line import MisbehavingLine

PAGE = 4096
EVENTS = 300


def crashed_spool(folder: Path, *, events: int = EVENTS, in_log: bool = False) -> Path:
    """A spool as a killed agent leaves it; `in_log` leaves all of it in the log, one event a transaction."""
    folder.mkdir(exist_ok=True)
    living = Spool(folder / "living.sqlite3", ManualClock())
    living.connection.execute(f"PRAGMA wal_autocheckpoint = {0 if in_log else 256}")
    for number in range(events):
        living.accept([[[stamped(sale(eventId=f"e-{number}", note="n" * 200))]]])
    if not in_log:
        living.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        living.accept([[[stamped(sale(eventId=f"e-{events}"))]]])
    path = folder / "spool.sqlite3"
    for suffix in ("", "-wal"):
        shutil.copyfile(living.path.with_name(living.path.name + suffix), path.with_name(path.name + suffix))
    living.close()
    living.path.unlink()
    return path


def ids_in(spool: Spool) -> list[str]:
    """The ids of all events, in order."""
    return [decode_json(body)["eventId"] for body in spool.newest_bodies(spool.last_position)]


def run(statement: str, spool: Spool) -> None:
    """Runs a statement on the spool."""
    spool.connection.execute(statement).fetchall()


def overwrite(path: Path, at: int, content: bytes) -> None:
    """Changes bytes of a file in place."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def event_page(path: Path, number: int = 3) -> int:
    """Where one of the pages begins that hold events."""
    with SpoolPages(path) as pages:
        return sorted(pages.places_in_order())[number][1] * PAGE


def salvage(folder: Path, path: Path) -> tuple[SpoolDesk, DamagedFile]:
    """Opens the desk on it and takes over everything."""
    desk = SpoolDesk(path, ManualClock())
    (folder / "undeliverable").mkdir(exist_ok=True)
    Salvage(desk, RefusedRecords(folder / "undeliverable", 1 << 20, ManualClock()), ManualClock()).run_once()
    files = desk.ask(damaged_files)
    assert len(files) == 1
    return desk, files[0]


def test_every_event_of_a_whole_file_is_read_page_by_page(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path)
    with SpoolPages(path) as pages:
        rows = {row.position: row for place in range(pages.places) for row in pages.rows(place)}
    assert sorted(rows) == list(range(1, EVENTS + 2))
    assert all(verified(row) is not None for row in rows.values())


def test_an_event_that_fills_several_pages_is_read_page_by_page(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite3", ManualClock())
    for number in range(5):
        spool.accept([[[stamped(sale(eventId=f"e-{number}", note="n" * 5000 * number))]]])
    spool.close()
    with SpoolPages(tmp_path / "s.sqlite3") as pages:
        rows = {row.position: row for place in range(pages.places) for row in pages.rows(place)}
    read = [verified(rows[position]) for position in sorted(rows)]
    assert [event.event_id for event in read if event] == [f"e-{number}" for number in range(5)]


def test_a_file_that_is_no_database_is_set_aside_and_the_intake_opens(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite3"
    path.write_bytes(b"this is no database, but somebody put it here" * 200)
    desk, file = salvage(tmp_path, path)
    assert desk.accept([[stamped()]])[0].sequence == 1
    assert (tmp_path / "damaged" / file.file).read_bytes().startswith(b"this is no database")
    desk.close()


def test_zeroed_pages_cost_only_what_stood_in_them(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path)
    with SpoolPages(path) as pages:
        place = sorted(pages.places_in_order())[3][1]
        lost = {f"e-{row.position - 1}" for row in pages.rows(place)}
    overwrite(path, 0, bytes(PAGE))  # the first page: without it SQLite reads nothing at all
    overwrite(path, place * PAGE, bytes(PAGE))
    desk, file = salvage(tmp_path, path)
    found = desk.ask(ids_in)
    assert found == [f"e-{n}" for n in range(EVENTS + 1) if f"e-{n}" not in lost]
    assert (file.recovered, file.unreadable) == (len(found), len(lost))
    desk.close()


def test_a_truncated_file_gives_what_is_left_of_it(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    desk, damaged = salvage(tmp_path, path)
    found = desk.ask(ids_in)
    assert 50 < len(found) < EVENTS
    assert damaged.recovered == len(found)
    assert f"e-{EVENTS}" in found  # it stood in the log
    desk.close()


def test_a_bit_flip_in_the_file_costs_one_event_and_keeps_its_bytes(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path)
    content = path.read_bytes()
    at = content.index(b'"eventId":"e-150"')
    overwrite(path, at - 30, bytes([content[at - 30] ^ 4]))  # in the note of e-150
    overwrite(path, 0, bytes(100))
    desk, file = salvage(tmp_path, path)
    assert set(desk.ask(ids_in)) == {f"e-{n}" for n in range(EVENTS + 1)} - {"e-150"}
    assert (file.recovered, file.unreadable) == (EVENTS, 1)
    kept = [record.read_text() for record in (tmp_path / "undeliverable").glob("*.json")]
    assert len(kept) == 1
    assert "e-150" in kept[0]
    desk.close()


def test_a_bit_flip_in_the_log_does_not_take_the_sales_behind_it_along(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path, events=60, in_log=True)
    log = path.with_name("spool.sqlite3-wal")
    assert not hides_commits(log)
    content = log.read_bytes()
    first = content.index(b'"eventId":"e-25"') - 40
    overwrite(log, first, bytes([content[first] ^ 4]))
    assert hides_commits(log)
    plain = sqlite3.connect(shutil.copyfile(path, tmp_path / "copy.sqlite3"))
    shutil.copyfile(log, tmp_path / "copy.sqlite3-wal")
    assert plain.execute("SELECT COUNT(*) FROM event").fetchone()[0] < 60  # what SQLite makes of it
    plain.close()
    desk, file = salvage(tmp_path, path)
    assert desk.ask(ids_in) == [f"e-{n}" for n in range(60)]
    assert file.unreadable == 0
    desk.close()


def test_a_torn_log_loses_nothing_that_was_answered_and_is_no_damage(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path, events=60, in_log=True)
    log = path.with_name("spool.sqlite3-wal")
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - 1000)
    assert not hides_commits(log)
    desk = SpoolDesk(path, ManualClock())
    assert desk.ask(ids_in) == [f"e-{n}" for n in range(59)]
    assert desk.ask(damaged_files) == []
    desk.close()


def test_damage_that_shows_while_a_till_sells_is_not_noticed_by_the_till(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path)
    clock = ManualClock()
    desk = SpoolDesk(path, clock)
    desk.ask(lambda spool: spool.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    former = desk.ask(lambda spool: spool.stream_id)
    for page in range(1, path.stat().st_size // PAGE):
        overwrite(path, page * PAGE, b"\x00" * 200)
    desk.ask(lambda spool: spool.connection.execute("PRAGMA shrink_memory"))
    answer = desk.accept([[stamped(sale(eventId="e-7")), stamped(sale(eventId="new"))]])
    assert [line.duplicate for line in answer] == [False, False]
    assert desk.ask(lambda spool: spool.stream_id) != former
    assert len(desk.ask(damaged_files)) == 1
    desk.close()


def test_an_errand_that_meets_damage_fails_and_the_next_one_finds_a_fresh_file(tmp_path: Path) -> None:
    desk = SpoolDesk(crashed_spool(tmp_path), ManualClock())
    clock = ManualClock()
    batch = desk.ask(lambda spool: batches.next_batch(spool, LIMITS, clock, suspects=False))
    assert batch is not None

    def damage(spool: Spool) -> None:
        raise SpoolDamaged("an event cannot be read")

    with pytest.raises(SpoolDamaged):
        desk.ask(damage)
    desk.accept([[stamped(sale(eventId="after"))]])
    other = desk.ask(lambda spool: batches.next_batch(spool, LIMITS, clock, suspects=False))
    assert other is not None
    assert other.batch_no == batch.batch_no
    desk.ask(lambda spool: batches.record_receipt(spool, batch))  # the receipt for the former file's batch
    assert desk.ask(lambda spool: batches.backlog(spool).events) == 1
    desk.close()


def test_an_unreadable_event_does_not_stand_in_the_way_of_the_others(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path)
    content = path.read_bytes()
    at = content.index(b'"eventId":"e-150"')
    overwrite(path, at - 30, b"\x01")  # a control character: no JSON any more
    desk = SpoolDesk(path, ManualClock())
    with pytest.raises(SpoolDamaged):
        desk.ask(lambda spool: batches.next_batch(spool, LIMITS, ManualClock(), suspects=False))
    (tmp_path / "undeliverable").mkdir()
    refused = RefusedRecords(tmp_path / "undeliverable", 1 << 20, ManualClock())
    assert Salvage(desk, refused, ManualClock()).run_once() == EVENTS
    batch = desk.ask(lambda spool: batches.next_batch(spool, LIMITS, ManualClock(), suspects=False))
    assert batch is not None
    assert batch.events == EVENTS
    desk.close()


def test_old_events_are_checked_in_pieces_and_a_flipped_bit_is_found(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path)
    content = path.read_bytes()
    at = content.index(b'"eventId":"e-250"')
    overwrite(path, at - 30, bytes([content[at - 30] ^ 4]))
    desk = SpoolDesk(path, ManualClock())
    check = RowCheck(desk)
    assert [check.run_once(), check.run_once()] == [100, 100]
    with pytest.raises(SpoolDamaged, match="position 251"):
        check.run_once()
    (tmp_path / "undeliverable").mkdir()
    refused = RefusedRecords(tmp_path / "undeliverable", 1 << 20, ManualClock())
    assert Salvage(desk, refused, ManualClock()).run_once() == EVENTS
    assert set(desk.ask(ids_in)) == {f"e-{n}" for n in range(EVENTS + 1)} - {"e-250"}
    desk.close()


def test_only_what_waits_is_checked_and_only_once(tmp_path: Path) -> None:
    desk = SpoolDesk(crashed_spool(tmp_path, events=150), ManualClock())
    batch = desk.ask(lambda spool: batches.next_batch(spool, LIMITS, ManualClock(), suspects=False))
    assert batch is not None
    desk.ask(lambda spool: batches.record_receipt(spool, batch))
    desk.accept([[stamped()] for _ in range(30)])
    check = RowCheck(desk)
    assert check.run_once() == 30
    desk.accept([[stamped()]])
    assert check.run_once() == 0
    desk.close()


def test_what_headquarters_surely_has_is_not_sent_again(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path)
    marker = Marker(machine={}, generation=1, running=True, last_position=290, acknowledged_position=280)
    write_marker(marker_of(path), marker)
    overwrite(path, 0, bytes(100))
    desk, file = salvage(tmp_path, path)
    assert desk.ask(ids_in) == [f"e-{n}" for n in range(280, EVENTS + 1)]
    assert file.unreadable == 0
    desk.close()


def test_a_salvage_that_is_cut_off_goes_on_without_doubling(tmp_path: Path) -> None:
    path = crashed_spool(tmp_path, events=900)
    overwrite(path, 0, bytes(100))
    desk = SpoolDesk(path, ManualClock())
    refused = RefusedRecords(tmp_path / "undeliverable", 1 << 20, ManualClock())
    for pages in (60, 80):
        desk.ask(functools.partial(run, f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(SpoolFull):
            Salvage(desk, refused, ManualClock()).run_once()
        assert 0 < len(desk.ask(ids_in)) < 901
        desk.close()
        desk = SpoolDesk(path, ManualClock())
    Salvage(desk, refused, ManualClock()).run_once()
    assert desk.ask(ids_in) == [f"e-{n}" for n in range(901)]
    assert desk.ask(damaged_files)[0].recovered == 901
    desk.close()


def test_a_killed_agent_whose_file_is_damaged_delivers_everything_that_can_be_read(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.always(status=503, marked=True)
    agent.start()
    for number in range(40):
        agent.sell(*[sale(eventId=f"e-{number}-{n}", note="x" * 300) for n in range(5)])
    former = agent.status()["streamId"]
    agent.kill()
    path = agent.data_dir / "spool" / "spool.sqlite3"
    log = path.with_name("spool.sqlite3-wal")
    overwrite(log, 20_000, b"\xff" * 8)  # early in the log: what SQLite would read ends there
    line.always()
    agent.start()
    assert agent.sell(sale(eventId="after"))[0] == 201
    wanted = {f"e-{number}-{n}" for number in range(40) for n in range(5)} | {"after"}
    eventually("HQ has all", lambda: set(line.held()["events"].values()) == wanted)
    status = agent.status()
    assert status["streamId"] != former
    assert [alarm["code"] for alarm in status["alarms"]] == ["SPOOL_DAMAGED"]
    assert "none is missing" in status["alarms"][0]["sentence"]
    assert len(list((path.parent / "damaged").iterdir())) in (1, 2)
