"""Many at the desk: everybody is answered, after the commit, without a gap."""

import threading
from pathlib import Path

import pytest

from edge_agent.errors import SpoolFault, SpoolFull
from edge_agent.spool_desk import Outcome, SpoolDesk
from tests.edge_agent.builders import ManualClock, sale, stamped


def test_threads_that_accept_at_once_get_every_sequence_once(tmp_path: Path) -> None:
    commits: list[None] = []
    desk = SpoolDesk(tmp_path / "s.sqlite3", ManualClock(), lambda: commits.append(None))
    sequences: list[int] = []

    def till() -> None:
        for _ in range(40):
            sequences.extend(line.sequence for line in desk.accept([[stamped()], [stamped(), stamped()]]))
            desk.ask(lambda spool: spool.last_sequence)

    threads = [threading.Thread(target=till) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sequences) == list(range(1, 8 * 40 * 3 + 1))
    assert len(commits) <= 8 * 40
    desk.close()


def test_waiting_intakes_share_one_commit(tmp_path: Path) -> None:
    commits: list[None] = []
    desk = SpoolDesk(tmp_path / "s.sqlite3", ManualClock(), lambda: commits.append(None))
    outcomes: list[Outcome] = []
    for _ in range(30):
        desk.line_up([[stamped()]], outcomes.append)
    assert outcomes == []
    desk.serve()
    assert len(outcomes) == 30
    assert len(commits) == 1


def test_whoever_has_the_turn_serves_those_who_came_meanwhile(tmp_path: Path) -> None:
    desk = SpoolDesk(tmp_path / "s.sqlite3", ManualClock())
    outcomes: list[Outcome] = []

    def long_errand(_: object) -> None:
        desk.line_up([[stamped()]], outcomes.append)
        other = threading.Thread(target=desk.serve)
        other.start()
        other.join()
        assert outcomes == []  # the turn is taken, and nobody waits for it

    desk.ask(long_errand)
    assert len(outcomes) == 1


def test_an_errand_that_fails_fails_its_asker_alone(tmp_path: Path) -> None:
    desk = SpoolDesk(tmp_path / "s.sqlite3", ManualClock())

    def broken(_: object) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError):
        desk.ask(broken)
    assert desk.accept([[stamped()]])[0].sequence == 1


def test_a_full_disk_refuses_all_that_share_the_commit_and_keeps_none(tmp_path: Path) -> None:
    desk = SpoolDesk(tmp_path / "s.sqlite3", ManualClock())
    desk.ask(lambda spool: spool.connection.execute("PRAGMA max_page_count = 40").fetchall())
    outcomes: list[Outcome] = []
    desk.line_up([[stamped(sale(eventId="small"))]], outcomes.append)
    desk.line_up([[stamped()] for _ in range(2000)], outcomes.append)
    desk.serve()
    assert [type(outcome) for outcome in outcomes] == [SpoolFull, SpoolFull]
    assert not desk.accept([[stamped(sale(eventId="small"))]])[0].duplicate


def test_after_closing_everybody_is_told_to_come_back(tmp_path: Path) -> None:
    desk = SpoolDesk(tmp_path / "s.sqlite3", ManualClock())
    desk.close()
    with pytest.raises(SpoolFault, match="stopping"):
        desk.accept([[stamped()]])
    with pytest.raises(SpoolFault, match="stopping"):
        desk.ask(lambda spool: spool.last_sequence)
