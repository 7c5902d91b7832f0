"""Which colour a state of the agent is, and with which code."""

from datetime import timedelta
from typing import Any

import pytest

from edge_agent.alarms import AlarmCode
from edge_agent.page.support_codes import SupportCode
from edge_agent.page.traffic_light import CODES_OF_ALARMS, Light, light_of
from shared.clock import instant_text
from tests.edge_agent.builders import ManualClock

NOW = ManualClock().now()
DAY = 86400.0


def light(waiting: int = 0, since: timedelta = timedelta(0), **differently: Any) -> Light:
    """The light of an agent that is well but for what is named."""
    report = {
        "online": True, "trouble": None, "enrolmentNeeded": False, "undeliverable": 0, "refusedRecords": 0,
        "clockOffsetMs": None, "alarms": [], "stoppedLoops": [],
        "backlog": {"events": waiting, "oldestAcceptedAt": instant_text(NOW - since) if waiting else None},
        **differently,
    }  # fmt: skip
    return light_of(report, NOW, DAY)


def test_nothing_waiting_is_green() -> None:
    assert light().colour == "green"
    assert light().headline == "All sales are safe and sent."


def test_nothing_waiting_is_green_without_a_line_too_and_says_what_becomes_of_new_sales() -> None:
    shown = light(online=False, trouble="no line")
    assert shown.colour == "green"
    assert "new sales are kept safe here" in shown.advice


def test_a_sale_on_its_way_does_not_make_the_light_flicker_and_is_not_called_sent() -> None:
    shown = light(waiting=1, since=timedelta(seconds=2))
    assert (shown.colour, shown.headline) == ("green", "All sales are safe. The newest are being sent now.")


@pytest.mark.parametrize("line", [{"online": False, "trouble": "no line"}, {"trouble": "refuses everything"}])
def test_waiting_for_the_line_is_amber_at_once(line: dict[str, Any]) -> None:
    shown = light(waiting=1, since=timedelta(seconds=1), **line)
    assert shown.colour == "amber"
    assert "Carry on selling" in shown.advice


def test_a_long_backlog_that_is_being_sent_is_amber_however_old() -> None:
    shown = light(waiting=100_000, since=timedelta(days=9))
    assert (shown.colour, shown.headline) == ("amber", "All sales are safe here and are being sent.")


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("T90", {"stoppedLoops": ["delivery"]}),
        ("T20", {"enrolmentNeeded": True}),
        ("T40", {"undeliverable": 1}),
        ("T41", {"refusedRecords": 1}),
        ("T50", {"waiting": 1, "since": timedelta(days=1, seconds=1), "online": False, "trouble": "no line"}),
        ("T50", {"waiting": 1, "since": timedelta(days=2), "trouble": "the server refuses everything"}),
        ("T60", {"clockOffsetMs": -300_001}),
        ("T60", {"clockOffsetMs": 315_360_000_000}),
        ("T30", {"alarms": [{"code": "DISK_FULL"}]}),
        ("T33", {"alarms": [{"code": "DISK_READ_ONLY"}]}),
        ("T34", {"alarms": [{"code": "SPOOL_DAMAGED"}]}),
    ],
)
def test_red_has_a_code_and_plain_words(code: str, trouble: dict[str, Any]) -> None:
    shown = light(**trouble)
    assert (shown.colour, shown.codes) == ("red", [code])
    assert shown.advice == SupportCode[code].advice


@pytest.mark.parametrize(("code", "alarm"), [("T31", "DISK_LOW"), ("T35", "STREAM_RESTARTED")])
def test_what_can_wait_keeps_the_colour_and_stands_below(code: str, alarm: str) -> None:
    shown = light(alarms=[{"code": alarm}])
    assert (shown.colour, shown.headline, shown.codes) == ("green", "All sales are safe and sent.", [code])
    assert "Nothing urgent" in shown.ask


def test_every_alarm_of_the_agent_has_a_code() -> None:
    assert set(CODES_OF_ALARMS) == set(AlarmCode)


def test_several_codes_stand_in_order_of_urgency() -> None:
    assert light(clockOffsetMs=-400_000, enrolmentNeeded=True, undeliverable=3).codes == ["T20", "T40", "T60"]


def test_no_advice_holds_a_technicians_word() -> None:
    jargon = (
        "HTTP",
        "server",
        "spool",
        "backlog",
        "credential",
        "sync",
        "database",
        "agent",
        "event",
        "record",
    )
    assert not [code for code in SupportCode if any(word in code.advice.lower() for word in jargon)]
