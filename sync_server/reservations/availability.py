"""What every store can promise of an item, and how far that can be believed.

*Available* is what headquarters knows: on hand − reserved − safety stock. A store sells on while its line is down, so
each row says up to which instant everything sold there has arrived: an agent without a backlog knows at its last word,
one with a backlog at its oldest unsent event; a till that posts straight to headquarters at its last batch.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, LiteralString

from sync_server.database import Work
from sync_server.errors import NotFound
from sync_server.stores.registry import find_store


class Confidence(StrEnum):
    """How far an availability can be believed."""

    LIVE = "LIVE"
    """Everything sold in the store up to a moment ago has arrived."""
    STALE = "STALE"
    """The store has not been heard of for a while, or has events that did not arrive yet."""
    UNKNOWN = "UNKNOWN"
    """It was never heard of, or not for so long that the figure says little."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Up to which age of `as_of` a figure is live, and from which on nobody knows."""

    live: timedelta
    known: timedelta

    def confidence(self, as_of: datetime | None, now: datetime) -> Confidence:
        """How far a figure of `as_of` is to be believed at `now`."""
        if as_of is None or now - as_of > self.known:
            return Confidence.UNKNOWN
        return Confidence.LIVE if now - as_of <= self.live else Confidence.STALE


@dataclass(frozen=True, slots=True)
class StoreAvailability:
    """One store's row; `as_of` and `backlog` (events) are None where nothing is known of them."""

    store_no: int
    store_id: str
    available: Decimal
    as_of: datetime | None
    backlog: int | None


_COLUMNS: Final[LiteralString] = """
SELECT store.store_no, store.store_id,
       greatest(0, coalesce(stock.on_hand, 0) - coalesce(stock.reserved, 0) + coalesce(lapsed.remaining, 0)
                   - item.safety_stock),
       coalesce(agents.as_of, till.as_of), agents.backlog
"""
_EVERY_STORE: Final[LiteralString] = """
FROM item JOIN store_stock stock ON stock.item_no = item.item_no AND stock.store_no > %(after)s
JOIN store ON store.store_no = stock.store_no
"""
_ONE_STORE: Final[LiteralString] = """
FROM item JOIN store ON store.store_no = %(store_no)s AND store.store_no > %(after)s
LEFT JOIN store_stock stock ON stock.item_no = item.item_no AND stock.store_no = store.store_no
"""
# What is over but not yet closed is promised to nobody; only rows with something reserved are looked through for it.
_REST: Final[LiteralString] = """
LEFT JOIN LATERAL (
    SELECT sum(r.remaining) AS remaining FROM reservation r
    WHERE stock.reserved > 0 AND r.store_no = stock.store_no AND r.item_no = stock.item_no
      AND r.status = 'OPEN' AND r.expires_at <= %(now)s
) AS lapsed ON true
LEFT JOIN LATERAL (
    SELECT sum(h.backlog_events)::bigint AS backlog,
           min(CASE WHEN h.backlog_events = 0 THEN h.received_at
                    ELSE least(h.received_at, h.oldest_accepted_at
                               + coalesce(h.clock_offset_ms, 0) * interval '1 millisecond') END) AS as_of
    FROM agent_heartbeat h JOIN device d USING (device_no)
    WHERE h.store_no = store.store_no AND d.revoked_at IS NULL
) AS agents ON true
LEFT JOIN LATERAL (
    SELECT a.at AS as_of FROM audit_entry a
    WHERE agents.as_of IS NULL AND a.store_no = store.store_no AND a.action = 'batch.posted'
    ORDER BY a.audit_sequence DESC LIMIT 1
) AS till ON true
WHERE item.item_id = %(item_id)s
  AND (%(since)s::timestamptz IS NULL OR coalesce(agents.as_of, till.as_of) >= %(since)s::timestamptz)
ORDER BY store.store_no LIMIT %(limit)s
"""
_OF_EVERY_STORE: Final[LiteralString] = _COLUMNS + _EVERY_STORE + _REST
_OF_ONE_STORE: Final[LiteralString] = _COLUMNS + _ONE_STORE + _REST
_KNOWN_ITEM = "SELECT FROM item WHERE item_id = %s"


def availability_of(
    work: Work,
    item_id: str,
    *,
    now: datetime,
    store_id: str | None = None,
    max_age: timedelta | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[StoreAvailability]:
    """What every store that ever had the item can promise of it, by store number from the one after `after` on.

    With `store_id` that store alone, also if it never had the item. With `max_age` only what is known to be no
    older. Raises NotFound for an unknown item or store.
    """
    if work.connection.execute(_KNOWN_ITEM, [item_id]).fetchone() is None:
        raise NotFound(f"There is no item {item_id}.")
    parameters = {
        "item_id": item_id,
        "store_no": None if store_id is None else find_store(work, store_id).store_no,
        "now": now,
        "since": None if max_age is None else now - max_age,
        "after": after,
        "limit": limit,
    }
    query = _OF_EVERY_STORE if store_id is None else _OF_ONE_STORE
    return [StoreAvailability(*row) for row in work.connection.execute(query, parameters)]
