"""What HQ knows that bears on a batch, read in a few set-based queries under the store's lock.

The lock is taken by an earlier statement: a statement that waits for a lock sees other tables as they were
before it waited.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import Cursor

from shared.event_record import PosEvent
from sync_server.accounting.posting_rules import TenderShares
from sync_server.ingestion.known_reservations import KnownReservations
from sync_server.inventory.valuation import StockPosition
from sync_server.reservations.reservation import SoldPart

ZERO = Decimal(0)


class KnownItem(msgspec.Struct, gc=False):
    """An item as a store has it: its position, its last movement, and whether anybody described the item."""

    item_no: int
    item_id: str
    position: StockPosition
    last_sequence: int | None = None
    placeholder: bool = False
    was_short: bool = False
    """Whether on hand was below zero before the batch."""
    reserved: Decimal | None = None
    """What was reserved of it before the batch; None for nearly every item: nothing."""


class PostedLine(msgspec.Struct, gc=False):
    """A line in the ledger that a void or a return may refer to."""

    store_sequence: int
    key: str
    type: str
    item: KnownItem | None
    quantity: Decimal
    amount: Decimal
    tax: Decimal
    cost: Decimal
    currency: str | None
    tenders: TenderShares | None
    """None: one unspecified tender paid all of it."""
    sale_id: str | None
    line_number: int | None
    damaged: bool
    voided: bool = False
    part: SoldPart | None = None
    """What a sale had of the reservation that it names."""
    returns: list[tuple[int, Decimal]] = msgspec.field(default_factory=list)
    """What returns brought back of it, each by its store sequence, those that were void before the batch left out."""


@dataclass(slots=True)
class Claim:
    """A void that waits for lines to come."""

    void_sequence: int
    line_number: int | None
    pending: bool


@dataclass(slots=True)
class KnownState:
    """Everything that posting a batch depends on; posting moves it along."""

    reservations: KnownReservations
    hashes: dict[str, list[bytes]] = field(default_factory=dict)
    """Content hashes already received under an event key, posted or held."""
    items: dict[str, KnownItem] = field(default_factory=dict)
    """By what the till said: an item id, or a barcode behind BARCODE_MARK."""
    lines_by_key: dict[str, PostedLine] = field(default_factory=dict)
    lines_by_sale: dict[str, list[PostedLine]] = field(default_factory=dict)
    claims: dict[str, list[Claim]] = field(default_factory=dict)
    held_groups: set[str] = field(default_factory=set)
    """Keys of groups of which something is held already."""
    taken_back: set[int] = field(default_factory=set)
    """Store sequences of the lines that voids of this batch have taken back."""


BARCODE_MARK = "\x1fbarcode\x1f"


def spelled_item(event: PosEvent) -> str:
    """How a till named the goods of an event: the key under which `KnownState.items` has them."""
    return event.item_id or f"{BARCODE_MARK}{event.barcode}"


HashReader = Callable[[Cursor[Any], int, Sequence[str]], dict[str, list[bytes]]]
"""Reads the content hashes that count as received under event keys of a store."""


def read_hashes(cursor: Cursor[Any], store_no: int, keys: Sequence[str]) -> dict[str, list[bytes]]:
    """Content hashes already received under `keys`, from the ledger and from what is held."""
    cursor.execute(
        """
        SELECT event_key, content_hash FROM pos_event
        WHERE store_no = %(store)s AND event_key = ANY(%(keys)s::uuid[])
        UNION ALL
        SELECT event_key, content_hash FROM held_event
        WHERE store_no = %(store)s AND event_key = ANY(%(keys)s::uuid[])
        """,
        {"store": store_no, "keys": key_array(keys)},
        prepare=True,
    )
    hashes: dict[str, list[bytes]] = {}
    for key, content_hash in cursor.fetchall():
        hashes.setdefault(key.hex, []).append(content_hash)
    return hashes


def read_held_groups(cursor: Cursor[Any], store_no: int, keys: Sequence[str]) -> set[str]:
    """Which of these groups have events that are held."""
    cursor.execute(
        """
        SELECT DISTINCT group_key FROM held_event
        WHERE store_no = %s AND group_key = ANY(%s::uuid[]) AND status = 'HELD'
        """,
        [store_no, key_array(keys)],
        prepare=True,
    )
    return {key.hex for (key,) in cursor.fetchall()}


def read_claims(cursor: Cursor[Any], store_no: int, keys: Sequence[str]) -> dict[str, list[Claim]]:
    """Voids that wait for events or sales with these keys."""
    cursor.execute(
        """
        SELECT claim_key, void_sequence, line_number, pending FROM void_claim
        WHERE store_no = %s AND claim_key = ANY(%s::uuid[]) ORDER BY void_sequence
        """,
        [store_no, key_array(keys)],
        prepare=True,
    )
    claims: dict[str, list[Claim]] = {}
    for key, void_sequence, line_number, pending in cursor.fetchall():
        claims.setdefault(key.hex, []).append(Claim(void_sequence, line_number, pending))
    return claims


def read_stock(cursor: Cursor[Any], store_no: int, items: Iterable[KnownItem]) -> None:
    """Fills in where the store stands with each item; an item it never had keeps its master cost."""
    by_number = {item.item_no: item for item in items}
    if not by_number:
        return
    cursor.execute(
        """
        SELECT item_no, on_hand, value, unit_cost, last_sequence, nullif(reserved, 0) FROM store_stock
        WHERE store_no = %s AND item_no = ANY(%s::int[])
        """,
        [store_no, "{" + ",".join(map(str, by_number)) + "}"],
        prepare=True,
    )
    for item_no, on_hand, value, unit_cost, last_sequence, reserved in cursor.fetchall():
        item = by_number[item_no]
        item.reserved = reserved
        item.position = StockPosition(on_hand, value, unit_cost)
        item.last_sequence = last_sequence
        item.was_short = on_hand < 0


def key_array(keys: Iterable[str]) -> str:
    """The keys (32 hex digits each) as a PostgreSQL array literal."""
    return "{" + ",".join(keys) + "}"
