"""What an approver was shown of a reconciliation, so that an approval that names no content is bound to that."""

from alembic import op

from sync_server.migrations.rules import allow

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

VIEWS = """
CREATE TABLE reconciliation_view (
    store_no integer NOT NULL,
    reconciliation_id varchar NOT NULL,
    person_no integer NOT NULL,
    content_hash bytea NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT pk_reconciliation_view PRIMARY KEY (store_no, reconciliation_id, person_no),
    CONSTRAINT fk_reconciliation_view_store_no_reconciliation FOREIGN KEY (store_no, reconciliation_id)
        REFERENCES reconciliation (store_no, reconciliation_id),
    CONSTRAINT fk_reconciliation_view_person_no_person FOREIGN KEY (person_no) REFERENCES person (person_no)
);
ALTER TABLE reconciliation ADD COLUMN counted_hash bytea;
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(VIEWS)
    allow("UPDATE (content_hash, seen_at)", "reconciliation_view")
    allow("UPDATE (counted_hash)", "reconciliation")


def downgrade() -> None:
    """What approvers saw is part of their approvals; restore a backup instead."""
    raise RuntimeError(
        "0020 cannot be undone: it would delete what approvers saw. Restore a backup taken before it."
    )
