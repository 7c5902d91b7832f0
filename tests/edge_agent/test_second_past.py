"""A cloned disk, a machine rolled back, a file put back from a copy, a log deleted: found out, nothing lost."""

import shutil
from pathlib import Path

import msgspec
import pytest

from edge_agent import spool_batches as batches
from edge_agent import spool_days as days
from edge_agent.generation import why_not_its_own
from edge_agent.machine import is_other_machine, read_machine
from edge_agent.resync import ResyncRequest, resync
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_marker import Marker, marker_of, read_marker, write_marker
from edge_agent.spool_streams import restart_stream, take_over
from shared.wire_json import decode_json
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import LIMITS, ManualClock, fill, open_spool, sale, stamped
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.long


def sold(agent: AgentProcess, *names: str) -> None:
    """Sales with these ids, each acknowledged."""
    for name in names:
        assert agent.sell(sale(eventId=name))[0] == 201


def received(line: MisbehavingLine) -> dict[str, list[str]]:
    """Event ids by stream, as headquarters has them."""
    return {stream: list(events.values()) for stream, events in line.held()["streams"].items()}


def alarm_codes(agent: AgentProcess) -> list[str]:
    """The alarms that status shows."""
    return [alarm["code"] for alarm in agent.status()["alarms"]]


def test_a_virtual_machine_that_was_rolled_back_begins_a_new_stream(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    agent.start()
    sold(agent, "a-1", "a-2")
    agent.until_delivered()
    agent.terminate()
    snapshot = shutil.copytree(agent.data_dir, tmp_path / "snapshot")
    agent.start()
    sold(agent, "a-3", "a-4")
    agent.until_delivered()
    former = agent.status()["streamId"]
    agent.terminate()
    shutil.rmtree(agent.data_dir)
    shutil.copytree(snapshot, agent.data_dir)
    agent.start()
    sold(agent, "b-1", "b-2", "b-3")  # before it has asked anybody
    eventually("all at HQ", lambda: sum(map(len, received(line).values())) == 7)
    present = agent.status()["streamId"]
    assert present != former
    assert received(line) == {former: ["a-1", "a-2", "a-3", "a-4"], present: ["b-1", "b-2", "b-3"]}
    assert alarm_codes(agent) == ["STREAM_RESTARTED"]
    assert "rolled back" in agent.status()["alarms"][0]["sentence"]


def test_a_machine_rolled_back_without_a_line_loses_and_doubles_nothing(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    agent.start()
    sold(agent, "a-1")
    agent.until_delivered()
    line.always(status=503, marked=True)
    sold(agent, "a-2", "a-3")
    agent.kill()
    snapshot = shutil.copytree(agent.data_dir, tmp_path / "snapshot")
    line.always()
    agent.start()
    sold(agent, "a-4")
    agent.until_delivered()
    agent.kill()
    line.always(status=503, marked=True)
    shutil.rmtree(agent.data_dir)
    shutil.copytree(snapshot, agent.data_dir)
    agent.start()
    sold(agent, "b-1", "b-2")
    line.always()
    eventually("all at HQ", lambda: "b-2" in {e for events in received(line).values() for e in events})
    agent.until_delivered()
    former, present = received(line).values()
    assert former == ["a-1", "a-2", "a-3", "a-4"]
    assert sorted(present) == ["a-2", "a-3", "b-1", "b-2"]  # known by their ids, those are counted once


def test_a_disk_cloned_into_another_stores_pc_begins_a_stream_of_its_own(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    agent.start()
    sold(agent, "a-1")
    line.always(status=503, marked=True)
    sold(agent, "a-2")
    agent.terminate()
    shutil.copytree(agent.data_dir, tmp_path / "clone")
    clone_marker = marker_of(tmp_path / "clone" / "spool" / "spool.sqlite3")
    marker = read_marker(clone_marker)
    assert marker is not None
    # The clone stands in another machine: that is, the machine that is remembered is not this one.
    write_marker(clone_marker, msgspec.structs.replace(marker, machine={"installation": "another"}))
    line.always()
    with AgentProcess(tmp_path / "clone") as clone:
        agent.start()
        clone.start()
        sold(agent, "a-3")
        sold(clone, "c-3")
        agent.until_delivered()
        clone.until_delivered()
        assert clone.status()["streamId"] != agent.status()["streamId"]
        assert alarm_codes(clone) == ["STREAM_RESTARTED"]
        assert "another machine" in clone.status()["alarms"][0]["sentence"]
        assert alarm_codes(agent) == []
        own = received(line)
        assert own[agent.status()["streamId"]] == ["a-1", "a-2", "a-3"]
        assert set(own[clone.status()["streamId"]]) >= {"c-3"}
        assert {event for events in own.values() for event in events} == {"a-1", "a-2", "a-3", "c-3"}


def test_two_clones_that_cannot_be_told_apart_are_found_out_at_headquarters(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    agent.start()
    sold(agent, "a-1")
    agent.until_delivered()
    agent.terminate()
    shutil.copytree(agent.data_dir, tmp_path / "clone")
    agent.start()
    sold(agent, "a-2", "a-3")
    agent.until_delivered()
    with AgentProcess(tmp_path / "clone") as clone:
        clone.start()
        sold(clone, "c-2")
        clone.until_delivered()
        eventually("an alarm", lambda: alarm_codes(clone) == ["STREAM_RESTARTED"])
        assert received(line)[clone.status()["streamId"]] == ["c-2"]
        assert received(line)[agent.status()["streamId"]] == ["a-1", "a-2", "a-3"]


def test_a_spool_put_back_from_a_copy_begins_a_new_stream(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    spool = agent.data_dir / "spool" / "spool.sqlite3"
    agent.start()
    sold(agent, "a-1")
    agent.until_delivered()
    agent.terminate()
    shutil.copyfile(spool, tmp_path / "copy")
    line.always(status=503, marked=True)
    agent.start()
    sold(agent, "a-2")
    former = agent.status()["streamId"]
    agent.terminate()
    shutil.copyfile(tmp_path / "copy", spool)
    agent.start()
    assert alarm_codes(agent) == ["STREAM_RESTARTED"]  # without a word from headquarters
    assert agent.status()["streamId"] != former
    assert "put back from a copy" in agent.log()


def test_a_wal_that_was_deleted_after_a_crash_is_found_out(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    agent.start()
    sold(agent, "a-1")
    former = agent.status()["streamId"]
    agent.kill()
    (agent.data_dir / "spool" / "spool.sqlite3-wal").unlink()
    agent.start()
    sold(agent, "a-2")
    assert alarm_codes(agent) == ["STREAM_RESTARTED"]
    assert "(-wal) was deleted" in agent.status()["alarms"][0]["sentence"]
    assert agent.status()["streamId"] != former
    agent.until_delivered()


def test_an_ordinary_restart_or_kill_keeps_the_stream(agent: AgentProcess, line: MisbehavingLine) -> None:
    agent.start()
    sold(agent, "a-1")
    former = agent.status()["streamId"]
    for end in (agent.terminate, agent.kill, agent.kill):
        end()
        agent.start()
        sold(agent, f"after-{end.__name__}-{agent.pid}")
        assert agent.status()["streamId"] == former
        assert alarm_codes(agent) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"last_position": 12}, None),  # the marker is written now and then, the spool at every sale
        ({"generation": 4}, None),
        ({"generation": 2}, "put back from a copy"),
        ({"last_position": 8}, "put back from a copy"),
        ({"log_was_there": False}, "-wal"),
        ({"spool_was_there": False, "generation": 0, "last_position": 0}, "was gone"),
        ({"machine": {"board": "b", "installation": "x"}}, "another machine"),
        ({"machine": {}}, None),
    ],
)
def test_what_does_not_fit_the_second_file_is_named(changes: dict[str, object], reason: str | None) -> None:
    marker = Marker(
        machine={"installation": "i"}, generation=3, running=True, last_position=9, acknowledged_position=5
    )
    found: dict[str, object] = {"machine": {"installation": "i"}, "generation": 3, "last_position": 9,
                                "spool_was_there": True, "log_was_there": True, **changes}  # fmt: skip
    told = why_not_its_own(marker, **found)  # type: ignore[arg-type]
    assert told is None if reason is None else reason in str(told)


def test_a_damaged_marker_is_no_marker(tmp_path: Path) -> None:
    path = marker_of(tmp_path / "spool.sqlite3")
    marker = Marker(machine={}, generation=3, running=True, last_position=9, acknowledged_position=5)
    write_marker(path, marker)
    assert read_marker(path) == marker
    path.write_bytes(path.read_bytes().replace(b":9", b":7"))
    assert read_marker(path) is None


def test_a_machine_is_known_by_what_is_known_of_it(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "machine-id").write_text("0123456789abcdef\n")
    here = read_machine(tmp_path)
    assert set(here) == {"installation"}
    assert "0123456789abcdef" not in str(here)
    assert not is_other_machine(here, read_machine(tmp_path))
    assert not is_other_machine(here, {})
    (tmp_path / "etc" / "machine-id").write_text("fedcba9876543210\n")
    assert is_other_machine(here, read_machine(tmp_path))


def test_a_backlog_is_taken_over_into_a_new_stream_in_pieces_and_whole_groups(tmp_path: Path) -> None:
    spool, clock = open_spool(tmp_path), ManualClock()
    fill(spool, *([3] * 150))
    first = batches.next_batch(spool, LIMITS, clock, suspects=False)
    assert first is not None
    batches.record_receipt(spool, first)
    waiting = batches.backlog(spool).events
    restart_stream(spool, "a test", clock)
    spool.accept([[[stamped(sale(eventId="meanwhile"))]]])
    assert batches.backlog(spool).events == (waiting or 0) + 1
    while take_over(spool):
        assert batches.backlog(spool).events == waiting + 1
    assert spool.last_sequence == waiting + 1
    sequences = [decode_json(body)["sequence"] for body in spool.newest_bodies(waiting + 1)]
    assert sequences == list(range(1, waiting + 2))
    stamps = [decode_json(body)["stamp"] for body in spool.newest_bodies(3)]
    assert [stamp["groupSize"] for stamp in stamps] == [3, 3, 3] or waiting == 0


def clone_of(agent: AgentProcess, line: MisbehavingLine) -> str:
    """Stops the agent with one sale acknowledged and one waiting, moves its disk into another PC; its former stream."""
    agent.start()
    sold(agent, "a-1")
    agent.until_delivered()
    former = str(agent.status()["streamId"])
    line.always(status=503, marked=True)
    sold(agent, "a-2")
    agent.terminate()
    path = marker_of(agent.data_dir / "spool" / "spool.sqlite3")
    marker = read_marker(path)
    assert marker is not None
    write_marker(path, msgspec.structs.replace(marker, machine={"installation": "another"}))
    line.always()
    agent.start()
    eventually("it is taken over", lambda: received(line).get(agent.status()["streamId"]) == ["a-2"])
    agent.until_delivered()
    return former


def test_a_day_of_a_former_stream_is_proven_as_far_as_headquarters_received_it(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    former = clone_of(agent, line)
    proofs = agent.request("POST", "/v1/day-digests", b"null")[1]
    assert {(proof["streamId"], proof["events"], proof["state"]) for proof in proofs} == {
        (former, 1, "PROVEN"), (agent.status()["streamId"], 1, "PROVEN"),
    }  # fmt: skip
    assert agent.status()["days"] == {"PROVEN": 2}


def test_a_day_of_a_former_stream_of_which_headquarters_has_another_past_is_given_up_and_no_digest_casts_doubt(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    former = clone_of(agent, line)
    line.set(differs={"missing": [], "different": [[2, 2]], "surplus": [[3, 5]]})
    proofs = agent.request("POST", "/v1/day-digests", b"null")[1]
    assert (former, "GIVEN_UP") in {(proof["streamId"], proof["state"]) for proof in proofs}
    assert former not in {digest["streamId"] for digest in line.held()["digests"]}
    eventually("asked no more", lambda: agent.status()["days"] == {"GIVEN_UP": 1, "PROVEN": 1})


def test_a_day_that_moved_on_as_a_whole_is_proven_in_the_later_stream_alone(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    former = clone_of(agent, line)
    line.set(events={})  # of the former stream headquarters never received anything
    line.set(differs={"missing": [[1, 2]], "different": [], "surplus": []})
    proofs = agent.request("POST", "/v1/day-digests", b"null")[1]
    assert (former, 1, "DIFFERS") in {(p["streamId"], p["events"], p["state"]) for p in proofs}, (
        "it is sent again"
    )
    eventually("what was acknowledged is there again", lambda: received(line)[former] == ["a-1"])
    assert all("a-2" not in events for stream, events in received(line).items() if stream == former)


def test_a_resync_of_all_sends_what_moved_on_in_its_new_stream_alone(tmp_path: Path) -> None:
    spool, clock = open_spool(tmp_path), ManualClock()
    fill(spool, 3)
    acknowledged = batches.next_batch(spool, LIMITS, clock, suspects=False)
    assert acknowledged is not None
    batches.record_receipt(spool, acknowledged)
    fill(spool, 2)
    former = spool.stream_id
    restart_stream(spool, "a test", clock)
    while take_over(spool):
        pass
    moved_on = batches.next_batch(spool, LIMITS, clock, suspects=False)
    assert moved_on is not None
    batches.record_receipt(spool, moved_on)
    plan = resync(spool, ResyncRequest(all=True))
    assert [(part.stream_id, part.ranges) for part in plan.streams] == [
        (former, [(1, 3)]), (spool.stream_id, [(1, 2)]),
    ]  # fmt: skip
    due = [day.stream_id for day in days.unproven_days(spool, 0)]
    assert former not in due, "not while it is on its way again"
    spool.close()


def test_a_refused_batch_that_was_taken_over_meanwhile_is_not_split(tmp_path: Path) -> None:
    desk, clock = SpoolDesk(tmp_path / "s.sqlite3", ManualClock()), ManualClock()
    desk.accept([[stamped()], [stamped()]])
    batch = desk.ask(lambda spool: batches.next_batch(spool, LIMITS, clock, suspects=False))
    assert batch is not None
    desk.ask(lambda spool: restart_stream(spool, "a test", clock))
    parts = [(batch.first_position, batch.last_position)]
    desk.ask(lambda spool: batches.split(spool, batch, parts, [], b"{}", clock))
    desk.ask(take_over)
    assert desk.ask(lambda spool: batches.backlog(spool).events) == 2
    desk.close()
