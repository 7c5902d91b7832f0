"""Exact decimals: one way to read them, one way to spell them, and the size beyond which nobody means it.

Binary floating point never touches money or quantity: `12345678901234567.89` leaves as it came.
"""

import re
from contextlib import AbstractContextManager
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, Inexact, localcontext

MAX_INTEGER_DIGITS = 18
"""Digits before the point of any money or quantity."""
MAX_FRACTION_DIGITS = 9
"""Digits after the point of any money or quantity."""
MAX_NUMBER_DIGITS = 60
"""Digits, written out plainly, of a number in a field that this version does not know."""

_ARITHMETIC_DIGITS = 120
_DECIMAL_TEXT = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_UPPER = Decimal(10) ** MAX_INTEGER_DIGITS
_ZERO = Decimal(0)
_WIDE = Context(
    prec=MAX_NUMBER_DIGITS, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact]
)
"""Takes idle zeros off; a number of more digits raises instead of being rounded."""


def exact_arithmetic() -> AbstractContextManager[Context]:
    """Sums and products of money and quantity lose no digit inside this block.

    Python keeps 28 digits by itself: a quantity of 18 at a cost of 18 needs more, and a journal would not balance.
    """
    return localcontext(prec=_ARITHMETIC_DIGITS)


def parse(value: object, fraction_digits: int = MAX_FRACTION_DIGITS) -> Decimal:
    """The exact decimal that a JSON number or a decimal string states.

    Raises ValueError with the constraint, ready for a violation, when it is no number or out of range.
    """
    if type(value) is Decimal:
        number = value
    elif type(value) is int or (
        type(value) is str and len(value) <= MAX_NUMBER_DIGITS and _DECIMAL_TEXT.fullmatch(value)
    ):
        number = Decimal(value)
    else:
        raise ValueError("must be a decimal number")
    if not -_UPPER < number < _UPPER:
        raise ValueError(f"must have at most {MAX_INTEGER_DIGITS} digits before the decimal point")
    if number != round(number, fraction_digits):
        raise ValueError(f"must have at most {fraction_digits} digits after the decimal point")
    return number


def plain(number: Decimal) -> str:
    """The shortest plain spelling: `2.00` is `2`, `1E+3` is `1000`, `-0` is `0`.

    Raises ValueError for NaN, infinities and numbers of more than MAX_NUMBER_DIGITS digits.
    """
    if not number.is_finite():
        raise ValueError("must be a finite number")
    if number and (number.adjusted() > MAX_NUMBER_DIGITS or number.as_tuple().exponent < -MAX_NUMBER_DIGITS):  # type: ignore[operator]
        raise ValueError(f"must have at most {MAX_NUMBER_DIGITS} digits")
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def shortest(number: Decimal) -> Decimal:
    """The same number with the fewest digits and no exponent above zero; ValueError as `plain`."""
    if not number.is_finite():
        raise ValueError("must be a finite number")
    if not number:
        return _ZERO
    try:
        short = number.normalize(_WIDE)
    except Inexact:
        raise ValueError(f"must have at most {MAX_NUMBER_DIGITS} digits") from None
    return Decimal(plain(short)) if "E" in str(short) else short
