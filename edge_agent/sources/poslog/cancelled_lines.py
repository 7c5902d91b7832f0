"""Which line a voiding line takes back. Pure."""

from collections.abc import Sequence

import msgspec

from edge_agent.sources.poslog.line_items import GoodsLine
from edge_agent.sources.poslog.profiles import Profile


class SettledLines(msgspec.Struct):
    """The goods lines of a transaction once its voids are sorted out."""

    posted: list[GoodsLine]
    """Lines that become SALE or RETURN, those that are taken back included."""
    voids: list[tuple[GoodsLine, GoodsLine]]
    """(voiding line, the line that it takes back)."""
    dropped: list[GoodsLine]
    """Lines that were voided where they stand: nothing left the store."""

    def taken_back(self) -> set[int]:
        """The numbers of the lines that count for nothing in the end."""
        return {target.number for _, target in self.voids}


def settle_voids(lines: Sequence[GoodsLine], profile: Profile) -> SettledLines:
    """Sorts the goods lines of one transaction, in their order."""
    settled = SettledLines([], [], [])
    taken: set[int] = set()
    for line in lines:
        if not line.flagged:
            settled.posted.append(line)
        elif (target := _target(line, settled.posted, taken, profile)) is not None:
            settled.voids.append((line, target))
            taken.add(target.number)
        elif line.negative and not line.returned and profile.void_lines != "in-place":
            # Part of an earlier line, or one that is not there: what it takes back comes back as it stands.
            settled.posted.append(line)
        else:
            settled.dropped.append(line)
    return settled


def _target(
    void: GoodsLine, posted: Sequence[GoodsLine], taken: set[int], profile: Profile
) -> GoodsLine | None:
    """The latest line that still stands and equals the void in item, quantity and amount."""
    if profile.void_lines == "in-place":
        return None
    for line in reversed(posted):
        if line.flagged or line.number in taken or line.returned != void.returned:
            continue
        if void.voids_number is not None:
            if line.number == void.voids_number:
                return line
            continue
        opposite = line.negative != void.negative or profile.void_lines == "reversing"
        if opposite and _what(line) == _what(void):
            return line
    return None


def _what(line: GoodsLine) -> tuple[object, ...]:
    return line.item_id, line.barcode, abs(line.quantity), abs(line.extended)
