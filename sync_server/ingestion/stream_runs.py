"""The receipts of a batch's sequences as runs: one row for neighbours of one stamped business date. Pure."""

from collections.abc import Callable, Iterable
from datetime import date

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

Receipt = tuple[int, bytes, date, str]
"""Sequence, content hash, stamped business date, outcome letter."""
Run = tuple[int, int, date, bytes, str]
"""First and last sequence, business date, hashes one after the other, outcome letters."""


def runs_of(receipts: Iterable[Receipt], was_received: Callable[[int], bool]) -> list[Run]:
    """The runs of what was not received before; `receipts` come in rising sequence."""
    runs: list[Run] = []
    for sequence, content_hash, business_date, outcome in receipts:
        if was_received(sequence):
            continue
        if runs and runs[-1][1] == sequence - 1 and runs[-1][2] == business_date:
            first, _, _, hashes, outcomes = runs[-1]
            runs[-1] = (first, sequence, business_date, hashes + content_hash, outcomes + outcome)
        else:
            runs.append((sequence, sequence, business_date, content_hash, outcome))
    return runs


def sequences_of(runs: Iterable[Run]) -> Multirange[int]:
    """The sequences that `runs` cover."""
    return Multirange([Range(first, last + 1) for first, last, *_ in runs])
