"""The digest by which a store and HQ prove that they hold the same events of a stream and business date."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DayDigest:
    """How many events there are, and SHA-256 over them, as lower-case hex."""

    events: int
    digest: str


def digest_of(events: Iterable[tuple[int, bytes]]) -> DayDigest:
    """The digest of (sequence, content hash) pairs, whatever order they come in.

    SHA-256 over one line `sequence:contentHash` (decimal, lower-case hex, newline) per event, by sequence.
    """
    pairs = sorted(events)
    lines = "".join(f"{sequence}:{content_hash.hex()}\n" for sequence, content_hash in pairs)
    return DayDigest(events=len(pairs), digest=hashlib.sha256(lines.encode("ascii")).hexdigest())
