"""Items as somebody wrote them down: what each field may be. Pure; `item_import.py` brings them into the master."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from shared.exact_decimal import parse
from shared.identifiers import is_identifier
from shared.problems import Violation

DEFAULT_UNIT_OF_MEASURE = "EA"
_BETWEEN_BARCODES = re.compile(r"[\s;|]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterItem:
    """An item as the master has it, or shall have it. Cost and price are per unit of measure."""

    item_id: str
    description: str
    unit_of_measure: str = DEFAULT_UNIT_OF_MEASURE
    unit_cost: Decimal | None = None
    price: Decimal | None = None
    safety_stock: Decimal = Decimal(0)
    barcodes: tuple[str, ...] = ()


def read_item(cells: Mapping[str, str], before: MasterItem | None) -> MasterItem | list[Violation]:
    """The item that a row's cells state, or everything that is wrong with them.

    A column that the file lacks leaves what was there `before`; an empty cell takes it away.
    """
    violations: list[Violation] = []

    def number(column: str, former: Decimal | None) -> Decimal | None:
        text = cells.get(column)
        if not text:
            return former if text is None else None
        try:
            value = parse(text)
        except ValueError as error:
            violations.append(Violation(column, str(error), text))
            return None
        if value < 0:
            violations.append(Violation(column, "must not be negative", text))
        return value

    def word(column: str, former: str) -> str:
        text = cells.get(column)
        return former if text is None else text

    item = MasterItem(
        item_id=cells["itemId"],
        description=word("description", before.description if before else ""),
        unit_of_measure=word("unitOfMeasure", before.unit_of_measure if before else "")
        or DEFAULT_UNIT_OF_MEASURE,
        unit_cost=number("unitCost", before.unit_cost if before else None),
        price=number("price", before.price if before else None),
        safety_stock=number("safetyStock", before.safety_stock if before else None) or Decimal(0),
        barcodes=_barcodes(cells.get("barcodes"), before),
    )
    violations.extend(_wrong_words(item))
    return violations or item


def _barcodes(cell: str | None, before: MasterItem | None) -> tuple[str, ...]:
    if cell is None:
        return before.barcodes if before else ()
    return tuple(sorted({code for code in _BETWEEN_BARCODES.split(cell) if code}))


def _wrong_words(item: MasterItem) -> list[Violation]:
    rule = "must be 1 to 128 characters without control characters"
    found = [Violation("barcodes", rule, code) for code in item.barcodes if not is_identifier(code)]
    if not is_identifier(item.item_id):
        found.append(Violation("itemId", rule, item.item_id))
    if not is_identifier(item.unit_of_measure):
        found.append(Violation("unitOfMeasure", rule, item.unit_of_measure))
    if not item.description:
        found.append(Violation("description", "is required", item.description))
    return found
