"""What a person decides about a held event, once; and which held events came as one group."""

from alembic import op

from sync_server.migrations.rules import allow

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Columns without a default: no row is rewritten, and the program of the version before goes on holding events.
COLUMNS = """
ALTER TABLE held_event
    ADD COLUMN group_key uuid,
    ADD COLUMN subject varchar,
    ADD COLUMN decided_at timestamptz,
    ADD COLUMN decided_by varchar,
    ADD COLUMN decision_reason varchar,
    ADD COLUMN released_key uuid,
    ADD CONSTRAINT ck_held_event_decided CHECK (
        status = 'HELD' AND decided_at IS NULL
        OR status IN ('RELEASED', 'DISCARDED') AND decided_at IS NOT NULL AND decided_by IS NOT NULL),
    ADD CONSTRAINT ck_held_event_released_as CHECK ((status = 'RELEASED') = (released_key IS NOT NULL));
CREATE INDEX ix_held_event_store_no_group_key ON held_event (store_no, group_key) WHERE status = 'HELD';
"""
DECIDED_ONCE = """
CREATE TRIGGER refuse_second_decision BEFORE UPDATE ON held_event
    FOR EACH ROW WHEN (OLD.status <> 'HELD') EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(COLUMNS)
    op.execute(DECIDED_ONCE)
    allow(
        "UPDATE (status, decided_at, decided_by, decision_reason, released_key)",
        "held_event",
    )


def downgrade() -> None:
    """Who decided what stays; restore a backup instead."""
    raise RuntimeError(
        "0011 cannot be undone: it would delete people's decisions. Restore a backup taken before it."
    )
