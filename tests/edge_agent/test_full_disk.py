"""A disk that runs full, turns read-only, or cannot take the log: refused, said, and gone on by itself."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from edge_agent.alarms import AlarmCode
from edge_agent.disk_guard import DiskGuard, DiskState, judge_disk
from edge_agent.errors import SpoolError, SpoolFull
from edge_agent.spool import Spool
from edge_agent.spool_schema import CHECKPOINT_PAGES
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import ManualClock, sale, stamped
from tests.edge_agent.misbehaving_line import MisbehavingLine
from tests.edge_agent.small_disk import SmallDisk
from tests.project.source_tree import ROOT

MIB = 1 << 20
SMALL = {"EDGE_AGENT_DISK_RESERVE_BYTES": str(MIB), "EDGE_AGENT_DISK_WARNING_BYTES": str(8 * MIB)}


def sell_until_refused(
    agent: AgentProcess, acknowledged: list[str], tries: int = 2000
) -> tuple[int, dict[str, str]]:
    """Sells until the agent says no; what it said."""
    for _ in range(tries):
        events = [sale(eventId=f"e-{len(acknowledged) + n}", note="x" * 500) for n in range(5)]
        status, answer = agent.sell(*events)
        if status != 201:
            return status, answer
        acknowledged += [line["eventId"] for line in answer]
    raise AssertionError("the disk never got full")


def test_the_alarm_comes_before_the_disk_is_full(tmp_path: Path, line: MisbehavingLine) -> None:
    with SmallDisk(tmp_path, 24) as disk, AgentProcess(disk.folder / "agent", **SMALL,
                                                       EDGE_AGENT_DISK_CHECK_INTERVAL="0.1") as agent:  # fmt: skip
        agent.enrol(line.url)
        agent.start()
        eventually("the reserve lies there", lambda: agent.status()["disk"]["reserveBytes"] == MIB)
        assert agent.status()["alarms"] == []
        disk.fill(leave=5 * MIB)
        eventually("the alarm", lambda: [a["code"] for a in agent.status()["alarms"]] == ["DISK_LOW"])
        assert agent.sell(sale())[0] == 201
        assert "DISK_LOW" in agent.command("status").stdout
        eventually("HQ hears of it", lambda: line.held()["heartbeats"][-1]["alarms"][:1])
        assert line.held()["heartbeats"][-1]["alarms"][0]["code"] == "DISK_LOW"
        disk.make_room()
        eventually("the alarm is over", lambda: agent.status()["alarms"] == [])


def test_a_full_disk_refuses_tills_and_still_delivers_what_it_has(
    tmp_path: Path, line: MisbehavingLine
) -> None:
    acknowledged: list[str] = []
    with SmallDisk(tmp_path, 24) as disk, AgentProcess(disk.folder / "agent", **SMALL,
                                                       EDGE_AGENT_DISK_CHECK_INTERVAL="0.3") as agent:  # fmt: skip
        agent.enrol(line.url)
        line.always(status=503, marked=True)
        agent.start()
        agent.sell(sale(eventId="first"))
        disk.fill()
        status, answer = sell_until_refused(agent, acknowledged)
        assert (status, answer["errorCode"]) == (507, "DISK_FULL")
        assert "Free some space" in answer["message"]
        assert not agent.status()["intakeOpen"]
        line.always()
        agent.until_delivered()  # in the reserve
        assert {"first", *acknowledged} <= set(line.held()["events"].values())
        assert agent.sell(sale())[0] == 507
        disk.make_room()
        eventually("the intake opens by itself", lambda: agent.sell(sale(eventId="last"))[0] == 201)
        eventually("the reserve is back", lambda: agent.status()["disk"]["reserveBytes"] == MIB)
        agent.until_delivered()
        held = list(line.held()["events"].values())
        assert len(held) == len(set(held))
        assert "last" in held


def test_an_agent_starts_on_a_full_disk_and_goes_on_when_there_is_room(
    tmp_path: Path, line: MisbehavingLine
) -> None:
    with SmallDisk(tmp_path, 24) as disk, AgentProcess(disk.folder / "agent", **SMALL,
                                                       EDGE_AGENT_DISK_CHECK_INTERVAL="0.2") as agent:  # fmt: skip
        agent.enrol(line.url)
        agent.start()
        assert agent.sell(sale(eventId="before"))[0] == 201
        agent.kill()
        (disk.folder / "agent" / "spool" / "reserve").unlink(missing_ok=True)
        disk.fill()
        agent.start()
        eventually("refused", lambda: agent.sell(sale())[0] == 507)
        disk.make_room()
        eventually("taken again", lambda: agent.sell(sale(eventId="after"))[0] == 201)
        agent.until_delivered()
        assert {"before", "after"} <= set(line.held()["events"].values())


def test_a_disk_that_turns_read_only_is_said_and_never_ends_the_agent(
    tmp_path: Path, line: MisbehavingLine
) -> None:
    with (
        SmallDisk(tmp_path, 32, kind="ext4") as disk,
        AgentProcess(disk.folder / "agent", **SMALL, EDGE_AGENT_DISK_CHECK_INTERVAL="0.2") as agent,
    ):
        agent.enrol(line.url)
        agent.start(log_file=tmp_path / "log")
        assert agent.sell(sale())[0] == 201
        agent.until_delivered()
        disk.fail()
        status, answer = agent.sell(sale())
        assert status in (503, 507)
        eventually("the alarm", lambda: [a["code"] for a in agent.status()["alarms"]] == ["DISK_READ_ONLY"])
        status, answer = agent.sell(sale())
        assert (status, answer["errorCode"]) == (503, "UNAVAILABLE")
        assert "read-only" in answer["message"]


def test_a_disk_that_takes_no_log_changes_nothing(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start(log_file=Path("/dev/full"))
    assert agent.sell(sale(eventId="e"))[0] == 201
    agent.until_delivered()
    assert set(line.held()["events"].values()) == {"e"}
    assert agent.terminate()[0] == 0


def test_disk_full_at_insert_keeps_nothing_of_the_request(tmp_path: Path) -> None:
    with SmallDisk(tmp_path, 12) as disk:
        spool = Spool(disk.folder / "s.sqlite3", ManualClock())
        first = spool.accept([[[stamped()]]])[0][0]
        disk.fill(leave=MIB)
        with pytest.raises(
            SpoolFull
        ):  # more than the cache holds, so that it is written while it is inserted
            spool.accept([[[stamped(sale(note=random.randbytes(900).hex()))] for _ in range(4000)]])
        assert spool.accept([[[stamped()]]])[0][0].sequence == first.sequence + 1
        spool.close()


def test_disk_full_at_commit_keeps_nothing_of_the_request(tmp_path: Path) -> None:
    with SmallDisk(tmp_path, 12) as disk:
        spool = Spool(disk.folder / "s.sqlite3", ManualClock())
        spool.accept([[[stamped()]]])
        disk.fill()
        group = [stamped(sale(eventId="a")), stamped(sale(eventId="b", note=random.randbytes(20_000).hex()))]
        with pytest.raises(SpoolFull):
            spool.accept([[group]])
        disk.make_room()
        answers = spool.accept([[group]])[0]
        assert [(line.sequence, line.duplicate) for line in answers] == [(2, False), (3, False)]
        spool.close()


def test_disk_full_at_checkpoint_costs_nothing_that_was_committed(tmp_path: Path) -> None:
    with SmallDisk(tmp_path, 12) as disk:
        spool = Spool(disk.folder / "s.sqlite3", ManualClock())
        log = disk.folder / "s.sqlite3-wal"
        accepted = 0

        def accept(times: int) -> int:
            for _ in range(times):
                spool.accept([[[stamped(sale(note="z" * 2000))] for _ in range(10)]])
            return 10 * times

        while log.stat().st_size < 0.7 * MIB:
            accepted += accept(1)
        disk.fill(leave=MIB // 2)  # room for the log, none for what a checkpoint would add to the file
        with suppress(SpoolFull):
            for _ in range(1000):
                accepted += accept(1)
        assert log.stat().st_size > CHECKPOINT_PAGES * 4120, "a checkpoint was due, and could not be made"
        assert (disk.folder / "s.sqlite3").stat().st_size < accepted * 2000
        disk.make_room()
        spool.close()
        again = Spool(disk.folder / "s.sqlite3", ManualClock())
        assert again.last_sequence == accepted
        again.close()


@pytest.mark.parametrize(
    ("free", "was_full", "held", "state"),
    [
        (600, False, True, DiskState.ENOUGH),
        (499, False, True, DiskState.LOW),
        (49, False, True, DiskState.FULL),
        (51, False, True, DiskState.LOW),
        (199, True, False, DiskState.FULL),
        (200, True, False, DiskState.LOW),
        (99, True, True, DiskState.FULL),
        (100, True, True, DiskState.LOW),
    ],
)
def test_full_is_called_early_and_ends_late(free: int, was_full: bool, held: bool, state: DiskState) -> None:
    assert (
        judge_disk(free, read_only=False, was_full=was_full, reserve=100, reserve_held=held, warning=500)
        is state
    )


def test_what_could_not_be_written_closes_the_intake_at_once(tmp_path: Path) -> None:
    told: list[SpoolError | None] = []
    guard = DiskGuard(
        tmp_path, reserve_bytes=65536, warning_bytes=0, clock=ManualClock(), on_change=told.append
    )
    guard.look()
    assert (tmp_path / "reserve").stat().st_size == 65536
    guard.notice(SpoolFull("a quota, while the disk has room"))
    assert isinstance(told[0], SpoolFull)
    assert not (tmp_path / "reserve").exists()
    assert [alarm.code for alarm in guard.alarms()] == [AlarmCode.DISK_FULL]
    guard.look()
    assert told == [told[0], None]
    assert guard.alarms() == []
    assert (tmp_path / "reserve").stat().st_size == 65536


def test_every_alarm_is_explained() -> None:
    page = (ROOT / "docs" / "operating" / "disk-and-file.md").read_text()
    for code in AlarmCode:
        assert f"| `{code.value}` |" in page
