"""Proof of completeness: the digest of each stream and business date, sent until headquarters says PROVEN."""

import logging
from datetime import date

import msgspec

from edge_agent import spool_days as days
from edge_agent.headquarters import Headquarters
from edge_agent.spool_days import StreamDay
from edge_agent.spool_desk import SpoolDesk
from edge_agent.store_profile import CurrentProfile
from edge_agent.uplink import Delivered
from shared.business_date import business_date
from shared.clock import Clock
from shared.day_digest import DayDigest, digest_of
from shared.protocol import day_digests_path
from shared.wire_json import encode_json

log = logging.getLogger(__name__)

PROVEN = "PROVEN"
DIFFERS = "DIFFERS"


class DigestAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """What headquarters says to a digest."""

    state: str


class DayProof(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The outcome for one day, as the command line shows it."""

    stream_id: str
    business_date: date
    events: int
    state: str
    """PROVEN, DIFFERS, or UNANSWERED."""


class DayClose:
    """Sends the digests that are due; `run_once` is one round."""

    def __init__(
        self, desk: SpoolDesk, headquarters: Headquarters, profile: CurrentProfile, clock: Clock
    ) -> None:
        self._desk = desk
        self._headquarters = headquarters
        self._profile = profile
        self._clock = clock

    def run_once(self, *, today_too: bool = False) -> list[DayProof]:
        """Asks about every day that is not proven and all of whose events were acknowledged.

        The business date that is still running is left out, since it changes with every sale, unless
        `today_too`.
        """
        today = business_date(self._clock.now(), self._profile.rule().day_rule).toordinal()
        before = date.max.toordinal() if today_too else today
        due = self._desk.ask(lambda spool: days.unproven_days(spool, before))
        proofs = []
        for day in due:
            proof = self._prove(day)
            proofs.append(proof)
            if proof.state == "UNANSWERED":
                break  # no line; the next round asks again
        return proofs

    def _prove(self, day: StreamDay) -> DayProof:
        digest = self._digest(day)
        body = encode_json(
            {
                "streamId": day.stream_id,
                "businessDate": date.fromordinal(day.business_day).isoformat(),
                "digest": digest.digest,
                "events": digest.events,
            }
        )
        outcome = self._headquarters.post(day_digests_path(self._headquarters.store_id), body)
        state = _answered_state(outcome)
        if state in (PROVEN, DIFFERS) and self._desk.ask(lambda spool: days.record_state(spool, day, state)):
            level = logging.INFO if state == PROVEN else logging.WARNING
            log.log(
                level,
                "Business date %s with %d events: %s",
                date.fromordinal(day.business_day),
                digest.events,
                state,
                extra={"action": f"day.{state.lower()}"},
            )
        return DayProof(
            stream_id=day.stream_id,
            business_date=date.fromordinal(day.business_day),
            events=digest.events,
            state=state,
        )

    def _digest(self, day: StreamDay) -> DayDigest:
        """Read in portions, so that tills are served in between."""
        first_of_stream = self._desk.ask(lambda spool: spool.stream_of(day.first_position)[2])
        pairs: list[tuple[int, bytes]] = []
        for first in range(day.first_position, day.last_position + 1, days.ROWS_AT_ONCE):
            rows = self._desk.ask(lambda spool, first=first: days.day_pairs(spool, day, first))  # type: ignore[misc]
            pairs.extend((position - first_of_stream + 1, content_hash) for position, content_hash in rows)
        return digest_of(pairs)


def _answered_state(outcome: object) -> str:
    if isinstance(outcome, Delivered):
        try:
            state = msgspec.convert(outcome.document, DigestAnswer).state
        except msgspec.ValidationError:
            return "UNANSWERED"
        if state in (PROVEN, DIFFERS):
            return state
    return "UNANSWERED"
