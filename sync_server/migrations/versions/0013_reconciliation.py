"""Reconciliations: what was counted, who made and who approved it, and what came late; people's cashier ids."""

from alembic import op

from sync_server.migrations.rules import allow, make_append_only

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CASHIERS = """
CREATE TABLE person_cashier (
    store_no integer NOT NULL,
    cashier_id varchar NOT NULL,
    person_no integer NOT NULL,
    assigned_at timestamptz NOT NULL,
    CONSTRAINT pk_person_cashier PRIMARY KEY (store_no, cashier_id, person_no),
    CONSTRAINT fk_person_cashier_store_no_store FOREIGN KEY (store_no) REFERENCES store (store_no),
    CONSTRAINT fk_person_cashier_person_no_person FOREIGN KEY (person_no) REFERENCES person (person_no)
);
"""
# The version before inserts money alone, which is the default; nothing that it reads has changed.
DOCUMENT = """
ALTER TABLE store ADD COLUMN counted_until timestamptz, ADD COLUMN adjustment_limit numeric;
ALTER TABLE reconciliation
    ADD COLUMN kind varchar NOT NULL DEFAULT 'MONEY',
    ADD COLUMN session varchar,
    ADD COLUMN content_hash bytea,
    ADD COLUMN base_sequence bigint,
    ADD COLUMN approved_by integer,
    ADD COLUMN approved_at timestamptz,
    ADD COLUMN approved_hash bytea,
    ADD COLUMN approval_reason varchar,
    ADD COLUMN rejected_by varchar,
    ADD COLUMN rejected_at timestamptz,
    ADD COLUMN reject_reason varchar,
    ADD COLUMN posted_by varchar,
    ADD COLUMN posted_at timestamptz,
    ADD COLUMN journal_sequence bigint,
    ADD COLUMN cleared_by varchar,
    ADD COLUMN acknowledged_sequence bigint,
    ADD CONSTRAINT fk_reconciliation_approved_by_person FOREIGN KEY (approved_by) REFERENCES person (person_no),
    ADD CONSTRAINT uq_reconciliation_reconciliation_id UNIQUE (reconciliation_id),
    ADD CONSTRAINT ck_reconciliation_kind CHECK (kind IN ('MONEY', 'COUNT', 'ADJUSTMENT'));
DROP INDEX uq_reconciliation_open;
CREATE UNIQUE INDEX uq_reconciliation_open
    ON reconciliation (store_no, date, reason, variance_amount, made_by) WHERE status = 'OPEN' AND kind = 'MONEY';
CREATE UNIQUE INDEX uq_reconciliation_session ON reconciliation (store_no, session) WHERE status = 'OPEN';
"""
CONTENT = """
CREATE TABLE reconciliation_maker (
    store_no integer NOT NULL,
    reconciliation_id varchar NOT NULL,
    maker varchar NOT NULL,
    person_no integer,
    cashier_id varchar,
    CONSTRAINT pk_reconciliation_maker PRIMARY KEY (store_no, reconciliation_id, maker),
    CONSTRAINT fk_reconciliation_maker_store_no_reconciliation FOREIGN KEY (store_no, reconciliation_id)
        REFERENCES reconciliation (store_no, reconciliation_id),
    CONSTRAINT fk_reconciliation_maker_person_no_person FOREIGN KEY (person_no) REFERENCES person (person_no)
);
CREATE TABLE reconciliation_line (
    store_no integer NOT NULL,
    reconciliation_id varchar NOT NULL,
    line_number integer NOT NULL,
    item_no integer NOT NULL,
    counted numeric,
    counted_at timestamptz NOT NULL,
    reason_code varchar NOT NULL,
    event_sequence bigint,
    stream_no integer,
    sequence bigint,
    workstation_id varchar,
    withdrawn boolean NOT NULL DEFAULT false,
    system_quantity numeric,
    variance_quantity numeric,
    uncertain_quantity numeric,
    value numeric,
    movement_sequence bigint,
    CONSTRAINT pk_reconciliation_line PRIMARY KEY (store_no, reconciliation_id, line_number),
    CONSTRAINT fk_reconciliation_line_store_no_reconciliation FOREIGN KEY (store_no, reconciliation_id)
        REFERENCES reconciliation (store_no, reconciliation_id),
    CONSTRAINT fk_reconciliation_line_item_no_item FOREIGN KEY (item_no) REFERENCES item (item_no),
    CONSTRAINT ck_reconciliation_line_counted_not_negative CHECK (counted >= 0)
);
CREATE INDEX ix_reconciliation_line_store_no_item_no_counted_at
    ON reconciliation_line (store_no, item_no, counted_at);
CREATE UNIQUE INDEX uq_reconciliation_line_event ON reconciliation_line (store_no, event_sequence);
CREATE TABLE reconciliation_tender (
    store_no integer NOT NULL,
    reconciliation_id varchar NOT NULL,
    tender varchar NOT NULL,
    counted numeric NOT NULL,
    expected numeric,
    CONSTRAINT pk_reconciliation_tender PRIMARY KEY (store_no, reconciliation_id, tender),
    CONSTRAINT fk_reconciliation_tender_store_no_reconciliation FOREIGN KEY (store_no, reconciliation_id)
        REFERENCES reconciliation (store_no, reconciliation_id)
);
CREATE TABLE count_correction (
    store_no integer NOT NULL,
    store_sequence bigint NOT NULL,
    reconciliation_id varchar NOT NULL,
    line_number integer NOT NULL,
    cause_sequence bigint NOT NULL,
    quantity numeric NOT NULL,
    value numeric NOT NULL,
    posted_at timestamptz NOT NULL,
    CONSTRAINT pk_count_correction PRIMARY KEY (store_no, store_sequence),
    CONSTRAINT uq_count_correction_store_no_cause_sequence UNIQUE (store_no, cause_sequence),
    CONSTRAINT fk_count_correction_store_no_reconciliation_line FOREIGN KEY (store_no, reconciliation_id, line_number)
        REFERENCES reconciliation_line (store_no, reconciliation_id, line_number)
);
CREATE INDEX ix_count_correction_store_no_reconciliation_id ON count_correction (store_no, reconciliation_id);
CREATE INDEX ix_stock_movement_reason ON stock_movement (store_no, accounting_date) WHERE reason_code IS NOT NULL;
"""
MAKERS_OF_BEFORE = """
INSERT INTO reconciliation_maker (store_no, reconciliation_id, maker, person_no)
SELECT store_no, reconciliation_id, CASE WHEN person_no IS NULL THEN 'service:' ELSE 'person:' END || made_by, person_no
FROM reconciliation LEFT JOIN person ON name = made_by;
"""
RULES = """
CREATE FUNCTION refuse_reconciliation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'OPEN' OR NEW.approved_by IS NOT NULL THEN
            refused := 'it begins OPEN and approved by nobody';
        END IF;
    ELSIF (OLD.status, NEW.status) NOT IN (('OPEN', 'OPEN'), ('OPEN', 'APPROVED'), ('OPEN', 'REJECTED'),
            ('APPROVED', 'APPROVED'), ('APPROVED', 'POSTED'), ('POSTED', 'POSTED')) THEN
        refused := format('it cannot become %s from %s', NEW.status, OLD.status);
    ELSIF OLD.status <> 'OPEN' AND (NEW.approved_by, NEW.approved_at, NEW.approved_hash, NEW.base_sequence,
            NEW.approval_reason, NEW.complete) IS DISTINCT FROM (OLD.approved_by, OLD.approved_at, OLD.approved_hash,
            OLD.base_sequence, OLD.approval_reason, OLD.complete) THEN
        refused := 'its approval is past changing';
    ELSIF NEW.status IN ('OPEN', 'REJECTED') AND NEW.approved_by IS NOT NULL THEN
        refused := 'only what is approved has an approver';
    ELSIF OLD.status = 'OPEN' AND NEW.status = 'APPROVED' THEN
        refused := why_not_approved(NEW);
    END IF;
    IF refused IS NOT NULL THEN
        RAISE EXCEPTION 'reconciliation % is refused: %', NEW.reconciliation_id, refused
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION why_not_approved(wanted reconciliation) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF wanted.approved_by IS NULL OR wanted.approved_at IS NULL OR wanted.approved_hash IS NULL THEN
        RETURN 'an approval names its approver, its instant and the content that was seen';
    END IF;
    IF NOT EXISTS (SELECT FROM person_role WHERE person_no = wanted.approved_by AND role = 'approver') THEN
        RETURN 'whoever approves has the role approver';
    END IF;
    IF NOT wanted.complete AND coalesce(wanted.approval_reason, '') = '' THEN
        RETURN 'approving what is incomplete needs a reason';
    END IF;
    IF NOT EXISTS (SELECT FROM reconciliation_maker AS m
                   WHERE m.store_no = wanted.store_no AND m.reconciliation_id = wanted.reconciliation_id) THEN
        RETURN 'nobody is known to have made it';
    END IF;
    IF EXISTS (SELECT FROM reconciliation_maker AS m
               LEFT JOIN person_cashier AS c ON c.store_no = m.store_no AND c.cashier_id = m.cashier_id
               WHERE m.store_no = wanted.store_no AND m.reconciliation_id = wanted.reconciliation_id
                 AND wanted.approved_by IN (m.person_no, c.person_no)) THEN
        RETURN 'nobody approves what they made';
    END IF;
    IF EXISTS (SELECT FROM reconciliation_maker AS m
               LEFT JOIN person_cashier AS c ON c.store_no = m.store_no AND c.cashier_id = m.cashier_id
               WHERE m.store_no = wanted.store_no AND m.reconciliation_id = wanted.reconciliation_id
                 AND m.person_no IS NULL AND c.person_no IS NULL)
       AND EXISTS (SELECT FROM person_cashier AS c
                   WHERE c.store_no = wanted.store_no AND c.person_no = wanted.approved_by) THEN
        RETURN 'it is not known who made it, so nobody of that store approves it';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reconciliation_rules BEFORE INSERT OR UPDATE ON reconciliation
    FOR EACH ROW EXECUTE FUNCTION refuse_reconciliation();

CREATE FUNCTION refuse_late_content() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stands text;
BEGIN
    SELECT status INTO stands FROM reconciliation
    WHERE store_no = NEW.store_no AND reconciliation_id = NEW.reconciliation_id;
    IF stands = 'OPEN' OR (TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'reconciliation_line' AND stands = 'APPROVED'
        AND (to_jsonb(NEW) - 'value' - 'movement_sequence') = (to_jsonb(OLD) - 'value' - 'movement_sequence')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the content of reconciliation % is refused: it is % and changes no more',
        NEW.reconciliation_id, coalesce(stands, 'nowhere') USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER content_rules BEFORE INSERT OR UPDATE ON reconciliation_line
    FOR EACH ROW EXECUTE FUNCTION refuse_late_content();
CREATE TRIGGER content_rules BEFORE INSERT OR UPDATE ON reconciliation_tender
    FOR EACH ROW EXECUTE FUNCTION refuse_late_content();
CREATE TRIGGER content_rules BEFORE INSERT ON reconciliation_maker
    FOR EACH ROW EXECUTE FUNCTION refuse_late_content();
"""
# An open reconciliation of the version before has its makers laid down before the rule about them stands.
CHANGES = (
    "UPDATE (variance_amount, status, complete, content_hash, base_sequence, approved_by, approved_at, approved_hash, "
    "approval_reason, rejected_by, rejected_at, reject_reason, posted_by, posted_at, journal_sequence, cleared_by, "
    "acknowledged_sequence)"
)


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    for statements in (CASHIERS, DOCUMENT, CONTENT, MAKERS_OF_BEFORE, RULES):
        op.execute(statements)
    make_append_only("person_cashier", "reconciliation_maker", "count_correction")
    allow(CHANGES, "reconciliation")
    allow(
        "UPDATE (withdrawn, system_quantity, variance_quantity, uncertain_quantity, value, movement_sequence)",
        "reconciliation_line",
    )
    allow("UPDATE (expected)", "reconciliation_tender")
    allow("UPDATE (counted_until, adjustment_limit)", "store")


def downgrade() -> None:
    """What was counted and approved is part of the books; restore a backup instead."""
    raise RuntimeError(
        "0013 cannot be undone: it would delete counts and approvals. Restore a backup taken before it."
    )
