"""The feed: positions for everything that stores have told, across all stores."""

from alembic import op

from sync_server.migrations.rules import allow, make_append_only

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FEED = """
CREATE TABLE feed_span (
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    store_no integer NOT NULL,
    first_sequence bigint NOT NULL,
    CONSTRAINT pk_feed_span PRIMARY KEY (first_position),
    CONSTRAINT ck_feed_span_not_empty CHECK (last_position >= first_position)
);
CREATE TABLE feed_progress (
    store_no integer NOT NULL,
    given_sequence bigint NOT NULL,
    CONSTRAINT pk_feed_progress PRIMARY KEY (store_no),
    CONSTRAINT fk_feed_progress_store_no_store FOREIGN KEY (store_no) REFERENCES store (store_no)
);
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(FEED)
    allow("UPDATE (given_sequence)", "feed_progress")
    make_append_only("feed_span")


def downgrade() -> None:
    """Readers of the feed keep their positions; restore a backup instead."""
    raise RuntimeError(
        "0014 cannot be undone: readers would lose their positions. Restore a backup taken before it."
    )
