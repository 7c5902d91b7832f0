"""One transaction, one commit, one role: what `database.py` promises, tried on a real PostgreSQL."""

import psycopg
import pytest
from sqlmodel import select

from sync_server.database import APPLICATION_ROLE, Database
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.errors import Unavailable
from sync_server.people.tables import Person

ADD_PERSON = "INSERT INTO person (name, created_at) VALUES (%s, now())"


def _names(database: Database) -> list[str]:
    with database.reading() as work:
        return list(work.session.exec(select(Person.name).order_by(Person.name)))


def test_a_clean_end_commits_both_ways_of_writing_as_one(database: Database) -> None:
    with database.unit_of_work() as work:
        work.session.add(Person.model_validate({"name": "ada", "created_at": "2026-02-10T23:00:00Z"}))
        work.connection.execute(ADD_PERSON, ["bob"])
    assert _names(database) == ["ada", "bob"]


def test_an_exception_leaves_nothing_behind(database: Database) -> None:
    def begin_and_fail() -> None:
        with database.unit_of_work() as work:
            work.connection.execute(ADD_PERSON, ["ada"])
            raise KeyError

    with pytest.raises(KeyError):
        begin_and_fail()
    assert _names(database) == []


def test_raw_sql_sees_what_the_session_still_held_back(database: Database) -> None:
    with database.unit_of_work() as work:
        work.session.add(Person.model_validate({"name": "ada", "created_at": "2026-02-10T23:00:00Z"}))
        assert work.connection.execute("SELECT name FROM person").fetchall() == [("ada",)]


def test_a_reading_transaction_can_change_nothing(database: Database) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), database.reading() as work:
        work.connection.execute(ADD_PERSON, ["ada"])


def test_a_reading_transaction_sees_one_state_throughout(database: Database) -> None:
    count = "SELECT count(*) FROM person"
    with database.reading() as reading:
        assert reading.connection.execute(count).fetchone() == (0,)
        with database.unit_of_work() as work:
            work.connection.execute(ADD_PERSON, ["ada"])
        assert reading.connection.execute(count).fetchone() == (0,)
    assert _names(database) == ["ada"]


def test_a_connection_that_read_may_write_in_its_next_transaction(database_url: str) -> None:
    database = Database(database_url, pool_size=1)
    with database.reading():
        pass
    with database.unit_of_work() as work:
        work.connection.execute(ADD_PERSON, ["ada"])
    assert _names(database) == ["ada"]
    database.close()


def test_whoever_signs_in_acts_as_the_application(owner_url: str) -> None:
    database = Database(owner_url.replace("tillsync_owner@", "postgres@"))
    with database.reading() as work:
        assert work.connection.execute("SELECT current_user").fetchone() == (APPLICATION_ROLE,)
    database.close()


def test_a_database_that_does_not_answer_is_a_reason_to_try_later() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nowhere")
    with pytest.raises(Unavailable, match="cannot be reached"), database.reading():
        pass
    database.close()


def test_idle_connections_that_died_are_replaced_before_anybody_notices(
    database: Database, postgres: EmbeddedPostgres, database_name: str
) -> None:
    with database.reading(), database.reading():
        pass
    with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as administrator:
        administrator.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
            [database_name],
        )
    for _ in range(3):
        assert _names(database) == []


def test_a_connection_that_dies_in_mid_transaction_is_a_reason_to_try_again(
    database: Database, postgres: EmbeddedPostgres
) -> None:
    def lose_the_connection() -> None:
        with database.unit_of_work() as work:
            own = work.connection.execute("SELECT pg_backend_pid()").fetchone()
            with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as administrator:
                administrator.execute("SELECT pg_terminate_backend(%s)", own)
            work.connection.execute(ADD_PERSON, ["ada"])

    with pytest.raises(Unavailable, match="cannot be reached"):
        lose_the_connection()
    assert _names(database) == []


def test_a_pool_that_is_exhausted_is_a_reason_to_try_later(database_url: str) -> None:
    database = Database(database_url, pool_size=1, pool_timeout_seconds=0.1)
    with database.reading(), pytest.raises(Unavailable, match="busy"), database.reading():
        pass
    database.close()
