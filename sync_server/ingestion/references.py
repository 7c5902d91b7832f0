"""What a batch names that has to be looked up before it can be posted: items, barcodes, sales, earlier events. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.identifiers import event_key_hex
from shared.pos_event import EventType
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.held_reasons import PLAIN_TYPES
from sync_server.ingestion.known_state import spelled_item
from sync_server.ingestion.other_lines import POSTED_TYPES

_FORWARD = frozenset({EventType.SALE.value, EventType.RECEIPT.value})
"""Types whose events name nothing that was posted before."""


@dataclass(slots=True)
class References:
    """Everything once, whoever names it and how often."""

    items: set[str] = field(default_factory=set)
    barcodes: set[str] = field(default_factory=set)
    """Of lines that name no item id."""
    named_twice: set[tuple[str, str]] = field(default_factory=set)
    """(item id, barcode) of lines that name both: the item id counts."""
    sales: set[str] = field(default_factory=set)
    """Sale ids of the batch's own lines."""
    events: set[str] = field(default_factory=set)
    """Keys of the events that voids take back."""
    voided_sales: set[str] = field(default_factory=set)
    """Ids of the sales that voids take back, whole or in part."""
    returned: set[tuple[str, str]] = field(default_factory=set)
    """Which goods of which sale came back: (sale id, the item as `spelled_item` has it)."""
    others: set[str] = field(default_factory=set)
    """Types beside sale, return, receipt and void: see `other_lines`."""
    reservations: set[str] = field(default_factory=set)
    """Ids of the reservations that sales name."""
    refers: bool = False
    """Whether there are voids or returns at all: then the batch's own lines must be findable too."""


def references(of: Iterable[Arrival]) -> References:
    """What these events name; of a type that is not posted nothing but its sale."""
    named = References()
    for arrival in of:
        event = arrival.event
        if event.sale_id is not None:
            named.sales.add(event.sale_id)
        if event.reservation_id is not None:
            named.reservations.add(event.reservation_id)
        if event.type not in _FORWARD:
            if event.type in PLAIN_TYPES:
                _add_earlier(named, arrival)
            else:
                named.others.add(event.type)
                if event.type not in POSTED_TYPES:
                    continue
        if event.barcode is None:
            if event.item_id is not None:
                named.items.add(event.item_id)
        elif event.item_id is None:
            named.barcodes.add(event.barcode)
        else:
            named.items.add(event.item_id)
            named.named_twice.add((event.item_id, event.barcode))
    return named


def _add_earlier(named: References, arrival: Arrival) -> None:
    """What a void or a return refers to."""
    event = arrival.event
    named.refers = True
    voids = event.voids or {}
    if "eventId" in voids:
        named.events.add(event_key_hex(voids["eventId"]))
    elif "saleId" in voids:
        named.voided_sales.add(voids["saleId"])
    if event.original_sale_id is not None:
        named.returned.add((event.original_sale_id, spelled_item(event)))
