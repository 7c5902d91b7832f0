"""Quantities: exact, in the item's unit of measure, pieces or kilograms alike."""

from decimal import Decimal

from shared.exact_decimal import parse


def parse_quantity(value: object) -> Decimal:
    """The exact quantity that a JSON number or decimal string states; ValueError names the constraint."""
    return parse(value)


def require_positive(name: str, quantity: Decimal) -> None:
    """Raises ValueError, in the spec's words, unless `quantity` is greater than zero."""
    if quantity <= 0:
        raise ValueError(f"{name} must be greater than zero")
