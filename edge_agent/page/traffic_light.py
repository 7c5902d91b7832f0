"""Pure: from what the agent knows of itself to one of three colours and a sentence for a shop assistant."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from edge_agent.alarms import AlarmCode
from edge_agent.clock_offset import WRONG_CLOCK_MS
from edge_agent.page.support_codes import SupportCode
from shared.clock import read_instant

BEING_SENT = timedelta(seconds=10)
"""A sale that is younger than this and has a line is on its way: the light does not flicker with every sale."""

CODES_OF_ALARMS = {
    AlarmCode.DISK_FULL: SupportCode.T30,
    AlarmCode.DISK_READ_ONLY: SupportCode.T33,
    AlarmCode.SPOOL_DAMAGED: SupportCode.T34,
    AlarmCode.DISK_LOW: SupportCode.T31,
    AlarmCode.STREAM_RESTARTED: SupportCode.T35,
    AlarmCode.CLOCK_WRONG: SupportCode.T60,
}
NOTES = frozenset({SupportCode.T31, SupportCode.T35})
"""Nobody has to call for these: the page names them below its colour, for the next time."""


class Colour(StrEnum):
    """What is seen from across the shop."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Light(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the page shows."""

    colour: Colour
    headline: str
    advice: str
    codes: list[str]
    """What to read out to support, most pressing first."""
    ask: str
    """What to do with the codes; empty when there are none."""


def light_of(report: Mapping[str, Any], now: datetime, call_support_after: float) -> Light:
    """The light for a status report; sales may wait `call_support_after` seconds before it is red."""
    codes = _codes(report, now, call_support_after)
    if not NOTES.issuperset(codes):
        return red(*codes)
    colour, headline, advice = _calm(report, now)
    ask = "Nothing urgent. Tell support this code when you next speak:" if codes else ""
    return Light(
        colour=colour, headline=headline, advice=advice, codes=[code.value for code in codes], ask=ask
    )


def red(*codes: SupportCode) -> Light:
    """Red for these reasons, the most pressing first."""
    return Light(
        colour=Colour.RED,
        headline="Please call support.",
        advice=codes[0].advice,
        codes=[code.value for code in codes],
        ask="Tell them this code:",
    )


def _calm(report: Mapping[str, Any], now: datetime) -> tuple[Colour, str, str]:
    """Colour, headline and advice when nobody has to be called."""
    flowing = report["online"] and not report["trouble"]
    nothing = "There is nothing you need to do."
    if not report["backlog"]["events"]:
        kept = "The line is down just now. Carry on selling: new sales are kept safe here."
        return Colour.GREEN, "All sales are safe and sent.", nothing if report["online"] else kept
    if flowing and _age(report, now) < BEING_SENT:
        return Colour.GREEN, "All sales are safe. The newest are being sent now.", nothing
    if flowing:
        return Colour.AMBER, "All sales are safe here and are being sent.", nothing
    return (
        Colour.AMBER,
        "All sales are safe here. They are waiting for the line.",
        "Carry on selling. They are sent by themselves when the line is back.",
    )


def _codes(report: Mapping[str, Any], now: datetime, call_support_after: float) -> list[SupportCode]:
    offset = report["clockOffsetMs"]
    overdue = timedelta(seconds=call_support_after)
    found = {
        SupportCode.T90: bool(report["stoppedLoops"]),
        SupportCode.T20: report["enrolmentNeeded"],
        SupportCode.T40: report["undeliverable"] > 0,
        SupportCode.T41: report["refusedRecords"] > 0,
        SupportCode.T50: bool(report["trouble"]) and _age(report, now) > overdue,
        SupportCode.T60: offset is not None and abs(offset) > WRONG_CLOCK_MS,
    }
    alarms = {CODES_OF_ALARMS[AlarmCode(alarm["code"])] for alarm in report["alarms"]}
    return [code for code in SupportCode if found.get(code) or code in alarms]


def _age(report: Mapping[str, Any], now: datetime) -> timedelta:
    """How long the oldest sale that is not sent has been waiting; nothing when none waits."""
    oldest = report["backlog"]["oldestAcceptedAt"]
    return timedelta(0) if oldest is None else now - read_instant(oldest)
