"""What a store's clock does: years ahead and corrected, back over the day start, through gap and fold."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import time_machine

from edge_agent import spool_batches as batches
from edge_agent.agent import Agent
from edge_agent.intake import Intake
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from edge_agent.translation import StoreRule
from shared.business_date import DayRule
from shared.clock import SystemClock
from shared.wire_json import decode_json
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import LIMITS, NEW_YORK, ManualClock, sale
from tests.edge_agent.loopback_till import LoopbackTill
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system

YEARS = timedelta(days=3652)


@contextmanager
def running(folder: Path, line: MisbehavingLine) -> Iterator[tuple[Agent, LoopbackTill]]:
    """A real agent in this process, so that a test can move its clock."""
    with AgentProcess(folder) as process:
        process.enrol(line.url)
    quick = {
        "retry_first": 0.02, "retry_cap": 0.1, "heartbeat_interval": 0.1, "day_close_interval": 0.1,
    }  # fmt: skip
    with Agent(Settings(data_dir=folder, port=0, **quick), SystemClock()) as agent:  # type: ignore[arg-type]
        yield agent, LoopbackTill(agent.port)


def sell(till: LoopbackTill, event_id: str) -> dict[str, Any]:
    """A sale without a time of its own: the arrival counts."""
    status, (answer,) = till.post(sale(eventId=event_id))
    assert status == 201
    return dict(answer)


def alarms(line: MisbehavingLine) -> list[str]:
    """The alarms of the last heartbeat, by code."""
    return [alarm["code"] for alarm in line.held()["heartbeats"][-1]["alarms"]]


def offsets(line: MisbehavingLine) -> list[timedelta]:
    """What the heartbeats said of the clock."""
    beats = line.held()["heartbeats"]
    return [timedelta(milliseconds=beat["clockOffsetMs"]) for beat in beats if "clockOffsetMs" in beat]


def test_a_clock_ten_years_ahead_and_corrected_loses_nothing_and_is_told_of(
    tmp_path: Path, line: MisbehavingLine
) -> None:
    now = datetime.now(UTC)
    with time_machine.travel(now + YEARS, tick=True) as wall, running(tmp_path / "a", line) as (agent, till):
        ahead = sell(till, "ahead")
        assert ahead["businessDate"] > (now + YEARS - timedelta(days=2)).date().isoformat()
        eventually(
            "headquarters is told", lambda: any(abs(o + YEARS) < timedelta(minutes=5) for o in offsets(line))
        )
        assert till.ask("GET", "/v1/light")[1]["codes"] == ["T60"]
        eventually("as an alarm, too", lambda: "CLOCK_WRONG" in alarms(line))
        wall.move_to(now)
        right = sell(till, "right")
        assert right["businessDate"] <= now.date().isoformat()
        assert (ahead["sequence"], right["sequence"]) == (1, 2)
        eventually("both are there", lambda: line.held()["events"] == {"1": "ahead", "2": "right"})
        eventually("the clock is right again", lambda: abs(offsets(line)[-1]) < timedelta(minutes=5))
        eventually("the alarm is over", lambda: "CLOCK_WRONG" not in alarms(line))
        eventually("the page is calm", lambda: till.ask("GET", "/v1/light")[1]["colour"] == "green")
        eventually(
            "the day that lies ahead is proven",
            lambda: ahead["businessDate"] in [digest["businessDate"] for digest in line.held()["digests"]],
        )
        body = agent._desk.ask(lambda spool: spool.body_at(1))
        assert decode_json(body or b"")["stamp"]["businessDate"] == ahead["businessDate"]  # never rewritten


def test_a_clock_set_back_over_the_day_start_numbers_on_and_proves_both_days(
    tmp_path: Path, line: MisbehavingLine
) -> None:
    five_past_four = datetime(2026, 2, 10, 9, 5, tzinfo=UTC)  # in New York, where the day starts at four
    with time_machine.travel(five_past_four, tick=True) as wall, running(tmp_path / "a", line) as (_, till):
        first = sell(till, "after the start")
        wall.move_to(five_past_four - timedelta(minutes=10))
        second = sell(till, "set back")
        assert [first["businessDate"], second["businessDate"]] == ["2026-02-10", "2026-02-09"]
        assert [first["sequence"], second["sequence"]] == [1, 2]
        wall.move_to(five_past_four + timedelta(days=1))
        eventually(
            "both days are proven",
            lambda: till.ask("GET", "/v1/status")[1]["days"] == {"PROVEN": 2},
        )
        assert {digest["businessDate"]: digest["events"] for digest in line.held()["digests"]} == {
            "2026-02-10": 1, "2026-02-09": 1,
        }  # fmt: skip


def dates(folder: Path, start: time, *told: str) -> list[str]:
    """The business dates of sales at these times, in New York, where the day starts at `start`."""
    rule = StoreRule("STORE-01", DayRule("America/New_York", start))
    clock = ManualClock()
    desk = SpoolDesk(folder / "spool.sqlite3", clock)
    intake = Intake(desk, lambda: rule, clock)
    sales = [sale(eventId=f"till-{n}", occurredAt=text, workstationId="T1") for n, text in enumerate(told)]
    accepted = intake.accept(intake.translate(sales).groups)
    desk.close()
    return [str(entry.business_date) for entry in accepted]


def test_a_day_start_in_the_hour_that_never_happens_is_the_first_instant_after_it(tmp_path: Path) -> None:
    """On 8 March 2026 New York's clocks go from 02:00 to 03:00; the day starts at 02:30."""
    assert dates(
        tmp_path, time(2, 30),
        "2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z", "2026-03-08T01:59:59", "2026-03-08T02:15:00",
        "2026-03-08T03:00:00",
    ) == ["2026-03-07", "2026-03-08", "2026-03-07", "2026-03-08", "2026-03-08"]  # fmt: skip


def test_a_day_start_in_the_hour_that_happens_twice_is_its_first_time(tmp_path: Path) -> None:
    """On 1 November 2026 they go from 02:00 back to 01:00; the day starts when it is 01:30 for the first time."""
    assert dates(
        tmp_path, time(1, 30),
        "2026-11-01T05:29:59Z", "2026-11-01T05:30:00Z", "2026-11-01T06:15:00Z", "2026-11-01T06:30:00Z",
    ) == ["2026-10-31", "2026-11-01", "2026-11-01", "2026-11-01"]  # fmt: skip


def test_a_backlog_keeps_its_dates_when_the_zone_changes_under_it(tmp_path: Path) -> None:
    """New timezone data, or a store that moved: what was stamped is sent as it was stamped."""
    clock = ManualClock()
    rules = [NEW_YORK]
    desk = SpoolDesk(tmp_path / "spool.sqlite3", clock)
    intake = Intake(desk, lambda: rules[-1], clock)
    at = "2026-02-10T08:30:00Z"  # half past three in New York, half past nine in Berlin
    intake.accept(intake.translate([sale(eventId="before", occurredAt=at)]).groups)
    rules.append(StoreRule("STORE-01", DayRule("Europe/Berlin", time(4))))
    intake.accept(intake.translate([sale(eventId="after", occurredAt=at)]).groups)
    batch = desk.ask(lambda spool: batches.next_batch(spool, LIMITS, clock, suspects=False))
    desk.close()
    assert batch is not None
    stamps = {event["eventId"]: event["stamp"]["businessDate"] for event in decode_json(batch.body)["events"]}
    assert stamps == {"before": "2026-02-09", "after": "2026-02-10"}


def test_timezone_data_updated_with_a_backlog_dates_new_sales_and_no_old_ones(
    tmp_path: Path, line: MisbehavingLine
) -> None:
    """A real agent, restarted with another tzdata: in it, New York has given up its hour and counts as Chicago does."""
    newer = tmp_path / "newer"
    ours = find_spec("tzdata")
    assert ours is not None
    assert ours.origin is not None
    shutil.copytree(Path(ours.origin).parent, newer / "tzdata")
    zones = newer / "tzdata" / "zoneinfo" / "America"
    shutil.copyfile(zones / "Chicago", zones / "New_York")
    (newer / "tzdata-2099.1.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: tzdata\nVersion: 2099.1\n"
    (newer / "tzdata-2099.1.dist-info" / "METADATA").write_text(metadata)
    at = "2026-07-10T03:30:00"
    with AgentProcess(tmp_path / "agent") as older:
        older.enrol(line.url)
        line.always(status=503, marked=True)
        older.start()
        assert older.sell(sale(eventId="before", occurredAt=at))[0] == 201
        assert older.terminate()[0] == 0
    with AgentProcess(tmp_path / "agent", PYTHONPATH=str(newer)) as agent:
        agent.start()
        assert agent.sell(sale(eventId="after", occurredAt=at))[0] == 201
        line.always()
        agent.until_delivered()
        assert line.held()["events"] == {"1": "before", "2": "after"}
        eventually("it says so", lambda: line.held()["heartbeats"][-1]["timezoneData"] == "2099.1")
        agent.terminate()
    spool = Spool(tmp_path / "agent" / "spool" / "spool.sqlite3", ManualClock())
    stamps = [decode_json(body)["stamp"] for body in spool.newest_bodies(2)]
    spool.close()
    assert [stamp["occurredAt"] for stamp in stamps] == ["2026-07-10T07:30:00Z", "2026-07-10T08:30:00Z"]
    assert [stamp["businessDate"] for stamp in stamps] == ["2026-07-09"] * 2
