"""Agents in people's hands: the key that signs their files, what they are asked for and why, files carried here."""

from alembic import op

from sync_server.migrations.rules import allow, make_append_only

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE device ADD COLUMN signing_key bytea;
ALTER TABLE agent_command ADD COLUMN reason varchar, ADD COLUMN attachment bytea;
"""
CARRIED_FILES = """
CREATE TABLE carried_file (
    store_no integer NOT NULL,
    sha256 bytea NOT NULL,
    device_no integer,
    rescued boolean NOT NULL,
    reason varchar,
    made_at timestamptz NOT NULL,
    imported_at timestamptz NOT NULL,
    imported_by varchar NOT NULL,
    batches integer NOT NULL,
    events bigint NOT NULL,
    accepted bigint NOT NULL,
    duplicates bigint NOT NULL,
    held bigint NOT NULL,
    CONSTRAINT pk_carried_file PRIMARY KEY (store_no, sha256),
    CONSTRAINT fk_carried_file_store_no_store FOREIGN KEY (store_no) REFERENCES store (store_no),
    CONSTRAINT fk_carried_file_device_no_device FOREIGN KEY (device_no) REFERENCES device (device_no)
);
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(COLUMNS)
    op.execute(CARRIED_FILES)
    allow("UPDATE (signing_key)", "device")
    allow("UPDATE (attachment)", "agent_command")
    make_append_only("carried_file")


def downgrade() -> None:
    """What was carried by hand is part of the proof; restore a backup instead."""
    raise RuntimeError(
        "0003 cannot be undone: it would delete what was imported. Restore a backup taken before it."
    )
