"""One store on the demo's stage: its agent as a real process, its line to the server, its tills."""

import asyncio
import sys
from pathlib import Path

from shared.clock import Clock
from shared.wire_json import decode_json
from sync_server.demo.child_process import ChildProcess, run_command
from sync_server.demo.demo_stores import DemoStore
from sync_server.demo.evidence import StoreFiles
from sync_server.demo.loopback import ask, free_port, until_listening
from sync_server.demo.replay import StoreReplay
from sync_server.demo.replay_log import ReplayLog
from sync_server.demo.store_line import StoreLine
from sync_server.demo.till import Till
from sync_server.demo.watchdog import Watchdog

EDGE_AGENT = (sys.executable, "-m", "edge_agent")
STATUS_PATH = "/v1/status"

_IMPATIENCE = {
    # A shop can wait a minute; people in front of a screen cannot. Nothing else differs from a shop's agent.
    "EDGE_AGENT_HEARTBEAT_INTERVAL": "3",
    "EDGE_AGENT_DAY_CLOSE_INTERVAL": "3",
    "EDGE_AGENT_RETRY_CAP": "2",
    "EDGE_AGENT_CONNECT_TIMEOUT": "2",
    "EDGE_AGENT_ANSWER_TIMEOUT": "5",
    "EDGE_AGENT_FILE_DROP_INTERVAL": "0.5",
    "EDGE_AGENT_FILE_DROP_SETTLE": "0.5",
}


class StorePlay:
    """Everything that the demo runs for one store."""

    def __init__(
        self, store: DemoStore, folder: Path, line: StoreLine, watchdog: Watchdog, clock: Clock
    ) -> None:
        self.store = store
        self.line = line
        self.port = free_port()
        self._folder = folder
        self._watchdog = watchdog
        self._clock = clock
        self._data_dir = folder / "agent"
        self._environment = {
            "EDGE_AGENT_DATA_DIR": str(self._data_dir),
            "EDGE_AGENT_PORT": str(self.port),
            **_IMPATIENCE,
        }
        folder.mkdir(parents=True)
        command = [*EDGE_AGENT, "run"]
        name = f"agent of {store.store_id}"
        self.agent = ChildProcess(name, command, folder / "agent.log", watchdog, self._environment)
        self.till = Till(self.port, self._data_dir / "spool" / "in")
        self.replay = StoreReplay(self.till, ReplayLog(self.files.replay_log), clock)

    @property
    def store_id(self) -> str:
        """The store's id."""
        return self.store.store_id

    @property
    def files(self) -> StoreFiles:
        """Where this store's evidence lies."""
        spool_file = self._data_dir / "spool" / "spool.sqlite3"
        return StoreFiles(self.store_id, self._folder / "replay.ndjson", spool_file)

    async def install_agent(self) -> None:
        """`edge-agent init`: configuration and data folder."""
        await self._agent_command("init")

    async def enrol_agent(self, code: str) -> None:
        """`edge-agent enrol`: the agent speaks to the server through this store's line, now and later."""
        await self._agent_command("enrol", f"http://127.0.0.1:{self.line.port}", code)

    async def start_agent(self) -> None:
        """Starts the agent and returns when tills can reach it."""
        await self.agent.start()
        await until_listening(self.port, STATUS_PATH, self.agent.name, self.agent.check, self._clock)

    def backlog(self) -> int | None:
        """Events that the agent says are not acknowledged yet; None while it does not answer."""
        answer = ask(self.port, STATUS_PATH)
        if answer is None or answer[0] != 200:
            return None
        return int(decode_json(answer[2])["backlog"]["events"])

    async def close(self) -> None:
        """Ends the agent, cleanly if it can be, and everything else of this store."""
        self.replay.close()
        try:
            await self.agent.stop()
        finally:
            await self.line.close()

    async def _agent_command(self, *words: str) -> None:
        await run_command(
            [*EDGE_AGENT, *words], self._environment, self._watchdog, self._folder / "commands.log"
        )


async def enrol_all(plays: list[StorePlay], codes: list[str]) -> None:
    """Enrols and starts the agents, all at once."""

    async def enrol(play: StorePlay, code: str) -> None:
        await play.enrol_agent(code)
        await play.start_agent()

    async with asyncio.TaskGroup() as group:
        for play, code in zip(plays, codes, strict=True):
            group.create_task(enrol(play, code))
