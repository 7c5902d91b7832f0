"""Ship-from-store: reservations, what sales had of them, and availability of an item over all stores."""

from alembic import op

from sync_server.migrations.rules import allow, make_append_only

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE reservation (
    store_no integer NOT NULL,
    reservation_id varchar NOT NULL,
    item_no integer NOT NULL,
    quantity numeric NOT NULL,
    remaining numeric NOT NULL,
    shipped numeric NOT NULL DEFAULT 0,
    shipped_cost numeric NOT NULL DEFAULT 0,
    billed numeric NOT NULL DEFAULT 0,
    billed_cost numeric NOT NULL DEFAULT 0,
    taken numeric NOT NULL DEFAULT 0,
    status varchar NOT NULL,
    expires_at timestamptz NOT NULL,
    made_by varchar NOT NULL,
    made_at timestamptz NOT NULL,
    closed_at timestamptz,
    CONSTRAINT pk_reservation PRIMARY KEY (store_no, reservation_id),
    CONSTRAINT uq_reservation_reservation_id UNIQUE (reservation_id),
    CONSTRAINT fk_reservation_store_no_store FOREIGN KEY (store_no) REFERENCES store (store_no),
    CONSTRAINT fk_reservation_item_no_item FOREIGN KEY (item_no) REFERENCES item (item_no),
    CONSTRAINT ck_reservation_status_known CHECK (status IN ('OPEN', 'FULFILLED', 'RELEASED', 'EXPIRED')),
    CONSTRAINT ck_reservation_open_while_something_remains CHECK ((status = 'OPEN') = (remaining > 0)),
    CONSTRAINT ck_reservation_closed_at_once CHECK ((status = 'OPEN') = (closed_at IS NULL)),
    CONSTRAINT ck_reservation_nothing_negative CHECK (
        quantity > 0 AND remaining >= 0 AND taken >= 0 AND billed BETWEEN 0 AND shipped),
    CONSTRAINT ck_reservation_nothing_twice CHECK (shipped + taken + remaining <= quantity),
    CONSTRAINT ck_reservation_fulfilled_whole CHECK (status <> 'FULFILLED' OR shipped + taken = quantity)
);
CREATE INDEX ix_reservation_store_no_item_no ON reservation (store_no, item_no) WHERE status = 'OPEN';
CREATE INDEX ix_reservation_expires_at ON reservation (expires_at) WHERE status = 'OPEN';
CREATE TABLE reservation_sale (
    store_no integer NOT NULL,
    sale_sequence bigint NOT NULL,
    reservation_id varchar NOT NULL,
    billed numeric NOT NULL,
    billed_cost numeric NOT NULL,
    taken numeric NOT NULL,
    CONSTRAINT pk_reservation_sale PRIMARY KEY (store_no, sale_sequence),
    CONSTRAINT fk_reservation_sale_store_no_reservation FOREIGN KEY (store_no, reservation_id)
        REFERENCES reservation (store_no, reservation_id),
    CONSTRAINT ck_reservation_sale_had_something CHECK (billed >= 0 AND taken >= 0 AND billed + taken > 0)
);
CREATE INDEX ix_store_stock_item_no_store_no ON store_stock (item_no, store_no);
"""
# Of a stock row neither number ever changes: an update of its quantities touches no index and stays on its page.

CHANGES = "UPDATE (remaining, shipped, shipped_cost, billed, billed_cost, taken, status, closed_at)"


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(TABLES)
    make_append_only("reservation_sale")
    allow(CHANGES, "reservation")


def downgrade() -> None:
    """Reservations are promises and part of what stock is; restore a backup instead."""
    raise RuntimeError(
        "0009 cannot be undone: it would delete reservations. Restore a backup taken before it."
    )
