"""Who made a reconciliation, and who may approve it: nobody approves what they made, by person and not by token.

A person who asks over the API is known. A till's cashier is known when the id belongs to a person of the store. A
service, or a cashier whom nobody knows, may be anybody of the store: then nobody of that store approves. Of a store
is who has, or once had, a cashier id there.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor

from sync_server.errors import Forbidden
from sync_server.people.callers import Caller, CallerKind

_PERSON = "SELECT person_no FROM person WHERE name = %s AND disabled_at IS NULL"
_ADD = """
INSERT INTO reconciliation_maker (store_no, reconciliation_id, maker, person_no, cashier_id)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_MADE_IT = """
SELECT count(*) = 0 OR coalesce(bool_or(%(person)s IN (m.person_no, c.person_no)), false),
       bool_or(m.person_no IS NULL AND c.person_no IS NULL),
       EXISTS (SELECT FROM person_cashier WHERE store_no = %(store)s AND person_no = %(person)s)
FROM reconciliation_maker AS m
LEFT JOIN person_cashier AS c ON c.store_no = m.store_no AND c.cashier_id = m.cashier_id
WHERE m.store_no = %(store)s AND m.reconciliation_id = %(document)s
"""


@dataclass(frozen=True, slots=True)
class Maker:
    """Somebody who made something: known as a person, as a cashier of the store, or only by a name."""

    name: str
    """`person:ada`, `cashier:7`, `service:nightly`, `cashier:` for one that a till did not name."""
    person_no: int | None = None
    cashier_id: str | None = None


def maker_of(cursor: Cursor[Any], caller: Caller) -> Maker:
    """Who is asking over the API."""
    person = person_no_of(cursor, caller) if caller.kind is CallerKind.PERSON else None
    return Maker(f"{caller.kind.value}:{caller.name}", person)


def maker_at_till(cashier_id: str | None) -> Maker:
    """Whoever stood at a till."""
    return Maker(f"cashier:{cashier_id or ''}", None, cashier_id)


def person_no_of(cursor: Cursor[Any], caller: Caller) -> int:
    """The person behind a caller. Raises Forbidden when nobody is."""
    row = None
    if caller.kind is CallerKind.PERSON:
        row = cursor.execute(_PERSON, [caller.name]).fetchone()
    if row is None:
        raise Forbidden("This is for a person who can answer for it, not for a service or an agent")
    return int(row[0])


def add_makers(cursor: Cursor[Any], store_no: int, reconciliation_id: str, makers: Collection[Maker]) -> None:
    """Writes down who made it; whoever did already is not written twice."""
    for maker in makers:
        cursor.execute(_ADD, [store_no, reconciliation_id, maker.name, maker.person_no, maker.cashier_id])


def refuse_maker(cursor: Cursor[Any], store_no: int, reconciliation_id: str, person_no: int) -> None:
    """Raises Forbidden for a person who may not approve it; PostgreSQL would refuse them as well."""
    facts = {"store": store_no, "document": reconciliation_id, "person": person_no}
    row = cursor.execute(_MADE_IT, facts).fetchone()
    assert row is not None
    made, unknown, of_store = row
    if made:
        raise Forbidden("Nobody approves what they made; another approver has to decide")
    if unknown and of_store:
        raise Forbidden(
            "It is not known who made this, so nobody of that store approves it; an approver of another "
            "house has to decide. Cashier ids are written down with `sync-server user cashier`"
        )
