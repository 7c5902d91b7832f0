"""How a transaction was paid, in the contract's words: what came in above zero, change and refunds below. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from edge_agent.sources.poslog.line_items import RoundingLine, TenderLine
from shared.event_fields import MAX_TENDERS

ZERO = Decimal(0)


def paid_with(
    tenders: Sequence[TenderLine], roundings: Sequence[RoundingLine], total: Decimal
) -> list[dict[str, Any]]:
    """The tenders of a transaction whose lines add up to `total`.

    Cash that a card holder took along, and what was rounded away, count where they explain the difference. More
    tenders than the contract takes are added up by type, and what is still too many as OTHER.
    """
    paid = [(tender.type, tender.amount) for tender in tenders if tender.amount]
    over = net_paid(tenders) - total
    cashback = sum((tender.cashback for tender in tenders), ZERO)
    rounded = sum((each.amount for each in roundings), ZERO)
    if cashback and over == cashback:
        paid.append(("CASH", -cashback))
    elif rounded and abs(over) == abs(rounded):
        paid.append(("ROUNDING", -over))
    if len(paid) > MAX_TENDERS:
        sums: dict[str, Decimal] = {}
        for kind, amount in paid:
            sums[kind] = sums.get(kind, ZERO) + amount
        kinds = list(sums)[: MAX_TENDERS - 1]
        paid = [(kind, sums.pop(kind)) for kind in kinds]
        paid.append(("OTHER", sum(sums.values(), ZERO)))
    return [{"type": kind, "amount": amount} for kind, amount in paid]


def net_paid(tenders: Sequence[TenderLine]) -> Decimal:
    """What came in less what went out."""
    return sum((tender.amount for tender in tenders), ZERO)
