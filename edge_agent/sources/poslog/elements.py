"""Texts, numbers and flags of XML elements, whatever their namespace and whether a vendor writes them as attribute or
as child.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from shared import exact_decimal
from shared.problems import Violation

Element = Any
"""An element of lxml, which comes without types."""

_YES = frozenset({"true", "1", "yes", "y"})


class NotUnderstood(Exception):
    """Something in an element makes no sense; says where, what must hold, and what came."""

    def __init__(self, element: Element, constraint: str, rejected: str | None = None) -> None:
        super().__init__(constraint)
        self.violation = Violation(path_of(element), constraint, rejected)


def local(element: Element) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def path_of(element: Element) -> str:
    """Where an element stands in its transaction: `RetailTransaction/LineItem[SequenceNumber=3]/Sale/Quantity`."""
    steps: list[str] = []
    while element is not None and local(element) != "Transaction":
        name, parent = local(element), element.getparent()
        if name == "LineItem" and (number := text(element, "SequenceNumber")) is not None:
            name = f"{name}[SequenceNumber={number[:20]}]"
        elif parent is not None and any(local(each) == name for each in element.itersiblings(preceding=True)):
            name = f"*[{parent.index(element) + 1}]"
        steps.append(name)
        element = parent
    return "/".join(reversed(steps)) or "Transaction"


def children(element: Element, name: str) -> Iterator[Element]:
    """The direct children of that name."""
    return (each for each in element if local(each) == name)


def child(element: Element, *names: str) -> Element | None:
    """The first direct child of the first name that there is."""
    for name in names:
        for each in element:
            if local(each) == name:
                return each
    return None


def own_text(element: Element | None) -> str | None:
    """An element's text without the space around it; None when there is none."""
    if element is None or element.text is None:
        return None
    return str(element.text).strip() or None


def text(element: Element, *names: str) -> str | None:
    """The text of the first direct child that has any."""
    for name in names:
        for each in children(element, name):
            if (found := own_text(each)) is not None:
                return found
    return None


def attribute(element: Element, name: str) -> str | None:
    """An attribute by its name without namespace; None when it is absent or empty."""
    plain = element.get(name)
    if plain is None:
        for key, value in element.attrib.items():
            if str(key).rpartition("}")[2] == name:
                plain = value
                break
    return (str(plain).strip() or None) if plain is not None else None


def said(element: Element, name: str) -> str | None:
    """What an attribute says, or a child of the same name."""
    return attribute(element, name) or text(element, name)


def flag(element: Element, name: str) -> bool:
    """Whether an attribute, or a child, of that name says yes."""
    value = said(element, name)
    return value is not None and value.lower() in _YES


def number(element: Element) -> Decimal:
    """The exact decimal that an element's text states; raises NotUnderstood."""
    spelled = own_text(element)
    if spelled is None:
        raise NotUnderstood(element, "A decimal number is missing")
    return decimal_from(element, spelled)


def decimal_from(element: Element, spelled: str) -> Decimal:
    """The exact decimal that `spelled`, found at `element`, states; raises NotUnderstood."""
    sign, digits = ("-", spelled[1:]) if spelled.startswith("-") else ("", spelled.removeprefix("+"))
    if digits.startswith("."):
        digits = f"0{digits}"
    try:
        return exact_decimal.parse(f"{sign}{digits.removesuffix('.')}")
    except ValueError as error:
        raise NotUnderstood(element, f"{local(element)} {error}", spelled) from None


def amount(element: Element, *names: str) -> Decimal | None:
    """The number in the first direct child of these names that has any text; raises NotUnderstood."""
    for name in names:
        for each in children(element, name):
            if own_text(each) is not None:
                return number(each)
    return None
