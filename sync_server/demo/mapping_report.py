"""What became of the real lines: every line of the window is in exactly one of the first counts."""

from dataclasses import dataclass, field, fields
from decimal import Decimal


def _counted(sentence: str) -> int:
    """A count that starts at zero and is shown with `sentence`."""
    return field(default=0, metadata={"sentence": sentence})


@dataclass(slots=True)
class MappingReport:
    """Counts of one replay; add reports of several stores with `+`."""

    lines_sold: int = _counted("real lines handed over as SALE")
    lines_of_zero_quantity: int = _counted("real lines of zero quantity left out: a sale needs a quantity")
    free_lines: int = _counted("of the sales: free, charge 0.00")
    unknown_products: int = _counted(
        "of the sales: products that the product table lacks; no item is imported"
    )
    fuel_by_volume: int = _counted("of the sales: fuel, thousandths of a gallon sent as gallons")
    fuel_prepaid: int = _counted("of the sales: prepaid fuel, a count without a volume")
    baskets_sold: int = _counted("baskets handed over")
    baskets_left_out: int = _counted("baskets left out: none of their lines has a quantity")
    coupons_capped: int = _counted("baskets whose coupons exceed the charge; the coupon tender stops there")
    derived_returns: int = _counted("DERIVED returns of a piece (the data has none)")
    derived_line_voids: int = _counted("DERIVED voids of a line (the data has none)")
    derived_basket_voids: int = _counted("DERIVED voids of a whole basket (the data has none)")
    value_left_out: Decimal = Decimal(0)
    """Dollars on the lines that were left out."""

    def __add__(self, other: "MappingReport") -> "MappingReport":
        total = MappingReport()
        for one in fields(self):
            setattr(total, one.name, getattr(self, one.name) + getattr(other, one.name))
        return total

    def rows(self) -> list[tuple[int, str]]:
        """(count, sentence) in the order in which people ask, zero counts left out."""
        counted = [
            (getattr(self, one.name), one.metadata["sentence"])
            for one in fields(self)
            if "sentence" in one.metadata
        ]
        return [(count, self._with_value(sentence)) for count, sentence in counted if count]

    def _with_value(self, sentence: str) -> str:
        left_out = "left out: a sale" in sentence and self.value_left_out
        return f"{sentence} ({self.value_left_out} USD on them)" if left_out else sentence
