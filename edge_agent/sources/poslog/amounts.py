"""What each line was charged: discounts and taxes laid on the lines, checked against the transaction's total. Pure.

The contract's amount is the charge for the whole line after discount, tax included. Tills write it in parts, and the
standard leaves open which parts ExtendedAmount holds. The profile says what the vendor does; where the total that the
transaction states fits another reading and not this one, the total is believed.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product

import msgspec

from edge_agent.sources.poslog.line_items import DiscountLine, GoodsLine, TaxLine
from edge_agent.sources.poslog.profiles import Profile
from shared.money import round_to, split_by_weights

ZERO = Decimal(0)
MAX_TAXES = 50
"""Different TaxIDs of one transaction that are laid on lines of their own."""


class Charge(msgspec.Struct):
    """What one line was charged, above zero whichever way the goods went."""

    net: Decimal
    discount: Decimal
    tax: Decimal
    amount: Decimal


class Charges(msgspec.Struct):
    """The charges of a transaction by line number."""

    by_line: dict[int, Charge]
    total: Decimal
    """What the lines that stand add up to."""
    fits: bool
    """Whether that is the total that the transaction states; also when it states none."""


class Reading(msgspec.Struct, frozen=True):
    """One way to understand the amounts."""

    deduct_modifiers: bool
    deduct_discounts: bool
    tax_included: bool


class Amounts(msgspec.Struct, kw_only=True):
    """Everything in a transaction that says what was charged."""

    lines: Sequence[GoodsLine]
    taken_back: set[int]
    """Numbers of lines that are posted and voided in the same transaction: nobody paid for them."""
    ignored_references: set[str]
    """What rewards call the voiding lines: their discounts go with the lines that they take back."""
    discounts: Sequence[DiscountLine]
    taxes: Sequence[TaxLine]
    due: Decimal | None
    """The total that the transaction states."""
    coin: Decimal

    def standing(self) -> list[GoodsLine]:
        """The lines that somebody paid for."""
        return [line for line in self.lines if line.number not in self.taken_back]


def charge(amounts: Amounts, profile: Profile) -> Charges:
    """The charge of every line, by the first reading that gives the stated total, else by the profile's own."""
    first: Charges | None = None
    for reading in _readings(amounts, profile):
        charges = _by(amounts, reading)
        charges.fits = amounts.due is None or abs(amounts.due) == abs(charges.total)
        if charges.fits:
            return charges
        first = first or charges
    assert first is not None
    return first


def _readings(amounts: Amounts, profile: Profile) -> Iterator[Reading]:
    deducted = profile.modifiers == "deducted"
    included = _tax_included(amounts, profile)
    stated = next((each for each in _statements(amounts) if each is not None), None)
    taxes = (included,) if stated is not None else (included, not included)
    for tax, discounts, modifiers in product(taxes, (True, False), (deducted, not deducted)):
        yield Reading(modifiers, discounts, tax)


def _tax_included(amounts: Amounts, profile: Profile) -> bool:
    for stated in _statements(amounts):
        if stated is not None:
            return stated
    return profile.tax == "included"


def _statements(amounts: Amounts) -> Iterator[bool | None]:
    yield from (line.tax_included for line in amounts.lines)
    yield from (tax.included for tax in amounts.taxes)


def _by(amounts: Amounts, reading: Reading) -> Charges:
    linked: dict[str, Decimal] = {}
    for each in amounts.discounts:
        if each.reference is not None:
            linked[each.reference] = linked.get(each.reference, ZERO) + each.amount
    by_line = {line.number: _before_tax(line, linked, reading) for line in amounts.lines}
    standing = amounts.standing()
    if reading.deduct_discounts:
        _lay_discounts(amounts, standing, by_line)
    for line in amounts.lines:
        if line.tax is not None:
            by_line[line.number].tax = line.tax
    if all(line.tax is None for line in amounts.lines):
        for tax in _by_id(amounts.taxes):  # where lines have taxes of their own, these are their sums
            _lay_tax(tax, standing, by_line, amounts.coin)
    for charged in by_line.values():
        charged.amount = charged.net if reading.tax_included else charged.net + charged.tax
    total = sum((by_line[line.number].amount * line.direction for line in standing), ZERO)
    return Charges(by_line, total, fits=True)


def _before_tax(line: GoodsLine, linked: Mapping[str, Decimal], reading: Reading) -> Charge:
    off = ZERO if line.reference is None else linked.get(line.reference, ZERO)
    net = abs(line.extended) - off - (line.modifiers if reading.deduct_modifiers else ZERO)
    return Charge(net=net, discount=off + line.modifiers, tax=ZERO, amount=ZERO)


def _lay_discounts(amounts: Amounts, standing: Sequence[GoodsLine], by_line: dict[int, Charge]) -> None:
    """Spreads what names no line over the goods that were sold, by what each was charged."""
    named = {
        line.reference for line in amounts.lines if line.reference is not None
    } | amounts.ignored_references
    loose = sum((each.amount for each in amounts.discounts if each.reference not in named), ZERO)
    bearers = [line for line in standing if line.direction > 0] or list(standing)
    if not loose or not bearers:
        return
    weights = [max(by_line[line.number].net, ZERO) for line in bearers]
    for line, share in zip(bearers, split_by_weights(loose, weights, amounts.coin), strict=True):
        by_line[line.number].net -= share
        by_line[line.number].discount += share


def _by_id(taxes: Sequence[TaxLine]) -> list[TaxLine]:
    """One tax for each TaxID; a till has a few, and whoever writes more gets them laid on all lines in one."""
    by_id: dict[str | None, Decimal] = {}
    for tax in taxes:
        tax_id = tax.tax_id if tax.tax_id in by_id or len(by_id) < MAX_TAXES else None
        by_id[tax_id] = by_id.get(tax_id, ZERO) + tax.amount
    return [TaxLine(amount=amount, tax_id=tax_id, included=None) for tax_id, amount in by_id.items()]


def _lay_tax(tax: TaxLine, standing: Sequence[GoodsLine], by_line: dict[int, Charge], coin: Decimal) -> None:
    """Spreads a tax over the lines that it lies on, by what each was charged; what comes back brings tax back."""
    bearers = [line for line in standing if tax.tax_id is not None and tax.tax_id in line.taxed] or list(
        standing
    )
    sold = [line for line in bearers if line.direction > 0]
    back = [line for line in bearers if line.direction < 0]
    sold_net, back_net = (sum((by_line[line.number].net for line in each), ZERO) for each in (sold, back))
    on_sold, on_back = tax.amount, ZERO
    if back and (not sold or sold_net <= 0):
        on_sold, on_back = ZERO, abs(tax.amount)
    elif back and sold_net > back_net:
        on_sold = round_to(tax.amount * sold_net / (sold_net - back_net), coin)
        on_back = on_sold - tax.amount
    for lines, share in ((sold, on_sold), (back, on_back)):
        weights = [max(by_line[line.number].net, ZERO) for line in lines]
        if lines and share:
            for line, part in zip(lines, split_by_weights(share, weights, coin), strict=True):
                by_line[line.number].tax += part
