"""Which stores the demo plays: the file's busiest ones, each given a zone, a day start and a kind of till.

The data does not say where its stores are. Zone, day start and the way a till writes the time are assigned
here, in a fixed order, so that the demo shows what a chain over several regions has to cope with.
"""

from dataclasses import dataclass
from datetime import time
from enum import StrEnum


class TillClock(StrEnum):
    """How a store's tills write the time of a sale."""

    OFFSET = "OFFSET"
    """Local time with its offset from UTC."""
    BARE = "BARE"
    """Bare local time: the hour that happens twice has to be told apart by the agent."""


@dataclass(frozen=True, slots=True)
class DemoStore:
    """One store of the demo."""

    number: int
    """The store's number in the file."""
    timezone: str
    day_start: time
    clock: TillClock
    gives_event_ids: bool
    """Whether its tills number their events; otherwise the agent derives the ids."""

    @property
    def store_id(self) -> str:
        """The store's id at headquarters."""
        return f"STORE-{self.number}"

    @property
    def location_id(self) -> str:
        """The store's location at headquarters."""
        return f"LOC-{self.number}"


_MIDNIGHT, _FOUR = time(0), time(4)
_CHARACTERS: tuple[tuple[str, time, TillClock, bool], ...] = (
    # In the window, New York goes back at 02:00 on 5 November and São Paulo skips midnight, its day start, on
    # 15 October; Sydney skips 02:00 on 1 October; Berlin lives 02:00 to 03:00 twice on 29 October, and has
    # sales in both. Tokyo never changes.
    ("America/New_York", _FOUR, TillClock.OFFSET, False),
    ("America/Sao_Paulo", _MIDNIGHT, TillClock.OFFSET, True),
    ("Australia/Sydney", _FOUR, TillClock.BARE, False),
    ("Europe/Berlin", _MIDNIGHT, TillClock.BARE, False),
    ("Asia/Tokyo", _MIDNIGHT, TillClock.OFFSET, True),
    ("America/Los_Angeles", _FOUR, TillClock.BARE, False),
    ("America/Chicago", _MIDNIGHT, TillClock.OFFSET, False),
    ("Europe/London", _MIDNIGHT, TillClock.BARE, True),
    ("Asia/Kolkata", _FOUR, TillClock.OFFSET, False),
    ("Pacific/Auckland", _MIDNIGHT, TillClock.OFFSET, False),
)


def demo_stores(numbers: tuple[int, ...]) -> tuple[DemoStore, ...]:
    """The demo's stores for the file's store `numbers`; beyond ten the zones start over."""
    return tuple(
        DemoStore(number, *_CHARACTERS[index % len(_CHARACTERS)]) for index, number in enumerate(numbers)
    )
