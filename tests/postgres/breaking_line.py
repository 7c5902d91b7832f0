"""A line to PostgreSQL that breaks at the N-th statement: a relay on a Unix socket that speaks the wire protocol.

Three ways to break: the statement never arrives; it is carried out and its answer is lost; the server ends the
connection (pg_terminate_backend) just before it. Nothing of ours is patched: psycopg talks to a socket.
"""

import shutil
import socket
import struct
import tempfile
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

SOCKET_NAME = ".s.PGSQL.5432"
_BACKEND_KEY, _READY = b"K", b"Z"
_ENDS_A_STATEMENT = {b"Q", b"S"}
_PATIENCE_SECONDS = 10


class Break(StrEnum):
    """What happens at the chosen statement."""

    NEVER_ARRIVES = "the statement never arrives"
    ANSWER_LOST = "the answer is lost"
    SERVER_ENDS_IT = "the server ends the connection"


class BreakingLine:
    """Listens in a folder of its own; statements on all its connections count together from `break_at` on."""

    def __init__(self, server_folder: Path, terminate: Callable[[int], None]) -> None:
        """`terminate` ends the server's process with that number."""
        self._server = str(server_folder / SOCKET_NAME)
        self._terminate = terminate
        self.folder = Path(tempfile.mkdtemp(prefix="ts-line-"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._break_at: tuple[int, Break] | None = None
        self.statements = 0
        self.broke = False

    def __enter__(self) -> "BreakingLine":
        self._listener.bind(str(self.folder / SOCKET_NAME))
        self._listener.listen()
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def break_at(self, number: int, way: Break) -> None:
        """Counts from here, and breaks at the statement of that number, from 1."""
        self.statements, self.broke = 0, False
        self._break_at = (number, way)

    def mend(self) -> None:
        """Lets everything through."""
        self._break_at = None

    def way_for_next(self) -> Break | None:
        """Counts a statement; what shall happen to it, None for nothing."""
        self.statements += 1
        if self._break_at is None or self.statements != self._break_at[0]:
            return None
        self.broke = True
        return self._break_at[1]

    def end_backend(self, process: int) -> None:
        """Has the server end a connection."""
        self._terminate(process)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            _Relayed(self, client, server).start()


class _Relayed:
    """One connection: a thread for each direction."""

    def __init__(self, line: BreakingLine, client: socket.socket, server: socket.socket) -> None:
        self._line, self._client, self._server = line, client, server
        self._process = 0
        self._keep_answer_back = False
        self._answered = Event()

    def start(self) -> None:
        """Begins to relay both ways."""
        Thread(target=self._quietly, args=[self._to_server], daemon=True).start()
        Thread(target=self._quietly, args=[self._to_client], daemon=True).start()

    def _quietly(self, relay: Callable[[], None]) -> None:
        with suppress(OSError, EOFError):
            relay()
        self._answered.set()
        self._cut()

    def _cut(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _to_server(self) -> None:
        self._server.sendall(_startup(self._client))
        statement = b""
        while True:
            kind, message = _message(self._client)
            statement += message
            if kind in _ENDS_A_STATEMENT:
                self._pass_on(statement, self._line.way_for_next())
                statement = b""
            elif kind == b"X":
                self._server.sendall(message)
                return

    def _pass_on(self, statement: bytes, way: Break | None) -> None:
        if way is Break.NEVER_ARRIVES:
            raise EOFError
        if way is Break.SERVER_ENDS_IT:
            self._line.end_backend(self._process)
        if way is Break.ANSWER_LOST:
            self._keep_answer_back = True
        with suppress(BrokenPipeError):  # a server that ended the connection still has its say to the client
            self._server.sendall(statement)
        if way is Break.ANSWER_LOST:
            self._answered.wait(_PATIENCE_SECONDS)
            raise EOFError
        if way is Break.SERVER_ENDS_IT:
            self._answered.wait(_PATIENCE_SECONDS)

    def _to_client(self) -> None:
        while True:
            kind, message = _message(self._server)
            if kind == _BACKEND_KEY:
                (self._process,) = struct.unpack("!i", message[5:9])
            if not self._keep_answer_back:
                self._client.sendall(message)
            elif kind == _READY:
                self._answered.set()


def _startup(client: socket.socket) -> bytes:
    """The first message has no kind; libpq asks for no encryption on a Unix socket."""
    length = _exactly(client, 4)
    return length + _exactly(client, struct.unpack("!i", length)[0] - 4)


def _message(end: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(end, 5)
    return head[:1], head + _exactly(end, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(end: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        part = end.recv(size - len(received))
        if not part:
            raise EOFError
        received += part
    return bytes(received)
