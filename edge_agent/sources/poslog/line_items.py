"""One line item: goods, a tender, a tax, a discount, a rounding, or nothing that counts."""

import re
from decimal import Decimal
from typing import Any

import msgspec

from edge_agent.sources.poslog.elements import (
    Element,
    NotUnderstood,
    amount,
    attribute,
    child,
    children,
    decimal_from,
    flag,
    local,
    number,
    own_text,
    said,
    text,
)
from edge_agent.sources.poslog.header import Header, origin
from edge_agent.sources.poslog.profiles import Profile
from shared.money import minor_unit, round_to

ZERO = Decimal(0)
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_LETTERS = re.compile(r"[^A-Za-z0-9]+")
_LINE_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_PAYS = re.compile(r"(Amount|Charge|Fee)$")
_TAX_INCLUDED = (
    "TaxIncludedInTaxableAmountFlag",
    "TaxIncludedInPriceFlag",
    "TaxIncludedInPricesFlag",
    "IncludedFlag",
)


class GoodsLine(msgspec.Struct, kw_only=True, eq=False):
    """A Sale or a Return as the till wrote it, signs included."""

    element: Element
    number: int
    returned: bool
    item_id: str | None
    barcode: str | None
    quantity: Decimal
    extended: Decimal
    unit: str | None
    modifiers: Decimal
    """What RetailPriceModifier takes off, above zero."""
    tax: Decimal | None
    """The line's own tax, above zero; None when it states none."""
    tax_included: bool | None
    """Whether the till says that the amount holds the tax; None: it does not say."""
    taxed: frozenset[str]
    """TaxIDs of the taxes that lie on the line, where the profile knows."""
    flagged: bool
    """VoidFlag."""
    voids_number: int | None
    """The line that it says it takes back."""
    reference: str | None
    """What rewards call the line."""
    origin: str | None
    reason: str | None

    @property
    def negative(self) -> bool:
        """Whether it is written below zero."""
        return self.quantity < 0 or self.extended < 0

    @property
    def direction(self) -> int:
        """1: goods leave the store; -1: they come back."""
        return -1 if self.returned or self.negative else 1


class TenderLine(msgspec.Struct, kw_only=True):
    """Money that came in (above zero) or went out, as far as one Tender says so."""

    type: str
    amount: Decimal
    cashback: Decimal


class TaxLine(msgspec.Struct, kw_only=True):
    """A tax of the whole transaction."""

    amount: Decimal
    tax_id: str | None
    included: bool | None


class DiscountLine(msgspec.Struct, kw_only=True):
    """What is taken off the goods line that it names, or the whole transaction."""

    amount: Decimal
    reference: str | None


class RoundingLine(msgspec.Struct):
    """What was rounded because there are no coins so small."""

    amount: Decimal


class PassedOver(msgspec.Struct):
    """Says nothing of goods or money."""

    kind: str


LineItem = GoodsLine | TenderLine | TaxLine | DiscountLine | RoundingLine | PassedOver


def read_line_item(item: Element, line_number: int, header: Header, profile: Profile) -> LineItem:
    """What a LineItem says; raises NotUnderstood when it carries money that no rule knows."""
    if flag(item, "CancelFlag"):
        return PassedOver("cancelled line")
    for part in item:
        kind = local(part)
        if kind in ("Sale", "Return"):
            return _goods(item, part, line_number, header, profile)
        if kind == "Tender":
            return _tender(item, part, profile)
        if kind == "Tax":
            return TaxLine(
                amount=_must(part, "Amount"), tax_id=attribute(part, "TaxID"), included=_included(part)
            )
        if profile.reward is not None and kind == profile.reward.element:
            return _reward(part, profile)
        if kind in ("Discount", "TransactionDiscount"):
            return DiscountLine(amount=_signed_off(part), reference=None)
        if kind == "Rounding":
            return RoundingLine(_must(part, "Amount", "RoundingAmount"))
    return _other(item, profile)


def _goods(item: Element, part: Element, line_number: int, header: Header, profile: Profile) -> GoodsLine:
    item_id, barcode = _identity(part, profile)
    taxes = list(children(part, "Tax"))
    quantity, unit = _quantity(part, profile)
    link = child(item, "ItemLink")
    voids = None if link is None else text(link, "LineItemSequenceNumber", "SequenceNumber")
    return GoodsLine(
        element=part,
        number=line_number,
        returned=local(part) == "Return",
        item_id=item_id,
        barcode=barcode,
        quantity=quantity,
        extended=_extended(part, quantity, header),
        unit=unit,
        modifiers=sum((_signed_off(each) for each in children(part, "RetailPriceModifier")), ZERO),
        tax=abs(sum((_must(each, "Amount") for each in taxes), ZERO)) if taxes else None,
        tax_included=next((each for each in map(_included, taxes) if each is not None), None),
        taxed=_taxed(part, profile),
        flagged=flag(item, "VoidFlag"),
        voids_number=int(voids) if voids is not None and _LINE_NUMBER.fullmatch(voids) else None,
        reference=None if profile.reward is None else text(part, profile.reward.line_reference),
        origin=origin(part, header, profile),
        reason=said(part, "Reason") or text(part, "ReasonCode"),
    )


def _identity(part: Element, profile: Profile) -> tuple[str | None, str | None]:
    """(item id, barcode): ItemID is the item; a POSItemID is its barcode, or the item itself, by its type."""
    item_id, barcode = text(part, "ItemID"), None
    for identity in children(part, "POSIdentity"):
        code = text(identity, "POSItemID")
        kind = _NOT_LETTERS.sub("", said(identity, "POSIDType") or "").lower()
        if code is not None and barcode is None and kind in profile.barcode_types:
            barcode = code
        elif code is not None and item_id is None:
            item_id = code
    if item_id is None and barcode is None:
        department = text(part, "MerchandiseHierarchy")
        item_id = None if department is None else f"DEPARTMENT-{department}"
    return item_id, barcode


def _quantity(part: Element, profile: Profile) -> tuple[Decimal, str | None]:
    element = child(part, "Quantity")
    if element is None:
        raise NotUnderstood(part, "Quantity is missing")
    unit = attribute(element, "UnitOfMeasureCode")
    units = attribute(element, "Units")
    if units is not None and unit is not None and unit.upper() in profile.quantity_in_units:
        return decimal_from(element, units), unit
    return (number(element) if own_text(element) is not None else decimal_from(element, units or "")), unit


def _extended(part: Element, quantity: Decimal, header: Header) -> Decimal:
    """The line's amount; some vendors leave it to price times quantity."""
    extended = amount(part, "ExtendedAmount")
    if extended is not None:
        return extended
    price = amount(part, "ActualSalesUnitPrice", "RegularSalesUnitPrice", "UnitListPrice")
    if price is None:
        raise NotUnderstood(part, "ExtendedAmount is missing, and no unit price stands in for it")
    return round_to(price * quantity, minor_unit(header.currency or ""))


def _signed_off(element: Element) -> Decimal:
    """What a modifier or discount takes off; Action="Add" puts it on, "Replace" is no difference at all."""
    found = child(element, "Amount", "ExtendedDiscountAmount", "ExtendedAmount")
    if found is None or own_text(found) is None:
        return ZERO
    action = (attribute(found, "Action") or attribute(element, "Action") or "subtract").lower()
    if action == "replace":
        return ZERO
    return -abs(number(found)) if action == "add" else abs(number(found))


def _included(tax: Element) -> bool | None:
    for place in (tax, child(tax, "TaxableAmount")):
        if place is None:
            continue
        for name in _TAX_INCLUDED:
            if (attribute(place, name) or "") != "":
                return flag(place, name)
    return None


def _taxed(part: Element, profile: Profile) -> frozenset[str]:
    if profile.taxed_lines is None:
        return frozenset()
    name, beginning = profile.taxed_lines
    flags = child(part, name)
    if flags is None:
        return frozenset()
    names = (str(key).rpartition("}")[2] for key in flags.attrib)
    return frozenset(
        each.removeprefix(beginning) for each in names if each.startswith(beginning) and flag(flags, each)
    )


def _tender(item: Element, part: Element, profile: Profile) -> LineItem:
    paid = _must(part, "Amount")
    if (attribute(part, "TypeCode") or "").lower() in profile.refund_tenders:
        paid = -abs(paid)
    if flag(item, "VoidFlag"):
        if profile.void_lines == "in-place" or (profile.void_lines == "by-sign" and paid > 0):
            return PassedOver("voided tender")
        paid = -abs(paid)
    change = sum((_must(each, "Amount") for each in children(part, "TenderChange")), ZERO)
    # Some vendors write change as a tender of its own, below zero, and repeat it as the tender's change.
    if paid > 0:
        paid -= abs(change)
    cashback = child(part, "Cashback")
    given = (
        ZERO if cashback is None else (number(cashback) if own_text(cashback) else amount(cashback, "Amount"))
    )
    return TenderLine(type=_tender_type(part, profile), amount=paid, cashback=abs(given or ZERO))


def _tender_type(part: Element, profile: Profile) -> str:
    spelled = said(part, "TenderType") or text(part, "TenderID") or "OTHER"
    known = profile.tender_types.get(spelled.lower())
    if known is not None:
        return known
    return _NOT_LETTERS.sub("_", _WORDS.sub("_", spelled)).strip("_").upper()[:128] or "OTHER"


def _reward(part: Element, profile: Profile) -> LineItem:
    reward: Any = profile.reward
    if any(said(part, name) != value for name, value in reward.conditions.items()):
        return PassedOver(local(part))
    return DiscountLine(amount=-_must(part, reward.amount), reference=text(part, reward.reference))


def _other(item: Element, profile: Profile) -> PassedOver:
    """Lines of other kinds are passed over unless they carry money: then somebody must say what it is."""
    part = next(
        (each for each in item if local(each) not in ("SequenceNumber", "BeginDateTime", "EndDateTime")), None
    )
    if part is None:
        return PassedOver("empty line")
    kind = local(part)
    if kind not in profile.passed_over_lines:
        for each in part.iter():
            if _PAYS.search(local(each)) and (own_text(each) or "0").strip("+-0.") != "":
                raise NotUnderstood(
                    part, f"{kind} carries money, and no rule says what it is", own_text(each)
                )
    return PassedOver(kind)


def _must(element: Element, *names: str) -> Decimal:
    found = amount(element, *names)
    if found is None:
        raise NotUnderstood(element, f"{names[0]} is missing")
    return found
