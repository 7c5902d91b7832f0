"""The line between an agent and the server, in each of its states, over real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from sync_server.demo.store_line import LineState, StoreLine

Talk = Callable[[StoreLine, list[bytes]], Awaitable[None]]


def over_a_line(talk: Talk) -> None:
    """Runs `talk` with a line to a server that notes and echoes what it hears."""
    asyncio.run(_with_line(talk))


async def _with_line(talk: Talk) -> None:
    heard: list[bytes] = []
    async with _echo(heard) as port:
        line = StoreLine(port)
        await line.open()
        try:
            async with asyncio.timeout(10):
                await talk(line, heard)
        finally:
            await line.close()


@contextlib.asynccontextmanager
async def _echo(heard: list[bytes]) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(1024):
            heard.append(said)
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def say(line: StoreLine, words: bytes) -> bytes:
    """What comes back for `words`; empty when the connection ends instead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    try:
        writer.write(words)
        return await reader.read(1024)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def test_a_line_that_is_up_carries_both_ways() -> None:
    async def talk(line: StoreLine, heard: list[bytes]) -> None:
        assert await say(line, b"hello") == b"hello"

    over_a_line(talk)


def test_a_refusing_line_takes_no_connection_and_takes_them_on_the_same_port_once_it_is_back() -> None:
    async def talk(line: StoreLine, heard: list[bytes]) -> None:
        port = line.port
        await line.change(LineState.REFUSED)
        with pytest.raises(ConnectionRefusedError):
            await say(line, b"hello")
        await line.change(LineState.UP)
        assert line.port == port
        assert await say(line, b"hello") == b"hello"

    over_a_line(talk)


def test_a_cut_ends_what_is_being_said() -> None:
    async def talk(line: StoreLine, heard: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"hello")
        assert await reader.read(1024) == b"hello"
        await line.change(LineState.REFUSED)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read(1024) == b""
        writer.close()

    over_a_line(talk)


def test_a_black_hole_takes_everything_and_gives_nothing() -> None:
    async def talk(line: StoreLine, heard: list[bytes]) -> None:
        await line.change(LineState.BLACK_HOLE)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(say(line, b"hello"), 0.3)
        assert heard == []

    over_a_line(talk)


def test_when_answers_are_lost_the_server_has_heard_the_request() -> None:
    async def talk(line: StoreLine, heard: list[bytes]) -> None:
        await line.change(LineState.ANSWERS_LOST)
        assert await say(line, b"hello") == b""
        assert heard == [b"hello"]
        assert line.answers_lost == 1
        await line.change(LineState.UP)
        assert await say(line, b"again") == b"again"

    over_a_line(talk)
