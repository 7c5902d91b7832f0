"""The store as headquarters describes it: zone, day start, currency, limits; cached, so that a start needs no
line.
"""

import threading
from datetime import time
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.batching import BatchLimits
from edge_agent.data_folder import write_durably
from edge_agent.errors import NotEnrolled
from edge_agent.headquarters import Headquarters
from edge_agent.translation import StoreRule
from edge_agent.uplink import Delivered
from shared.business_date import DayRule
from shared.protocol import Limits, profile_path
from shared.wire_json import JsonError, decode_json, encode_json


class StoreProfile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the agent keeps of a profile; item barcodes are looked up at headquarters."""

    store_id: str
    timezone: str
    day_start: str
    currency: str | None = None
    limits: Limits = msgspec.field(default_factory=Limits)

    def rule(self) -> StoreRule:
        """What translation must know. Raises ValueError for a zone or day start that makes no sense."""
        return StoreRule(self.store_id, DayRule(self.timezone, time.fromisoformat(self.day_start)))


def read_profile(document: Any) -> StoreProfile:
    """The profile in a decoded answer or file. Raises ValueError that says what is wrong with it."""
    profile = msgspec.convert(document, StoreProfile)  # msgspec.ValidationError is a ValueError
    profile.rule()
    return profile


def save_profile(path: Path, profile: StoreProfile) -> None:
    """Keeps the profile for the next start."""
    write_durably(path, encode_json(msgspec.to_builtins(profile)))


def load_profile(path: Path) -> StoreProfile:
    """The cached profile. Raises NotEnrolled when there is none that can be read."""
    try:
        return read_profile(decode_json(path.read_bytes()))
    except (OSError, JsonError, ValueError) as error:
        raise NotEnrolled(
            "The agent does not know its store's timezone and day start yet, so it cannot date sales; "
            "ask headquarters for an enrolment code and run `edge-agent enrol URL CODE`."
        ) from error


class CurrentProfile:
    """The profile in force, renewed from headquarters now and then; may be used from any thread."""

    def __init__(self, path: Path, profile: StoreProfile) -> None:
        self._path = path
        self._turn = threading.Lock()
        self._profile = profile
        self._rule = profile.rule()

    @property
    def profile(self) -> StoreProfile:
        """The profile in force."""
        return self._profile

    def rule(self) -> StoreRule:
        """What translation must know of the store now."""
        return self._rule

    def limits(self, max_events: int, max_bytes: int) -> BatchLimits:
        """The smaller of the agent's own limits and the server's; compressed bodies never outgrow their
        originals.
        """
        allowed = self._profile.limits
        return BatchLimits(
            max_events=max(1, min(max_events, allowed.max_events)),
            # What surrounds the events (ids, hash, brackets) stays below 1 KiB.
            max_bytes=max(1, min(max_bytes, allowed.max_body_bytes, allowed.max_decompressed_bytes) - 1024),
        )

    def refresh(self, headquarters: Headquarters) -> bool:
        """Asks headquarters once; False when there was no answer that makes sense, then the former stays."""
        outcome = headquarters.get(profile_path(headquarters.store_id))
        if not isinstance(outcome, Delivered):
            return False
        try:
            profile = read_profile(outcome.document)
        except ValueError:
            return False
        if profile.store_id != headquarters.store_id:
            return False
        with self._turn:
            if profile != self._profile:
                save_profile(self._path, profile)
                self._profile, self._rule = profile, profile.rule()
        return True
