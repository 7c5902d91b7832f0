"""Where everybody who needs the spool stands in line: one turn at a time, and whoever has it serves all
tills.

Group commit: intakes that arrive while a commit is on its way to the disk wait together, and the next commit
takes them all. One till pays for one sync, thirty tills share it. There is no thread of its own, since
handing an intake over to another thread and back costs half as much as the sync itself: the thread that finds
the turn free commits whatever is waiting, its own and everybody else's, and looks once more after giving the
turn back.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from edge_agent.errors import EdgeAgentError, SpoolDamaged, SpoolError, SpoolFault
from edge_agent.spool import Spool
from edge_agent.spool_repair import open_whole_spool, replace_damaged_spool
from edge_agent.stamped_event import Accepted, EventGroup
from shared.clock import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")
Outcome = list[Accepted] | EdgeAgentError
"""What becomes of one intake: an answer for each of its events, or the reason why none was kept."""

MAX_EVENTS_IN_COMMIT = 5000
"""Bounds how long the first intake of a commit waits for the last."""

_Intake = tuple[Sequence[EventGroup], Callable[[Outcome], None]]


class SpoolDesk:
    """The open spool and the line in front of it; every method may be called from any thread."""

    def __init__(self, path: Path, clock: Clock, on_accepted: Callable[[], None] = lambda: None) -> None:
        """Opens the spool, a fresh one in the place of one that is damaged.

        `on_accepted` is called after every commit of tills' events and must not block.
        """
        self.path = path
        self._clock = clock
        self._spool = open_whole_spool(path, clock)
        self._on_accepted = on_accepted
        self._turn = threading.Lock()
        self._waiting: deque[_Intake] = deque()
        self._closed = False
        self._refusal: SpoolError | None = None
        self._on_trouble: Callable[[SpoolError], None] = lambda _: None

    def close(self) -> None:
        """Serves what is in line and closes the file; later comers are told that the agent is stopping."""
        self._closed = True
        with self._turn:
            while self._waiting:
                self._commit_waiting()
            self._spool.close()

    def on_trouble(self, told: Callable[[SpoolError], None]) -> None:
        """`told` hears of every write that failed; it is called by whoever has the turn and must not block."""
        self._on_trouble = told

    def refuse_intake(self, reason: SpoolError | None) -> None:
        """Answers every intake with `reason` from now on; None takes events again. Errands are not affected."""
        self._refusal = reason

    def line_up(self, groups: Sequence[EventGroup], answer: Callable[[Outcome], None]) -> None:
        """Puts an intake in line; somebody's `serve` commits it and calls `answer`, on that one's thread."""
        self._waiting.append((groups, answer))

    def serve(self) -> None:
        """Commits what is waiting, unless another thread has the turn: then that one will. Never waits for
        it.
        """
        while self._waiting and self._turn.acquire(blocking=False):
            try:
                self._commit_waiting()
            finally:
                self._turn.release()
            # Whoever lined up meanwhile and found the turn taken has gone away, so this thread looks again.

    def accept(self, groups: Sequence[EventGroup]) -> list[Accepted]:
        """Stores the groups and returns once they are durable; raises SpoolFull or SpoolFault."""
        if not self._waiting and self._turn.acquire(blocking=False):
            try:  # nobody is before us: no need to line up
                outcome = self._outcomes([groups])[0]
            finally:
                self._turn.release()
            if self._waiting:
                self.serve()
            return _accepted_or_raise(outcome)
        outcomes: list[Outcome] = []
        self.line_up(groups, outcomes.append)
        self.serve()
        if (
            not outcomes
        ):  # another thread has the turn; when it is free again, the answer is there or we serve
            with self._turn:
                while not outcomes:
                    self._commit_waiting()
        return _accepted_or_raise(outcomes[0])

    def ask(self, work: Callable[[Spool], T]) -> T:
        """Runs `work` with the spool when it is this thread's turn, and returns or raises what it did."""
        try:
            with self._turn:
                if self._closed:
                    raise _closing()
                try:
                    return work(self._usable_spool())
                except SpoolDamaged as damage:
                    self._mend(damage)
                    raise
        except SpoolError as error:
            self._on_trouble(error)
            raise
        finally:
            self.serve()

    def _commit_waiting(self) -> None:
        """One commit for what is in line, up to the bound; the caller has the turn."""
        intakes: list[_Intake] = []
        events = 0
        while self._waiting and events < MAX_EVENTS_IN_COMMIT:
            intakes.append(self._waiting.popleft())
            events += len(intakes[-1][0])
        outcomes = self._outcomes([groups for groups, _ in intakes])
        for (_, answer), outcome in zip(intakes, outcomes, strict=True):
            answer(outcome)

    def _outcomes(self, intakes: Sequence[Sequence[EventGroup]]) -> Sequence[Outcome]:
        """Stores every intake in one commit; the caller has the turn."""
        if self._closed and not self._spool.is_open:
            return [_closing()] * len(intakes)
        if self._refusal is not None:
            return [self._refusal] * len(intakes)
        try:
            accepted = self._accept(intakes)
        except EdgeAgentError as error:
            log.warning("Nothing was accepted: %s", error, extra={"action": "intake.failed"})
            if isinstance(error, SpoolError):
                self._on_trouble(error)
            return [error] * len(intakes)
        except Exception as error:
            log.exception("Nothing was accepted", extra={"action": "intake.failed"})
            return [SpoolFault(f"The events could not be stored ({error}); call support.")] * len(intakes)
        self._on_accepted()
        return accepted

    def _accept(self, intakes: Sequence[Sequence[EventGroup]]) -> list[list[Accepted]]:
        """Stores the intakes; a spool that turns out to be damaged is replaced, and tills do not notice."""
        try:
            return self._usable_spool().accept(intakes)
        except SpoolDamaged as damage:
            self._mend(damage)
            return self._spool.accept(intakes)

    def _mend(self, damage: SpoolDamaged) -> None:
        self._spool = replace_damaged_spool(self._spool, self._clock, damage)

    def _usable_spool(self) -> Spool:
        """The spool; opened again if a damaged one could not be replaced when it was found out."""
        if not self._spool.is_open:
            self._spool = open_whole_spool(self.path, self._clock)
        return self._spool


def _accepted_or_raise(outcome: Outcome) -> list[Accepted]:
    if isinstance(outcome, EdgeAgentError):
        raise outcome
    return outcome


def _closing() -> SpoolFault:
    return SpoolFault("The agent is stopping; send the events again once it runs.")
