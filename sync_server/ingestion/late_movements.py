"""Whether a posting may hold what is dated before a settled count; then the counts are corrected by it.

Asked only of stores that ever had a count settled, and answered without a query for a batch of the day's sales.
"""

from collections.abc import Sequence

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work
from sync_server.ingestion.batch_record import Delivery
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.reconciliation.late_events import correct_counts
from sync_server.stores.locked_store import lock_store


def correct_settled_counts(
    work: Work, chart: ChartOfAccounts, delivery: Delivery, posting: OpenPosting, came: Sequence[Arrival]
) -> None:
    """Corrects settled counts by what has just been written, as far as it came late for them."""
    if not _may_be_late(delivery, posting, came):
        return
    store = lock_store(work.connection.cursor(), delivery.store.store_no)
    first = delivery.store.last_sequence + 1
    correct_counts(work, chart, store, first, by=delivery.caller, now=delivery.now)


def _may_be_late(delivery: Delivery, posting: OpenPosting, came: Sequence[Arrival]) -> bool:
    """A void stands where its line stands; what fills a gap came before by its sequence, whatever its clock says."""
    counted_until = delivery.store.counted_until
    if counted_until is None or posting.sequence == delivery.store.last_sequence:
        return False
    in_order = posting.all_new and not posting.named_keys and not posting.named_sales
    return not in_order or min(arrival.time.occurred_at for arrival in came) <= counted_until
