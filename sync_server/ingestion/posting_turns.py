"""Whose turn it is to post: stores that sell now are not kept waiting by stores that catch up after an outage.

When headquarters comes back, a thousand agents bring what they kept. Each says with a batch how many events wait
behind it. Such a batch is posted in one of a few turns that are shared by all who drain, first come, first served;
the other turns are for everybody else. Who would have to wait long is asked to come again, so that no connection
and no memory is held for it.
"""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from shared.problems import ErrorCode
from sync_server.errors import Refused

POSTING_THREADS = 6
"""Batches posted at once by one process: enough to keep PostgreSQL busy while Python decides."""
DRAINING_THREADS = 4
"""Turns of these that agents with a backlog may have at once."""
MAX_WAITING = 8
"""Batches of agents with a backlog that may wait for a turn in one process."""
DRAINS_FROM = 200
"""Events behind a batch from which on its agent drains; fewer is what a busy hour brings."""
COME_AGAIN_SECONDS = 2

T = TypeVar("T")


class TooManyDrain(Refused):
    """So many agents bring what they kept that this one has to come again."""

    code = ErrorCode.TOO_MANY_REQUESTS

    def __init__(self) -> None:
        super().__init__(
            "Many stores catch up at the moment; send the same batch again in a moment",
            headers={"Retry-After": str(COME_AGAIN_SECONDS)},
        )


class PostingTurns:
    """The turns of one process."""

    def __init__(self) -> None:
        self._all = CapacityLimiter(POSTING_THREADS)
        self._draining = CapacityLimiter(DRAINING_THREADS)
        self._waiting = 0

    async def take(self, backlog: int, post: Callable[[], T]) -> T:
        """Runs `post` in a thread when it is its turn; `backlog` is how many events wait behind its batch.

        Raises TooManyDrain, at once, when too many agents with a backlog wait already.
        """
        if backlog < DRAINS_FROM:
            return await run_sync(post, limiter=self._all)
        if self._waiting >= MAX_WAITING:
            raise TooManyDrain
        self._waiting += 1
        try:
            await self._draining.acquire()
        finally:
            self._waiting -= 1
        try:
            return await run_sync(post, limiter=self._all)
        finally:
            self._draining.release()


def backlog_of(header: str | None) -> int:
    """How many events wait behind a batch, as its sender says; 0 where it says nothing sensible."""
    return int(header) if header and header.isascii() and header.isdecimal() and len(header) < 19 else 0
