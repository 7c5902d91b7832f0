"""What was refused, in people's hands: listed, shown, tried again, or given up with a reason.

Two kinds lie side by side: what headquarters refused (numbered, in the spool, uploaded raw) and what this
agent refused because it could not be understood (raw, in a folder). Whatever is done here, the event itself
stays: giving up takes it off the list, its bytes remain in the spool and among headquarters' held events.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_agent import spool_batches as batches
from edge_agent.errors import AgentRefused
from edge_agent.intake import Intake
from edge_agent.refused_records import RefusedRecords
from edge_agent.spool import Spool
from edge_agent.spool_desk import SpoolDesk
from shared.clock import Clock, instant_text
from shared.wire_json import JsonError, decode_json, encode_json

BY_HEADQUARTERS = "REFUSED_BY_HEADQUARTERS"
HERE = "REFUSED_HERE"
MAX_REASON_CHARACTERS = 4000
"""Of a reason that headquarters is told; the file keeps all of it."""
MAX_LISTED = 1000
"""Entries of each kind in one list; nobody reads more, and `total` says how many there are."""

_ROWS = (
    "SELECT reason, set_aside_at, uploaded_at, position, business_day, lines_after, body FROM undeliverable"
    " JOIN event USING (position)"
)


class UndeliverableDesk:
    """Answers the command line; every method may be called from any thread."""

    def __init__(
        self,
        desk: SpoolDesk,
        refused: RefusedRecords,
        intake: Intake,
        given_up: Path,
        clock: Clock,
        on_resend: Callable[[], None],
    ) -> None:
        """`given_up` is the file that keeps what was discarded, by line; `on_resend` wakes delivery."""
        self._desk = desk
        self._refused = refused
        self._intake = intake
        self._given_up = given_up
        self._clock = clock
        self._on_resend = on_resend

    def entries(self) -> dict[str, Any]:
        """Everything that was refused, the oldest first: `{"items": […], "total": n}`."""
        refused, total = self._desk.ask(_listed)
        here = [self._here(name) for name in self._refused.names()[:MAX_LISTED]]
        items = [*refused, *(entry for entry in here if entry is not None)]
        for item in items:
            item.pop("raw", None)
        return {"items": items, "total": total + self._refused.count()}

    def show(self, entry_id: str) -> dict[str, Any]:
        """One entry with its raw event. Raises AgentRefused for an id that is not there."""
        position = _position(entry_id)
        if position is not None:
            found = self._desk.ask(lambda spool: _one(spool, position))
        else:
            found = self._here(f"{entry_id}.json")
        if found is None:
            raise AgentRefused(
                f"There is no undeliverable event {entry_id}; `edge-agent undeliverable list` names them."
            )
        return found

    def retry(self, entry_id: str) -> dict[str, Any]:
        """Tries again: sends what headquarters refused, with its whole group, or takes in what was refused here."""
        entry = self.show(entry_id)
        if entry["kind"] == HERE:
            return self._take_in(entry)
        positions = self._desk.ask(lambda spool: _send_group(spool, int(entry_id)))
        self._on_resend()
        sentence = f"{len(positions)} events of its group go to headquarters again."
        return {"id": entry_id, "retried": [str(position) for position in positions], "message": sentence}

    def discard(self, entry_id: str, reason: str) -> dict[str, Any]:
        """Takes an entry off the list; its bytes, its reason and who asked are kept in a file."""
        if not reason.strip():
            raise AgentRefused("Say why, with --reason: whoever looks at it later wants to know.")
        entry = self.show(entry_id)
        if entry["kind"] == BY_HEADQUARTERS and entry["uploadedAt"] is None:
            raise AgentRefused(
                f"{entry_id} is not at headquarters yet, so that this is the only copy; "
                "wait until the line is there, then discard it."
            )
        self._note(entry, reason)
        if entry["kind"] == HERE:
            self._refused.remove(f"{entry_id}.json")
        else:
            self._desk.ask(lambda spool: _give_up(spool, int(entry_id), reason))
        return {"id": entry_id, "discarded": True, "reason": reason}

    def _note(self, entry: dict[str, Any], reason: str) -> None:
        line = encode_json({"at": instant_text(self._clock.now()), "reason": reason, "entry": entry})
        try:
            with self._given_up.open("ab") as file:
                file.write(line + b"\n")
        except OSError as error:
            raise AgentRefused(
                f"{self._given_up} cannot be written ({error.strerror}); nothing was discarded."
            ) from error

    def _here(self, name: str) -> dict[str, Any] | None:
        record = self._refused.read(name)
        return None if record is None else {"id": name.removesuffix(".json"), "kind": HERE, **record}

    def _take_in(self, entry: dict[str, Any]) -> dict[str, Any]:
        if entry["cutOff"]:
            raise AgentRefused("Only the beginning of this record was kept; send it from the till again.")
        try:
            record = decode_json(entry["raw"].encode())
        except JsonError as error:
            raise AgentRefused(f"This record is no JSON ({error}); send it from the till again.") from error
        translated = self._intake.translate(record if type(record) is list else [record])
        if translated.refused:
            first = translated.refused[0].violations[0]
            raise AgentRefused(f"It is still refused: {first.field} {first.constraint}.")
        accepted = self._intake.accept(translated.groups)
        self._refused.remove(f"{entry['id']}.json")
        sentence = f"{len(accepted)} events are safe here and on their way."
        return {"id": entry["id"], "retried": [entry["id"]], "message": sentence}


def _position(entry_id: str) -> int | None:
    """The position that an id names; ids of records refused here are 32 hex digits."""
    digits = entry_id.isascii() and entry_id.isdigit() and len(entry_id) < 19
    return int(entry_id) if digits else None


def _listed(spool: Spool) -> tuple[list[dict[str, Any]], int]:
    rows = spool.connection.execute(f"{_ROWS} ORDER BY position LIMIT ?", (MAX_LISTED,)).fetchall()
    total = spool.connection.execute("SELECT COUNT(*) FROM undeliverable").fetchone()[0]
    return [_entry(spool, row) for row in rows], total


def _one(spool: Spool, position: int) -> dict[str, Any] | None:
    row = spool.connection.execute(f"{_ROWS} WHERE position = ?", (position,)).fetchone()
    return None if row is None else _entry(spool, row)


def _entry(spool: Spool, row: tuple[Any, ...]) -> dict[str, Any]:
    reason, set_aside_at, uploaded_at, position, *stored = row
    body = spool.wire_form(position, *stored)
    event = _decoded(body)
    return {
        "id": str(position),
        "kind": BY_HEADQUARTERS,
        "streamId": spool.stream_of(position)[1],
        "sequence": spool.sequence_of(position),
        "eventId": event.get("eventId"),
        "type": event.get("type"),
        "setAsideAt": set_aside_at,
        "uploadedAt": uploaded_at,
        "reason": _decoded(reason.encode()) or reason,
        "raw": body.decode("utf-8", "backslashreplace"),
    }


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        value = decode_json(text)
    except JsonError:
        return {}
    return value if type(value) is dict else {}


def _send_group(spool: Spool, position: int) -> list[int]:
    """Puts the refused events of the group around `position` back into the backlog."""
    before = spool.connection.execute(
        "SELECT MAX(position) FROM event WHERE position < ? AND lines_after = 0", (position,)
    ).fetchone()[0]
    lines_after = spool.connection.execute(
        "SELECT lines_after FROM event WHERE position = ?", (position,)
    ).fetchone()[0]
    rows = spool.connection.execute(
        "SELECT position FROM undeliverable WHERE position BETWEEN ? AND ? ORDER BY position",
        ((before or 0) + 1, position + lines_after),
    ).fetchall()
    positions = [found for (found,) in rows]
    with spool.transaction() as connection:
        _delete(spool, positions)
        connection.executemany("INSERT INTO resend VALUES (?, ?)", _runs(positions))
    return positions


def _runs(positions: list[int]) -> list[batches.Range]:
    runs: list[batches.Range] = []
    for position in positions:
        if runs and runs[-1][1] == position - 1:
            runs[-1] = (runs[-1][0], position)
        else:
            runs.append((position, position))
    return runs


def _give_up(spool: Spool, position: int, reason: str) -> None:
    """Takes a refused event off the list; headquarters is told, so that nobody decides about it there."""
    with spool.transaction() as connection:
        _delete(spool, [position])
        connection.execute(
            "INSERT OR REPLACE INTO given_up SELECT position, content_hash, ? FROM event WHERE position = ?",
            (reason[:MAX_REASON_CHARACTERS], position),
        )


def _delete(spool: Spool, positions: list[int]) -> None:
    spool.connection.executemany(
        "DELETE FROM undeliverable WHERE position = ?", [(position,) for position in positions]
    )
