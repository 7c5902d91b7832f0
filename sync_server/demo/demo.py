"""One run of the demo, from an empty folder to the proof and, if nobody minds, on from there."""

import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from shared.clock import Clock, SystemClock
from shared.wire_json import encode_json
from shared.zone_data import use_own_zone_data
from sync_server.demo.closing_words import open_browser, print_how_to_look_around, print_proof
from sync_server.demo.errors import DemoFailed
from sync_server.demo.loopback import free_port, is_free
from sync_server.demo.mapping_report import MappingReport
from sync_server.demo.options import DemoOptions
from sync_server.demo.performance import Performance
from sync_server.demo.proof import Proof
from sync_server.demo.screen import Screen, screen_on
from sync_server.demo.stage import Stage
from sync_server.demo.watchdog import Watchdog
from sync_server.settings import DEFAULT_PORT

_PLAIN_WIDTH = 120


def run_demo(options: DemoOptions) -> int:
    """Runs the demo; 0 when every line of the proof holds, else 1. Whatever it started has ended then.

    Raises CannotRun with a sentence when it cannot start or go on.
    """
    use_own_zone_data()
    console = _console(on_stderr=options.as_json)
    folder = _folder(options.data_dir)
    demo = Demo(options, folder, console, SystemClock())
    watchdog = Watchdog()
    is_worth_keeping = True
    try:
        asyncio.run(demo.run(watchdog))
        is_worth_keeping = not demo.is_proven
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Stopped; everything that the demo had started has ended.")
        is_worth_keeping = demo.proof is not None and not demo.is_proven
    except BaseExceptionGroup as group:
        raise _first_of(group) from group
    finally:
        watchdog.close()
        _leave(folder, console, is_ours=options.data_dir is None, is_worth_keeping=is_worth_keeping)
    if options.as_json and demo.proof is not None:
        sys.stdout.write(encode_json(demo.proof.to_wire()).decode() + "\n")
    return 0 if demo.is_proven else 1


class Demo:
    """One run; `proof` is the last one that it made."""

    def __init__(self, options: DemoOptions, folder: Path, console: Console, clock: Clock) -> None:
        self.proof: Proof | None = None
        self._options = options
        self._folder = folder
        self._console = console
        self._clock = clock
        self._begun = clock.monotonic()

    @property
    def is_proven(self) -> bool:
        """Whether there is a proof and every line of it holds."""
        return self.proof is not None and self.proof.ok

    async def run(self, watchdog: Watchdog) -> None:
        """The whole of it."""
        _end_on_signals()
        port = self._port()
        title = "TillSync: real transactions, cut lines, killed processes"
        screen = screen_on(self._console, self._clock, title)
        async with Stage(self._options, self._folder, port, watchdog, self._clock, screen.say) as stage:
            try:
                await self._perform(stage, screen)
            except asyncio.CancelledError:
                self._console.print("Stopping: agents, server, broker and PostgreSQL end in this order …")
                raise

    async def _perform(self, stage: Stage, screen: Screen) -> None:
        """The scripted part, the proof and, unless once is enough, what comes after."""
        with screen:
            await stage.set()
            performance = Performance(stage, self._options, self._clock)
            screen.say(f"tills begin to sell, {self._seconds()} s after the demo was started")
            await performance.scripted_part(screen)
        await self._prove(performance)
        report = sum((tills.report for tills in stage.tills), MappingReport())
        self._console.print(stage.hardships(), highlight=False)
        print_proof(self._console, self.proof, report, self._seconds())
        if not self._options.once:
            await self._go_on(stage, performance)

    async def _go_on(self, stage: Stage, performance: Performance) -> None:
        await print_how_to_look_around(self._console, stage.headquarters, stage.plays[0].store_id)
        if self._options.browser:
            await asyncio.to_thread(open_browser, stage.headquarters.port)
        screen = screen_on(self._console, self._clock, "TillSync: selling on; Ctrl-C ends the demo")
        minutes = self._options.minutes
        with screen:
            await performance.go_on(
                screen, None if minutes is None else max(60 * minutes - self._seconds(), 1)
            )
        await self._prove(performance)
        print_proof(self._console, self.proof, None, self._seconds())

    async def _prove(self, performance: Performance) -> None:
        self._console.print("Reading the agents' files, the database and the topics …", style="dim")
        self.proof = await performance.prove(self._folder / f"evidence-{self._seconds()}")

    def _port(self) -> int:
        """The server's port: the one asked for, else 9003, else a free one, which is said."""
        wanted = self._options.port
        if wanted is not None and not is_free(wanted):
            raise DemoFailed(
                f"Port {wanted} is taken by another program: end it, or give --port another one."
            )
        if wanted is None and not is_free(DEFAULT_PORT):
            port = free_port()
            self._console.print(f"Port {DEFAULT_PORT} is taken; the demo's server takes {port}.")
            return port
        return wanted or DEFAULT_PORT

    def _seconds(self) -> int:
        """Whole seconds since the start."""
        return int(self._clock.monotonic() - self._begun)


def _console(*, on_stderr: bool) -> Console:
    """Where people read along; a file or a pipe has no width of its own and gets one that suits the tables."""
    console = Console(stderr=on_stderr)
    return console if console.is_terminal else Console(stderr=on_stderr, width=_PLAIN_WIDTH)


def _folder(named: Path | None) -> Path:
    """The folder of this run: the one that was named, which must be empty, or a new one."""
    if named is None:
        return Path(tempfile.mkdtemp(prefix="tillsync-demo-"))
    folder = named.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise DemoFailed(
            f"{folder} is not empty: the demo begins at nothing. Name another folder or empty it."
        )
    return folder


def _leave(folder: Path, console: Console, *, is_ours: bool, is_worth_keeping: bool) -> None:
    """Removes the folder when the demo made it and nobody needs it any more; else says where it is."""
    if any(folder.iterdir()) and (is_worth_keeping or not is_ours):
        console.print(f"Files, logs and data are kept in {folder}", soft_wrap=True, highlight=False)
    elif is_ours:
        shutil.rmtree(folder, ignore_errors=True)


def _end_on_signals() -> None:
    """What ends a service ends the demo as Ctrl-C does: in order, leaving nothing behind."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first of several failures at once: the others follow from it."""
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
