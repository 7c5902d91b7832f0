"""The performance on a stage that is set: selling while lines are cut, draining, proof, and selling on."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from shared.clock import Clock
from sync_server.demo.evidence import gather_and_prove
from sync_server.demo.incidents import Incidents
from sync_server.demo.options import DemoOptions
from sync_server.demo.proof import Proof
from sync_server.demo.screen import Screen
from sync_server.demo.stage import Stage
from sync_server.demo.till_events import StoreTills, TillTransaction
from sync_server.demo.watch import StoreFigures, Watch

_LOOK_EVERY_SECONDS = 0.5
_STANDSTILL_SECONDS = 60
"""A drain in which nothing moves for so long has failed."""
_SECONDS_BETWEEN_SALES = 2
"""Of one store, once the scripted part is over."""


class Performance:
    """Acts on the stage and shows on a screen how the stores stand."""

    def __init__(self, stage: Stage, options: DemoOptions, clock: Clock) -> None:
        self._stage = stage
        self._options = options
        self._clock = clock
        self._watch = Watch(stage.plays, stage.headquarters.database)

    async def scripted_part(self, screen: Screen) -> None:
        """Replays the scripted days while lines are cut and processes killed, until all has arrived."""
        seconds = self._options.replay_seconds
        incidents = Incidents(self._stage.plays, self._stage.headquarters, screen.say, seconds)

        async def sell() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(incidents.run())
                for play, tills in zip(self._stage.plays, self._stage.tills, strict=True):
                    group.create_task(play.replay.run(self._scripted(tills), seconds))
            await incidents.bring_lines_back()
            await incidents.restart_server_in_mid_drain()

        await self._while_watching(sell(), screen)
        await self._until_drained(screen)

    async def go_on(self, screen: Screen, seconds: int | None) -> None:
        """Sells on at a till's pace, a line cut now and then, for `seconds` or until it is cancelled."""
        incidents = Incidents(self._stage.plays, self._stage.headquarters, screen.say, 0)
        await asyncio.gather(*(play.start_agent() for play in self._stage.plays))
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, self._close_the_tills)
        await self._while_watching(self._sell_on(incidents), screen)
        screen.say("the tills are closed")
        await incidents.bring_lines_back()
        await self._until_drained(screen)

    async def prove(self, copies: Path) -> Proof:
        """Stops the agents cleanly and compares what lies in their files, the ledger and the topics."""
        await asyncio.gather(*(play.agent.stop() for play in self._stage.plays))
        headquarters = self._stage.headquarters
        return await asyncio.to_thread(
            gather_and_prove,
            [play.files for play in self._stage.plays],
            headquarters.database,
            headquarters.broker.bootstrap_servers,
            copies,
            self._clock,
        )

    def _scripted(self, tills: StoreTills) -> list[TillTransaction]:
        ends = self._options.scripted.ends
        baskets = self._stage.real.baskets[tills.store.number]
        return list(tills.transactions([basket for basket in baskets if basket.sold_at < ends], ends))

    def _close_the_tills(self) -> None:
        for play in self._stage.plays:
            play.replay.stop()

    async def _sell_on(self, incidents: Incidents) -> None:
        begins, ends = self._options.scripted.ends, self._options.at_hand.ends
        cutting = asyncio.create_task(incidents.go_on())
        try:
            async with asyncio.TaskGroup() as group:
                for play, tills in zip(self._stage.plays, self._stage.tills, strict=True):
                    baskets = self._stage.real.baskets[tills.store.number]
                    later = [basket for basket in baskets if basket.sold_at >= begins]
                    transactions = list(tills.transactions(later, ends))
                    seconds = len(transactions) * _SECONDS_BETWEEN_SALES
                    group.create_task(play.replay.run(transactions, seconds))
        finally:
            cutting.cancel()
            await asyncio.gather(cutting, return_exceptions=True)

    async def _while_watching(self, work: Coroutine[Any, Any, None], screen: Screen) -> None:
        """Does `work` and shows meanwhile how the stores stand; ends with the first thing that fails."""
        working = asyncio.create_task(work)
        try:
            while not working.done():
                await self._look(screen)
                await asyncio.wait({working}, timeout=_LOOK_EVERY_SECONDS)
            await working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def _until_drained(self, screen: Screen) -> None:
        """Waits until everything has come all the way; gives up, and says so, when nothing moves any more."""
        before: list[StoreFigures] = []
        moved = self._clock.monotonic()
        while True:
            figures = await self._look(screen)
            if all(store.is_drained for store in figures):
                screen.say("everything has arrived and is published, and every day is proven")
                return
            now = self._clock.monotonic()
            if figures != before:
                before, moved = figures, now
            if now - moved > _STANDSTILL_SECONDS:
                stuck = ", ".join(store.store_id for store in figures if not store.is_drained)
                screen.say(f"nothing has moved for {_STANDSTILL_SECONDS} seconds; still incomplete: {stuck}")
                return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _look(self, screen: Screen) -> list[StoreFigures]:
        """Shows the figures of this moment; raises DemoFailed when a process has died by itself."""
        self._stage.check()
        figures = await self._watch.look()
        screen.show(figures)
        return figures
