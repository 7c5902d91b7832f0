"""Pure: which sequences headquarters lacks although the agent holds receipts for them."""

from collections.abc import Iterable, Sequence

Range = tuple[int, int]
"""First and last, both included."""


def lost_at_server(
    acknowledged_sequence: int, gaps: Sequence[Range], sent_through: int, waiting: Iterable[Range]
) -> list[Range]:
    """The sequences to send again.

    `acknowledged_sequence` and `gaps` are the server's words: all up to the former was received, the latter
    are missing above it. `sent_through` is the newest sequence that had been cut into a batch when the
    question was asked, `waiting` what still waits for a receipt: neither what is newer nor what waits is
    missed yet.

    Without gaps nothing above `acknowledged_sequence` was received: a headquarters that was restored from a
    backup says just that. With gaps, what lies above the last of them shows once they are filled.
    """
    missing = list(gaps) or [(acknowledged_sequence + 1, sent_through)]
    bounded = [(max(first, 1), min(last, sent_through)) for first, last in missing]
    return without([part for part in bounded if part[0] <= part[1]], waiting)


def without(ranges: Iterable[Range], taken: Iterable[Range]) -> list[Range]:
    """`ranges` less everything in `taken`, in order."""
    rest = sorted(ranges)
    for low, high in taken:
        kept: list[Range] = []
        for first, last in rest:
            if high < first or low > last:
                kept.append((first, last))
                continue
            if first < low:
                kept.append((first, low - 1))
            if last > high:
                kept.append((high + 1, last))
        rest = kept
    return rest
