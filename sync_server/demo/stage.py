"""The demo's stage: everything that has to stand before the first sale, and how all of it is taken down.

Whatever can go on beside something else does: the input is read and the agents are laid down while PostgreSQL
and the server start.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from shared.clock import Clock
from sync_server.demo.demo_stores import DemoStore, demo_stores
from sync_server.demo.headquarters import Headquarters
from sync_server.demo.opening_stock import (
    item_masters,
    write_item_import,
    write_stock_import,
    write_store_import,
)
from sync_server.demo.options import DemoOptions
from sync_server.demo.real_input import RealInput, data_folder, read_real_input
from sync_server.demo.store_line import StoreLine
from sync_server.demo.store_play import StorePlay, enrol_all
from sync_server.demo.till_events import StoreTills
from sync_server.demo.watchdog import Watchdog

Announce = Callable[[str], None]


class Stage:
    """Headquarters, stores and input of one run; `async with` takes everything down again."""

    def __init__(
        self,
        options: DemoOptions,
        folder: Path,
        port: int,
        watchdog: Watchdog,
        clock: Clock,
        announce: Announce,
    ) -> None:
        self.headquarters = Headquarters(folder / "headquarters", port, watchdog, clock)
        self.plays: list[StorePlay] = []
        self.tills: list[StoreTills] = []
        self._real: RealInput | None = None
        self._options = options
        self._folder = folder
        self._watchdog = watchdog
        self._clock = clock
        self._announce = announce

    @property
    def real(self) -> RealInput:
        """The real input that this run may come to."""
        assert self._real is not None, "the stage was set"
        return self._real

    async def __aenter__(self) -> "Stage":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.gather(*(play.close() for play in self.plays), return_exceptions=True)
        finally:
            await self.headquarters.close()

    async def set(self) -> None:
        """Sets the stage: when it returns, the agents are enrolled and wait for their tills."""
        self._announce("starting PostgreSQL, a broker and the server, and reading the real transactions")
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read_input())
            group.create_task(self._start_headquarters())
        stores = reading.result()
        codes, _ = await asyncio.gather(self._register(stores), self._lay_down_agents(stores))
        await enrol_all(self.plays, codes)
        self._announce(f"{len(stores)} agents enrolled and running, each with its own file and its own line")

    def hardships(self) -> str:
        """What lines and tills went through on the way, as a sentence."""
        lost = sum(play.line.answers_lost for play in self.plays)
        again = sum(play.till.retries for play in self.plays)
        files = sum(play.replay.progress.files for play in self.plays)
        return (
            f"On the way {lost:,} answers of the server got lost, {again:,} requests of tills found no agent and "
            f"were sent again, and {files:,} baskets came as files."
        )

    def check(self) -> None:
        """Raises DemoFailed when a process has died that nobody meant to end."""
        self.headquarters.server.check()
        for play in self.plays:
            play.agent.check()

    async def _start_headquarters(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.headquarters.start_postgres())
            group.create_task(self.headquarters.start_broker())
        self._announce("PostgreSQL and a Kafka-compatible broker are running")
        await self.headquarters.start_server()
        self._announce(f"the server is running on {self.headquarters.address}")

    async def _read_input(self) -> tuple[DemoStore, ...]:
        """Reads the real input and writes the import files that are derived from it."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> tuple[DemoStore, ...]:
        real = read_real_input(self._options.stores, self._options.at_hand, data_folder())
        stores = demo_stores(real.stores)
        masters = item_masters(real)
        write_store_import(self._folder / "stores.csv", stores)
        write_item_import(self._folder / "items.csv", masters)
        write_stock_import(self._folder / "stock.csv", real, stores, masters)
        self._real = real
        return stores

    async def _register(self, stores: tuple[DemoStore, ...]) -> list[str]:
        """Imports the registry, the items and the opening stock; the stores' enrolment codes."""
        days = self._options.at_hand
        self._announce(
            f"{self.real.lines:,} of {self.real.lines_in_file:,} real lines are at hand: "
            f"the {len(stores)} busiest stores, {days.first} to {days.last}"
        )
        hq = self.headquarters
        await asyncio.gather(
            hq.command("store", "import", str(self._folder / "stores.csv")),
            hq.command("item", "import", str(self._folder / "items.csv")),
        )
        codes = asyncio.gather(*(hq.command("enrolment-code", store.store_id) for store in stores))
        await hq.command("stock", "import", str(self._folder / "stock.csv"))
        self._announce("stores, items and opening stock are imported")
        return [code.strip() for code in await codes]

    async def _lay_down_agents(self, stores: tuple[DemoStore, ...]) -> None:
        for store in stores:
            line = StoreLine(self.headquarters.port)
            await line.open()
            folder = self._folder / store.store_id
            self.plays.append(StorePlay(store, folder, line, self._watchdog, self._clock))
            self.tills.append(StoreTills(store, self.real.products))
        await asyncio.gather(*(play.install_agent() for play in self.plays))
