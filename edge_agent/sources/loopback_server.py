"""uvicorn's server, except that it sleeps when nobody calls.

uvicorn looks ten times a second whether it should end and what the date is. On a till's PC that never rests, and half
of all that an idle agent costs. Here the thread sleeps until there is a request, or until it is asked to end.
"""

import asyncio
import threading

import uvicorn


class LoopbackServer(uvicorn.Server):
    """Serves from a thread of its own; nothing is done by the clock."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._turn = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked: asyncio.Event | None = None

    async def main_loop(self) -> None:
        """Called by uvicorn once it listens; returns when the end was asked for."""
        asked = asyncio.Event()
        with self._turn:
            self._loop, self._asked = asyncio.get_running_loop(), asked
        if not self.should_exit:
            await asked.wait()
        with self._turn:
            self._loop = self._asked = None

    def ask_to_end(self) -> None:
        """Called from any thread: takes no further connection, answers what is under way, and ends."""
        self.should_exit = True
        with self._turn:
            if self._loop is not None and self._asked is not None:
                self._loop.call_soon_threadsafe(self._asked.set)
