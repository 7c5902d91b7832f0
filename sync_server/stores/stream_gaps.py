"""Which of a stream's sequences are there: everything up to one number, and the gaps above it. Pure."""

from dataclasses import dataclass

from psycopg.types.multirange import Multirange

MAX_GAPS = 100
"""Gaps named in one answer, the lowest first; the agent hears of the others when these are filled."""


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """`acknowledged_sequence`: all up to it were received (0: none). `gaps`: inclusive pairs above it."""

    acknowledged_sequence: int
    gaps: list[tuple[int, int]]


def stream_progress(received: Multirange[int], *, acknowledged_before: int = 0) -> StreamProgress:
    """What has arrived of a stream, from the set of its sequences that were received.

    `received` is in PostgreSQL's own form: ranges [lower, upper), ascending, never touching.
    `acknowledged_before` is how far the agent was told earlier: what is gone since (a server restored from a
    backup) is a gap, while what lies above everything received has merely not been sent yet.
    """
    acknowledged, expected = 0, 1
    gaps: list[tuple[int, int]] = []
    for span in received:
        lower, upper = span.lower, span.upper
        assert lower is not None
        assert upper is not None
        if lower <= expected:
            acknowledged = upper - 1 if not gaps else acknowledged
        else:
            gaps.append((expected, lower - 1))
        expected = max(expected, upper)
    if expected <= acknowledged_before:
        gaps.append((expected, acknowledged_before))
    return StreamProgress(acknowledged, gaps[:MAX_GAPS])
