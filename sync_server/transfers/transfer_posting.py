"""One store's part of a transfer as a document of headquarters: opened, told to the world, and what is odd about it.

The store is locked by whoever begins; the other store is not touched.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from psycopg import Cursor

from shared.business_date import business_date
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.publishing.kinds import OutboxKind
from sync_server.stores.findings import FindingCode, raise_findings, resolve_findings
from sync_server.stores.locked_store import LockedStore
from sync_server.transfers.known_transits import TransitKey, has_received, read_transits
from sync_server.transfers.overview import TransferOverview, find_transfer
from sync_server.transfers.transit import Transit

KIND = "TRANSFER"
"""The kind of its journals."""
OUT, IN = "TRANSFER_OUT", "TRANSFER_IN"
"""Movements off a source's shelf and onto a destination's, whoever reports them."""
ARRIVED, SETTLED = "TRANSFER_ARRIVED", "TRANSFER_SETTLED"
"""Movements of what is in transit alone."""

_STEPS_TAKEN = """
SELECT (SELECT count(*) FROM transfer_arrival WHERE store_no = %(store_no)s AND transfer_id = %(id)s)
     + (SELECT count(*) FROM transfer_receipt WHERE store_no = %(store_no)s AND transfer_id = %(id)s)
     + (SELECT count(*) FROM transfer_settlement WHERE store_no = %(store_no)s AND transfer_id = %(id)s)
"""


def open_posting(
    cursor: Cursor[Any],
    store: LockedStore,
    chart: ChartOfAccounts,
    transfer_id: str,
    items: Iterable[int],
    now: datetime,
) -> DocumentPosting:
    """A posting for the store, dated by its own day, with `items` read."""
    day = business_date(now, store.day_rule)
    posting = DocumentPosting(cursor, store, chart, kind=KIND, document=transfer_id, date=day, now=now)
    posting.read(sorted(set(items)))
    return posting


def announce(
    cursor: Cursor[Any],
    posting: DocumentPosting,
    transits: Mapping[TransitKey, Transit],
    step: str,
) -> None:
    """Has the destination say where the transfer stands, once the steps of this posting are written.

    The cause counts the destination's steps: a headquarters restored from a backup finds the same again.
    """
    overview = find_transfer(cursor, posting.document)
    parameters = {"store_no": posting.store.store_no, "id": overview.transfer_id}
    row = cursor.execute(_STEPS_TAKEN, parameters).fetchone()
    assert row is not None
    cause = f"{overview.transfer_id} {step} {row[0]}"
    posting.announce(OutboxKind.TRANSFER, cause=cause, payload=announced(overview, transits))


def announced(overview: TransferOverview, transits: Mapping[TransitKey, Transit]) -> dict[str, Any]:
    """The payload of StoreTransferUpdatedEvent, without its storeId: the destination."""
    nothing = Transit()
    return {
        "transferId": overview.transfer_id,
        "fromStoreId": overview.from_store_id,
        "toStoreId": overview.to_store_id,
        "status": overview.status.value,
        "lines": [
            {
                "itemId": line.item_id,
                "requested": line.requested,
                "shipped": line.shipped,
                "received": line.received,
                "settled": line.settled,
                "inTransit": transits.get((overview.transfer_id, line.item_no), nothing).quantity,
            }
            for line in overview.lines
        ],
    }


def note_difference(cursor: Cursor[Any], store_no: int, transfer_id: str, now: datetime) -> None:
    """Opens or closes the finding about what a store received of a transfer against what was shipped to it."""
    transits = read_transits(cursor, store_no, [transfer_id])
    differs = any(not transit.is_even for transit in transits.values())
    if not differs:
        why = "Everything that was shipped is accounted for."
        resolve_findings(
            cursor, store_no, FindingCode.TRANSFER_DIFFERENCE, [transfer_id], reason=why, now=now
        )
    elif has_received(cursor, store_no, transfer_id):
        raise_findings(cursor, store_no, [(FindingCode.TRANSFER_DIFFERENCE, transfer_id)], now=now)
