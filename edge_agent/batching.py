"""Pure: where the next batch ends, so that no group is ever cut and the limits hold."""

from collections.abc import Iterable

import msgspec


class BatchLimits(msgspec.Struct, frozen=True):
    """What one batch may hold: the smaller of the agent's own settings and what the store's profile allows."""

    max_events: int
    max_bytes: int
    """Bytes of the events before compression, separators included."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """What batching must know of an event: its size on the wire and how many lines of its group follow."""

    size: int
    lines_after: int


def batch_size(lines: Iterable[Line], limits: BatchLimits) -> int:
    """How many of `lines` go into the next batch: whole groups, as many as the limits take.

    A group that is larger than the limits goes alone; 0 only when there are no lines. The iterable is
    consumed no further than needed.
    """
    whole_groups = weight = 0
    for events, line in enumerate(lines, 1):
        weight += line.size + 1
        if whole_groups and (events > limits.max_events or weight > limits.max_bytes):
            return whole_groups
        if line.lines_after == 0:
            whole_groups = events
            if events >= limits.max_events or weight >= limits.max_bytes:
                return whole_groups
    return whole_groups


def runs_between(total: int, taken_out: Iterable[int]) -> list[tuple[int, int]]:
    """The runs (first and last index) that remain of 0…total-1 when some indexes are taken out."""
    runs: list[tuple[int, int]] = []
    start = 0
    for index in [*sorted(set(taken_out)), total]:
        if index > start:
            runs.append((start, index - 1))
        start = index + 1
    return runs
