"""Stores from a CSV file: `storeId,locationId,timezone,currency,dayStart,intake`."""

from datetime import datetime

from sync_server.csv_import import CsvSource, ImportReport, RowOutcome, read_csv
from sync_server.database import Work
from sync_server.errors import Conflict, Invalid
from sync_server.people.callers import Caller
from sync_server.stores.registry import DEFAULT_CURRENCY, DEFAULT_DAY_START, NewStore, add_store

REQUIRED = ("storeId", "locationId", "timezone")
OPTIONAL = ("currency", "dayStart", "intake")


def import_stores(work: Work, path: CsvSource, *, by: Caller, now: datetime) -> ImportReport:
    """Adds every store of the file that is not there yet; a file imported twice changes nothing."""
    report = ImportReport()
    for row in read_csv(path, required=REQUIRED, optional=OPTIONAL):
        new = NewStore(
            store_id=row.get("storeId"),
            location_id=row.get("locationId"),
            timezone=row.get("timezone"),
            currency=row.get("currency", DEFAULT_CURRENCY),
            day_start=row.get("dayStart", DEFAULT_DAY_START),
            intake=row.get("intake") or None,
        )
        try:
            added = add_store(work, new, by=by, now=now)
        except Invalid as error:
            report.refuse(row, new.store_id, error.violations)
        except Conflict as error:
            report.note(row, new.store_id, RowOutcome.REFUSED, error.message)
        else:
            report.note(row, new.store_id, RowOutcome.ADDED if added else RowOutcome.UNCHANGED)
    return report
