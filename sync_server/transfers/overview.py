"""Transfers as they stand: status and figures by item, from the parts that each store has posted.

| status | when |
|---|---|
| REQUESTED | nothing was shipped or received |
| CANCELLED | the same, and somebody cancelled it |
| SHIPPED | something is under way, or should be |
| RECEIVED | of every item at least what was shipped is received or settled |
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from psycopg import Cursor

from shared.exact_decimal import exact_arithmetic
from sync_server.errors import NotFound


class TransferStatus(StrEnum):
    """Where a transfer stands."""

    REQUESTED = "REQUESTED"
    SHIPPED = "SHIPPED"
    RECEIVED = "RECEIVED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFigures:
    """One item of a transfer, over all its stores, in the item's unit of measure."""

    item_no: int
    item_id: str
    requested: Decimal
    shipped: Decimal
    received: Decimal
    settled: Decimal
    """What was declared lost; below zero: accepted beyond what was shipped."""

    @property
    def discrepancy(self) -> Decimal:
        """Shipped and neither received nor settled; below zero: received beyond what was shipped."""
        with exact_arithmetic():
            return self.shipped - self.received - self.settled


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOverview:
    """A transfer as it stands."""

    transfer_id: str
    from_store_no: int
    from_store_id: str
    to_store_no: int
    to_store_id: str
    made_by: str
    made_at: datetime
    cancelled_by: str | None
    cancelled_at: datetime | None
    status: TransferStatus
    lines: Sequence[ItemFigures] = field(default_factory=list)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody cancelled it, whatever happened to it all the same."""
        return self.cancelled_at is not None


_STEPS = """
    SELECT transfer_id, item_no, requested, 0 AS shipped, 0 AS received, 0 AS settled
    FROM transfer_line WHERE transfer_id = {which}
    UNION ALL SELECT transfer_id, item_no, 0, quantity, 0, 0 FROM transfer_leg WHERE transfer_id = {which}
    UNION ALL SELECT transfer_id, item_no, 0, 0, quantity, 0 FROM transfer_receipt WHERE transfer_id = {which}
    UNION ALL SELECT transfer_id, item_no, 0, 0, 0, -quantity FROM transfer_settlement WHERE transfer_id = {which}
"""
_FIGURES = f"""
SELECT transfer_id, item_no, item_id, sum(requested), sum(shipped), sum(received), sum(settled)
FROM ({_STEPS.format(which="ANY(%(ids)s::varchar[])")}) AS step JOIN item USING (item_no)
GROUP BY transfer_id, item_no, item_id ORDER BY transfer_id, item_id
"""  # noqa: S608  # built from constants
_STATUS = f"""
    SELECT CASE WHEN begun THEN CASE WHEN even THEN 'RECEIVED' ELSE 'SHIPPED' END
                WHEN t.cancelled_at IS NOT NULL THEN 'CANCELLED' ELSE 'REQUESTED' END AS status
    FROM (
        SELECT coalesce(bool_or(shipped <> 0 OR received <> 0), false) AS begun,
               coalesce(bool_and(received + settled >= CASE WHEN any_shipped THEN shipped ELSE requested END),
                        false) AS even
        FROM (
            SELECT sum(requested) AS requested, sum(shipped) AS shipped, sum(received) AS received,
                   sum(settled) AS settled, bool_or(sum(shipped) <> 0) OVER () AS any_shipped
            FROM ({_STEPS.format(which="t.transfer_id")}) AS step GROUP BY item_no
        ) AS by_item
    ) AS whole
"""  # noqa: S608  # built from constants
_OVERVIEW = f"""
SELECT t.transfer_id, t.from_store_no, f.store_id, t.to_store_no, d.store_id, t.made_by, t.made_at, t.cancelled_by,
       t.cancelled_at, state.status
FROM transfer t JOIN store f ON f.store_no = t.from_store_no JOIN store d ON d.store_no = t.to_store_no
CROSS JOIN LATERAL ({_STATUS}) AS state
"""  # noqa: S608  # built from constants
_ONE = f"{_OVERVIEW} WHERE t.transfer_id = %(id)s"
_PAGE = f"""
{_OVERVIEW}
WHERE (%(store_no)s::int IS NULL OR t.from_store_no = %(store_no)s OR t.to_store_no = %(store_no)s)
  AND (%(status)s::varchar IS NULL OR state.status = %(status)s)
  AND (%(made_at)s::timestamptz IS NULL OR (t.made_at, t.transfer_id) > (%(made_at)s, %(after)s))
ORDER BY t.made_at, t.transfer_id LIMIT %(limit)s
"""


def find_transfer(cursor: Cursor[Any], transfer_id: str) -> TransferOverview:
    """The transfer as it stands now; raises NotFound."""
    found = _overviews(cursor, _ONE, {"id": transfer_id}) if "\x00" not in transfer_id else []
    if not found:
        raise NotFound(f"There is no transfer {transfer_id!r}; request it with POST /transfers")
    return found[0]


def list_transfers(
    cursor: Cursor[Any],
    *,
    store_no: int | None = None,
    status: TransferStatus | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int,
) -> list[TransferOverview]:
    """Transfers from or to a store, in one status, the oldest first, from the one behind `after` on."""
    made_at, transfer_id = after or (None, None)
    parameters = {
        "store_no": store_no,
        "status": None if status is None else status.value,
        "made_at": made_at,
        "after": transfer_id,
        "limit": limit,
    }
    return _overviews(cursor, _PAGE, parameters)


def _overviews(cursor: Cursor[Any], query: str, parameters: dict[str, Any]) -> list[TransferOverview]:
    heads = cursor.execute(query.encode(), parameters).fetchall()
    if not heads:
        return []
    lines: dict[str, list[ItemFigures]] = defaultdict(list)
    for row in cursor.execute(_FIGURES.encode(), {"ids": [head[0] for head in heads]}):
        transfer_id, item_no, item_id, requested, shipped, received, settled = row
        lines[transfer_id].append(
            ItemFigures(
                item_no=item_no,
                item_id=item_id,
                requested=requested,
                shipped=shipped,
                received=received,
                settled=settled,
            )
        )
    return [_overview(head, lines[head[0]]) for head in heads]


def _overview(head: tuple[Any, ...], lines: Sequence[ItemFigures]) -> TransferOverview:
    transfer_id, from_no, from_id, to_no, to_id, made_by, made_at, cancelled_by, cancelled_at, status = head
    return TransferOverview(
        transfer_id=transfer_id,
        from_store_no=from_no,
        from_store_id=from_id,
        to_store_no=to_no,
        to_store_id=to_id,
        made_by=made_by,
        made_at=made_at,
        cancelled_by=cancelled_by,
        cancelled_at=cancelled_at,
        status=TransferStatus(status),
        lines=lines,
    )
