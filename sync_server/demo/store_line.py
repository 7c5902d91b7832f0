"""A store's line to headquarters: a small TCP proxy between one agent and the server that can be cut.

The agent is enrolled with the proxy's address, so everything it says passes here; nothing is read or changed.
"""

import asyncio
import contextlib
from enum import StrEnum

_CHUNK = 64 * 1024


class LineState(StrEnum):
    """What the line does at the moment."""

    UP = "UP"
    REFUSED = "REFUSED"
    """Nobody answers on the port; connections that stood are reset."""
    BLACK_HOLE = "BLACK_HOLE"
    """Connections are taken and nothing ever comes back, as behind a dead router."""
    ANSWERS_LOST = "ANSWERS_LOST"
    """Requests reach the server and are carried out; the connection dies before the answer arrives."""


class StoreLine:
    """One proxy on a loopback port; `open` it once, `change` its state at any time, `close` it at the end."""

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.port = 0
        self.state = LineState.UP
        self.answers_lost = 0
        """Requests that were delivered and whose answer was not."""
        self._listener: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Starts listening on a free loopback port, or again on the one it had."""
        self._listener = await asyncio.start_server(self._talk, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def change(self, state: LineState) -> None:
        """Puts the line into `state`; what was being said when it changes is cut off."""
        if state is self.state:
            return
        self.state = state
        await self._hang_up()
        if state is LineState.REFUSED:
            await self._stop_listening()
        elif self._listener is None:
            await self.open()

    async def close(self) -> None:
        """Hangs up and stops listening."""
        await self._stop_listening()
        await self._hang_up()

    async def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _hang_up(self) -> None:
        talks = list(self._talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the agent, from its first byte to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            self._talks.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.state is LineState.BLACK_HOLE:
            while await reader.read(_CHUNK):
                pass
            return
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.server_port)
        try:
            ways = {
                asyncio.create_task(self._requests(reader, server_writer)),
                asyncio.create_task(self._answers(server_reader, writer)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            server_writer.transport.abort()

    async def _requests(self, agent: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while chunk := await agent.read(_CHUNK):
            server.write(chunk)
            await server.drain()

    async def _answers(self, server: asyncio.StreamReader, agent: asyncio.StreamWriter) -> None:
        while chunk := await server.read(_CHUNK):
            if self.state is LineState.ANSWERS_LOST:
                self.answers_lost += 1
                return
            agent.write(chunk)
            await agent.drain()
