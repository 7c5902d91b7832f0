"""Pure: how a till writes a number → the exact decimal. No binary floating point takes part in a sum.

A column of a till's database may itself be binary (SQLite's REAL, MySQL's DOUBLE). What the till meant is then
known only by the scale that the configuration states: the shortest decimal that the stored value stands for,
rounded half-even to that scale.
"""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from typing import Any

MAX_DIGITS = 60
"""Digits of a number that is worth reading; nobody sells more."""

_EXACT = Context(prec=2 * MAX_DIGITS, traps=[InvalidOperation])
_LOOKALIKES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'"})
"""Blanks and apostrophes that stand for the plain one where thousands are set off."""

Reader = Callable[[Any], Decimal]


def number_reader(
    decimal_mark: str, thousands_mark: str, scale: int | None = None, implied_decimals: int = 0
) -> Reader:
    """A reader of numbers, which raises ValueError with a constraint such as `must be a number`.

    `scale` rounds to so many decimals and is what makes a binary column readable; `implied_decimals` is the
    number of decimals of a till that writes 1250 for 12.50.
    """
    point = re.escape(decimal_mark)
    thousands = re.escape(thousands_mark)
    grouped = rf"|[0-9]{{1,3}}(?:{thousands}[0-9]{{2,3}})*{thousands}[0-9]{{3}}" if thousands_mark else ""
    shape = re.compile(rf"([+-]?)((?:[0-9]+{grouped})?)(?:{point}([0-9]*))?(-?)", re.ASCII)

    def read_text(text: str) -> Decimal:
        short = text.strip().translate(_LOOKALIKES)
        found = shape.fullmatch(short) if len(short) <= MAX_DIGITS else None
        if found is None or not (found[2] or found[3]) or (found[1] and found[4]):
            example = f"12{decimal_mark}50"
            raise ValueError(f"must be a number such as {example}")
        whole = found[2].replace(thousands_mark, "") if thousands_mark else found[2]
        negative = found[1] == "-" or found[4] == "-"
        fraction = f".{found[3]}" if found[3] else ""
        return Decimal(f"{'-' if negative else ''}{whole or '0'}{fraction}")

    def read(value: Any) -> Decimal:
        number = read_text(value) if type(value) is str else _stored_number(value, scale)
        if implied_decimals:
            number = number.scaleb(-implied_decimals, _EXACT)
        return number if scale is None else rounded(number, scale)

    return read


def _stored_number(value: Any, scale: int | None) -> Decimal:
    """A database's number; a bool is a number to Python alone."""
    if type(value) is int:
        return Decimal(value)
    if type(value) is Decimal and value.is_finite():
        return value
    if type(value) is float:  # float: the till's own column, taken by its shortest decimal
        if scale is None:
            raise ValueError(
                "is a binary number in the till's database; state its scale in the configuration"
            )
        number = Decimal(repr(value))
        if number.is_finite():
            return number
    raise ValueError("must be a number")


def rounded(number: Decimal, scale: int) -> Decimal:
    """`number` with `scale` decimals, half-even; ValueError when it is too large to be meant."""
    try:
        return number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN, _EXACT)
    except InvalidOperation:
        raise ValueError(f"must have at most {MAX_DIGITS} digits") from None


def product(one: Decimal, other: Decimal) -> Decimal:
    """The exact product; ValueError when it has more digits than anybody means."""
    try:
        return Context(prec=2 * MAX_DIGITS, traps=[Inexact, InvalidOperation]).multiply(one, other)
    except (Inexact, InvalidOperation):
        raise ValueError(f"must have at most {MAX_DIGITS} digits") from None
