"""What is done to the stores while they sell: the script of cuts, kills and restarts."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count

from sync_server.demo.headquarters import Headquarters
from sync_server.demo.store_line import LineState
from sync_server.demo.store_play import StorePlay

Announce = Callable[[str], None]

_MEANINGS = {
    LineState.REFUSED: "loses its line: connections are refused",
    LineState.BLACK_HOLE: "loses its line: nothing it sends is ever answered",
    LineState.ANSWERS_LOST: "has a bad line: what it sends arrives, the answers get lost",
}
_CUT_SECONDS, _PAUSE_SECONDS = 12, 18


class Incidents:
    """Acts on the stores at fractions of the replay's time, so that a longer replay has longer outages."""

    def __init__(
        self, plays: Sequence[StorePlay], headquarters: Headquarters, announce: Announce, seconds: int
    ) -> None:
        self._plays = plays
        self._headquarters = headquarters
        self._announce = announce
        self._seconds = seconds

    async def run(self) -> None:
        """The script, from first sale to last: three kinds of cuts, one killed agent, a dark evening."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._cut(0, LineState.REFUSED, 10, 40))
            group.create_task(self._cut(1, LineState.BLACK_HOLE, 18, 45))
            group.create_task(self._cut(2, LineState.ANSWERS_LOST, 25, 50))
            group.create_task(self._kill_agent(3, 32, 42))
            group.create_task(self._cut_everybody_off(60))

    async def bring_lines_back(self) -> None:
        """Gives every store its line; what was buffered begins to drain."""
        for play in self._plays:
            await play.line.change(LineState.UP)
        self._announce("all stores have their lines back and send what they kept")

    async def restart_server_in_mid_drain(self) -> None:
        """Kills the server as soon as some of the backlog has arrived, and starts it again."""
        before = await self._buffered()
        while 0 < (left := await self._buffered()) > before * 3 // 4:
            await asyncio.sleep(0.01)
        await self._headquarters.server.kill()
        self._announce(f"the server is killed (SIGKILL) in mid-drain, {left:,} events still to come")
        await self._headquarters.start_server()
        self._announce("the server is back")

    async def go_on(self) -> None:
        """Cuts one store after the other off for a while, until it is cancelled."""
        for number in count():
            await asyncio.sleep(_PAUSE_SECONDS)
            state = list(_MEANINGS)[number % len(_MEANINGS)]
            await self._change(self._play(number), state)
            await asyncio.sleep(_CUT_SECONDS)
            await self._change(self._play(number), LineState.UP)

    async def _cut(self, number: int, state: LineState, begins: int, ends: int) -> None:
        """Puts a store's line into `state` between two percentages of the replay."""
        await self._wait(begins)
        await self._change(self._play(number), state)
        await self._wait(ends - begins)
        await self._change(self._play(number), LineState.UP)

    async def _kill_agent(self, number: int, dies: int, returns: int) -> None:
        await self._wait(dies)
        play = self._play(number)
        await play.agent.kill()
        self._announce(
            f"{play.store_id}: its agent is killed (SIGKILL); the tills try again until it is back"
        )
        await self._wait(returns - dies)
        await play.start_agent()
        self._announce(f"{play.store_id}: its agent is started again on the file that it left")

    async def _cut_everybody_off(self, begins: int) -> None:
        """The rest of the replay is sold without any line; it stays dark when the replay ends."""
        await self._wait(begins)
        for play in self._plays:
            await play.line.change(LineState.REFUSED)
        self._announce("all stores lose their lines and go on selling")

    async def _change(self, play: StorePlay, state: LineState) -> None:
        await play.line.change(state)
        self._announce(f"{play.store_id} {_MEANINGS.get(state, 'has its line back')}")

    def _play(self, number: int) -> StorePlay:
        return self._plays[number % len(self._plays)]

    async def _wait(self, percent: int) -> None:
        await asyncio.sleep(self._seconds * percent / 100)

    async def _buffered(self) -> int:
        """What the agents that can be asked still have to deliver."""
        backlogs = await asyncio.gather(*(asyncio.to_thread(play.backlog) for play in self._plays))
        return sum(backlog or 0 for backlog in backlogs)
