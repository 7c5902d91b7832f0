"""What the tables of all rooms share: how constraints are named, and the column types that need saying.

Each room declares its tables in its own `tables.py`; the migrations create them, and a test compares the two.
"""

from typing import Any

from sqlalchemy import CHAR, BigInteger, DateTime, Identity, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSON, JSONB
from sqlmodel import Field, SQLModel

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
SQLModel.metadata.naming_convention = NAMING_CONVENTION

HEADQUARTERS = 0
"""The store_no that stands for no store: headquarters' own audit entries, and the order of item changes."""

INSTANT: Any = DateTime(timezone=True)
"""An aware instant; PostgreSQL keeps it in UTC."""
BIG: Any = BigInteger
"""A 64-bit count or sequence number."""
CURRENCY: Any = CHAR(3)
DOCUMENT: Any = JSONB(none_as_null=True)
"""A JSON document that is read as a whole."""
VERBATIM: Any = JSON(none_as_null=True)
"""JSON kept to the letter (`json`, not `jsonb`): digits, spelling and NUL escapes stay as they came."""
SMALL: Any = SmallInteger
SEQUENCES: Any = INT8MULTIRANGE
"""A set of 64-bit sequence numbers, kept as its ranges."""


def given_number(*, big: bool = False) -> Any:
    """A surrogate key that the database gives: `store_no`, `item_no`…; None until it has."""
    return Field(
        default=None,
        primary_key=True,
        sa_type=BIG if big else Integer,
        sa_column_args=[Identity(always=False)],
    )
