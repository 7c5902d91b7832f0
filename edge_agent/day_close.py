"""Proof of completeness: the digest of each stream and business date, sent until headquarters says PROVEN.

When it says DIFFERS, the day's list of sequences and hashes is compared, and only what differs is sent again.
"""

import base64
import logging
from collections.abc import Callable, Sequence
from datetime import date

import msgspec

from edge_agent import spool_batches as batches
from edge_agent import spool_days as days
from edge_agent.headquarters import Headquarters
from edge_agent.resend import Range, without
from edge_agent.resync import count_of, put_back
from edge_agent.spool import Spool
from edge_agent.spool_days import StreamDay
from edge_agent.spool_desk import SpoolDesk
from edge_agent.spool_streams import moved
from edge_agent.store_profile import CurrentProfile
from edge_agent.uplink import Delivered
from shared.business_date import business_date
from shared.clock import Clock
from shared.day_digest import DayDigest, digest_of
from shared.protocol import day_digests_path, day_lists_path
from shared.wire_json import encode_json

log = logging.getLogger(__name__)

LISTED_AT_ONCE = 20_000
"""Events in one portion of a day's list: a body of a megabyte."""
LAST_SEQUENCE = 2**53 - 1
PROVEN = "PROVEN"
DIFFERS = "DIFFERS"
GIVEN_UP = "GIVEN_UP"
MOVED = "MOVED"
UNANSWERED = "UNANSWERED"


class DigestAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """What headquarters says to a digest."""

    state: str


class ListAnswer(msgspec.Struct, frozen=True):
    """How headquarters' list of a day differs, as runs of sequences."""

    missing: list[Range]
    different: list[Range]
    surplus: list[Range]


class DayProof(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The outcome for one day, as the command line shows it."""

    stream_id: str
    business_date: date
    events: int
    state: str
    """PROVEN, DIFFERS or UNANSWERED; of a former stream also GIVEN_UP or MOVED."""


class DayClose:
    """Sends the digests that are due; `run_once` is one round."""

    def __init__(
        self,
        desk: SpoolDesk,
        headquarters: Headquarters,
        profile: CurrentProfile,
        clock: Clock,
        on_resend: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_resend` is called when something was put back into the backlog."""
        self._desk = desk
        self._headquarters = headquarters
        self._profile = profile
        self._clock = clock
        self._on_resend = on_resend
        self._sent_otherwise: dict[tuple[str, int], str] = {}
        """The digest under which a day's differing events were last sent again."""

    def run_once(self, *, today_too: bool = False) -> list[DayProof]:
        """Asks about every day that is not proven and all of whose events were acknowledged.

        The business date that is still running is left out, since it changes with every sale, unless
        `today_too`.
        """
        today = business_date(self._clock.now(), self._profile.rule().day_rule).toordinal()
        running = 0 if today_too else today
        due, present = self._desk.ask(lambda spool: (days.unproven_days(spool, running), spool.stream_id))
        proofs = []
        for day in due:
            proof = self._prove(day) if day.stream_id == present else self._prove_former(day)
            proofs.append(proof)
            if proof.state == UNANSWERED:
                break  # no line; the next round asks again
        return proofs

    def _prove_former(self, day: StreamDay) -> DayProof:
        """A day of a former stream, in which headquarters may hold events of another past.

        So the lists are compared first, which changes nothing there: a digest that differs would cast doubt on
        the day of a machine that goes on with that stream. What moved on to a later stream counts where
        headquarters had received it before.
        """
        differing = self._compare_lists(day)
        if differing is None:
            return _proof(day, day.events, UNANSWERED)
        if differing.different or differing.surplus:
            self._desk.ask(lambda spool: days.record_state(spool, day, GIVEN_UP))
            log.warning(
                "Business date %s of the former stream %s is given up: headquarters has another past of it",
                date.fromordinal(day.business_day),
                day.stream_id,
                extra={"action": "day.given-up"},
            )
            return _proof(day, day.events, GIVEN_UP)
        if lost := self._desk.ask(lambda spool: _put_back_lost(spool, day, differing.missing)):
            self._on_resend()
            return _proof(day, lost, DIFFERS)
        pairs = [
            (sequence, content_hash)
            for sequence, content_hash in self._pairs(day)
            if not any(first <= sequence <= last for first, last in differing.missing)
        ]
        if not pairs:
            self._desk.ask(lambda spool: days.forget_day(spool, day))
            return _proof(day, 0, MOVED)
        return self._send_digest(day, digest_of(pairs), compare=False)

    def _prove(self, day: StreamDay) -> DayProof:
        return self._send_digest(day, self._digest(day), compare=True)

    def _send_digest(self, day: StreamDay, digest: DayDigest, *, compare: bool) -> DayProof:
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
        if state == DIFFERS and compare:
            self._send_what_differs(day, digest)
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
        return _proof(day, digest.events, state)

    def _send_what_differs(self, day: StreamDay, digest: DayDigest) -> None:
        """Compares the lists and puts back what headquarters lacks or has otherwise.

        What it has with other content is sent once: it is held there for a person, and sending it again for
        ever would change nothing. What it has and this store has not, only a person can explain.
        """
        differing = self._compare_lists(day)
        if differing is None:
            return
        known = self._sent_otherwise.get((day.stream_id, day.business_day)) == digest.digest
        sequences = [*differing.missing, *([] if known else differing.different)]
        self._sent_otherwise[(day.stream_id, day.business_day)] = digest.digest

        def send_again(spool: Spool) -> int:
            before = next(stream[2] for stream in spool.streams if stream[1] == day.stream_id) - 1
            positions = [(first + before, last + before) for first, last in sequences]
            return put_back(spool, without(positions, batches.unacknowledged(spool)), dry_run=False).events

        events = self._desk.ask(send_again) if sequences else 0
        log.warning(
            "Business date %s differs: %d events are sent again, %d are there with other content, %d only there",
            date.fromordinal(day.business_day),
            events,
            count_of(differing.different),
            count_of(differing.surplus),
            extra={"action": "day.compared"},
        )
        if events:
            self._on_resend()

    def _compare_lists(self, day: StreamDay) -> ListAnswer | None:
        """The whole day, portion by portion; None when headquarters did not answer or is too old to compare."""
        pairs = sorted(self._pairs(day))
        found = ListAnswer([], [], [])
        first_sequence = 1
        for start in range(0, max(len(pairs), 1), LISTED_AT_ONCE):
            portion = pairs[start : start + LISTED_AT_ONCE]
            is_last = start + LISTED_AT_ONCE >= len(pairs)
            last_sequence = LAST_SEQUENCE if is_last else portion[-1][0]
            body = encode_json(
                {
                    "streamId": day.stream_id,
                    "businessDate": date.fromordinal(day.business_day).isoformat(),
                    "firstSequence": first_sequence,
                    "lastSequence": last_sequence,
                    "runs": _listed_runs(portion),
                }
            )
            outcome = self._headquarters.post(day_lists_path(self._headquarters.store_id), body)
            if not isinstance(outcome, Delivered):
                return None
            try:
                answer = msgspec.convert(outcome.document, ListAnswer)
            except msgspec.ValidationError:
                return None
            found.missing.extend(answer.missing)
            found.different.extend(answer.different)
            found.surplus.extend(answer.surplus)
            first_sequence = last_sequence + 1
        return found

    def _digest(self, day: StreamDay) -> DayDigest:
        return digest_of(self._pairs(day))

    def _pairs(self, day: StreamDay) -> list[tuple[int, bytes]]:
        """The day's sequences and hashes, read in portions, so that tills are served in between."""
        first_of_stream = self._desk.ask(lambda spool: spool.stream_of(day.first_position)[2])
        pairs: list[tuple[int, bytes]] = []
        for first in range(day.first_position, day.last_position + 1, days.ROWS_AT_ONCE):
            rows = self._desk.ask(lambda spool, first=first: days.day_pairs(spool, day, first))  # type: ignore[misc]
            pairs.extend((position - first_of_stream + 1, content_hash) for position, content_hash in rows)
        return pairs


def _listed_runs(pairs: Sequence[tuple[int, bytes]]) -> list[dict[str, object]]:
    """Neighbours together: the first sequence, and the hashes one after the other in base64."""
    runs: list[tuple[int, list[bytes]]] = []
    for sequence, content_hash in pairs:
        if runs and runs[-1][0] + len(runs[-1][1]) == sequence:
            runs[-1][1].append(content_hash)
        else:
            runs.append((sequence, [content_hash]))
    return [
        {"first": first, "hashes": base64.b64encode(b"".join(hashes)).decode("ascii")}
        for first, hashes in runs
    ]


def _answered_state(outcome: object) -> str:
    if isinstance(outcome, Delivered):
        try:
            state = msgspec.convert(outcome.document, DigestAnswer).state
        except msgspec.ValidationError:
            return UNANSWERED
        if state in (PROVEN, DIFFERS):
            return state
    return UNANSWERED


def _proof(day: StreamDay, events: int, state: str) -> DayProof:
    return DayProof(
        stream_id=day.stream_id,
        business_date=date.fromordinal(day.business_day),
        events=events,
        state=state,
    )


def _put_back_lost(spool: Spool, day: StreamDay, missing: Sequence[Range]) -> int:
    """Sends again what headquarters had acknowledged in a former stream and has lost; how many events."""
    before = next(stream[2] for stream in spool.streams if stream[1] == day.stream_id) - 1
    positions = [(first + before, last + before) for first, last in missing]
    lost = without(positions, [*moved(spool), *batches.unacknowledged(spool)])
    return put_back(spool, lost, dry_run=False).events
