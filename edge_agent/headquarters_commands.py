"""What headquarters asks of this agent: pulled with heartbeats and receipts, from a closed list, answered once.

Nothing here runs a program or opens a connection from outside. A command is done when its answer lies in a
file, and known by its id from then on: told twice, or after a crash before the answer got through, it is
answered with what came of it the first time and not done again. One that has expired is answered, not done.
"""

import base64
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.clock_offset import ClockOffset
from edge_agent.data_folder import write_durably
from edge_agent.errors import EdgeAgentError
from edge_agent.headquarters import Headquarters
from edge_agent.retry_policy import TryLater
from shared.clock import Clock, read_instant
from shared.protocol import command_result_path
from shared.wire_json import JsonError, decode_json, encode_json

log = logging.getLogger(__name__)

MAX_ATTACHMENT_BYTES = 2 * 1024 * 1024
"""What an answer may carry beside its result, before base64; a server takes bodies of 4 MiB."""
REMEMBERED = timedelta(days=2)
"""How long an answered command is still known after its end."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class GivenCommand(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A command as headquarters words it."""

    command_id: str
    type: str
    expires_at: str
    arguments: dict[str, Any] = {}


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a command: a JSON object, and a file where the command asks for one."""

    result: dict[str, Any]
    attachment: bytes | None = None
    succeeded: bool = True


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An answer as it is kept and sent; `told` says that headquarters has it."""

    expires_at: str
    succeeded: bool
    result: dict[str, Any]
    attachment: str | None = None
    told: bool = False


Action = Callable[[dict[str, Any]], Done]


class HeadquartersCommands:
    """Does what is asked, one command after the other, on a thread of its own."""

    def __init__(
        self,
        folder: Path,
        actions: Mapping[str, Action],
        headquarters: Headquarters,
        offset: ClockOffset,
        clock: Clock,
    ) -> None:
        """`actions` is the closed list: what each type of command does with its arguments."""
        self._folder = folder
        self._actions = actions
        self._headquarters = headquarters
        self._offset = offset
        self._clock = clock
        self._turn = threading.Lock()
        self._pending: dict[str, GivenCommand] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)

    def start(self) -> None:
        """Begins to do what is asked."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the command under way; what is not answered is asked for again."""
        self._stopping.set()
        self._wake.set()

    def take(self, commands: object) -> None:
        """Takes in the commands of an answer of headquarters; returns at once. What makes no sense is passed over."""
        try:
            given = msgspec.convert(commands, list[GivenCommand])
        except msgspec.ValidationError:
            return
        if given:
            with self._turn:
                self._pending.update({command.command_id: command for command in given})
            self._wake.set()

    def run_once(self) -> int:
        """Answers everything that was asked; how many answers headquarters took."""
        with self._turn:
            pending, self._pending = self._pending, {}
        told = sum(self._deal_with(command) for command in pending.values())
        if pending:
            self._forget(pending)
        return told

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self.run_once()
            except Exception:
                if not self._stopping.is_set():
                    log.exception("A command failed and others go on", extra={"action": "command.failed"})

    def _deal_with(self, command: GivenCommand) -> bool:
        path = self._path(command.command_id)
        answer = _read(path)
        if answer is None:
            answer = self._carry_out(command)
            write_durably(path, encode_json(msgspec.to_builtins(answer)), secret=True)
        return self._tell(command, answer, path)

    def _carry_out(self, command: GivenCommand) -> Answer:
        done = self._do(command)
        log.log(
            logging.INFO if done.succeeded else logging.WARNING,
            "Headquarters' command %s (%s): %s",
            command.command_id,
            command.type,
            "done" if done.succeeded else done.result.get("message"),
            extra={"action": "command.done"},
        )
        attachment = None if done.attachment is None else base64.b64encode(done.attachment).decode("ascii")
        return Answer(
            expires_at=command.expires_at,
            succeeded=done.succeeded,
            result=done.result,
            attachment=attachment,
        )

    def _do(self, command: GivenCommand) -> Done:
        action = self._actions.get(command.type)
        if action is None:
            known = ", ".join(sorted(self._actions))
            return _failed("UNKNOWN_COMMAND", f"This agent knows no {command.type}; it knows {known}.")
        if _instant(command.expires_at) <= self._headquarters_time():
            return _failed("EXPIRED", f"The command expired at {command.expires_at} and was not done.")
        try:
            done = action(command.arguments)
        except EdgeAgentError as error:
            return _failed("FAILED", str(error))
        except Exception as error:
            log.exception("A command failed unexpectedly", extra={"action": "command.failed"})
            return _failed("FAILED", f"The agent failed ({type(error).__name__}); its log says why.")
        if done.attachment is not None and len(done.attachment) > MAX_ATTACHMENT_BYTES:
            return _failed("TOO_LARGE", "What was asked for is too large to be sent; fetch it in the store.")
        return done

    def _headquarters_time(self) -> datetime:
        """The time at headquarters: a store's clock must not keep a command alive, or end it."""
        return self._clock.now() + timedelta(milliseconds=self._offset.milliseconds or 0)

    def _tell(self, command: GivenCommand, answer: Answer, path: Path) -> bool:
        document: dict[str, Any] = {"succeeded": answer.succeeded, "result": answer.result}
        if answer.attachment is not None:
            document["attachment"] = answer.attachment
        outcome = self._headquarters.post(
            command_result_path(self._headquarters.store_id, command.command_id), encode_json(document)
        )
        if isinstance(outcome, TryLater):
            return False  # headquarters names the command again until it has the answer
        told = msgspec.structs.replace(answer, told=True, attachment=None)
        write_durably(path, encode_json(msgspec.to_builtins(told)), secret=True)
        return True

    def _forget(self, named: Iterable[str]) -> None:
        """Removes answers that were told, long after their command's end."""
        kept = {self._path(command_id) for command_id in named}
        for path in self._folder.glob("*.json"):
            answer = _read(path)
            if path in kept or answer is None:
                continue
            if answer.told and _instant(answer.expires_at) + REMEMBERED < self._headquarters_time():
                path.unlink(missing_ok=True)

    def _path(self, command_id: str) -> Path:
        # An id comes from outside: its hexadecimal spelling is a file name whatever it says.
        return self._folder / f"{command_id.encode().hex()[:200]}.json"


def _failed(code: str, message: str) -> Done:
    return Done(result={"code": code, "message": message}, succeeded=False)


def _read(path: Path) -> Answer | None:
    try:
        return msgspec.convert(decode_json(path.read_bytes()), Answer)
    except (OSError, JsonError, msgspec.ValidationError):
        return None


def _instant(text: str) -> datetime:
    try:
        return read_instant(text)
    except (ValueError, OverflowError):
        return _LONG_AGO  # an end that cannot be read has passed
