"""Stores whose next message cannot be published: the others go on, and each is tried again after a while."""

from collections.abc import Iterable
from typing import Final

from shared.clock import Clock

FIRST_WAIT_SECONDS: Final = 1
LONGEST_WAIT_SECONDS: Final = 300


class SetAside:
    """When each of these stores is tried again; the wait doubles with every try that fails."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waits: dict[int, int] = {}
        self._until: dict[int, float] = {}  # float: seconds of the monotonic clock

    def __len__(self) -> int:
        return len(self._waits)

    def is_waiting(self, store_no: int) -> bool:
        """Whether it is too early to try this store again."""
        return self._until.get(store_no, 0) > self._clock.monotonic()

    def put(self, store_no: int) -> bool:
        """Sets the store aside for twice as long as before; true when it was not aside already."""
        known = self._waits.get(store_no)
        wait = FIRST_WAIT_SECONDS if known is None else min(2 * known, LONGEST_WAIT_SECONDS)
        self._waits[store_no] = wait
        self._until[store_no] = self._clock.monotonic() + wait
        return known is None

    def take_back(self, store_nos: Iterable[int]) -> None:
        """These stores' messages can be published again."""
        for store_no in store_nos:
            self._waits.pop(store_no, None)
            self._until.pop(store_no, None)
