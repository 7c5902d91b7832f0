"""The receipts of a batch's sequences as runs: one row for neighbours of one stamped business date. Pure."""

from collections.abc import Callable, Iterable
from datetime import date

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

Receipt = tuple[int, bytes, date, str]
"""Sequence, content hash, stamped business date, outcome letter."""
Run = tuple[int, int, date, bytes, str]
"""First and last sequence, business date, hashes one after the other, outcome letters."""


def runs_of(receipts: Iterable[Receipt], was_received: Callable[[int], bool] | None) -> list[Run]:
    """The runs of what was not received before (None: nothing was); `receipts` come in rising sequence."""
    runs: list[list[Receipt]] = []
    run: list[Receipt] = []
    expected, of_date = 0, date.min
    for receipt in receipts:
        sequence, _, business_date, _ = receipt
        if was_received is not None and was_received(sequence):
            continue
        if sequence != expected or business_date != of_date:
            runs.append(run := [])
        run.append(receipt)
        expected, of_date = sequence + 1, business_date
    return [_run(receipts) for receipts in runs]


def _run(receipts: list[Receipt]) -> Run:
    hashes = b"".join([receipt[1] for receipt in receipts])
    outcomes = "".join([receipt[3] for receipt in receipts])
    return receipts[0][0], receipts[-1][0], receipts[0][2], hashes, outcomes


def sequences_of(runs: Iterable[Run]) -> Multirange[int]:
    """The sequences that `runs` cover."""
    return Multirange([Range(first, last + 1) for first, last, *_ in runs])
