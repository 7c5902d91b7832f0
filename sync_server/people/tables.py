"""The tables of people, their tokens and the audit trail, as migration 0001 creates them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, DOCUMENT, INSTANT, given_number


class Person(SQLModel, table=True):
    """Somebody who works with the server; what they made they may not approve."""

    person_no: int | None = given_number()
    name: str = Field(unique=True)
    created_at: datetime = Field(sa_type=INSTANT)
    disabled_at: datetime | None = Field(default=None, sa_type=INSTANT)


class PersonRole(SQLModel, table=True):
    """A role that a person holds, and since when."""

    __tablename__ = "person_role"

    person_no: int = Field(foreign_key="person.person_no", primary_key=True)
    role: str = Field(primary_key=True)
    granted_at: datetime = Field(sa_type=INSTANT)


class PersonCashier(SQLModel, table=True):
    """An id under which a person stands, or once stood, at the tills of a store; append-only."""

    __tablename__ = "person_cashier"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    cashier_id: str = Field(primary_key=True)
    person_no: int = Field(foreign_key="person.person_no", primary_key=True)
    assigned_at: datetime = Field(sa_type=INSTANT)


class ApiToken(SQLModel, table=True):
    """A token by its SHA-256: a person's, with the roles they hold, or a service's, with its own role."""

    __tablename__ = "api_token"
    __table_args__ = (CheckConstraint("(person_no IS NULL) <> (role IS NULL)", name="person_or_role"),)

    token_no: int | None = given_number()
    name: str
    person_no: int | None = Field(default=None, foreign_key="person.person_no")
    role: str | None = None
    store_no: int | None = Field(default=None, foreign_key="store.store_no")
    prefix: str
    token_sha256: bytes = Field(unique=True)
    issued_at: datetime = Field(sa_type=INSTANT)
    expires_at: datetime | None = Field(default=None, sa_type=INSTANT)
    revoked_at: datetime | None = Field(default=None, sa_type=INSTANT)


class AuditEntry(SQLModel, table=True):
    """One link of a store's chain of what was done, by whom, to what effect; never changed."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "at", "store_no", "audit_sequence"),)

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    audit_sequence: int = Field(sa_type=BIG, primary_key=True)
    at: datetime = Field(sa_type=INSTANT)
    actor_kind: str
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    after: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    request_id: str
    origin: str
    previous_hash: bytes
    hash: bytes


class IdempotencyKey(SQLModel, table=True):
    """What an operator's request answered under the key that they sent; it never expires."""

    __tablename__ = "idempotency_key"

    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    operation: str
    request_sha256: bytes
    created_at: datetime = Field(sa_type=INSTANT)
    status: int | None = None
    answer: bytes | None = None
