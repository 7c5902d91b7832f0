"""Which voids without a sale somebody was told of."""

from alembic import op

from sync_server.migrations.rules import allow

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMN = """
ALTER TABLE void_claim ADD COLUMN reported boolean NOT NULL DEFAULT false;
CREATE INDEX ix_void_claim_store_no_void_sequence ON void_claim (store_no, void_sequence)
    WHERE pending AND NOT reported;
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(COLUMN)
    allow("UPDATE (reported)", "void_claim")


def downgrade() -> None:
    """What was told stays told; restore a backup instead."""
    raise RuntimeError(
        "0016 cannot be undone: it would tell everything anew. Restore a backup taken before it."
    )
