"""Keeps acknowledged events as long as the setting says, and prunes them afterwards, in pieces, beside the tills."""

import logging
import threading
from datetime import timedelta
from functools import partial

from edge_agent.clock_offset import ClockOffset
from edge_agent.damaged_files import damaged_files, forget_damaged_file
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_pruning import PrunedPiece, forget_days, instants, prune_piece
from edge_agent.spool_repair import damaged_folder
from shared.clock import Clock, read_instant

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
DAYS_OF_PROOF = 730
"""How long the hashes of pruned days are kept: a sale that comes later for such a day is sent, and not proven."""
_BREATH_SECONDS = 0.02
"""Between two pieces, so that the disk is the tills' most of the time."""


class Retention:
    """Prunes; `run_once` is one walk from the oldest event on."""

    def __init__(self, desk: SpoolDesk, offset: ClockOffset, days: int, clock: Clock) -> None:
        self._desk = desk
        self._offset = offset
        self._days = days
        self._clock = clock
        self._pause = threading.Event()

    def run_once(self) -> int:
        """How many events went. By headquarters' clock: a PC that thinks it is ten years later prunes nothing."""
        if self._offset.milliseconds is None:
            return 0  # nothing was exchanged since the start, so nobody knows what time it is
        now = self._clock.now() + timedelta(milliseconds=self._offset.milliseconds)
        limit = now - timedelta(days=self._days)
        now_text, limit_text = instants(now, limit)
        self._desk.ask(lambda spool: spool.write_keys())
        through: int | None = 0
        pruned = 0
        while through is not None:
            piece = self._prune_after(through, limit_text, now_text)
            pruned, through = pruned + piece.events, piece.through
            self._pause.wait(_BREATH_SECONDS)
        self._desk.ask(lambda spool: forget_days(spool, now.toordinal() - max(DAYS_OF_PROOF, self._days)))
        for file in self._desk.ask(damaged_files):
            if file.finished_at is not None and read_instant(file.finished_at) < limit:
                for suffix in ("-wal", ""):
                    (damaged_folder(self._desk.path) / f"{file.file}{suffix}").unlink(missing_ok=True)
                self._desk.ask(partial(forget_damaged_file, name=file.file))
        if pruned:
            log.info(
                "%d acknowledged events were older than %d days and went",
                pruned,
                self._days,
                extra={"action": "retention.pruned"},
            )
        return pruned

    def _prune_after(self, through: int, limit: str, now: str) -> PrunedPiece:
        return self._desk.ask(lambda spool: prune_piece(spool, through, limit, now))
