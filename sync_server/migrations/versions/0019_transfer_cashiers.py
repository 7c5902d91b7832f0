"""Who scanned a transfer at a till took part in it too: people carry their cashier ids."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# A cashier whom nobody knows may be anybody of the store: then nobody of that store settles.
TOOK_PART = """
CREATE OR REPLACE FUNCTION transfer_made_by(which varchar, who varchar) RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH scan AS (
        SELECT store_no, cashier_id FROM transfer_leg WHERE transfer_id = which AND made_by IS NULL
        UNION SELECT store_no, cashier_id FROM transfer_receipt WHERE transfer_id = which AND made_by IS NULL
    )
    SELECT EXISTS (SELECT FROM transfer WHERE transfer_id = which AND who IN (made_by, cancelled_by))
        OR EXISTS (SELECT FROM transfer_leg WHERE transfer_id = which AND made_by = who)
        OR EXISTS (SELECT FROM transfer_receipt WHERE transfer_id = which AND made_by = who)
        OR EXISTS (
            SELECT FROM scan
            JOIN person_cashier mine ON mine.store_no = scan.store_no
            JOIN person ON person.person_no = mine.person_no AND person.name = who
            WHERE mine.cashier_id = scan.cashier_id
               OR NOT EXISTS (SELECT FROM person_cashier known
                              WHERE known.store_no = scan.store_no AND known.cashier_id = scan.cashier_id))
$$
"""


def upgrade() -> None:
    """Only adds a refusal: the program of the version before goes on working."""
    op.execute(TOOK_PART)


def downgrade() -> None:
    """Who took part stays known."""
    raise RuntimeError("0019 cannot be undone: people could settle what they have scanned themselves.")
