"""The table of receipts: which sequences of a stream have arrived, with what content, and what became of each."""

from datetime import date

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG


class StreamReceipt(SQLModel, table=True):
    """A run of consecutive sequences of one stamped business date, as one batch brought it."""

    __tablename__ = "stream_receipt"
    __table_args__ = (Index(None, "store_no", "business_date"),)

    store_no: int = Field(primary_key=True)
    stream_no: int = Field(primary_key=True)
    first_sequence: int = Field(primary_key=True, sa_type=BIG)
    last_sequence: int = Field(sa_type=BIG)
    business_date: date
    """The agent's stamped business date."""
    content_hashes: bytes
    """32 bytes a sequence, in sequence order."""
    outcomes: str
    """A letter a sequence: P posted, D duplicate, H held. All three count as received."""
