"""The plug is pulled: what the file system still had in memory is gone, what was answered with 201 is not."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

from tests.edge_agent.agent_process import AgentProcess
from tests.edge_agent.builders import sale
from tests.edge_agent.misbehaving_line import MisbehavingLine
from tests.edge_agent.small_disk import SmallDisk

POWER_CUTS = 2
SMALL = {"EDGE_AGENT_DISK_RESERVE_BYTES": "65536", "EDGE_AGENT_DISK_WARNING_BYTES": "0"}


def test_power_cut_after_the_acknowledgement(tmp_path: Path, line: MisbehavingLine) -> None:
    acknowledged: list[str] = []
    disks: list[SmallDisk] = []
    with ExitStack() as opened:
        for number in range(POWER_CUTS + 1):
            disk = SmallDisk(
                tmp_path / str(number), 16, kind="ext4", after_power_cut=disks[-1] if disks else None
            )
            disks.append(opened.enter_context(disk))
            agent = opened.enter_context(AgentProcess(disk.folder / "agent", **SMALL))
            if number == 0:
                agent.enrol(line.url)
                line.always(status=503, marked=True)
            else:  # the disk really forgot what nobody had synced
                assert not (disk.folder / "unsynced").exists() or not (disk.folder / "unsynced").read_bytes()
            agent.start(log_file=tmp_path / f"log-{number}")
            assert agent.status()["lastSequence"] == len(acknowledged)
            assert agent.status()["alarms"] == []
            acknowledged += sold(agent, number)
            if number < POWER_CUTS:
                os.kill(agent.pid, signal.SIGSTOP)  # nothing more is written for it
                (disk.folder / "unsynced").write_bytes(b"nobody asked for this to be on the disk")
                continue
            line.always()
            agent.until_delivered()
    assert list(line.held()["events"].values()) == acknowledged


def sold(agent: AgentProcess, number: int) -> list[str]:
    """The ids of twenty sales, each answered with 201."""
    ids = [f"e-{number}-{sale_number}" for sale_number in range(20)]
    for event_id in ids:
        assert agent.sell(sale(eventId=event_id, note="n" * 300))[0] == 201
    return ids
