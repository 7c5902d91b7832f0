"""Events that come by another way than their store's own: which of them the store has under their natural key.

The copies of a sale that came two ways need not have the same event id. What they share is what the till said: its
workstation, date, transaction number and line, or its sale and line, and with them the content hash, which covers
every field of the till. The same natural key with the same content is a duplicate; anything else is held, since
only a person can say whether it is the same sale.
"""

from collections.abc import Sequence
from typing import Any

from psycopg import Cursor

from shared.wire_json import decode_json
from sync_server.ingestion.groups import Arrival, sale_key
from sync_server.ingestion.known_state import HashReader, key_array, read_hashes
from sync_server.ingestion.natural_key import natural_key

_LINES_OF_SALES = """
SELECT e.content_hash FROM pos_sale s
JOIN pos_event e ON e.store_no = s.store_no AND e.store_sequence BETWEEN s.first_sequence AND s.last_sequence
WHERE s.store_no = %s AND s.sale_key = ANY(%s::uuid[]) AND e.line_number IS NOT NULL
"""


def known_by_natural_key(store_id: str, came: Sequence[Arrival]) -> HashReader:
    """Reads, as `read_hashes` does, what is known of `came`; what is known by its natural key counts too."""

    def read(cursor: Cursor[Any], store_no: int, keys: Sequence[str]) -> dict[str, list[bytes]]:
        hashes = read_hashes(cursor, store_no, keys)
        new = [arrival for arrival in came if arrival.event.content_hash not in hashes.get(arrival.key, ())]
        for arrival in _known(cursor, store_no, store_id, new):
            hashes.setdefault(arrival.key, []).append(arrival.event.content_hash)
        return hashes

    return read


def _raw(arrival: Arrival) -> dict[str, Any]:
    raw: dict[str, Any] = arrival.raw if type(arrival.raw) is dict else decode_json(bytes(arrival.raw))
    return raw


def _known(cursor: Cursor[Any], store_no: int, store_id: str, new: Sequence[Arrival]) -> list[Arrival]:
    keys = [natural_key(store_id, arrival.event, _raw(arrival)) for arrival in new]
    derived = read_hashes(cursor, store_no, [key for key in keys if key is not None])
    sales = {
        sale_key(arrival.event.sale_id)
        for arrival in new
        if arrival.event.sale_id is not None and arrival.event.line_number is not None
    }
    of_sales = {bytes(row[0]) for row in cursor.execute(_LINES_OF_SALES, [store_no, key_array(sales)])}
    return [
        arrival
        for arrival, key in zip(new, keys, strict=True)
        if (key is not None and arrival.event.content_hash in derived.get(key, ()))
        or (arrival.event.line_number is not None and arrival.event.content_hash in of_sales)
    ]
