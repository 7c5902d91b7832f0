"""Documents of headquarters: what they reserve and send, why they adjust, which of them caused a movement."""

from alembic import op

from sync_server.migrations.rules import allow

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Nullable without a default: no row is rewritten, and a till's movement stays as short as it was.
COLUMNS = """
ALTER TABLE stock_movement ADD COLUMN reserved numeric, ADD COLUMN in_transit numeric,
                           ADD COLUMN in_transit_value numeric, ADD COLUMN document varchar;
ALTER TABLE store_stock ADD COLUMN in_transit_value numeric NOT NULL DEFAULT 0;
"""
REASON_CODES = """
CREATE TABLE reason_code (
    reason_code varchar NOT NULL,
    description varchar NOT NULL,
    loss_purpose varchar NOT NULL,
    gain_purpose varchar NOT NULL,
    CONSTRAINT pk_reason_code PRIMARY KEY (reason_code),
    CONSTRAINT fk_reason_code_loss_purpose_account FOREIGN KEY (loss_purpose) REFERENCES account (purpose),
    CONSTRAINT fk_reason_code_gain_purpose_account FOREIGN KEY (gain_purpose) REFERENCES account (purpose)
);
INSERT INTO reason_code (reason_code, description, loss_purpose, gain_purpose) VALUES
    ('SHRINKAGE', 'Lost for a cause that nobody knows', 'shrinkage', 'inventory_gain'),
    ('DAMAGE', 'Broken or spoilt by handling', 'shrinkage', 'inventory_gain'),
    ('THEFT', 'Stolen', 'shrinkage', 'inventory_gain'),
    ('SPOILAGE', 'Past its date or gone bad', 'shrinkage', 'inventory_gain'),
    ('MISCOUNT', 'An earlier count was wrong', 'shrinkage', 'inventory_gain'),
    ('FOUND', 'Goods that the books had lost', 'shrinkage', 'inventory_gain'),
    ('LATE_EVENT', 'An event dated before a posted count came after it', 'shrinkage', 'inventory_gain'),
    ('LOST_IN_TRANSIT', 'Shipped by one store and never received by the other', 'shrinkage', 'inventory_gain'),
    ('OWN_USE', 'Used by the store itself', 'shrinkage', 'inventory_gain');
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(COLUMNS)
    op.execute(REASON_CODES)
    allow("UPDATE", "reason_code")


def downgrade() -> None:
    """What documents moved is part of the ledger; restore a backup instead."""
    raise RuntimeError(
        "0004 cannot be undone: it would delete movements' causes. Restore a backup taken before it."
    )
