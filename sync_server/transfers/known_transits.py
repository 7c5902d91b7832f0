"""What a store knows of goods under way to it, read under its lock: the `Transit` of each transfer and item."""

from collections.abc import Collection
from typing import Any

from psycopg import Cursor

from sync_server.transfers.transit import Transit

TransitKey = tuple[str, int]
"""(transfer id, item number)."""

_TRANSITS = """
SELECT transfer_id, item_no, sum(quantity), sum(value), sum(waiting), sum(waiting_value) FROM (
    SELECT transfer_id, item_no, quantity, value - variance AS value, 0 AS waiting, 0 AS waiting_value
    FROM transfer_arrival WHERE store_no = %(store_no)s AND transfer_id = ANY(%(ids)s::varchar[])
    UNION ALL
    SELECT transfer_id, item_no, -quantity, -value, 0, 0
    FROM transfer_receipt WHERE store_no = %(store_no)s AND transfer_id = ANY(%(ids)s::varchar[])
    UNION ALL
    SELECT transfer_id, item_no, quantity, value, 0, 0
    FROM transfer_settlement WHERE store_no = %(store_no)s AND transfer_id = ANY(%(ids)s::varchar[])
    UNION ALL
    SELECT leg.transfer_id, leg.item_no, 0, 0, leg.quantity, leg.value
    FROM transfer_leg_waiting waiting
    JOIN transfer_leg leg USING (store_no, store_sequence)
    JOIN store ON store.store_no = %(store_no)s AND store.currency = leg.currency
    LEFT JOIN transfer ON transfer.transfer_id = waiting.transfer_id
    WHERE waiting.transfer_id = ANY(%(ids)s::varchar[]) AND coalesce(transfer.to_store_no, %(store_no)s) = %(store_no)s
) AS step GROUP BY transfer_id, item_no
"""
_RECEIVED = """
SELECT sum(quantity) <> 0 FROM transfer_receipt WHERE store_no = %s AND transfer_id = %s
"""


def read_transits(
    cursor: Cursor[Any], store_no: int, transfer_ids: Collection[str]
) -> dict[TransitKey, Transit]:
    """By transfer and item, where anything happened; legs in another currency than the store's do not count."""
    parameters = {"store_no": store_no, "ids": list(transfer_ids)}
    rows = cursor.execute(_TRANSITS, parameters).fetchall()
    return {(transfer_id, item_no): Transit(*figures) for transfer_id, item_no, *figures in rows}


def has_received(cursor: Cursor[Any], store_no: int, transfer_id: str) -> bool:
    """Whether the store has put anything of the transfer on its shelf that was not taken back."""
    row = cursor.execute(_RECEIVED, [store_no, transfer_id]).fetchone()
    return bool(row and row[0])
