"""A business date that differs: the store's list of its events against the receipts here.

So the agent sends again only what headquarters lacks, however large the day is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sync_server.database import Work
from sync_server.stores.stream_receipts import receipts_of_day

Range = tuple[int, int]
"""First and last sequence, both included."""


@dataclass(frozen=True, slots=True)
class DayDifference:
    """How two lists of one stream and business date differ, as runs of sequences.

    `missing`: the store has them and headquarters does not. `different`: both have them, with other content.
    `surplus`: headquarters has them and the store does not.
    """

    missing: list[Range]
    different: list[Range]
    surplus: list[Range]


def difference(theirs: dict[int, bytes], ours: dict[int, bytes]) -> DayDifference:
    """Pure: what differs between the store's (sequence, content hash) pairs and ours."""
    both = theirs.keys() & ours.keys()
    return DayDifference(
        missing=runs(theirs.keys() - ours.keys()),
        different=runs(sequence for sequence in both if theirs[sequence] != ours[sequence]),
        surplus=runs(ours.keys() - theirs.keys()),
    )


def runs(sequences: Iterable[int]) -> list[Range]:
    """Neighbouring sequences as runs, in order."""
    found: list[Range] = []
    for sequence in sorted(sequences):
        if found and found[-1][1] == sequence - 1:
            found[-1] = (found[-1][0], sequence)
        else:
            found.append((sequence, sequence))
    return found


def compare_list(
    work: Work,
    store_no: int,
    stream_id: str,
    business_date: date,
    theirs: dict[int, bytes],
    window: Range,
) -> DayDifference:
    """Compares a portion of the store's list: everything that it has of the day within `window`."""
    row = work.connection.execute(
        "SELECT stream_no FROM stream WHERE store_no = %s AND stream_id = %s", [store_no, stream_id]
    ).fetchone()
    ours = receipts_of_day(work, store_no, row[0], business_date) if row else []
    return difference(theirs, {seq: digest for seq, digest in ours if window[0] <= seq <= window[1]})
