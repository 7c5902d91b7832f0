"""What an agent says is wrong with its PC, as findings: open while the agent says it, closed when it no longer does.

An alarm stands in every heartbeat until it is over. Only what has changed since the heartbeat before opens, counts or
closes a finding, so that one that a person has dismissed is not opened again a minute later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Json

from shared.clock import instant_text
from sync_server.database import Work
from sync_server.stores.finding_codes import FindingCode
from sync_server.stores.findings import raise_findings, resolve_findings

ALARM_FINDINGS: Mapping[str, FindingCode] = {
    code.value: code
    for code in (
        FindingCode.DISK_LOW,
        FindingCode.DISK_FULL,
        FindingCode.DISK_READ_ONLY,
        FindingCode.SPOOL_DAMAGED,
        FindingCode.STREAM_RESTARTED,
        FindingCode.CLOCK_WRONG,
    )
}
"""The agents' alarms and the findings of the same name; what a newer agent adds becomes an AGENT_ALARM."""

OVER = "The agent no longer reports it"

Finding = tuple[FindingCode, str]
"""A finding's code and its subject."""

_BEFORE = """
SELECT alarms FROM agent_heartbeat WHERE store_no = %s AND device_no = %s FOR UPDATE
"""
_DEVICE = "SELECT device_id::text FROM device WHERE device_no = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAlarm:
    """One thing that is wrong: its code, since when by the agent's clock, and a sentence for people."""

    code: str
    since: datetime
    sentence: str

    def document(self) -> dict[str, str]:
        """As it is kept and shown."""
        return {"code": self.code, "since": instant_text(self.since), "sentence": self.sentence}


def alarm_column(alarms: Sequence[AgentAlarm]) -> Json:
    """The alarms as the heartbeat's row keeps them."""
    return Json([alarm.document() for alarm in alarms])


def changes(
    before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], device_id: str
) -> tuple[list[Finding], list[Finding]]:
    """Pure: which findings the alarms of `now` raise and which they close, given those of the heartbeat before."""
    known = {_finding_of(alarm, device_id): alarm["since"] for alarm in before}
    present = {_finding_of(alarm, device_id): alarm["since"] for alarm in now}
    begun = [finding for finding, since in present.items() if known.get(finding) != since]
    return begun, [finding for finding in known if finding not in present]


def note_alarms(
    work: Work, store_no: int, device_no: int, alarms: Sequence[AgentAlarm], *, now: datetime
) -> None:
    """Opens, counts and closes findings as the alarms ask; call it before the heartbeat's row is replaced."""
    row = work.connection.execute(_BEFORE, [store_no, device_no]).fetchone()
    before = [] if row is None else row[0]
    if not before and not alarms:
        return
    device = work.connection.execute(_DEVICE, [device_no]).fetchone()
    assert device is not None, "the device has just proven who it is"
    begun, over = changes(before, [alarm.document() for alarm in alarms], device[0])
    raise_findings(work, store_no, begun, now=now)
    for code, subject in over:
        resolve_findings(work, store_no, code, [subject], reason=OVER, now=now)


def _finding_of(alarm: Mapping[str, Any], device_id: str) -> Finding:
    code = ALARM_FINDINGS.get(alarm["code"])
    return (FindingCode.AGENT_ALARM, f"{device_id} {alarm['code']}") if code is None else (code, device_id)
