"""Proving a database whole: everything that must hold between its tables, recomputed from the rows themselves.

Nothing here uses the code that posts. Each check is one set-based query over the tables, or one pass over the
audit chain, inside a transaction that sees one state throughout: it may run while stores post.
"""

from collections.abc import Iterator
from typing import Final

from sync_server.database import Work
from sync_server.stores.registry import find_store
from sync_server.support.audit_check import audit_faults
from sync_server.support.count_checks import COUNT_CHECKS
from sync_server.support.journal_checks import JOURNAL_CHECKS
from sync_server.support.ledger_check import LedgerCheck, LedgerFault
from sync_server.support.outbox_checks import OUTBOX_CHECKS
from sync_server.support.period_checks import PERIOD_CHECKS
from sync_server.support.reference_checks import REFERENCE_CHECKS
from sync_server.support.reservation_checks import RESERVATION_CHECKS
from sync_server.support.sequence_checks import SEQUENCE_CHECKS
from sync_server.support.stock_checks import STOCK_CHECKS
from sync_server.support.stream_checks import STREAM_CHECKS
from sync_server.support.till_checks import TILL_CHECKS
from sync_server.support.transfer_checks import TRANSFER_CHECKS

CHECKS: Final[tuple[LedgerCheck, ...]] = (
    *SEQUENCE_CHECKS,
    *STOCK_CHECKS,
    *RESERVATION_CHECKS,
    *JOURNAL_CHECKS,
    *COUNT_CHECKS,
    *TRANSFER_CHECKS,
    *PERIOD_CHECKS,
    *OUTBOX_CHECKS,
    *STREAM_CHECKS,
    *REFERENCE_CHECKS,
    *TILL_CHECKS,
)
"""In the order in which faults are best read: a missing number explains what follows from it."""


def verify(work: Work, store_id: str | None = None) -> list[LedgerFault]:
    """Every fault of one store, or of all and of headquarters; an empty list when the database is whole.

    `work` is best a `Database.reading()`. Each kind of fault is named at most MOST_FAULTS times. Raises NotFound
    for a store that does not exist.
    """
    return list(_faults(work, store_id))


def _faults(work: Work, store_id: str | None) -> Iterator[LedgerFault]:
    store_no = None if store_id is None else find_store(work, store_id).store_no
    connection = work.connection
    # Recomputing a large ledger takes as long as it takes; the limit is for requests.
    connection.execute("SET LOCAL statement_timeout = 0")
    for check in CHECKS:
        yield from check.faults(connection, store_no)
    yield from audit_faults(connection, store_no)
