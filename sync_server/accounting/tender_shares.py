"""Which part of each tender pays for each line of a group, to the last cent. Pure.

Every line keeps its own shares, so that any line can be reversed exactly later.
"""

from collections.abc import Sequence
from decimal import Decimal

from shared.money import split_by_weights
from sync_server.accounting.posting_rules import DIFFERENCE, TenderShares

ZERO = Decimal(0)


def share_tenders(
    amounts: Sequence[Decimal], tenders: Sequence[tuple[str, Decimal]], unit: Decimal
) -> tuple[list[TenderShares], bool]:
    """The shares of each line, and whether the tenders differ from the lines' total.

    `amounts` are signed from the store's view (+ sale, − return). Without tenders one unspecified tender is
    assumed. A difference is a share of its own, so that every line's shares sum to its amount.
    """
    if not tenders:
        return [[(None, amount)] for amount in amounts], False
    total, paid = sum(amounts, ZERO), sum((amount for _, amount in tenders), ZERO)
    columns: list[tuple[str, Decimal]] = list(tenders)
    if total and paid == -total:
        # Some tills write what they pay out for a return as a positive tender.
        columns, paid = [(tender, -amount) for tender, amount in tenders], total
    if differs := total != paid:
        columns.append((DIFFERENCE, total - paid))
    if len(columns) == 1:
        return [[(columns[0][0], amount)] for amount in amounts], False
    return _split(amounts, columns, unit), differs


def _split(
    amounts: Sequence[Decimal], columns: Sequence[tuple[str, Decimal]], unit: Decimal
) -> list[TenderShares]:
    """Every column but the last by largest remainder; the last takes what is left of each line."""
    weights = [abs(amount) for amount in amounts]
    left = list(amounts)
    shares: list[list[tuple[str | None, Decimal]]] = [[] for _ in amounts]
    for tender, paid in columns[:-1]:
        for index, share in enumerate(split_by_weights(paid, weights, unit)):
            left[index] -= share
            shares[index].append((tender, share))
    for index, rest in enumerate(left):
        shares[index].append((columns[-1][0], rest))
    return [[(tender, share) for tender, share in line if share] for line in shares]
