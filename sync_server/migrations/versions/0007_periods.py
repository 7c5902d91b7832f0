"""Periods: through which day a store's books are closed, and every closing and reopening."""

from alembic import op

from sync_server.migrations.rules import allow, make_append_only

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PERIODS = """
ALTER TABLE store ADD COLUMN closed_through date;
CREATE TABLE period_change (
    store_no integer NOT NULL,
    change_number integer NOT NULL,
    closed_through date,
    after_sequence bigint NOT NULL,
    reason varchar NOT NULL,
    changed_by varchar NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT pk_period_change PRIMARY KEY (store_no, change_number),
    CONSTRAINT fk_period_change_store_no_store FOREIGN KEY (store_no) REFERENCES store (store_no)
);
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(PERIODS)
    allow("UPDATE (closed_through)", "store")
    make_append_only("period_change")


def downgrade() -> None:
    """Closed books are part of the proof; restore a backup instead."""
    raise RuntimeError(
        "0007 cannot be undone: it would forget which books were closed. Restore a backup taken before it."
    )
