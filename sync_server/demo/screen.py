"""What a person sees: live on a terminal, line by line anywhere else."""

from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from shared.clock import Clock
from sync_server.demo.screen_tables import figures_table
from sync_server.demo.watch import StoreFigures

_EVENTS_SHOWN = 9
_SECONDS_BETWEEN_PLAIN_LINES = 5


class Screen(Protocol):
    """Where the demo speaks."""

    def say(self, sentence: str) -> None:
        """Something happened."""
        ...

    def show(self, stores: Sequence[StoreFigures]) -> None:
        """How the stores stand."""
        ...

    def __enter__(self) -> "Screen": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def screen_on(console: Console, clock: Clock, title: str) -> Screen:
    """The screen that suits the console: a terminal is redrawn, anything else gets lines."""
    return LiveScreen(console, clock, title) if console.is_terminal else PlainScreen(console, clock)


class LiveScreen:
    """A table that is redrawn and, below it, what has happened last."""

    def __init__(self, console: Console, clock: Clock, title: str) -> None:
        self._clock = clock
        self._begun = clock.monotonic()
        self._title = title
        self._events: deque[Text] = deque(maxlen=_EVENTS_SHOWN)
        self._stores: Sequence[StoreFigures] = ()
        # What has happened stays readable above once the live part has ended.
        self._history: list[Text] = []
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> "LiveScreen":
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        for line in self._history:
            self._console.print(line)
        if self._stores:
            self._console.print(self._table())

    def say(self, sentence: str) -> None:
        """Adds a line with the time since the start."""
        line = Text.assemble((_elapsed(self._clock, self._begun), "dim"), "  ", sentence)
        self._events.append(line)
        self._history.append(line)
        self._draw()

    def show(self, stores: Sequence[StoreFigures]) -> None:
        """Redraws the table."""
        self._stores = stores
        self._draw()

    def _table(self) -> RenderableType:
        return figures_table(self._stores, self._title, self._console.width)

    def _draw(self) -> None:
        above = self._table() if self._stores else Text(f"{self._title}\n", style="bold")
        parts: list[RenderableType] = [above, *self._events]
        self._live.update(Group(*parts), refresh=True)


class PlainScreen:
    """Lines for a log: what happened when it happens, the sums every few seconds."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._begun = clock.monotonic()
        self._last = 0

    def __enter__(self) -> "PlainScreen":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def say(self, sentence: str) -> None:
        """One line, with the time since the start."""
        line = f"{_elapsed(self._clock, self._begun)}  {sentence}"
        self._console.print(line, highlight=False, soft_wrap=True)

    def show(self, stores: Sequence[StoreFigures]) -> None:
        """The sums over all stores, not more often than every few seconds."""
        seconds = int(self._clock.monotonic() - self._begun)
        if seconds - self._last < _SECONDS_BETWEEN_PLAIN_LINES:
            return
        self._last = seconds
        names = ("replayed", "buffered", "acknowledged", "posted", "published")
        sums = (f"{name} {sum(getattr(store, name) for store in stores):,}" for name in names)
        proven = (
            f"days proven {sum(store.days_proven for store in stores)}/{sum(store.days for store in stores)}"
        )
        self.say(" · ".join([*sums, proven]))


def _elapsed(clock: Clock, begun: float) -> str:
    minutes, seconds = divmod(int(clock.monotonic() - begun), 60)
    return f"{minutes:02}:{seconds:02}"
