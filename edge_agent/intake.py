"""The one way in, whatever the source: raw records -> translation -> one durable commit -> answers.

Records of one handing-over that name the same transaction, one after the other, are a group: they get
consecutive sequences in one commit and are never cut apart.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from edge_agent.spool_desk import Outcome, SpoolDesk
from edge_agent.stamped_event import Accepted, EventGroup, Refused, StampedEvent
from edge_agent.translation import Arrival, StoreRule, group_key, translate, workstation_of
from shared.business_date import TimeReading
from shared.clock import Clock, read_instant
from shared.wire_json import JsonError, decode_json

MAX_WORKSTATIONS = 1000
"""Workstations whose last instant is remembered; a store has a few dozen."""
REMEMBERED_EVENTS = 200
"""Events that are read at start to know again where each workstation's clock stood."""


class Translated(msgspec.Struct, frozen=True):
    """Records as far as they can be understood: the good in groups, the bad by index."""

    groups: list[EventGroup]
    refused: list[Refused]


class Intake:
    """Translates and stores; every method may be called from any thread."""

    def __init__(self, desk: SpoolDesk, store: Callable[[], StoreRule], clock: Clock) -> None:
        """`store` gives the store's current rule: a profile may change while the agent runs."""
        self._desk = desk
        self._store = store
        self._clock = clock
        self._last_instants: OrderedDict[str, datetime] = OrderedDict()
        self._remember(desk.ask(lambda spool: spool.newest_bodies(REMEMBERED_EVENTS)))

    def translate(
        self, records: Sequence[Any], fallback_ids: Sequence[str | None] | None = None
    ) -> Translated:
        """Stamps the records; fields of what is refused are named `events[index].…`.

        `fallback_ids` identify records that have no id, when they come by a way that can be walked twice.
        """
        received_at = self._clock.now()
        arrival = Arrival(received_at)
        store = self._store()
        groups: list[EventGroup] = []
        refused: list[Refused] = []
        current: list[StampedEvent] = []
        current_key: tuple[str, ...] | None = None
        for index, raw in enumerate(records):
            if fallback_ids is not None:
                arrival = Arrival(received_at, fallback_ids[index])
            workstation = workstation_of(raw)
            result = translate(raw, f"events[{index}]", store, arrival, self._last_instants.get(workstation))
            if isinstance(result, list):
                refused.append(Refused(index=index, violations=result))
                continue
            stamped, self._last_instants[workstation] = result
            if len(self._last_instants) > MAX_WORKSTATIONS:
                self._last_instants.popitem(last=False)
            key = group_key(raw)
            if key is None or key != current_key:
                current = []
                groups.append(current)
                current_key = key
            current.append(stamped)
        return Translated(groups, refused)

    def accept(self, groups: Sequence[EventGroup]) -> list[Accepted]:
        """Stores translated groups and returns once they are durable; raises SpoolFull or SpoolFault."""
        return self._desk.accept(groups)

    def line_up(self, groups: Sequence[EventGroup], answer: Callable[[Outcome], None]) -> None:
        """Puts translated groups in line for the next commit; `serve` makes it happen."""
        self._desk.line_up(groups, answer)

    def serve(self) -> None:
        """Commits what is in line."""
        self._desk.serve()

    def _remember(self, bodies: Iterable[bytes]) -> None:
        for body in bodies:
            try:
                event = decode_json(body)
                stamp = event["stamp"]
                if stamp["timeReading"] != TimeReading.ARRIVAL.value:
                    self._last_instants[str(event.get("workstationId"))] = read_instant(stamp["occurredAt"])
            except (JsonError, KeyError, TypeError, ValueError):
                continue  # a damaged row costs at most the order of one ambiguous hour
