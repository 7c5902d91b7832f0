"""A POSLog transaction to till events: one transaction, one group."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from edge_agent.sources.poslog.amounts import Amounts, Charge, Charges, charge
from edge_agent.sources.poslog.cancelled_lines import SettledLines, settle_voids
from edge_agent.sources.poslog.control import control_kind, day_close
from edge_agent.sources.poslog.elements import (
    Element,
    NotUnderstood,
    attribute,
    children,
    local,
    number,
    path_of,
    text,
)
from edge_agent.sources.poslog.header import (
    Header,
    domain_of,
    flagged,
    must_not_post,
    origin,
    post_voided_sale,
    read_header,
)
from edge_agent.sources.poslog.line_items import (
    DiscountLine,
    GoodsLine,
    LineItem,
    PassedOver,
    RoundingLine,
    TaxLine,
    TenderLine,
    read_line_item,
)
from edge_agent.sources.poslog.profiles import Profile
from edge_agent.sources.poslog.tally import Tally
from edge_agent.sources.poslog.tenders import net_paid, paid_with
from shared.money import minor_unit
from shared.pos_event import check_event
from shared.problems import Violation
from shared.protocol import DEFAULT_LIMITS

Event = dict[str, Any]

_WRITTEN_AS = {
    "itemId": "ItemID",
    "barcode": "POSIdentity/POSItemID",
    "quantity": "Quantity",
    "unitOfMeasure": "Quantity",
    "amount": "ExtendedAmount",
    "discountAmount": "RetailPriceModifier",
    "taxAmount": "Tax",
    "originalSaleId": "TransactionLink",
    "reasonCode": "Reason",
    "occurredAt": "EndDateTime",
    "businessDate": "BusinessDayDate",
    "workstationId": "WorkstationID",
    "transactionNumber": "SequenceNumber",
    "cashierId": "OperatorID",
    "currency": "CurrencyCode",
    "lineNumber": "SequenceNumber",
}
"""How POSLog calls the fields of a till event."""


MAX_LINE_ITEMS = 10_000
"""Line items of one transaction, of which DEFAULT_LIMITS.max_events may be goods."""


class RefusedPart(msgspec.Struct, frozen=True):
    """What of a transaction cannot be understood."""

    items: list[Element]
    """The line items; none: the whole transaction."""
    violations: list[Violation]


class TransactionReading(msgspec.Struct):
    """What a transaction comes to."""

    events: list[tuple[Event, Element]]
    """Each event with the element that it was read from."""
    refused: list[RefusedPart]


def read_transaction(
    transaction: Element, profile: Profile, tally: Tally, store: str | None = None
) -> TransactionReading:
    """The events of one transaction and what of it cannot be understood; counts in `tally`.

    `store` is the only RetailStoreID whose transactions are taken; None: any.
    """
    domain = domain_of(transaction)
    tally.transactions["Transaction" if domain is None else local(domain)] += 1
    try:
        header = read_header(transaction, domain)
        _check_header(transaction, header, store)
        return _read_domain(transaction, domain, header, profile, tally)
    except NotUnderstood as error:
        return TransactionReading([], [RefusedPart([], [error.violation])])


def _check_header(transaction: Element, header: Header, store: str | None) -> None:
    """Refuses a transaction whole when what all its lines have in common makes no sense here."""
    if store is not None and header.store is not None and header.store != store:
        raise NotUnderstood(transaction, f"RetailStoreID must be {store}, this store's", header.store)
    if broken := check_event({"type": "VOID", "voids": {"saleId": header.sale_id}, **header.fields()}, ""):
        name = broken[0].field.removeprefix(".")
        element = next(children(transaction, _WRITTEN_AS.get(name, name)), transaction)
        rejected = broken[0].rejected_value
        raise NotUnderstood(element, broken[0].constraint, None if rejected is None else str(rejected))


def _read_domain(
    transaction: Element, domain: Element | None, header: Header, profile: Profile, tally: Tally
) -> TransactionReading:
    sale_id = post_voided_sale(transaction, domain, header, profile)
    if sale_id is not None and flagged(transaction, domain) is None:
        void = {"type": "VOID", "voids": {"saleId": sale_id}, "lineNumber": 0, **header.fields()}
        return _alone(void, transaction)
    if (reason := must_not_post(transaction, domain, profile)) is not None:
        tally.pass_over(reason, f"transaction {header.sale_id}: {reason}, not posted")
        return TransactionReading([], [])
    if domain is None:
        raise NotUnderstood(transaction, "Says not what kind of transaction it is")
    if local(domain) == "RetailTransaction":
        return _RetailTransaction(domain, header, profile).read(tally)
    if local(domain) in ("ControlTransaction", "TenderControlTransaction"):
        closing = day_close(domain, header, profile)
        if closing is None:
            tally.pass_over(control_kind(domain))
            return TransactionReading([], [])
        return _alone(closing, domain)
    raise NotUnderstood(domain, f"No rule says what a {local(domain)} does to stock and money")


def _alone(event: Event, element: Element) -> TransactionReading:
    """A transaction that is one event; raises NotUnderstood when that breaks the contract."""
    _keep_contract(event, element)
    return TransactionReading([(event, element)], [])


def _keep_contract(event: Event, element: Element) -> None:
    if broken := check_event(event, ""):
        raise NotUnderstood(element, broken[0].constraint)


class _RetailTransaction:
    """A sale or return while it is read."""

    def __init__(self, domain: Element, header: Header, profile: Profile) -> None:
        self._domain = domain
        self._header = header
        self._profile = profile
        self._refused: list[RefusedPart] = []
        self._items: dict[int, Element] = {}
        self._lines: list[LineItem] = []

    def read(self, tally: Tally) -> TransactionReading:
        """Its events; lines that cannot be understood stand beside them."""
        self._read_items(tally)
        if len(self._of(GoodsLine)) > DEFAULT_LIMITS.max_events:
            raise NotUnderstood(
                self._domain, f"A transaction may have {DEFAULT_LIMITS.max_events} lines of goods"
            )
        settled = settle_voids(self._of(GoodsLine), self._profile)
        if settled.dropped:
            tally.lines_passed_over["voided line"] += len(settled.dropped)
        charges = self._charge(settled)
        if not charges.fits:
            tally.unequal_totals += 1
            tally.name(
                f"transaction {self._header.sale_id}: its lines add up to {charges.total}, not to its total"
            )
        events = [(self._goods_event(line, charges.by_line[line.number]), line) for line in settled.posted]
        events += [(self._void_event(void, target), void) for void, target in settled.voids]
        events.sort(key=lambda pair: pair[1].number)
        understood = list(self._understood(events))
        self._add_tenders([event for event, _ in understood], charges)
        if len(understood) > DEFAULT_LIMITS.max_events:
            raise NotUnderstood(
                self._domain, f"A transaction may have {DEFAULT_LIMITS.max_events} lines of goods"
            )
        return TransactionReading(understood, self._refused)

    def _of(self, kind: type[Any]) -> list[Any]:
        return [line for line in self._lines if type(line) is kind]

    def _read_items(self, tally: Tally) -> None:
        items = list(children(self._domain, "LineItem"))
        if len(items) > MAX_LINE_ITEMS:
            raise NotUnderstood(self._domain, f"A transaction may have {MAX_LINE_ITEMS} line items")
        for line_number, item in zip(_line_numbers(items), items, strict=True):
            self._items[line_number] = item
            try:
                line = read_line_item(item, line_number, self._header, self._profile)
            except NotUnderstood as error:
                self._refused.append(RefusedPart([item], [error.violation]))
                continue
            if type(line) is PassedOver:
                tally.lines_passed_over[line.kind] += 1
            self._lines.append(line)

    def _charge(self, settled: SettledLines) -> Charges:
        amounts = Amounts(
            lines=settled.posted,
            taken_back=settled.taken_back(),
            ignored_references={void.reference for void, _ in settled.voids if void.reference is not None},
            discounts=self._of(DiscountLine),
            taxes=self._of(TaxLine),
            due=self._due(),
            coin=minor_unit(self._header.currency or ""),
        )
        return charge(amounts, self._profile)

    def _due(self) -> Decimal | None:
        """The total that the transaction states, else what was paid."""
        for total in children(self._domain, "Total"):
            if (
                attribute(total, "TotalType") == "TransactionGrandAmount"
                and text(self._domain, "Total") is not None
            ):
                try:
                    return number(total)
                except NotUnderstood:
                    return None
        tenders = self._of(TenderLine)
        return net_paid(tenders) - sum(each.cashback for each in tenders) if tenders else None

    def _goods_event(self, line: GoodsLine, charged: Charge) -> Event:
        came_back = line.direction < 0
        event: Event = {
            "type": "RETURN" if came_back else "SALE",
            "saleId": self._header.sale_id,
            "lineNumber": line.number,
            **self._header.fields(),
            "itemId": line.item_id,
            "barcode": line.barcode,
            "quantity": abs(line.quantity),
            "unitOfMeasure": line.unit,
            "amount": charged.amount,
            "taxAmount": charged.tax or None,
            "discountAmount": charged.discount or None,
        }
        if came_back:
            within = self._header.sale_id if line.flagged else None
            event["originalSaleId"] = (
                within or line.origin or origin(self._domain, self._header, self._profile)
            )
            event["reasonCode"] = line.reason
        return {name: value for name, value in event.items() if value is not None}

    def _void_event(self, void: GoodsLine, target: GoodsLine) -> Event:
        return {
            "type": "VOID",
            "saleId": self._header.sale_id,
            "voids": {"saleId": self._header.sale_id, "lineNumber": target.number},
            "lineNumber": void.number,
            **self._header.fields(),
        }

    def _understood(self, events: list[tuple[Event, GoodsLine]]) -> Iterator[tuple[Event, Element]]:
        """The events that keep the contract; the others are refused by the element that is to blame."""
        for event, line in events:
            if broken := check_event(event, ""):
                place = path_of(line.element)
                self._refused.append(
                    RefusedPart([self._items[line.number]], [_at(place, each) for each in broken])
                )
            else:
                yield event, line.element

    def _add_tenders(self, events: list[Event], charges: Charges) -> None:
        """Puts the tenders on the group's first line of goods; money without any goods is refused by name."""
        tenders = paid_with(self._of(TenderLine), self._of(RoundingLine), charges.total)
        bearer = next((event for event in events if event["type"] != "VOID"), None)
        if bearer is not None and tenders:
            bearer["tenders"] = tenders
            _keep_contract(bearer, self._domain)
        elif bearer is None and net_paid(self._of(TenderLine)) and not self._refused:
            raise NotUnderstood(self._domain, "Money was taken, and no line says what for")


def _line_numbers(items: list[Element]) -> list[int]:
    """The till's own line numbers when each line has one and no two the same, else their order from 1."""
    stated = [text(item, "SequenceNumber") or "" for item in items]
    usable = all(each.isascii() and each.isdigit() and len(each) <= 9 for each in stated)
    numbers = [int(each) for each in stated] if usable else []
    return numbers if len(set(numbers)) == len(items) else list(range(1, len(items) + 1))


def _at(place: str, violation: Violation) -> Violation:
    name = violation.field.removeprefix(".")
    return Violation(f"{place}/{_WRITTEN_AS.get(name, name)}", violation.constraint, violation.rejected_value)
