"""Whether every event up to an instant has arrived at headquarters, and if not, what is known to be missing.

Completeness is proven, not assumed: a count is complete when no stream has a gap and every agent of the store was
heard of after the count with nothing older left to send. Of an amount of money alone, which names a date and no
instant, what is known to be missing makes it incomplete.
"""

from datetime import date, datetime
from typing import Any

from psycopg import Cursor

from sync_server.stores.stream_gaps import stream_progress

_STREAMS = "SELECT stream_id, received FROM stream WHERE store_no = %s ORDER BY stream_id"
_AGENTS = """
SELECT d.device_name, h.received_at, h.backlog_events, h.oldest_accepted_at
FROM device AS d LEFT JOIN agent_heartbeat AS h USING (store_no, device_no)
WHERE d.store_no = %s AND d.revoked_at IS NULL ORDER BY d.device_no
"""
_DIFFERING = """
SELECT stream_id FROM store_day JOIN stream USING (store_no, stream_no)
WHERE store_no = %s AND business_date = %s AND state = 'DIFFERS' ORDER BY stream_id
"""


def what_is_missing(
    cursor: Cursor[Any], store_no: int, day: date, counted_at: datetime | None = None
) -> list[str]:
    """A sentence for each reason to believe that events up to the count are missing; none: it is complete.

    `counted_at` is the latest instant that was counted at; None: nothing was, and only what is known counts.
    """
    found = [
        f"Stream {stream_id} has a gap from sequence {gaps[0][0]} to {gaps[0][1]}"
        for stream_id, received in cursor.execute(_STREAMS, [store_no]).fetchall()
        if (gaps := stream_progress(received).gaps)
    ]
    for (stream_id,) in cursor.execute(_DIFFERING, [store_no, day]).fetchall():
        found.append(f"Stream {stream_id} differs from its agent on {day.isoformat()}")
    for name, heard, backlog, oldest in cursor.execute(_AGENTS, [store_no]).fetchall():
        if backlog and (counted_at is None or oldest is None or oldest <= counted_at):
            found.append(f"Agent {name} had {backlog} events to send when it was heard of last")
        elif counted_at is not None and (heard is None or heard < counted_at):
            found.append(f"Agent {name} was not heard of since the count")
    return found
