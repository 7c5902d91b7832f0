"""Placeholders that a person has mapped to the item that they really were."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MAPPING = """
ALTER TABLE item ADD COLUMN mapped_to_item_no integer,
    ADD CONSTRAINT fk_item_mapped_to_item_no_item FOREIGN KEY (mapped_to_item_no) REFERENCES item (item_no),
    ADD CONSTRAINT ck_item_only_placeholders_are_mapped CHECK (mapped_to_item_no IS NULL OR placeholder);
CREATE INDEX ix_item_mapped_to_item_no ON item (mapped_to_item_no) WHERE mapped_to_item_no IS NOT NULL;
"""


def upgrade() -> None:
    """Only adds: the program of the version before goes on working."""
    op.execute(MAPPING)


def downgrade() -> None:
    """What an item really was is part of the books; restore a backup instead."""
    raise RuntimeError("0018 cannot be undone: it would forget mappings. Restore a backup taken before it.")
