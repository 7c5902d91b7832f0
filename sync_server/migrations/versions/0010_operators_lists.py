"""What the operators' lists need: how batches, days and the audit trail are found; accounts that once served."""

from alembic import op

from sync_server.migrations.rules import make_append_only

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# One entry a batch each, except the last: that one concerns only tills that post straight to headquarters.
INDEXES = """
CREATE INDEX ix_pos_batch_store_no_received_at_batch_id ON pos_batch (store_no, received_at, batch_id);
CREATE INDEX ix_stream_receipt_store_no_business_date ON stream_receipt (store_no, business_date);
CREATE INDEX ix_audit_entry_at_store_no_audit_sequence ON audit_entry (at, store_no, audit_sequence);
CREATE INDEX ix_pos_event_store_no_business_date ON pos_event (store_no, business_date) WHERE stream_no IS NULL;
"""
ACCOUNT_USE = """
CREATE TABLE account_use (
    purpose varchar NOT NULL,
    account varchar NOT NULL,
    since timestamptz NOT NULL,
    CONSTRAINT pk_account_use PRIMARY KEY (purpose, account),
    CONSTRAINT fk_account_use_purpose_account FOREIGN KEY (purpose) REFERENCES account (purpose)
);
INSERT INTO account_use (purpose, account, since) SELECT purpose, account, now() FROM account;
"""  # time: accounts that were there before count from the migration on
PROVEN_ACCOUNTS = """
CREATE FUNCTION refuse_shared_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM account_use other
               WHERE other.account = NEW.account AND other.purpose <> NEW.purpose
                 AND (NEW.purpose IN ('inventory', 'in_transit') OR other.purpose IN ('inventory', 'in_transit')))
    THEN
        RAISE EXCEPTION 'account % cannot serve %: the accounts of inventory and of goods in transit serve '
            'nothing else, nor ever did', NEW.account, NEW.purpose
            USING ERRCODE = 'check_violation', HINT = 'Choose an account that no other purpose has used.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_is_its_own BEFORE INSERT ON account_use
    FOR EACH ROW EXECUTE FUNCTION refuse_shared_account();
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(INDEXES)
    op.execute(ACCOUNT_USE)
    op.execute(PROVEN_ACCOUNTS)
    make_append_only("account_use")


def downgrade() -> None:
    """Which accounts served is part of the books; restore a backup instead."""
    raise RuntimeError(
        "0010 cannot be undone: it would forget which accounts served. Restore a backup taken before it."
    )
