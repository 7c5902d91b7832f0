"""Says of nearly every new event that it is new, without asking the file: a filter (Bloom's) over recent keys.

Keys begin with the date and number that a till counts up, but several tills count at once, so that a new key
mostly lies among known ones and the index would be read for nothing. The sieve holds a mark of every key
since it was begun, and says for which keys that is all there is to know. It errs to one side only: whatever it
lets through is looked up.
"""

_BITS = 20
_MASK = (1 << _BITS) - 1
_SPREAD = 0x9E3779B97F4A7C15
"""An odd number without a pattern (2^64 over the golden ratio): multiplying by it spreads neighbours."""
_BELOW_ALL = -(2**63) - 1

CAPACITY = 100_000
"""Keys after which one in thirty new ones is let through needlessly; a new sieve is begun then."""


class KeySieve:
    """Marks of keys, two bits each in 128 KiB, for keys above a floor."""

    __slots__ = ("_floor", "_marks", "count")

    def __init__(self, floor: int | None) -> None:
        """`floor` is the highest key that the sieve is not told of; None: it is told of every key."""
        self._floor = _BELOW_ALL if floor is None else floor
        self._marks = bytearray(1 << (_BITS - 3))
        self.count = 0

    def admit(self, key_high: int) -> bool:
        """Marks a key that is in the file, or will be; True: no key like this one was there before, surely.

        Asking and marking are one, since the key of nearly every event that is asked for is stored next.
        """
        mixed = key_high * _SPREAD
        first, second = (mixed >> 44) & _MASK, (mixed >> 24) & _MASK
        marks, first_bit, second_bit = self._marks, 1 << (first & 7), 1 << (second & 7)
        first, second = first >> 3, second >> 3
        if marks[first] & first_bit and marks[second] & second_bit:
            return False
        marks[first] |= first_bit
        marks[second] |= second_bit
        self.count += 1
        return key_high > self._floor
