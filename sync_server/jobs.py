"""Every scheduled job of the server, from the rooms that have something to do by the clock.

Whoever adds one adds its row to the table in docs/jobs.md; a test compares the two.
"""

from sync_server.accounting.item_mapping import mappings_job
from sync_server.accounting.late_costs import late_costs_job
from sync_server.ingestion.till_proof import proof_job
from sync_server.ingestion.waiting_voids import waiting_voids_job
from sync_server.ingestion.whole_groups import whole_groups_job
from sync_server.inventory.item_findings import item_findings_job
from sync_server.publishing.outbox_pruning import pruning_job
from sync_server.reservations.expiry import expiry_job
from sync_server.scheduling.job import Job
from sync_server.settings import Settings
from sync_server.transfers.arrivals import arrivals_job
from sync_server.transfers.linking import linking_job


def jobs(settings: Settings) -> tuple[Job, ...]:
    """The jobs that the scheduler runs."""
    return (
        pruning_job(settings.outbox_keep_days),
        expiry_job(settings.reservation_expiry_seconds),
        arrivals_job(),
        linking_job(),
        late_costs_job(),
        mappings_job(),
        proof_job(),
        waiting_voids_job(),
        whole_groups_job(),
        item_findings_job(),
    )
