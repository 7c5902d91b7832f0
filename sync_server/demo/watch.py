"""How things stand while the demo runs, as agents and database say: for the screen, and for waiting.

These are figures to look at. The proof does not use them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sync_server.database import Database
from sync_server.demo.store_line import LineState
from sync_server.demo.store_play import StorePlay

_FIGURES = """
SELECT store_id, count(*), count(*) FILTER (WHERE store_sequence <= coalesce(published_sequence, 0)),
    count(DISTINCT coalesce(agent_business_date, business_date)),
    (SELECT count(DISTINCT business_date) FROM store_day
        WHERE store_day.store_no = pos_event.store_no AND state = 'PROVEN')
FROM pos_event JOIN store USING (store_no) LEFT JOIN relay_progress USING (store_no)
GROUP BY store_id, pos_event.store_no
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFigures:
    """One store at one moment; events throughout."""

    store_id: str
    timezone: str
    day_start: str
    line: str
    """The state of its line, or that its agent is down."""
    is_troubled: bool
    replayed: int
    buffered: int
    acknowledged: int
    posted: int
    published: int
    days: int
    days_proven: int

    @property
    def is_drained(self) -> bool:
        """Whether everything that was handed over has come all the way."""
        return (
            self.buffered == 0
            and self.replayed == self.posted == self.published
            and self.days == self.days_proven
        )


class Watch:
    """Looks at all stores; a store whose agent does not answer keeps the figures it had."""

    def __init__(self, plays: Sequence[StorePlay], database: Database) -> None:
        self._plays = plays
        self._database = database

    async def look(self) -> list[StoreFigures]:
        """How every store stands now."""
        ledger, backlogs = await asyncio.gather(
            asyncio.to_thread(self._ledger_figures),
            asyncio.gather(*(asyncio.to_thread(play.backlog) for play in self._plays)),
        )
        nothing = (0, 0, 0, 0)
        return [
            _figures(play, backlog, ledger.get(play.store_id, nothing))
            for play, backlog in zip(self._plays, backlogs, strict=True)
        ]

    def _ledger_figures(self) -> dict[str, tuple[int, int, int, int]]:
        with self._database.reading() as work:
            rows = work.connection.execute(_FIGURES)
            return {
                store_id: (posted, published, days, proven)
                for store_id, posted, published, days, proven in rows
            }


def _figures(play: StorePlay, backlog: int | None, ledger: tuple[int, int, int, int]) -> StoreFigures:
    posted, published, days, days_proven = ledger
    replayed = play.replay.progress.lines
    # An agent that is down cannot be asked: what headquarters lacks is what it has not delivered.
    buffered = max(replayed - posted, 0) if backlog is None else backlog
    is_down = not play.agent.is_running
    return StoreFigures(
        store_id=play.store_id,
        timezone=play.store.timezone,
        day_start=f"{play.store.day_start:%H:%M}",
        line="AGENT DOWN" if is_down else play.line.state.value.replace("_", " "),
        is_troubled=is_down or play.line.state is not LineState.UP,
        replayed=replayed,
        buffered=buffered,
        acknowledged=max(replayed - buffered, 0),
        posted=posted,
        published=published,
        days=days,
        days_proven=days_proven,
    )
