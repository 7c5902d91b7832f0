"""The table of reconciliations, as migration 0002 creates it."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from sync_server.schema import INSTANT


class Reconciliation(SQLModel, table=True):
    """A store's close of day, waiting for its approver."""

    __table_args__ = (
        Index(
            "uq_reconciliation_open",
            "store_no",
            "date",
            "reason",
            "variance_amount",
            "made_by",
            unique=True,
            postgresql_where=text("status = 'OPEN'"),
        ),
    )

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    reconciliation_id: str = Field(primary_key=True)
    date: date
    variance_amount: Decimal
    """Signed, in the store's currency: counted − system."""
    reason: str
    status: str
    """OPEN, APPROVED, POSTED or REJECTED."""
    complete: bool
    """Whether every event up to the date had arrived when it was made."""
    made_by: str
    made_at: datetime = Field(sa_type=INSTANT)
