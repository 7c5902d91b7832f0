"""The item master from a CSV file: `itemId,description,barcodes,unitOfMeasure,unitCost,price,safetyStock`.

A row names its item by id: a new one is added, one that is there is made as the row says, a placeholder is
completed. Several barcodes stand in one cell with blanks, semicolons or bars between them. A file of a hundred
thousand rows is written with a handful of statements, under a lock that puts changes of items in order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sync_server.csv_import import CsvRow, CsvSource, ImportReport, RowOutcome, read_csv
from sync_server.database import RawConnection, Work
from sync_server.inventory.item_findings import close_item_findings
from sync_server.inventory.items import MasterItem, read_item
from sync_server.people.audit_log import append_entry, facts_by
from sync_server.people.callers import Caller
from sync_server.schema import HEADQUARTERS

REQUIRED = ("itemId", "description")
OPTIONAL = ("barcodes", "unitOfMeasure", "unitCost", "price", "safetyStock")

_NEXT_POSITION = """
UPDATE store SET last_sequence = last_sequence + 1 WHERE store_no = %s RETURNING last_sequence
"""
_ITEMS = """
SELECT i.item_id, i.description, i.unit_of_measure, i.unit_cost, i.price, i.safety_stock, i.placeholder,
       array(SELECT barcode FROM item_barcode b WHERE b.item_no = i.item_no ORDER BY barcode COLLATE "C")
FROM item i WHERE i.item_id = ANY(%s::varchar[])
"""
_OWNERS = """
SELECT b.barcode, i.item_id FROM item_barcode b JOIN item i USING (item_no)
WHERE b.barcode = ANY(%s::varchar[])
"""
_WRITE = """
INSERT INTO item (item_id, description, unit_of_measure, unit_cost, price, safety_stock)
SELECT * FROM unnest(%s::varchar[], %s::varchar[], %s::varchar[], %s::numeric[], %s::numeric[], %s::numeric[])
ON CONFLICT (item_id) DO UPDATE SET
    description = excluded.description, unit_of_measure = excluded.unit_of_measure,
    unit_cost = excluded.unit_cost, price = excluded.price, safety_stock = excluded.safety_stock,
    placeholder = item.mapped_to_item_no IS NOT NULL
"""
_MARK = "UPDATE item SET change_sequence = %s WHERE item_id = ANY(%s::varchar[])"
_DROP_BARCODES = """
DELETE FROM item_barcode WHERE item_no IN (SELECT item_no FROM item WHERE item_id = ANY(%s::varchar[]))
"""
_ADD_BARCODES = """
INSERT INTO item_barcode (barcode, item_no)
SELECT named.barcode, i.item_no FROM unnest(%s::varchar[], %s::varchar[]) AS named (barcode, item_id)
JOIN item i USING (item_id)
"""


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item that is there, and whether it is a placeholder."""

    item: MasterItem
    placeholder: bool


def import_items(work: Work, path: CsvSource, *, by: Caller, now: datetime) -> ImportReport:
    """Brings the master in line with the file's rows; a file imported twice changes nothing."""
    return import_item_rows(
        work, list(read_csv(path, required=REQUIRED, optional=OPTIONAL)), path.name, by=by, now=now
    )


def import_item_rows(
    work: Work, rows: Sequence[CsvRow], source: str, *, by: Caller, now: datetime
) -> ImportReport:
    """Brings the master in line with `rows`; `source` is what the audit trail says they came from."""
    connection = work.connection
    position = connection.execute(_NEXT_POSITION, [HEADQUARTERS]).fetchone()
    assert position is not None
    known = _known_items(connection, {row.get("itemId") for row in rows})
    report = ImportReport()
    wanted = _read_rows(rows, known, report)
    wanted = _without_taken_barcodes(connection, wanted, report)
    changed = [(row, item) for row, item in wanted if _differs(item, known.get(item.item_id))]
    _write(connection, [item for _, item in changed])
    _write_barcodes(connection, [item for _, item in changed], known, position[0])
    touched = {item.item_id for _, item in changed}
    for row, item in wanted:
        outcome = RowOutcome.CHANGED if item.item_id in known else RowOutcome.ADDED
        report.note(row, item.item_id, outcome if item.item_id in touched else RowOutcome.UNCHANGED)
    if changed:
        close_item_findings(work, sorted(touched), now)
        facts = facts_by(by, at=now, action="items.imported", subject=source, after=dict(report.counts))
        append_entry(work, HEADQUARTERS, facts)
    return report


def _known_items(connection: RawConnection, item_ids: set[str]) -> dict[str, KnownItem]:
    found = {}
    for row in connection.execute(_ITEMS, [sorted(item_ids)]):
        item = MasterItem(
            item_id=row[0],
            description=row[1],
            unit_of_measure=row[2],
            unit_cost=row[3],
            price=row[4],
            safety_stock=row[5],
            barcodes=tuple(row[7]),
        )
        found[item.item_id] = KnownItem(item, placeholder=row[6])
    return found


def _read_rows(
    rows: Iterable[CsvRow], known: dict[str, KnownItem], report: ImportReport
) -> list[tuple[CsvRow, MasterItem]]:
    """The rows that state an item; an id or barcode that an earlier row of the file has is refused."""
    wanted: list[tuple[CsvRow, MasterItem]] = []
    line_of_item: dict[str, int] = {}
    line_of_barcode: dict[str, int] = {}
    for row in rows:
        item_id = row.get("itemId")
        there = known.get(item_id)
        item = read_item(row.cells, there.item if there else None)
        if not isinstance(item, MasterItem):
            report.refuse(row, item_id, item)
        elif item_id in line_of_item:
            reason = f"line {line_of_item[item_id]} states the same item"
            report.note(row, item_id, RowOutcome.REFUSED, reason)
        elif taken := [code for code in item.barcodes if code in line_of_barcode]:
            reason = f"barcode {taken[0]} stands on line {line_of_barcode[taken[0]]} already"
            report.note(row, item_id, RowOutcome.REFUSED, reason)
        else:
            line_of_item[item_id] = row.line
            line_of_barcode.update(dict.fromkeys(item.barcodes, row.line))
            wanted.append((row, item))
    return wanted


def _without_taken_barcodes(
    connection: RawConnection, wanted: Sequence[tuple[CsvRow, MasterItem]], report: ImportReport
) -> list[tuple[CsvRow, MasterItem]]:
    """Refuses a row that claims a barcode of an item which the file does not take it from."""
    given_up = {item.item_id for _, item in wanted}
    codes = [code for _, item in wanted for code in item.barcodes]
    owners: dict[str, str] = dict(connection.execute(_OWNERS, [codes]).fetchall())
    kept = []
    for row, item in wanted:
        others = [code for code in item.barcodes if owners.get(code, item.item_id) not in given_up]
        if others:
            reason = f"barcode {others[0]} belongs to item {owners[others[0]]}"
            report.note(row, item.item_id, RowOutcome.REFUSED, reason)
        else:
            kept.append((row, item))
    return kept


def _differs(item: MasterItem, known: KnownItem | None) -> bool:
    return known is None or known.placeholder or known.item != item


def _write(connection: RawConnection, items: Sequence[MasterItem]) -> None:
    columns = [
        [getattr(item, name) for item in items]
        for name in ("item_id", "description", "unit_of_measure", "unit_cost", "price", "safety_stock")
    ]
    connection.execute(_WRITE, columns)


def _write_barcodes(
    connection: RawConnection, items: Sequence[MasterItem], known: dict[str, KnownItem], position: int
) -> None:
    """Barcodes of items whose set of them changed; `position` tells agents that they have to look."""
    changed = [item for item in items if item.barcodes != _former_barcodes(known.get(item.item_id))]
    item_ids = [item.item_id for item in changed]
    connection.execute(_DROP_BARCODES, [item_ids])
    pairs = [(code, item.item_id) for item in changed for code in item.barcodes]
    connection.execute(_ADD_BARCODES, [[code for code, _ in pairs], [item_id for _, item_id in pairs]])
    connection.execute(_MARK, [position, item_ids])


def _former_barcodes(known: KnownItem | None) -> tuple[str, ...]:
    return known.item.barcodes if known else ()
