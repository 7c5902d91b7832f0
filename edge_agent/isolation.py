"""Pure: which part of a refused batch is to blame, and what becomes of the rest.

Groups are never cut, so that they are also set aside as a whole: headquarters posts or holds a group as one.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from edge_agent.batching import runs_between
from edge_agent.uplink import Refused
from shared.problems import ErrorCode

Range = tuple[int, int]
"""First and last position, both included."""

_EVENT_FIELD = re.compile(r"events\[([0-9]{1,9})\]")


class SetAside(msgspec.Struct, frozen=True):
    """Send `parts` as batches of their own; `aside` is undeliverable. Together they are the whole batch."""

    parts: list[Range]
    aside: list[Range]


class Suspect(msgspec.Struct, frozen=True):
    """A single group, refused without a named reason: it waits until the server accepts something else."""


def isolate(first: int, ends: Sequence[int], refusal: Refused, *, judged_before: bool) -> SetAside | Suspect:
    """The verdict on a refused batch whose groups end at the positions `ends`, starting at position `first`.

    `judged_before`: the batch is a suspect that was refused again, after the server had accepted another one.
    """
    groups = _groups(first, ends)
    if refusal.code == ErrorCode.BATCH_CONFLICT:
        return SetAside([(first, ends[-1])], [])  # the same events under a fresh batch id
    named = _named_groups(first, groups, refusal.problem)
    if named:
        runs = runs_between(len(groups), named)
        return SetAside([(groups[a][0], groups[b][1]) for a, b in runs], [groups[index] for index in named])
    if len(groups) > 1:
        middle = len(groups) // 2
        return SetAside([(first, groups[middle - 1][1]), (groups[middle][0], ends[-1])], [])
    return SetAside([], groups) if judged_before else Suspect()


def _groups(first: int, ends: Sequence[int]) -> list[Range]:
    starts = [first, *(end + 1 for end in ends[:-1])]
    return list(zip(starts, ends, strict=True))


def _named_groups(first: int, groups: Sequence[Range], problem: dict[str, Any]) -> list[int]:
    """Indexes of the groups that hold an event which a violation names (`events[3].quantity`)."""
    details = problem.get("details")
    violations = details.get("violations") if isinstance(details, dict) else None
    if not isinstance(violations, list):
        return []
    positions = {
        first + int(match[1])
        for violation in violations
        if isinstance(violation, dict) and (match := _EVENT_FIELD.match(str(violation.get("field", ""))))
    }
    return [index for index, (low, high) in enumerate(groups) if any(low <= p <= high for p in positions)]
