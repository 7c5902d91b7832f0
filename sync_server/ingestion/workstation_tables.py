"""The tables that prove tills: what a workstation took on a day by its events, and what its Z reports say."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg.types.multirange import Multirange
from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, INSTANT, SEQUENCES, VERBATIM, given_number


class ZTotal(SQLModel, table=True):
    """One total of one Z report, as the till's DAY_CLOSE event states it; append-only."""

    __tablename__ = "z_total"
    __table_args__ = (Index(None, "store_no", "workstation_id", "business_date"),)

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    """Of the DAY_CLOSE event."""
    place: int = Field(primary_key=True)
    workstation_id: str
    business_date: date
    kind: str
    """TYPE, TENDER, or NAMED for a total that only the till knows how to read."""
    name: str
    count: Decimal | None = None
    amount: Decimal | None = None


class WorkstationDay(SQLModel, table=True):
    """One workstation's business date: its transaction numbers, and how it compares with what its till says."""

    __tablename__ = "workstation_day"
    __table_args__ = (Index(None, "store_no", postgresql_where=text("dirty AND closes > 0")),)

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    workstation_id: str = Field(primary_key=True)
    business_date: date = Field(primary_key=True)
    closes: int = 0
    """How many Z reports came."""
    numbers: Any = Field(default_factory=Multirange, sa_type=SEQUENCES, nullable=False)
    """The transaction numbers that events of the day have."""
    dirty: bool = True
    """Whether something came since it was compared."""
    missing: Any = Field(default_factory=Multirange, sa_type=SEQUENCES, nullable=False)
    """Transaction numbers that are missing without an answer, as of the last comparison."""
    differences: Any = Field(default=None, sa_type=VERBATIM, nullable=True)
    """`[{"kind", "name", "till", "headquarters"}]`, amounts as text; none when they agree or were never compared."""


class WorkstationTotal(SQLModel, table=True):
    """What a workstation's events of a day add up to, in the store's currency, as far as they are counted."""

    __tablename__ = "workstation_total"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    workstation_id: str = Field(primary_key=True)
    business_date: date = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    lines: int = Field(sa_type=BIG)
    amount: Decimal


class TillProofProgress(SQLModel, table=True):
    """How far a store's events are counted for its tills; only stores whose tills close their days have a row."""

    __tablename__ = "till_proof_progress"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    counted_sequence: int = Field(default=0, sa_type=BIG)


class TransactionGapAnswer(SQLModel, table=True):
    """What a person found out about missing transaction numbers; append-only."""

    __tablename__ = "transaction_gap_answer"
    __table_args__ = (Index(None, "store_no", "workstation_id"),)

    answer_no: int | None = given_number(big=True)
    store_no: int = Field(foreign_key="store.store_no")
    workstation_id: str
    business_date: date
    first_number: int = Field(sa_type=BIG)
    last_number: int = Field(sa_type=BIG)
    answer: str
    reason: str
    answered_by: str
    answered_at: datetime = Field(sa_type=INSTANT)
