"""What agents say is wrong with their PCs, kept with their last word."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute("ALTER TABLE agent_heartbeat ADD COLUMN alarms json NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    """The next heartbeat says it again."""
    op.execute("ALTER TABLE agent_heartbeat DROP COLUMN alarms")
