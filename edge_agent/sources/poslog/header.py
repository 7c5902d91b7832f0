"""Whose transaction it is, when it was, and whether it may be posted."""

import re
from typing import Any

import msgspec

from edge_agent.sources.poslog.elements import (
    Element,
    NotUnderstood,
    attribute,
    child,
    children,
    flag,
    local,
    said,
    text,
)
from edge_agent.sources.poslog.profiles import Profile

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9:.]+)?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
_VOID_ELEMENTS = ("PostVoid", "VoidTransaction", "PostVoidTransaction", "TransactionVoid")
_FLAGS = {
    "TrainingModeFlag": "training",
    "CancelFlag": "cancelled",
    "SuspendFlag": "suspended",
    "SuspendedFlag": "suspended",
}
_DOMAINS = (
    "RetailTransaction",
    "ControlTransaction",
    "TenderControlTransaction",
    "InventoryControlTransaction",
)


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What all lines of a transaction have in common."""

    store: str | None
    workstation: str | None
    number: str
    day: str | None
    """BusinessDayDate, YYYY-MM-DD."""
    occurred_at: str | None
    """As the till wrote it: bare local time or with an offset."""
    operator: str | None
    currency: str | None

    @property
    def sale_id(self) -> str:
        """What voids and returns call the sale; made of the same parts as a TransactionLink."""
        return _sale_id(self.store, self.workstation, self.day, self.number)

    def fields(self) -> dict[str, Any]:
        """The header in the fields of a till event."""
        fields = {
            "transactionNumber": self.number,
            "workstationId": self.workstation,
            "cashierId": self.operator,
            "occurredAt": self.occurred_at,
            "businessDate": self.day,
            "currency": self.currency,
        }
        return {name: value for name, value in fields.items() if value is not None}


def read_header(transaction: Element, domain: Element | None) -> Header:
    """The header of a transaction; raises NotUnderstood when nothing numbers it or its day is no day."""
    number = text(transaction, "SequenceNumber", "TransactionID")
    if number is None:
        raise NotUnderstood(transaction, "A transaction needs a SequenceNumber or a TransactionID")
    return Header(
        store=_store(transaction),
        workstation=text(transaction, "WorkstationID", "TillID"),
        number=number,
        day=_day(transaction),
        occurred_at=_occurred_at(transaction, domain),
        operator=text(transaction, "OperatorID", "Operator"),
        currency=text(transaction, "CurrencyCode") or _currency_of(domain),
    )


def _store(element: Element) -> str | None:
    unit = child(element, "BusinessUnit")
    return text(element, "RetailStoreID") or (None if unit is None else text(unit, "UnitID"))


def _day(element: Element) -> str | None:
    """A date may come with a zone or a midnight behind it; only the date is meant."""
    spelled = text(element, "BusinessDayDate")
    if spelled is None:
        return None
    match = _DAY.fullmatch(spelled)
    if match is None:
        raise NotUnderstood(child(element, "BusinessDayDate"), "Must be a date such as 2026-02-10", spelled)
    return match[1]


def _occurred_at(transaction: Element, domain: Element | None) -> str | None:
    """When the transaction ended, else when it began: a receipt is a fact once it is complete."""
    end = text(transaction, "EndDateTime")
    typed = {attribute(each, "TypeCode"): each.text for each in children(transaction, "POSLogDateTime")}
    receipt = None if domain is None else text(domain, "ReceiptDateTime")
    found = (
        end or typed.get("Transaction") or receipt or text(transaction, "BeginDateTime") or typed.get(None)
    )
    return None if found is None else str(found).strip() or None


def _currency_of(domain: Element | None) -> str | None:
    return None if domain is None else text(domain, "CurrencyCode")


def _sale_id(store: str | None, workstation: str | None, day: str | None, number: str) -> str:
    return "-".join(part for part in (store, workstation, day, number) if part is not None)


def linked_sale(link: Element, header: Header) -> str | None:
    """The sale id that a TransactionLink names; parts that it leaves out are those of the linking transaction."""
    number = text(link, "SequenceNumber", "TransactionID", "TransactionSequenceNumber")
    if number is None:
        return None
    return _sale_id(
        _store(link) or header.store,
        text(link, "WorkstationID", "TillID") or header.workstation,
        _day(link) or header.day,
        number,
    )


def origin(element: Element, header: Header, profile: Profile) -> str | None:
    """The sale that a line or a transaction comes back from, by its TransactionLink; None when it names none."""
    for link in children(element, "TransactionLink"):
        reason = (attribute(link, "ReasonCode") or "").lower()
        if reason not in profile.not_origins and reason not in profile.post_voids:
            return linked_sale(link, header)
    return None


def post_voided_sale(
    transaction: Element, domain: Element | None, header: Header, profile: Profile
) -> str | None:
    """The sale that this transaction takes back as a whole, however the vendor says so; None when it does not."""
    status = _status(transaction, domain)
    for place in (transaction, domain):
        if place is None:
            continue
        for link in children(place, "TransactionLink"):
            reason = (attribute(link, "ReasonCode") or text(link, "ReasonCode") or "").lower()
            if reason in profile.post_voids or (
                status in profile.post_voids and reason not in profile.not_origins
            ):
                return linked_sale(link, header)
        void = child(place, *_VOID_ELEMENTS)
        if void is not None:
            link = child(void, "TransactionLink")
            return linked_sale(void if link is None else link, header)
    return None


def must_not_post(transaction: Element, domain: Element | None, profile: Profile) -> str | None:
    """Why a transaction is no sale though it looks like one; None when it is one."""
    return flagged(transaction, domain) or profile.not_posted.get(_status(transaction, domain))


def flagged(transaction: Element, domain: Element | None) -> str | None:
    """What a flag says of it: training, cancelled, suspended; None when none is set."""
    for place in (transaction, domain):
        if place is None:
            continue
        for name, reason in _FLAGS.items():
            if flag(place, name):
                return reason
    return None


def _status(transaction: Element, domain: Element | None) -> str:
    found = None if domain is None else said(domain, "TransactionStatus")
    return (found or said(transaction, "TransactionStatus") or "").lower()


def domain_of(transaction: Element) -> Element | None:
    """The part that says what kind of transaction it is; None when there is none."""
    known = child(transaction, *_DOMAINS, *_VOID_ELEMENTS)
    if known is not None:
        return known
    return next((each for each in transaction if local(each).endswith("Transaction")), None)
