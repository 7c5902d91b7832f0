"""The outbox: what happened and must be told, in the order of posting, written in the same transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, INSTANT, SMALL, VERBATIM


class Outbox(SQLModel, table=True):
    """One message to come. It refers and does not copy: `kind` and the store sequence name what happened."""

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    kind: int = Field(sa_type=SMALL)


class AnnouncementRow(SQLModel, table=True):
    """What a document of headquarters says on Kafka, word for word; append-only."""

    __tablename__ = "announcement"
    __table_args__ = (UniqueConstraint("store_no", "kind", "cause"),)

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    kind: int = Field(sa_type=SMALL)
    cause: str
    """What happened, in words that name it for ever: the message's id follows from it."""
    payload: Any = Field(sa_type=VERBATIM, nullable=False)
    posted_at: datetime = Field(sa_type=INSTANT)


class RelayProgress(SQLModel, table=True):
    """Up to which store sequence a store's messages are in Kafka, and up to which they are pruned since."""

    __tablename__ = "relay_progress"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    published_sequence: int = Field(default=0, sa_type=BIG)
    pruned_sequence: int = Field(default=0, sa_type=BIG)
    """Up to it the outbox is empty."""


class FeedSpan(SQLModel, table=True):
    """Positions of the feed from `first_position` to `last_position`: the store's numbers from `first_sequence` on."""

    __tablename__ = "feed_span"
    __table_args__ = (CheckConstraint("last_position >= first_position", name="not_empty"),)

    first_position: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    last_position: int = Field(sa_type=BIG)
    store_no: int
    first_sequence: int = Field(sa_type=BIG)


class FeedProgress(SQLModel, table=True):
    """Up to which number a store has been given positions in the feed."""

    __tablename__ = "feed_progress"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    given_sequence: int = Field(sa_type=BIG)


class PublishedMark(SQLModel, table=True):
    """How far a store had been published at some moment, until that is long enough ago for pruning."""

    __tablename__ = "published_mark"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    noted_at: datetime = Field(primary_key=True, sa_type=INSTANT)
    published_sequence: int = Field(sa_type=BIG)
