"""Control transactions: those that carry a till's totals close its day, all others are counted and passed over."""

from typing import Any

from edge_agent.sources.poslog.elements import Element, NotUnderstood, attribute, local, number, own_text
from edge_agent.sources.poslog.header import Header
from edge_agent.sources.poslog.profiles import Profile

MAX_TOTALS = 200
"""Totals of one Z report."""
_PASSED_ANYWAY = ("Amount", "Count", "Total", "Quantity", "Value")


def control_kind(domain: Element) -> str:
    """What a control transaction is: the name of the element that says so, `OperatorSignOn`."""
    for part in domain:
        if local(part) not in ("ReasonCode", "Reason", "SequenceNumber", "TransactionStatus"):
            return local(part)
    return local(domain)


def day_close(domain: Element, header: Header, profile: Profile) -> dict[str, Any] | None:
    """The DAY_CLOSE event of a control transaction that carries totals; None when it is of another kind.

    `totals` is a list of `{"name", "value"}`, with `tender` where the total is of one tender type: names are the
    till's own, paths below the control element.
    """
    for part in domain:
        if local(part) in profile.day_closes and (totals := _totals(part, profile)):
            return {
                "type": "DAY_CLOSE",
                "lineNumber": 0,
                **header.fields(),
                "kind": local(part),
                "totals": totals,
            }
    return None


def _totals(part: Element, profile: Profile) -> list[dict[str, Any]]:
    totals: list[dict[str, Any]] = []
    for leaf in part.iter():
        if len(leaf) or not local(leaf).endswith(_PASSED_ANYWAY) or own_text(leaf) is None:
            continue
        try:
            total: dict[str, Any] = {"name": _name(leaf, part), "value": number(leaf)}
        except NotUnderstood:
            continue  # a text that only ends like a total
        if (tender := _tender(leaf, part, profile)) is not None:
            total["tender"] = tender
        totals.append(total)
        if len(totals) >= MAX_TOTALS:
            break
    return totals


def _name(leaf: Element, part: Element) -> str:
    steps = [local(leaf)]
    while (parent := leaf.getparent()) is not part and parent is not None:
        steps.append(local(parent))
        leaf = parent
    return "/".join(reversed(steps))[:128]


def _tender(leaf: Element, part: Element, profile: Profile) -> str | None:
    while leaf is not None and leaf is not part:
        if (kind := attribute(leaf, "TenderType")) is not None:
            return profile.tender_types.get(kind.lower(), kind.upper())
        leaf = leaf.getparent()
    return None
