"""More of what stands between a store and its headquarters: pauses, cut connections, limits that shrink, sleep."""

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.certificates import certificate
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system

BUSY = {"status": 503, "marked": True, "body": '{"errorCode": "UNAVAILABLE", "message": "Busy"}'}
LATER = {
    "Retry-After of 0": "0",
    "Retry-After that is negative": "-7",
    "Retry-After that is huge": "99999999999999999999",
    "Retry-After with a date to come": "Fri, 01 Jan 2100 00:00:00 GMT",
    "Retry-After with a date that is past": "Tue, 10 Feb 2015 12:00:00 GMT",
    "Retry-After of rubbish": "soon; or \u00fc",
}


@pytest.fixture
def granting(tmp_path: Path, line: MisbehavingLine) -> Iterator[AgentProcess]:
    """An agent that grants a server one second at most."""
    with AgentProcess(tmp_path / "agent", EDGE_AGENT_RETRY_AFTER_CAP="1") as made:
        made.enrol(line.url)
        yield made


@pytest.mark.parametrize("header", LATER.values(), ids=LATER)
def test_no_wish_of_the_server_stops_delivery(
    granting: AgentProcess, line: MisbehavingLine, header: str
) -> None:
    line.next_batches({**BUSY, "headers": {"Retry-After": header}})
    granting.start()
    granting.sell(sale(eventId="till-1"))
    granting.until_delivered()
    assert line.held()["events"] == {"1": "till-1"}


CUT = {
    "keep-alive closed in mid-send": [{"close_after": 40}] * 3,
    "keep-alive closed before a byte was read": [{"close_after": 0}] * 3,
    "keep-alive closed without a word between two requests": [{"then_close": True}] * 4,
}


@pytest.mark.parametrize("behaviours", CUT.values(), ids=CUT)
def test_a_connection_that_is_cut_costs_nothing(
    agent: AgentProcess, line: MisbehavingLine, behaviours: list[dict[str, Any]]
) -> None:
    agent.start()
    line.next_batches(*behaviours)
    for number in range(1, 5):
        agent.sell(sale(eventId=f"till-{number}", note="x" * 30_000))
        agent.until_delivered()
    assert line.held()["events"] == {str(n): f"till-{n}" for n in range(1, 5)}


def test_events_that_are_bad_only_together_are_parted_and_both_delivered(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.set(quarrels=[["cat", "dog"]])
    line.next_batches(BUSY, BUSY, BUSY)
    agent.start()
    agent.sell(
        *[sale(eventId=f"till-{n}", itemId=item) for n, item in enumerate(("cat", "bird", "dog", "fish"))]
    )
    agent.until_delivered()
    assert set(line.held()["events"].values()) == {f"till-{n}" for n in range(4)}
    assert agent.status()["undeliverable"] == 0


def test_413_with_a_shrinking_limit_shrinks_the_batches_until_they_pass(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.set(shrinking=[16, 9, 5, 3])
    agent.start()
    refused = []
    for half in range(2):
        before = line.held()
        agent.sell(*[sale(eventId=f"till-{half}-{n}") for n in range(30)])
        agent.until_delivered()
        held = line.held()
        tried = len(held["attempts"]) - len(before["attempts"])
        refused.append(tried - (len(held["posted"]) - len(before["posted"])))
    assert len(line.held()["events"]) == 60
    assert agent.status()["undeliverable"] == 0
    assert refused[0] > 3
    assert refused[1] <= 1  # it has learned, and does not begin with everything again


def test_an_agent_that_catches_up_says_so_and_comes_again_when_it_is_asked_to(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    line.always(status=503, marked=True)
    agent.start()
    for _ in range(3):
        agent.sell(*[sale() for _ in range(500)])
    wait = {"status": 429, "marked": True, "body": '{"errorCode":"TOO_MANY_REQUESTS","message":"come again"}'}
    line.set(standing={}, backlogs=[], behaviours=[{**wait, "headers": {"Retry-After": "1"}}] * 3)
    began = time.monotonic()
    eventually(
        "it was asked to wait", lambda: not line.held()["posted"] and line.held()["backlogs"].count(1000) >= 2
    )
    status = agent.status()
    assert (status["online"], status["trouble"]) == (True, None), "nothing is wrong with the line"
    agent.until_delivered()
    assert time.monotonic() - began > 2
    waiting = [backlog for backlog in line.held()["backlogs"] if backlog >= 0]
    assert waiting == [1000] * 4 + [500, 0]


def test_asleep_for_nine_hours_in_mid_upload_the_same_batch_is_sent_again(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    """Stopped like a PC that is closed; meanwhile headquarters has committed and forgotten the connection. What the
    clock does then is test_schedule.py's.
    """
    line.next_batches({"commit": True, "hold": True, "hang_up": True})
    agent.start()
    agent.sell(sale(eventId="till-1"))
    eventually("the upload is under way", lambda: line.held()["attempts"])
    agent.signal(signal.SIGSTOP)
    line.set(released=True)
    agent.signal(signal.SIGCONT)
    agent.sell(sale(eventId="till-2"))
    agent.until_delivered()
    held = line.held()
    assert held["events"] == {"1": "till-1", "2": "till-2"}
    first = [attempt for attempt in held["attempts"] if attempt["batchId"] == held["attempts"][0]["batchId"]]
    assert len(first) == 2
    assert len({attempt["sha256"] for attempt in first}) == 1


def test_a_resync_during_live_sales_holds_up_none_and_doubles_nothing(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    agent.start()
    agent.sell(*[sale(eventId=f"old-{n}") for n in range(200)])
    agent.until_delivered()
    line.next_batches(BUSY, BUSY, BUSY)
    asked = agent.command("resync", "--all")
    assert asked.returncode == 0, asked.stderr
    for n in range(20):
        assert agent.sell(sale(eventId=f"live-{n}"))[0] == 201
    agent.until_delivered()
    held = line.held()
    assert sorted(held["events"].values()) == sorted(
        [*(f"old-{n}" for n in range(200)), *(f"live-{n}" for n in range(20))]
    )
    assert sum(attempt["events"] for attempt in held["attempts"]) >= 420  # the old ones were sent again


def test_an_enrolment_whose_answer_was_lost_is_repeated_with_the_same_code(
    tmp_path: Path, line: MisbehavingLine
) -> None:
    with AgentProcess(tmp_path / "fresh") as agent:
        line.always(status=201, marked=True, body='{"storeId": "STORE-', announce=500)
        lost = agent.command("enrol", line.url, "CODE-1")
        assert lost.returncode == 1
        assert "run the same again" in lost.stderr
        device = json.loads((agent.data_dir / "device.json").read_text())["deviceId"]
        line.always()
        agent.enrol(line.url)
        assert line.held()["enrolments"] == [device]
        agent.start()
        agent.sell(sale(eventId="till-1"))
        agent.until_delivered()


def test_a_credential_rotated_while_offline_costs_an_enrolment_and_no_sale(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    agent.start()
    agent.sell(sale(eventId="till-1"))
    agent.until_delivered()
    line.always(**BUSY)
    agent.sell(sale(eventId="till-2"))
    line.set(credential="rotated")
    agent.kill()
    agent.start()  # the night was over in between
    line.always()
    eventually("the agent notices", lambda: agent.status()["enrolmentNeeded"])
    assert agent.sell(sale(eventId="till-3"))[0] == 201
    stream = agent.status()["streamId"]
    agent.enrol(line.url)
    agent.until_delivered()
    assert line.held()["events"] == {str(n): f"till-{n}" for n in (1, 2, 3)}
    assert agent.status()["streamId"] == stream


def test_a_headquarters_restored_from_yesterdays_backup_gets_the_day_again_and_knows_the_device_anew(
    agent: AgentProcess, line: MisbehavingLine
) -> None:
    agent.start()
    agent.sell(*[sale(eventId=f"till-{n}") for n in range(1, 9)])
    agent.until_delivered()
    stream = agent.status()["streamId"]
    yesterday = {str(n): f"till-{n}" for n in (1, 2, 3)}
    line.set(events=yesterday, posted={}, credential="of the restored one")
    eventually("the agent notices", lambda: agent.status()["enrolmentNeeded"])
    agent.sell(sale(eventId="till-9"))
    agent.enrol(line.url)
    eventually("everything is back", lambda: len(line.held()["events"]) == 9)
    assert line.held()["events"] == {str(n): f"till-{n}" for n in range(1, 10)}
    assert agent.status()["streamId"] == stream


def test_a_certificate_that_is_not_yet_valid_is_waited_for(tmp_path: Path, line: MisbehavingLine) -> None:
    """As on a PC whose battery is empty: to it, it is 2001, and headquarters' certificate lies in the future."""
    now = datetime.now(UTC)
    authority = tmp_path / "certificate.pem"
    with AgentProcess(tmp_path / "agent") as agent:
        agent.enrol(line.url)
        with MisbehavingLine(tls=certificate(tmp_path, now + timedelta(days=30))) as early:
            (agent.data_dir / "agent.toml").write_text(
                f'server_url = "{early.url}"\nca_file = "{authority}"\nconnect_timeout = 2.0\n'
            )
            agent.start()
            assert agent.sell(sale(eventId="till-1"))[0] == 201
            eventually("the agent says why", lambda: "not yet valid" in (agent.status()["trouble"] or ""))
            assert early.held()["events"] == {}
        agent.terminate()
        with MisbehavingLine(early.port, tls=certificate(tmp_path, now - timedelta(days=1))) as valid:
            agent.start()
            agent.until_delivered()
            assert valid.held()["events"] == {"1": "till-1"}
