"""What headquarters refused goes up raw, with its reason: there it lies among the held events, where people
see it.
"""

import logging
from typing import Any

from edge_agent.headquarters import Headquarters
from edge_agent.retry_policy import TryLater
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from edge_agent.uplink import Delivered, Refused
from shared.clock import Clock, instant_text
from shared.protocol import discards_path, undeliverable_path
from shared.wire_json import JsonError, decode_json, encode_json

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Events in one upload."""


class Undeliverable:
    """Uploads set-aside events; `run_once` is one portion."""

    def __init__(self, desk: SpoolDesk, headquarters: Headquarters, clock: Clock) -> None:
        self._desk = desk
        self._headquarters = headquarters
        self._clock = clock

    def run_once(self) -> int:
        """Uploads the next portion; how many events headquarters took."""
        self._tell_what_was_given_up()
        portion = self._desk.ask(_next_portion)
        if not portion:
            return 0
        stream_id = portion[0]["streamId"]
        events = [
            {name: value for name, value in event.items() if name not in ("streamId", "position")}
            for event in portion
        ]
        body = encode_json({"streamId": stream_id, "events": events})
        outcome = self._headquarters.post(undeliverable_path(self._headquarters.store_id), body)
        if not isinstance(outcome, Delivered):
            return 0
        positions = [event["position"] for event in portion]
        self._desk.ask(lambda spool: _mark_uploaded(spool, positions, self._clock))
        log.info(
            "%d undeliverable events lie at headquarters",
            len(positions),
            extra={"action": "undeliverable.uploaded"},
        )
        return len(positions)

    def _tell_what_was_given_up(self) -> None:
        """Headquarters discards its copies; one that cannot be told yet is told later."""
        stream_id, positions, events = self._desk.ask(_given_up)
        if not positions:
            return
        body = encode_json({"streamId": stream_id, "events": events})
        outcome = self._headquarters.post(discards_path(self._headquarters.store_id), body)
        if isinstance(outcome, TryLater):
            return
        if isinstance(outcome, Refused):
            log.warning(
                "Headquarters was not told of %d events that were given up: %s",
                len(positions),
                outcome.sentence,
                extra={"action": "undeliverable.discard-refused"},
            )
        self._desk.ask(lambda spool: _mark_told(spool, positions))


def _given_up(spool: Spool) -> tuple[str, list[int], list[dict[str, Any]]]:
    """(stream, positions, events) of one stream that were given up and headquarters has not been told of."""
    rows = spool.connection.execute(
        "SELECT position, content_hash, reason FROM given_up ORDER BY position LIMIT ?", (AT_ONCE,)
    ).fetchall()
    if not rows:
        return "", [], []
    stream_id = spool.stream_of(rows[0][0])[1]
    rows = [row for row in rows if spool.stream_of(row[0])[1] == stream_id]
    events = [
        {"sequence": spool.sequence_of(position), "contentHash": content_hash.hex(), "reason": reason}
        for position, content_hash, reason in rows
    ]
    return stream_id, [row[0] for row in rows], events


def _mark_told(spool: Spool, positions: list[int]) -> None:
    with spool.transaction() as connection:
        connection.executemany(
            "DELETE FROM given_up WHERE position = ?", [(position,) for position in positions]
        )


def _next_portion(spool: Spool) -> list[dict[str, Any]]:
    """The oldest events of one stream that were set aside and not uploaded."""
    rows = spool.connection.execute(
        "SELECT reason, content_hash, position, business_day, lines_after, body"
        " FROM undeliverable JOIN event USING (position)"
        " WHERE uploaded_at IS NULL ORDER BY position LIMIT ?",
        (AT_ONCE,),
    ).fetchall()
    portion = [
        {
            "streamId": spool.stream_of(position)[1],
            "position": position,
            "sequence": spool.sequence_of(position),
            "contentHash": content_hash.hex(),
            "raw": spool.wire_form(position, *row).decode(),
            "reason": _reason(reason),
        }
        for reason, content_hash, position, *row in rows
    ]
    return [event for event in portion if event["streamId"] == portion[0]["streamId"]]


def _reason(text: str) -> Any:
    try:
        return decode_json(text.encode())
    except JsonError:
        return text


def _mark_uploaded(spool: Spool, positions: list[int], clock: Clock) -> None:
    with spool.transaction() as connection:
        connection.executemany(
            "UPDATE undeliverable SET uploaded_at = ? WHERE position = ?",
            [(instant_text(clock.now()), position) for position in positions],
        )
