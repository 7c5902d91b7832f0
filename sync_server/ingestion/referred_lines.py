"""The posted lines that voids and returns of a batch refer to, by event key or by sale."""

from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.pos_event import EventType
from shared.wire_json import decode_json
from sync_server.accounting.posting_rules import TenderShares
from sync_server.ingestion.groups import sale_key
from sync_server.ingestion.known_reservations import RESERVATION_MARK, read_sold_parts
from sync_server.ingestion.known_state import KnownItem, KnownState, PostedLine, key_array
from sync_server.ingestion.references import References
from sync_server.inventory.valuation import StockPosition

ZERO = Decimal(0)

_COLUMNS = """
    e.store_sequence, e.event_key, e.type, e.item_no, i.item_id, e.quantity, e.amount, e.tax_amount, e.cost,
    e.currency, e.tenders, e.sale_id, e.line_number, e.details::text
"""
_LINES = f"""
    SELECT {_COLUMNS} FROM pos_event e LEFT JOIN item i ON i.item_no = e.item_no
    WHERE e.store_no = %(store)s AND e.event_key = ANY(%(events)s::uuid[])
    UNION ALL
    SELECT {_COLUMNS} FROM pos_sale s
    JOIN pos_event e ON e.store_no = s.store_no AND e.store_sequence BETWEEN s.first_sequence AND s.last_sequence
    LEFT JOIN item i ON i.item_no = e.item_no
    WHERE s.store_no = %(store)s AND s.sale_key = ANY(%(sales)s::uuid[]) AND e.type <> 'VOID'
      AND (s.sale_key = ANY(%(voided)s::uuid[]) OR e.item_no = ANY(%(goods)s::int[]))
"""  # noqa: S608  # built from constants
_VOIDED = """
    SELECT voided_sequence FROM void_effect WHERE store_no = %s AND voided_sequence = ANY(%s::bigint[])
"""
_RETURNED = """
    SELECT r.sold_sequence, r.return_sequence, r.quantity FROM sale_return r
    LEFT JOIN void_effect v ON v.store_no = r.store_no AND v.voided_sequence = r.return_sequence
    WHERE r.store_no = %s AND r.sold_sequence = ANY(%s::bigint[]) AND v.voided_sequence IS NULL
    ORDER BY r.return_sequence
"""


def read_referred_lines(
    cursor: Cursor[Any], store_no: int, state: KnownState, named: References
) -> list[KnownItem]:
    """Adds the lines that voids and returns name to `state`, in the order of posting.

    Returns the items of those lines that the batch itself does not name; their stock is still to be read.
    """
    if not (named.events or named.voided_sales or named.returned):
        return []
    voided = {sale_key(sale_id) for sale_id in named.voided_sales}
    goods = {state.items[item].item_no for _, item in named.returned}
    parameters = {
        "store": store_no,
        "events": key_array(named.events),
        "sales": key_array(voided | {sale_key(sale_id) for sale_id, _ in named.returned}),
        "voided": key_array(voided),
        "goods": "{" + ",".join(map(str, goods)) + "}",
    }
    rows = {row[0]: row for row in cursor.execute(_LINES, parameters, prepare=True).fetchall()}
    if not rows:
        return []
    sequences = [store_no, "{" + ",".join(map(str, rows)) + "}"]
    voided = {row[0] for row in cursor.execute(_VOIDED, sequences, prepare=True).fetchall()}
    returned: dict[int, list[tuple[int, Decimal]]] = {}
    for sold, sequence, quantity in cursor.execute(_RETURNED, sequences, prepare=True).fetchall():
        returned.setdefault(sold, []).append((sequence, quantity))
    by_number = {item.item_no: item for item in state.items.values()}
    others: list[KnownItem] = []
    reserving: dict[int, PostedLine] = {}
    for sequence, row in sorted(rows.items()):
        line = _line(row, by_number)
        line.voided = sequence in voided
        line.returns = returned.get(sequence, [])
        if line.item is not None and line.item.item_no not in by_number:
            by_number[line.item.item_no] = state.items[line.item.item_id] = line.item
            others.append(line.item)
        if row[-1] is not None and RESERVATION_MARK in row[-1]:
            reserving[sequence] = line
        remember(state, line)
    if reserving:
        for sequence, part in read_sold_parts(cursor, store_no, state.reservations, reserving).items():
            reserving[sequence].part = part
    return others


def remember(state: KnownState, line: PostedLine) -> None:
    """Makes `line` findable by its event key and by its sale."""
    state.lines_by_key[line.key] = line
    if line.sale_id is not None:
        state.lines_by_sale.setdefault(line.sale_id, []).append(line)


def _line(row: tuple[Any, ...], by_number: dict[int, KnownItem]) -> PostedLine:
    sequence, key, kind, item_no, item_id, quantity, amount, tax, cost, currency, tenders, *rest = row
    sale_id, line_number, details = rest
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
        tenders=_shares(tenders),
        sale_id=sale_id,
        line_number=line_number,
        damaged=kind == EventType.RETURN and _was_damaged(details),
    )


def _shares(tenders: Any) -> TenderShares | None:
    """The recorded shares, unsigned as the line's amount is; text inside JSON keeps them exact."""
    if tenders is None:
        return None
    return [(tender, Decimal(share)) for tender, share in tenders]


def _was_damaged(details: str | None) -> bool:
    """Read here and not by PostgreSQL, which cannot take apart JSON that holds \\u0000 in any of its texts."""
    return details is not None and decode_json(details.encode()).get("disposition") == "DAMAGED"
