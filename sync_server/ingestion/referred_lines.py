"""The posted lines that voids and returns of a batch refer to, by event key or by sale."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.pos_event import EventType
from shared.wire_json import decode_json
from sync_server.accounting.posting_rules import TenderShares
from sync_server.ingestion.known_state import KnownItem, KnownState, PostedLine, key_array
from sync_server.inventory.valuation import StockPosition

ZERO = Decimal(0)

_RETURNS = """
    FROM sale_return r
    WHERE r.store_no = e.store_no AND r.sold_sequence = e.store_sequence
      AND NOT EXISTS (SELECT FROM void_effect w WHERE w.store_no = r.store_no AND w.voided_sequence = r.return_sequence)
    ORDER BY r.return_sequence
"""
_COLUMNS = f"""
    e.store_sequence, e.event_key, e.type, e.item_no, i.item_id, e.quantity, e.amount, e.tax_amount, e.cost,
    e.currency, e.tenders, e.sale_id, e.line_number, e.details::text,
    EXISTS (SELECT FROM void_effect v WHERE v.store_no = e.store_no AND v.voided_sequence = e.store_sequence),
    ARRAY(SELECT r.return_sequence {_RETURNS}), ARRAY(SELECT r.quantity {_RETURNS})
"""
_BY_KEY = f"""
    SELECT {_COLUMNS} FROM pos_event e LEFT JOIN item i ON i.item_no = e.item_no
    WHERE e.store_no = %(store)s AND e.event_key = ANY(%(events)s::uuid[])
"""  # noqa: S608  # built from constants
_BY_SALE = f"""
    SELECT {_COLUMNS} FROM pos_sale s
    JOIN pos_event e ON e.store_no = s.store_no AND e.store_sequence BETWEEN s.first_sequence AND s.last_sequence
    LEFT JOIN item i ON i.item_no = e.item_no
    WHERE s.store_no = %(store)s AND s.sale_key = ANY(%(sales)s::uuid[]) AND e.type <> 'VOID'
"""  # noqa: S608  # built from constants
_REFERRED = f"""
    SELECT DISTINCT ON (store_sequence) * FROM (({_BY_KEY}) UNION ALL ({_BY_SALE})) AS line ORDER BY store_sequence
"""  # noqa: S608  # built from constants


def read_referred_lines(
    cursor: Cursor[Any], store_no: int, state: KnownState, events: Sequence[str], sales: Sequence[str]
) -> list[KnownItem]:
    """Adds the lines with these event keys and of these sales to `state`, in the order of posting.

    Returns the items of those lines that the batch itself does not name; their stock is still to be read.
    """
    cursor.execute(
        _REFERRED,
        {"store": store_no, "events": key_array(events), "sales": key_array(sales)},
    )
    by_number = {item.item_no: item for item in state.items.values()}
    others: list[KnownItem] = []
    for row in cursor.fetchall():
        line = _line(row, by_number)
        if line.item is not None and line.item.item_no not in by_number:
            by_number[line.item.item_no] = state.items[line.item.item_id] = line.item
            others.append(line.item)
        remember(state, line)
    return others


def remember(state: KnownState, line: PostedLine) -> None:
    """Makes `line` findable by its event key and by its sale."""
    state.lines_by_key[line.key] = line
    if line.sale_id is not None:
        state.lines_by_sale.setdefault(line.sale_id, []).append(line)


def _line(row: tuple[Any, ...], by_number: dict[int, KnownItem]) -> PostedLine:
    sequence, key, kind, item_no, item_id, quantity, amount, tax, cost, currency, tenders, *rest = row
    sale_id, line_number, details, voided, returns, returned = rest
    item = None
    if item_no is not None:
        item = by_number.get(item_no) or KnownItem(item_no, item_id, StockPosition())
    return PostedLine(
        store_sequence=sequence,
        key=key.hex,
        type=kind,
        item=item,
        quantity=quantity or ZERO,
        amount=amount or ZERO,
        tax=tax or ZERO,
        cost=cost or ZERO,
        currency=currency,
        tenders=_shares(tenders, amount or ZERO),
        sale_id=sale_id,
        line_number=line_number,
        damaged=kind == EventType.RETURN and _was_damaged(details),
        voided=voided,
        returns=list(zip(returns, returned, strict=True)),
    )


def _shares(tenders: Any, amount: Decimal) -> TenderShares:
    """The recorded shares, unsigned as the line's amount is; text inside JSON keeps them exact."""
    if tenders is None:
        return [(None, amount)]
    return [(tender, Decimal(share)) for tender, share in tenders]


def _was_damaged(details: str | None) -> bool:
    """Read here and not by PostgreSQL, which cannot take apart JSON that holds \\u0000 in any of its texts."""
    return details is not None and decode_json(details.encode()).get("disposition") == "DAMAGED"
