"""The outbox: what happened and must be told, in the order of posting, written in the same transaction."""

from sqlmodel import Field, SQLModel

from sync_server.schema import BIG, SMALL


class Outbox(SQLModel, table=True):
    """One message to come. It refers and does not copy: `kind` and the store sequence name what happened."""

    store_no: int = Field(primary_key=True)
    store_sequence: int = Field(primary_key=True, sa_type=BIG)
    kind: int = Field(sa_type=SMALL)


class RelayProgress(SQLModel, table=True):
    """Up to which store sequence a store's messages are in Kafka."""

    __tablename__ = "relay_progress"

    store_no: int = Field(foreign_key="store.store_no", primary_key=True)
    published_sequence: int = Field(default=0, sa_type=BIG)
