"""What waits and for how long: everything, a store, the dead letters; and which partitions are paused meanwhile."""

from collections.abc import Collection
from typing import Final

from shared.clock import Clock

FIRST_WAIT_SECONDS: Final = 1
LONGEST_WAIT_SECONDS: Final = 30
_EVERYTHING, _LETTERS = "\x1feverything", "\x1fletters"
"""No store is called so."""

Place = tuple[str, int]


class Pauses:
    """Each wait doubles with every try that fails, and ends with the first that does not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waits: dict[str, int] = {}
        self._until: dict[str, float] = {}  # float: seconds of the monotonic clock
        self._paused: set[Place] = set()

    def is_everything(self) -> bool:
        """Whether it is too early to try the database again."""
        return self._is_waiting(_EVERYTHING)

    def is_store(self, store_id: str) -> bool:
        """Whether it is too early to try this store again."""
        return self._is_waiting(store_id)

    def is_letters(self) -> bool:
        """Whether it is too early to write dead letters again."""
        return self._is_waiting(_LETTERS)

    def pause_everything(self) -> None:
        """The database is away."""
        self._pause(_EVERYTHING)

    def pause_store(self, store_id: str) -> bool:
        """Somebody else holds the store; true when it did not wait already."""
        return self._pause(store_id)

    def pause_letters(self) -> None:
        """Dead letters cannot be written."""
        self._pause(_LETTERS)

    def resume(self, store_id: str) -> None:
        """The store was posted to, so the database is there."""
        for name in (store_id, _EVERYTHING):
            self._waits.pop(name, None)
            self._until.pop(name, None)

    def change(self, waiting: Collection[Place], owned: Collection[Place]) -> tuple[list[Place], list[Place]]:
        """Which partitions to pause and which to resume, when something waits of those in `waiting`."""
        pause = [place for place in waiting if place not in self._paused]
        resume = [place for place in self._paused if place not in waiting and place in owned]
        self._paused = set(waiting)
        return pause, resume

    def forget(self, place: Place) -> None:
        """The partition comes or goes; nobody has paused it."""
        self._paused.discard(place)

    def _is_waiting(self, name: str) -> bool:
        return self._until.get(name, 0) > self._clock.monotonic()

    def _pause(self, name: str) -> bool:
        known = self._waits.get(name)
        wait = FIRST_WAIT_SECONDS if known is None else min(2 * known, LONGEST_WAIT_SECONDS)
        self._waits[name] = wait
        self._until[name] = self._clock.monotonic() + wait
        return known is None
