"""Lists of what a store has posted, newest first, without an index for every filter.

A store's numbers have no gaps, so that a range of them is a bounded piece of the table. A page looks through at
most one such piece: with a filter that little passes it may hold few rows or none, and its cursor leads on.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sync_server.database import Work

NUMBERS_OF_A_WINDOW: Final = 100_000
"""Numbers of a store that one page looks through; a tenth of a second."""

Fetch = Callable[[int, int, int], Sequence[Any]]
"""(lowest, highest, most) → rows with numbers in that range, newest first, the number first in each."""


def last_sequence(work: Work, store_no: int) -> int:
    """The store's last number."""
    row = work.connection.execute(
        "SELECT last_sequence FROM store WHERE store_no = %s", [store_no]
    ).fetchone()
    return 0 if row is None else int(row[0])


def page_down(fetch: Fetch, highest: int, limit: int) -> tuple[Sequence[Any], int | None]:
    """At most `limit` rows from number `highest` downwards, and the number from which the next page begins."""
    lowest = max(1, highest - NUMBERS_OF_A_WINDOW + 1)
    found = fetch(lowest, highest, limit + 1)
    if len(found) > limit:
        return found[:limit], int(found[limit][0])
    return found, lowest - 1 if lowest > 1 else None
