"""${message}"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

from sync_server.migrations.rules import allow, make_append_only

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """${message}"""
    ${upgrades if upgrades else "pass"}
