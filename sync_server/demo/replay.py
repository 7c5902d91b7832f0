"""The replay: every store's transactions in order, each at its moment, handed to that store's agent."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shared.clock import Clock
from sync_server.demo.replay_log import ReplayLog
from sync_server.demo.till import Till
from sync_server.demo.till_events import TillTransaction


@dataclass(slots=True)
class Progress:
    """How far a store's replay is, for the screen."""

    lines: int = 0
    transactions: int = 0
    files: int = 0
    done: bool = False


class StoreReplay:
    """One store's tills: `run` hands over a list of transactions, spread evenly over a time."""

    def __init__(self, till: Till, log: ReplayLog, clock: Clock) -> None:
        self.progress = Progress()
        self._till = till
        self._log = log
        self._clock = clock
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ends the replay after the transaction at hand: one that is cut off might be sold and not be logged."""
        self._stopping.set()

    async def run(self, transactions: Sequence[TillTransaction], seconds: int) -> None:
        """Hands over all of `transactions` within about `seconds`, more if an agent was away."""
        begun = self._clock.monotonic()
        for place, transaction in enumerate(transactions):
            due = begun + seconds * place / len(transactions)
            if await self._is_stopped_before(due):
                break
            await self._hand_over(transaction)
        self.progress.done = True

    async def _is_stopped_before(self, due: float) -> bool:
        try:
            async with asyncio.timeout(max(0, due - self._clock.monotonic())):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    async def _hand_over(self, transaction: TillTransaction) -> None:
        if transaction.as_file:
            event_ids = await self._till.drop(transaction)
            self._log.add("file", event_ids)
            self.progress.files += 1
        else:
            event_ids = await self._till.hand_over(transaction)
            self._log.add("http", event_ids)
        self.progress.lines += len(transaction.events)
        self.progress.transactions += 1

    def close(self) -> None:
        """Closes the till's connection and the log."""
        self._till.close()
        self._log.close()
