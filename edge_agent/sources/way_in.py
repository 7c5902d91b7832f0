"""What a source of somebody else's making gets from the agent: the way in, and a folder for its position."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_agent.intake import Intake
from edge_agent.refused_records import RefusedRecords
from edge_agent.stamped_event import Accepted, UnreadableLine
from shared.clock import Clock
from shared.wire_json import encode_json


class WayIn:
    """Takes till events, as `docs/sources/README.md` describes them; may be called from any thread."""

    def __init__(
        self, name: str, intake: Intake, refused: RefusedRecords, positions: Path, clock: Clock
    ) -> None:
        self.name = name
        """The source's name in the configuration."""
        self.positions = positions
        """A folder that is the agent's own; a source keeps its position in a file of its name there."""
        self.clock = clock
        self._intake = intake
        self._refused = refused

    def take(self, events: Sequence[dict[str, Any]]) -> list[Accepted]:
        """Stores the events that can be understood and returns once they are on the disk.

        Neighbours with the same transactionNumber, or saleId, are one group. What cannot be understood is kept
        raw, with the reasons, in the folder `undeliverable`. Raises SpoolFull or SpoolFault: then
        nothing was taken, and the same events are to be handed over again.
        """
        translated = self._intake.translate(events)
        accepted = self._intake.accept(translated.groups) if translated.groups else []
        for entry in translated.refused:
            prefix = f"events[{entry.index}]."
            named = [replace(v, field=v.field.removeprefix(prefix)) for v in entry.violations]
            self._refused.keep(_raw(events[entry.index]), named, self.name)
        return accepted


def _raw(event: Any) -> bytes:
    try:
        return event.raw if type(event) is UnreadableLine else encode_json(event)
    except (TypeError, ValueError):
        return repr(event).encode("utf-8", "backslashreplace")
