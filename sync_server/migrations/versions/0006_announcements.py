"""What documents of headquarters have to say on Kafka, word for word: transfers, reconciliations, availability."""

from alembic import op

from sync_server.migrations.rules import make_append_only

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# One cause is told once: its message has one id for ever, and a second one would be dropped as a repetition.
TABLE = """
CREATE TABLE announcement (
    store_no integer NOT NULL,
    store_sequence bigint NOT NULL,
    kind smallint NOT NULL,
    cause varchar NOT NULL,
    payload json NOT NULL,
    posted_at timestamptz NOT NULL,
    CONSTRAINT pk_announcement PRIMARY KEY (store_no, store_sequence),
    CONSTRAINT uq_announcement_store_no_kind_cause UNIQUE (store_no, kind, cause),
    CONSTRAINT ck_announcement_kind CHECK (kind IN (5, 6, 7)),
    CONSTRAINT ck_announcement_payload_is_object CHECK (json_typeof(payload) = 'object')
);
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(TABLE)
    make_append_only("announcement")


def downgrade() -> None:
    """What was announced is part of the ledger; restore a backup instead."""
    raise RuntimeError(
        "0006 cannot be undone: it would delete what was told. Restore a backup taken before it."
    )
