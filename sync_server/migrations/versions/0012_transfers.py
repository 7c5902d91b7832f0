"""Goods under way between stores: what was asked for, what left, what arrived, what was received and settled.

Every table but the head and the queue only grows, and every row belongs to one store: the source's legs, the
destination's arrivals, receipts and settlements. Foreign keys to items and transfers are left out where tills
scan: goods are posted although nobody has requested the transfer yet.
"""

from alembic import op

from sync_server.migrations.rules import allow, make_append_only

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE transfer (
    transfer_id varchar NOT NULL,
    from_store_no integer NOT NULL,
    to_store_no integer NOT NULL,
    made_by varchar NOT NULL,
    made_at timestamptz NOT NULL,
    cancelled_by varchar,
    cancelled_at timestamptz,
    CONSTRAINT pk_transfer PRIMARY KEY (transfer_id),
    CONSTRAINT fk_transfer_from_store_no_store FOREIGN KEY (from_store_no) REFERENCES store (store_no),
    CONSTRAINT fk_transfer_to_store_no_store FOREIGN KEY (to_store_no) REFERENCES store (store_no),
    CONSTRAINT ck_transfer_two_stores CHECK (from_store_no <> to_store_no),
    CONSTRAINT ck_transfer_cancelled_by_somebody CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL))
);
CREATE INDEX ix_transfer_from_store_no ON transfer (from_store_no, made_at, transfer_id);
CREATE INDEX ix_transfer_to_store_no ON transfer (to_store_no, made_at, transfer_id);
CREATE INDEX ix_transfer_made_at_transfer_id ON transfer (made_at, transfer_id);
CREATE TABLE transfer_line (
    transfer_id varchar NOT NULL,
    item_no integer NOT NULL,
    requested numeric NOT NULL,
    CONSTRAINT pk_transfer_line PRIMARY KEY (transfer_id, item_no),
    CONSTRAINT fk_transfer_line_transfer_id_transfer FOREIGN KEY (transfer_id) REFERENCES transfer (transfer_id),
    CONSTRAINT fk_transfer_line_item_no_item FOREIGN KEY (item_no) REFERENCES item (item_no),
    CONSTRAINT ck_transfer_line_requested_positive CHECK (requested > 0)
);
CREATE TABLE transfer_leg (
    store_no integer NOT NULL,
    store_sequence bigint NOT NULL,
    transfer_id varchar NOT NULL,
    item_no integer NOT NULL,
    quantity numeric NOT NULL,
    value numeric NOT NULL,
    currency char(3) NOT NULL,
    reverses bigint,
    made_by varchar,
    cashier_id varchar,
    shipped_at timestamptz NOT NULL,
    CONSTRAINT pk_transfer_leg PRIMARY KEY (store_no, store_sequence),
    CONSTRAINT uq_transfer_leg_store_no_reverses UNIQUE (store_no, reverses)
);
CREATE INDEX ix_transfer_leg_transfer_id ON transfer_leg (transfer_id);
CREATE TABLE transfer_leg_waiting (
    store_no integer NOT NULL,
    store_sequence bigint NOT NULL,
    transfer_id varchar NOT NULL,
    CONSTRAINT pk_transfer_leg_waiting PRIMARY KEY (store_no, store_sequence)
);
CREATE INDEX ix_transfer_leg_waiting_transfer_id ON transfer_leg_waiting (transfer_id);
CREATE TABLE transfer_arrival (
    from_store_no integer NOT NULL,
    leg_sequence bigint NOT NULL,
    store_no integer NOT NULL,
    store_sequence bigint NOT NULL,
    transfer_id varchar NOT NULL,
    item_no integer NOT NULL,
    quantity numeric NOT NULL,
    value numeric NOT NULL,
    variance numeric NOT NULL,
    CONSTRAINT pk_transfer_arrival PRIMARY KEY (from_store_no, leg_sequence),
    CONSTRAINT uq_transfer_arrival_store_no_store_sequence UNIQUE (store_no, store_sequence)
);
CREATE INDEX ix_transfer_arrival_transfer_id ON transfer_arrival (transfer_id, store_no);
CREATE TABLE transfer_receipt (
    store_no integer NOT NULL,
    store_sequence bigint NOT NULL,
    transfer_id varchar NOT NULL,
    item_no integer NOT NULL,
    quantity numeric NOT NULL,
    value numeric NOT NULL,
    reverses bigint,
    made_by varchar,
    cashier_id varchar,
    received_at timestamptz NOT NULL,
    CONSTRAINT pk_transfer_receipt PRIMARY KEY (store_no, store_sequence),
    CONSTRAINT uq_transfer_receipt_store_no_reverses UNIQUE (store_no, reverses)
);
CREATE INDEX ix_transfer_receipt_transfer_id ON transfer_receipt (transfer_id, store_no);
CREATE TABLE transfer_settlement (
    store_no integer NOT NULL,
    store_sequence bigint NOT NULL,
    transfer_id varchar NOT NULL,
    item_no integer NOT NULL,
    quantity numeric NOT NULL,
    value numeric NOT NULL,
    reason_code varchar NOT NULL,
    settled_by varchar NOT NULL,
    settled_at timestamptz NOT NULL,
    CONSTRAINT pk_transfer_settlement PRIMARY KEY (store_no, store_sequence),
    CONSTRAINT fk_transfer_settlement_reason_code_reason_code FOREIGN KEY (reason_code)
        REFERENCES reason_code (reason_code)
);
CREATE INDEX ix_transfer_settlement_transfer_id ON transfer_settlement (transfer_id, store_no);
"""
MAKER_IS_NOT_APPROVER = """
CREATE FUNCTION transfer_made_by(which varchar, who varchar) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM transfer WHERE transfer_id = which AND who IN (made_by, cancelled_by))
        OR EXISTS (SELECT FROM transfer_leg WHERE transfer_id = which AND made_by = who)
        OR EXISTS (SELECT FROM transfer_receipt WHERE transfer_id = which AND made_by = who)
$$;
CREATE FUNCTION refuse_settling_own_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF transfer_made_by(NEW.transfer_id, NEW.settled_by) THEN
        RAISE EXCEPTION '% took part in transfer % and may not settle it', NEW.settled_by, NEW.transfer_id
            USING ERRCODE = 'restrict_violation', HINT = 'Nobody approves what they made.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER maker_is_not_approver BEFORE INSERT ON transfer_settlement
    FOR EACH ROW EXECUTE FUNCTION refuse_settling_own_transfer();
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(TABLES)
    op.execute(MAKER_IS_NOT_APPROVER)
    make_append_only(
        "transfer_line", "transfer_leg", "transfer_arrival", "transfer_receipt", "transfer_settlement"
    )
    allow("UPDATE (cancelled_by, cancelled_at)", "transfer")
    allow("DELETE", "transfer_leg_waiting")


def downgrade() -> None:
    """Goods under way are part of the ledger; restore a backup instead."""
    raise RuntimeError(
        "0012 cannot be undone: it would lose goods under way. Restore a backup taken before it."
    )
