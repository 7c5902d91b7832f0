"""What rows refer to is there: the references that the ledger's tables do without foreign keys for, for speed."""

from typing import Final

from sync_server.support.ledger_check import LedgerCheck

_MISSING: Final = """
    SELECT store_no, {position}, concat('{what} ', {position}),
           concat('it names {names}, which does not exist: ', {column})
    FROM {table} AS row WHERE OF_STORE AND {column} IS NOT NULL AND NOT EXISTS (SELECT FROM {there})
"""


def _refers(table: str, what: str, position: str, column: str, names: str, there: str) -> LedgerCheck:
    query = _MISSING.format(
        table=table, what=what, position=position, column=column, names=names, there=there
    )
    return LedgerCheck(f"Every {what} names {names} that exists.", query)


_EVENT: Final = "pos_event e WHERE e.store_no = row.store_no AND e.store_sequence = row."
_ITEM: Final = "item i WHERE i.item_no = row.item_no"
_STREAM: Final = "stream s WHERE s.stream_no = row.stream_no AND s.store_no = row.store_no"

REFERENCE_CHECKS: Final = (
    _refers("pos_event", "event", "store_sequence", "item_no", "an item", _ITEM),
    _refers("stock_movement", "movement", "store_sequence", "item_no", "an item", _ITEM),
    _refers("store_stock", "stock row of item number", "item_no", "item_no", "an item", _ITEM),
    _refers("pos_event", "event", "store_sequence", "stream_no", "a stream", _STREAM),
    _refers("stream_receipt", "receipt", "first_sequence", "stream_no", "a stream", _STREAM),
    _refers("held_event", "held event", "held_event_no", "stream_no", "a stream", _STREAM),
    _refers("void_effect", "void effect", "store_sequence", "void_sequence", "a void",
            f"{_EVENT}void_sequence AND e.type = 'VOID'"),
    _refers("void_effect", "void effect", "store_sequence", "voided_sequence", "a line",
            f"{_EVENT}voided_sequence AND e.type <> 'VOID'"),
    _refers("void_claim", "claim of void", "void_sequence", "void_sequence", "a void",
            f"{_EVENT}void_sequence AND e.type = 'VOID'"),
    _refers("sale_return", "return", "return_sequence", "return_sequence", "a return",
            f"{_EVENT}return_sequence AND e.type = 'RETURN'"),
    _refers("sale_return", "return", "return_sequence", "sold_sequence", "a sale",
            f"{_EVENT}sold_sequence AND e.type = 'SALE'"),
    _refers("held_event", "released event", "held_event_no", "released_key", "a posted event",
            "pos_event e WHERE e.store_no = row.store_no AND e.event_key = row.released_key"),
    _refers("pos_sale", "sale", "first_sequence", "first_sequence", "a line", f"{_EVENT}first_sequence"),
    LedgerCheck(
        "Every line of a sale is found by its sale.",
        """
        SELECT store_no, store_sequence, concat('event ', store_sequence),
               concat('sale ', sale_id, ' does not lead to it')
        FROM (
            SELECT *, max(last_sequence) OVER (
                PARTITION BY store_no ORDER BY store_sequence, is_line ROWS UNBOUNDED PRECEDING) AS reached
            FROM (
                SELECT store_no, first_sequence AS store_sequence, last_sequence, NULL AS sale_id, 0 AS is_line
                FROM pos_sale WHERE OF_STORE
                UNION ALL
                SELECT store_no, store_sequence, 0, sale_id, 1
                FROM pos_event WHERE OF_STORE AND sale_id IS NOT NULL AND type <> 'VOID'
            ) AS spans_and_lines
        ) AS line
        WHERE is_line = 1 AND reached < store_sequence
        """,
    ),
    LedgerCheck(
        "No more of a sold line is known to have come back than was sold.",
        """
        SELECT store_no, store_sequence, concat('event ', store_sequence),
               concat(sold, ' were sold and ', returned, ' of them came back')
        FROM (
            SELECT e.store_no, e.store_sequence, e.quantity AS sold, sum(r.quantity) AS returned
            FROM (SELECT * FROM sale_return WHERE OF_STORE) AS r
            JOIN pos_event e ON e.store_no = r.store_no AND e.store_sequence = r.sold_sequence
            WHERE NOT EXISTS (SELECT FROM void_effect v
                              WHERE v.store_no = r.store_no AND v.voided_sequence = r.return_sequence)
            GROUP BY e.store_no, e.store_sequence
        ) AS line
        WHERE returned > sold
        """,
    ),
)  # fmt: skip
