"""What can be asked of the demo, and the shape of the days that it replays."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sync_server.demo.real_input import Window

FIRST_DAY = date(2017, 9, 1)
SCRIPTED_DAYS = 73
"""1 September to 12 November: the zones of the demo change their clocks four times in between."""
LAST_DAY = date(2017, 12, 31)
"""Where the file ends, and with it what the demo can go on with."""
REPLAY_SECONDS = 35
"""How long the scripted part takes to hand over; with the outages it comes to about twice that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """One run of the demo."""

    stores: int = 5
    minutes: int | None = None
    """Minutes after which a run that goes on ends by itself; None goes on until Ctrl-C."""
    once: bool = False
    """End after the proof."""
    as_json: bool = False
    """Print the proof as JSON on stdout and everything else on stderr."""
    browser: bool = True
    """Show the server's pages in a browser while the demo goes on."""
    data_dir: Path | None = None
    """Folder for everything the demo writes, kept afterwards; None makes one and removes it when all held."""
    port: int | None = None
    """The server's port; None takes 9003, or a free one when 9003 is taken."""
    days: int = SCRIPTED_DAYS
    """Days of transactions in the scripted part."""
    replay_seconds: int = REPLAY_SECONDS

    @property
    def scripted(self) -> Window:
        """The days of the scripted part."""
        return Window(FIRST_DAY, FIRST_DAY + timedelta(days=self.days - 1))

    @property
    def at_hand(self) -> Window:
        """All days that this run may come to: opening stock has to last for them."""
        return self.scripted if self.once else Window(FIRST_DAY, max(LAST_DAY, self.scripted.last))
