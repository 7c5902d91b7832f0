"""Requesting a transfer between two stores, and cancelling one before anything was shipped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Cursor

from shared.identifiers import new_event_id
from shared.problems import Violation
from sync_server.database import Work
from sync_server.errors import Conflict, Invalid
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.stores.findings import FindingCode, resolve_findings
from sync_server.stores.locked_store import lock_store
from sync_server.stores.registry import find_store
from sync_server.stores.tables import Store
from sync_server.transfers.overview import TransferOverview, TransferStatus, find_transfer

Lines = Mapping[int, Decimal]
"""Quantity (> 0) by item number."""

_ADD = """
INSERT INTO transfer (transfer_id, from_store_no, to_store_no, made_by, made_at)
VALUES (%(id)s, %(from)s, %(to)s, %(by)s, %(now)s) ON CONFLICT DO NOTHING RETURNING true
"""
_ADD_LINES = """
INSERT INTO transfer_line (transfer_id, item_no, requested)
SELECT %(id)s, line.* FROM unnest(%(items)s::int[], %(quantities)s::numeric[]) AS line
"""
_CANCEL = "UPDATE transfer SET cancelled_by = %(by)s, cancelled_at = %(now)s WHERE transfer_id = %(id)s"
_LOCK = "SELECT FROM transfer WHERE transfer_id = %s FOR UPDATE"
_ITEM_NUMBERS = "SELECT item_id, item_no FROM item WHERE item_id = ANY(%s::varchar[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest:
    """What is to go from which store to which; `transfer_id`: the id that tills or others use already."""

    from_store_id: str
    to_store_id: str
    lines: Lines
    transfer_id: str | None = None


def request_transfer(work: Work, request: TransferRequest, *, by: Caller, now: datetime) -> TransferOverview:
    """Requests a transfer, posting nothing; goods already scanned under its id belong to it from now on.

    The very same request again finds what is there; one that is known from scans alone gets the lines. Raises
    NotFound for an unknown store, Invalid for a transfer that cannot be, Conflict for an id that is another's.
    """
    source, destination = find_store(work, request.from_store_id), find_store(work, request.to_store_id)
    _check(source, destination)
    assert source.store_no is not None
    assert destination.store_no is not None
    cursor = work.connection.cursor()
    lock_store(cursor, source.store_no)
    transfer_id = request.transfer_id or new_event_id(now)
    facts = {
        "id": transfer_id,
        "from": source.store_no,
        "to": destination.store_no,
        "by": by.name,
        "now": now,
    }
    if cursor.execute(_ADD, facts).fetchone() is None:
        there = find_transfer(cursor, transfer_id)
        if not _lacks_lines(there, request):
            return there
    items, quantities = list(request.lines), list(request.lines.values())
    cursor.execute(_ADD_LINES, {"id": transfer_id, "items": items, "quantities": quantities})
    for store_no in (source.store_no, destination.store_no):
        why = "The transfer is known now."
        resolve_findings(work, store_no, FindingCode.TRANSFER_UNKNOWN, [transfer_id], reason=why, now=now)
    made = find_transfer(cursor, transfer_id)
    after = {
        "fromStoreId": source.store_id,
        "toStoreId": destination.store_id,
        "lines": [
            {"itemId": line.item_id, "quantity": line.requested} for line in made.lines if line.requested
        ],
    }
    facts_of_it = facts_by(by, at=now, action="transfer.requested", subject=transfer_id, after=after)
    append_entry(work, source.store_no, facts_of_it)
    return made


def cancel_transfer(
    work: Work, transfer_id: str, *, reason: str | None, by: Caller, now: datetime
) -> TransferOverview:
    """Cancels a transfer of which nothing was shipped or received; one that is cancelled stays so.

    Locks the source, which would ship, and the transfer's row, which a receiving store shares. Raises
    NotFound, Conflict.
    """
    cursor = work.connection.cursor()
    source_no = find_transfer(cursor, transfer_id).from_store_no
    lock_store(cursor, source_no)
    cursor.execute(_LOCK, [transfer_id])
    overview = find_transfer(cursor, transfer_id)
    if overview.status is TransferStatus.CANCELLED:
        return overview
    if overview.status is not TransferStatus.REQUESTED:
        raise Conflict(
            f"Transfer {transfer_id} is {overview.status}: goods are on their way. Receive them, or settle what "
            "does not arrive."
        )
    cursor.execute(_CANCEL, {"id": transfer_id, "by": by.name, "now": now})
    after: dict[str, Any] = {"status": TransferStatus.CANCELLED.value, "reason": reason}
    before = {"status": overview.status.value}
    facts = facts_by(by, at=now, action="transfer.cancelled", subject=transfer_id, before=before, after=after)
    append_entry(work, source_no, facts)
    return find_transfer(cursor, transfer_id)


def known_items(cursor: Cursor[Any], lines: Sequence[tuple[str, Decimal]]) -> dict[int, Decimal]:
    """The lines by item number, an item that stands twice added up; raises Invalid for items nobody described."""
    numbers: dict[str, int] = dict(
        cursor.execute(_ITEM_NUMBERS, [sorted({item_id for item_id, _ in lines})]).fetchall()
    )
    violations = [
        Violation(f"lines[{index}].itemId", "is no item here; import the items first", item_id)
        for index, (item_id, _) in enumerate(lines)
        if item_id not in numbers
    ]
    if violations:
        raise Invalid("The transfer names items that do not exist", violations=violations)
    return added_up((numbers[item_id], quantity) for item_id, quantity in lines)


def added_up(lines: Any) -> dict[int, Decimal]:
    """Quantities by item number, an item that stands twice added up."""
    total: dict[int, Decimal] = {}
    for item_no, quantity in lines:
        total[item_no] = total.get(item_no, Decimal(0)) + quantity
    return total


def _check(source: Store, destination: Store) -> None:
    if source.store_no == destination.store_no:
        rule = "must be another store than fromStoreId"
        raise Invalid(
            "The transfer cannot be requested",
            violations=[Violation("toStoreId", rule, destination.store_id)],
        )
    if source.currency != destination.currency:
        rule = f"must keep its books in {source.currency}, as fromStoreId does: cost has no rate of exchange"
        raise Invalid(
            "The transfer cannot be requested",
            violations=[Violation("toStoreId", rule, destination.store_id)],
        )


def _lacks_lines(there: TransferOverview, request: TransferRequest) -> bool:
    """Whether `request` says what is still to be said of a transfer that is there; raises Conflict if it differs."""
    stores = (there.from_store_id, there.to_store_id)
    requested = {line.item_no: line.requested for line in there.lines if line.requested}
    same_lines = requested == dict(request.lines)
    lacks_lines = not requested and not there.is_cancelled
    if stores != (request.from_store_id, request.to_store_id) or not (
        same_lines or lacks_lines or not request.lines
    ):
        raise Conflict(f"Transfer {there.transfer_id} is there already and differs; choose another id.")
    return lacks_lines and not same_lines
