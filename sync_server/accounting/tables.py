"""The tables of the books, by migrations 0002, 0004 and 0007; PostgreSQL refuses a journal that does not balance."""

from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, CURRENCY, INSTANT


class Account(SQLModel, table=True):
    """An account by the purpose that it serves; the chart of accounts is data."""

    purpose: str = Field(primary_key=True)
    account: str
    name: str


class AccountUse(SQLModel, table=True):
    """An account that serves a purpose or once did; append-only, since journals keep the account of their day."""

    __tablename__ = "account_use"

    purpose: str = Field(foreign_key="account.purpose", primary_key=True)
    account: str = Field(primary_key=True)
    since: datetime = Field(sa_type=INSTANT)


class ReasonCode(SQLModel, table=True):
    """Why stock was adjusted, and which purposes' accounts take the loss or the gain."""

    __tablename__ = "reason_code"

    reason_code: str = Field(primary_key=True)
    description: str
    loss_purpose: str = Field(foreign_key="account.purpose")
    gain_purpose: str = Field(foreign_key="account.purpose")


class PeriodChange(SQLModel, table=True):
    """A closing or reopening of a store's books; append-only."""

    __tablename__ = "period_change"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    change_number: int = Field(primary_key=True)
    closed_through: date | None = None
    """The last closed day from then on."""
    after_sequence: int = Field(sa_type=BIG)
    """The store's last number at that time: what is numbered above it obeys."""
    reason: str
    changed_by: str
    changed_at: datetime = Field(sa_type=INSTANT)


class Journal(SQLModel, table=True):
    """One posting in one currency; its lines balance."""

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    first_sequence: int = Field(sa_type=BIG)
    """The first storeSequence of what it books; the events of its group lie between the two."""
    kind: str
    """POS for till events, else the kind of document that it books."""
    currency: str = Field(sa_type=CURRENCY)
    business_date: date
    accounting_date: date
    posted_at: datetime = Field(sa_type=INSTANT)


class JournalLine(SQLModel, table=True):
    """A debit or a credit; exactly one of the two is above zero."""

    __tablename__ = "journal_line"

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    line_number: int = Field(primary_key=True)
    account: str
    tender: str | None = None
    debit: Decimal
    credit: Decimal
