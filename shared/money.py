"""Amounts in a currency: its minor unit, rounding half-even to it, and splitting without losing a cent."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

_MINOR_DIGITS = {
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Minor unit digits that are not two, from ISO 4217 list one."""

_UNITS = {digits: Decimal(1).scaleb(-digits) for digits in range(10)}
_CENT = _UNITS[2]


def minor_digits(currency: str) -> int:
    """Digits after the point of `currency` (ISO 4217 code): 2 for USD, 0 for JPY, 3 for KWD."""
    return _MINOR_DIGITS.get(currency, 2)


def minor_unit(currency: str) -> Decimal:
    """The smallest coin of `currency` (ISO 4217 code) as a decimal: 0.01 for USD, 1 for JPY."""
    return _UNITS[_MINOR_DIGITS[currency]] if currency in _MINOR_DIGITS else _CENT


def round_to(amount: Decimal, unit: Decimal) -> Decimal:
    """`amount` rounded half-even to a multiple of ten of `unit`'s last digit (0.01: cents)."""
    with localcontext(prec=60):
        return amount.quantize(unit, rounding=ROUND_HALF_EVEN)


def split_by_weights(total: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """Shares of `total`, proportional to `weights`, whole multiples of `unit`, summing to `total` exactly.

    Largest remainder: every share is rounded down, the units left over go to the largest remainders, the
    first first. Weights are ≥ 0; when all are 0 they count as equal. A `total` finer than `unit` is split at
    its own finest digit, so that nothing is lost.
    """
    if not weights:
        raise ValueError("a split needs at least one weight")
    with localcontext(prec=60):
        exponent = min(int(total.as_tuple().exponent), int(unit.as_tuple().exponent))
        units = int(abs(total).scaleb(-exponent))
        scaled = list(weights) if any(weights) else [Decimal(1)] * len(weights)
        whole = sum(scaled, Decimal(0))
        exact = [units * weight / whole for weight in scaled]
        shares = [int(part) for part in exact]
        by_remainder = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))
        for index in by_remainder[: units - sum(shares)]:
            shares[index] += 1
        sign = -1 if total < 0 else 1
        return [Decimal(sign * share).scaleb(exponent) for share in shares]
