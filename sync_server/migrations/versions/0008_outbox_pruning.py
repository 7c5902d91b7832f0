"""The outbox is pruned a while after publishing; what was not published cannot be deleted from it."""

from alembic import op

from sync_server.migrations.rules import allow

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MARKS = """
ALTER TABLE relay_progress ADD COLUMN pruned_sequence bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT ck_relay_progress_pruned_is_published CHECK (pruned_sequence BETWEEN 0 AND published_sequence);
CREATE TABLE published_mark (
    store_no integer NOT NULL REFERENCES store (store_no),
    noted_at timestamptz NOT NULL,
    published_sequence bigint NOT NULL,
    CONSTRAINT pk_published_mark PRIMARY KEY (store_no, noted_at)
);
"""
ONLY_BELOW_THE_MARK = """
CREATE FUNCTION refuse_unpruned_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept record;
BEGIN
    SELECT g.store_no, g.store_sequence INTO kept
    FROM gone g LEFT JOIN relay_progress p USING (store_no)
    WHERE g.store_sequence > coalesce(p.pruned_sequence, 0) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'outbox row % of store % lies above the mark of pruning', kept.store_sequence, kept.store_no
            USING ERRCODE = 'restrict_violation', HINT = 'Only what was published may be pruned.';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_pruned_below_mark AFTER DELETE ON outbox
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION refuse_unpruned_deletion();
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(MARKS)
    op.execute(ONLY_BELOW_THE_MARK)
    allow("DELETE", "outbox", "published_mark")


def downgrade() -> None:
    """Only before anything was pruned: the version before would miss the rows."""
    raise RuntimeError("0008 cannot be undone: outbox rows may be gone. Restore a backup taken before it.")
