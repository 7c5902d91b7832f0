"""One request to headquarters: what counts as an answer."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from edge_agent.clock_offset import ClockOffset, offset_milliseconds
from edge_agent.headquarters import Headquarters
from edge_agent.line_state import LineState
from edge_agent.retry_policy import TryLater
from edge_agent.uplink import Delivered, Outcome, Refused, Uplink
from shared.clock import SystemClock
from tests.edge_agent.builders import ManualClock
from tests.edge_agent.misbehaving_line import MisbehavingLine


@pytest.fixture
def uplink(line: MisbehavingLine) -> Iterator[Uplink]:
    """The way to the misbehaving headquarters, with its credential."""
    made = connect(line.url)
    yield made
    made.close()


def connect(url: str) -> Uplink:
    return Uplink(url, lambda: "first-credential", SystemClock(), connect_timeout=15, answer_timeout=15)


def problem(code: str) -> str:
    return json.dumps({"errorCode": code, "message": "No", "timestamp": "", "requestId": "", "details": {}})


def ask(uplink: Uplink) -> Outcome:
    return uplink.post("/api/v1/inventory/stores/STORE-01/heartbeats", b"{}")


def test_our_servers_answer_is_delivered(uplink: Uplink) -> None:
    outcome = ask(uplink)
    assert isinstance(outcome, Delivered)
    assert outcome.document["acknowledgedSequence"] == 0


def test_a_large_body_goes_compressed(uplink: Uplink, line: MisbehavingLine) -> None:
    outcome = uplink.post("/api/v1/inventory/stores/STORE-01/heartbeats", b'{"pad": "' + b"x" * 5000 + b'"}')
    assert isinstance(outcome, Delivered)
    assert len(line.held()["heartbeats"][0]["pad"]) == 5000


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_our_servers_refusal_of_this_request_is_a_refusal(
    uplink: Uplink, line: MisbehavingLine, status: int
) -> None:
    line.always(status=status, marked=True, body=problem("VALIDATION_FAILED"))
    outcome = ask(uplink)
    assert isinstance(outcome, Refused)
    assert outcome.code == "VALIDATION_FAILED"


@pytest.mark.parametrize("status", [200, 201, 301, 401, 403, 404, 407, 409, 422, 502, 503])
def test_whatever_lacks_the_servers_mark_is_no_answer(
    uplink: Uplink, line: MisbehavingLine, status: int
) -> None:
    line.always(status=status, body=problem("VALIDATION_FAILED"))
    outcome = ask(uplink)
    assert isinstance(outcome, TryLater)
    assert "somebody else answers" in outcome.reason
    assert not outcome.unauthorised


@pytest.mark.parametrize("status", [401, 403])
def test_an_unknown_credential_is_told_apart(uplink: Uplink, line: MisbehavingLine, status: int) -> None:
    line.always(status=status, marked=True, body=problem("UNAUTHENTICATED"))
    outcome = ask(uplink)
    assert isinstance(outcome, TryLater)
    assert outcome.unauthorised


def test_the_servers_wish_to_wait_is_taken_along(uplink: Uplink, line: MisbehavingLine) -> None:
    line.always(status=503, marked=True, body=problem("UNAVAILABLE"), headers={"Retry-After": "7"})
    outcome = ask(uplink)
    assert isinstance(outcome, TryLater)
    assert outcome.retry_after == 7


def test_nobody_at_home_is_no_answer() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uplink = connect(f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert isinstance(ask(uplink), TryLater)
        uplink.close()


def test_a_nonsensical_url_is_no_crash() -> None:
    for url in ("http://", "nonsense", "ftp://x", "http://[", "http://exa mple"):
        uplink = connect(url)
        assert isinstance(ask(uplink), TryLater)
        uplink.close()


def test_an_answer_without_an_end_is_cut_off(uplink: Uplink, line: MisbehavingLine) -> None:
    line.always(status=200, marked=True, body=json.dumps("x" * 17_000_000))
    outcome = ask(uplink)
    assert isinstance(outcome, TryLater)
    assert "does not end" in outcome.reason


def test_an_older_server_without_a_request_does_not_make_the_line_look_down(
    uplink: Uplink, line: MisbehavingLine
) -> None:
    state = LineState(SystemClock())
    headquarters = Headquarters("STORE-01", uplink, state, ClockOffset(), SystemClock())
    line.always(status=404, marked=True, body=problem("NOT_FOUND"))
    assert isinstance(headquarters.post("/somewhere", b"{}"), TryLater)
    assert state.report().online
    line.always(status=404, marked=True, body=problem("STORE_NOT_FOUND"))
    headquarters.post("/somewhere", b"{}")
    assert not state.report().online


def test_the_clock_is_compared_at_every_exchange(uplink: Uplink) -> None:
    offset = ClockOffset()
    clock = ManualClock(datetime.now(UTC) + timedelta(days=3650))
    ask_hq = Headquarters("STORE-01", uplink, LineState(clock), offset, clock)
    ask_hq.post("/api/v1/inventory/stores/STORE-01/heartbeats", b"{}")
    assert offset.milliseconds is not None
    assert abs(offset.milliseconds + 3650 * 86_400_000) < 60_000


def test_the_offset_is_measured_from_the_middle_of_the_exchange() -> None:
    sent = datetime(2026, 2, 10, 12, tzinfo=UTC)
    assert offset_milliseconds(sent, sent + timedelta(seconds=2), sent + timedelta(seconds=3)) == 2000


def test_a_server_time_that_makes_no_sense_is_ignored() -> None:
    offset, now = ClockOffset(), datetime(2026, 2, 10, 12, tzinfo=UTC)
    for nonsense in (None, 7, "soon", "2026-02-10T12:00:00", "9999-12-31T23:59:59-23:00", ""):
        offset.measure(now, now, nonsense)
    assert offset.milliseconds is None
