"""Which way a store's events come: by its agent, straight from its tills, or over Kafka; one way per store."""

from alembic import op

from sync_server.migrations.rules import allow

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE store ADD COLUMN intake varchar CONSTRAINT ck_store_intake CHECK (intake IN ('agent', 'direct', 'kafka')),
                  ADD COLUMN intake_declared boolean NOT NULL DEFAULT false,
                  ADD CONSTRAINT ck_store_declared_intake_is_named CHECK (intake IS NOT NULL OR NOT intake_declared);
UPDATE store SET intake = coalesce(
    (SELECT channel FROM pos_batch b WHERE b.store_no = store.store_no AND channel = 'agent' LIMIT 1),
    (SELECT channel FROM pos_batch b WHERE b.store_no = store.store_no LIMIT 1));
"""


def upgrade() -> None:
    """Adds columns; the program of the version before goes on working and claims no intake."""
    op.execute(COLUMNS)
    allow("UPDATE (intake, intake_declared)", "store")


def downgrade() -> None:
    """Every way is open again."""
    op.execute("ALTER TABLE store DROP COLUMN intake, DROP COLUMN intake_declared")
