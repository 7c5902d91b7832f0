"""The audit trail is a chain: each entry covers the one before it, and PostgreSQL lets nobody touch it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from sync_server.database import Database, Work
from sync_server.people.audit_log import (
    FIRST_PREVIOUS_HASH,
    AuditFacts,
    append_entry,
    chain_hash,
    facts_by,
)
from sync_server.schema import HEADQUARTERS
from tests.builders import OPERATOR, build_store
from tests.set_clock import START


def _facts(**changes: Any) -> AuditFacts:
    facts: dict[str, Any] = {
        "at": START,
        "action": "tested",
        "subject": "S",
        "after": {"amount": Decimal("2.50")},
    }
    return facts_by(OPERATOR, **{**facts, **changes})


def _chain(work: Work, store_no: int) -> list[tuple[int, bytes, bytes]]:
    query = "SELECT audit_sequence, previous_hash, hash FROM audit_entry WHERE store_no = %s ORDER BY 1"
    return [(row[0], bytes(row[1]), bytes(row[2])) for row in work.connection.execute(query, [store_no])]


def test_each_entry_covers_the_one_before_it(database: Database) -> None:
    store_no = build_store(database)
    with database.unit_of_work() as work:
        for subject in ("a", "b"):
            append_entry(work, store_no, _facts(subject=subject))
    with database.reading() as work:
        chain = _chain(work, store_no)
        head = work.connection.execute(
            "SELECT audit_sequence, audit_hash FROM store WHERE store_no = %s", [store_no]
        ).fetchone()
    assert [sequence for sequence, _, _ in chain] == [1, 2, 3]  # the first one tells of the store's addition
    assert [previous for _, previous, _ in chain] == [FIRST_PREVIOUS_HASH, chain[0][2], chain[1][2]]
    assert head == (3, chain[2][2])


def test_the_hash_can_be_computed_again_from_what_is_stored(database: Database) -> None:
    with database.unit_of_work() as work:
        append_entry(work, HEADQUARTERS, _facts(before={"roles": ["a", "b"], "gone": None}))
    with database.reading() as work:
        row = work.connection.execute(
            "SELECT at, actor_kind, actor, action, subject, before, after::text, request_id, origin, hash "
            "FROM audit_entry"
        ).fetchone()
    assert row is not None
    assert row[6] == '{"amount": 2.50}', "decimals are stored with the digits they have"
    stored = AuditFacts(
        at=row[0],
        actor_kind=row[1],
        actor=row[2],
        action=row[3],
        subject=row[4],
        before=row[5],
        after={"amount": Decimal("2.5")},
        request_id=row[7],
        origin=row[8],
    )
    assert chain_hash(FIRST_PREVIOUS_HASH, HEADQUARTERS, 1, stored) == bytes(row[9])


@pytest.mark.parametrize(
    "changes",
    [
        {"at": START + timedelta(microseconds=1)},
        {"action": "other"},
        {"subject": "T"},
        {"before": {}},
        {"after": {"amount": Decimal("2.51")}},
    ],
)
def test_any_change_changes_the_hash(changes: dict[str, Any]) -> None:
    assert chain_hash(FIRST_PREVIOUS_HASH, 1, 1, _facts()) != chain_hash(
        FIRST_PREVIOUS_HASH, 1, 1, _facts(**changes)
    )


def test_an_entry_belongs_to_its_place_in_its_chain() -> None:
    hashes = {
        chain_hash(FIRST_PREVIOUS_HASH, 1, 1, _facts()),
        chain_hash(FIRST_PREVIOUS_HASH, 2, 1, _facts()),
        chain_hash(FIRST_PREVIOUS_HASH, 1, 2, _facts()),
        chain_hash(b"\x01" * 32, 1, 1, _facts()),
    }
    assert len(hashes) == 4


def test_what_is_rolled_back_leaves_no_gap(database: Database) -> None:
    def fail() -> None:
        with database.unit_of_work() as work:
            append_entry(work, HEADQUARTERS, _facts())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.unit_of_work() as work:
        assert append_entry(work, HEADQUARTERS, _facts()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET subject = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
    ],
)
@pytest.mark.parametrize("as_owner", [False, True])
def test_nobody_changes_or_deletes_an_entry(
    database: Database, owner_url: str, statement: str, as_owner: bool
) -> None:
    with database.unit_of_work() as work:
        append_entry(work, HEADQUARTERS, _facts())
    actor = Database(owner_url, role=None) if as_owner else database
    refusal: type[psycopg.Error] = (
        psycopg.errors.RestrictViolation if as_owner else psycopg.errors.InsufficientPrivilege
    )
    attempt: Callable[[Work], object] = lambda work: work.connection.execute(statement)  # noqa: E731
    with pytest.raises(refusal), actor.unit_of_work() as work:
        attempt(work)
    actor.close()
