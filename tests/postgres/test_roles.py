"""What PostgreSQL lets the application's own role do: read and add everywhere, change only what may change."""

import psycopg
import pytest

from sync_server.database import Database
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.errors import Unavailable

REFUSED = psycopg.errors.InsufficientPrivilege


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE store SET store_id = 'X'",
        "UPDATE store SET currency = 'EUR'",
        "DELETE FROM store",
        "UPDATE device SET store_no = 2",
        "DELETE FROM device",
        "UPDATE enrolment_code SET expires_at = now() + interval '1 year'",
        "UPDATE api_token SET role = 'admin'",
        "DELETE FROM finding",
        "UPDATE finding SET code = 'NEGATIVE_STOCK'",
        "UPDATE person SET name = 'eve'",
        "DELETE FROM item",
        "UPDATE audit_entry SET actor = 'eve'",
        "DELETE FROM audit_entry",
        "CREATE TABLE mine (a int)",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER refuse_change ON audit_entry",
        "UPDATE alembic_version SET version_num = '9999'",
        "SET ROLE tillsync_owner",
    ],
)
def test_the_application_may_not(database: Database, statement: str) -> None:
    with pytest.raises(REFUSED), database.unit_of_work() as work:
        work.connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE store SET last_sequence = last_sequence + 1",
        "UPDATE finding SET status = 'RESOLVED'",
        "UPDATE item SET price = 1",
        "DELETE FROM item_barcode",
        "SELECT * FROM audit_entry",
    ],
)
def test_the_application_may(database: Database, statement: str) -> None:
    with database.unit_of_work() as work:
        work.connection.execute(statement)


def test_every_table_can_be_read_and_added_to(database: Database) -> None:
    with database.reading() as work:
        lacking = work.connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND relname <> 'alembic_version' "
            "AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT'))"
        ).fetchall()
    assert lacking == []


def test_the_server_may_sign_in_as_any_member_of_the_application(
    postgres: EmbeddedPostgres, database_name: str
) -> None:
    with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as administrator:
        administrator.execute("CREATE ROLE a_member LOGIN IN ROLE tillsync_app")
        administrator.execute("CREATE ROLE a_stranger LOGIN")
    member = Database(postgres.url(database_name, "a_member"))
    with member.reading() as work:
        names = work.connection.execute("SELECT session_user, current_user").fetchone()
    member.close()
    assert names == ("a_member", "tillsync_app")
    stranger = Database(postgres.url(database_name, "a_stranger"))
    with pytest.raises(Unavailable), stranger.reading():
        pass
    stranger.close()
