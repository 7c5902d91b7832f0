"""The migrated schema is the one that the rooms' tables declare, and can be told from an outdated one."""

from importlib import import_module
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from sync_server.database import DATABASE_NAME, Database
from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from sync_server.errors import SchemaOutdated
from sync_server.migrations import configuration, migrate, needed_version, require_current_schema

SERVER = Path(__file__).parents[2] / "sync_server"


def _import_all_tables() -> None:
    for path in SERVER.glob("*/*table*.py"):
        import_module(f"sync_server.{path.parent.name}.{path.stem}")


def test_the_migrations_create_exactly_the_tables_that_the_rooms_declare(database: Database) -> None:
    _import_all_tables()
    with database.reading() as work:
        context = MigrationContext.configure(
            work.session.connection(),
            opts={"include_name": lambda name, kind, _: not (kind == "table" and name == "alembic_version")},
        )
        differences = compare_metadata(context, SQLModel.metadata)
    assert differences == []


def test_the_needed_version_is_the_one_that_alembic_ends_at() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [needed_version()]


def test_a_current_schema_is_accepted(database: Database) -> None:
    require_current_schema(database)


def test_migrating_twice_changes_nothing(owner_url: str, database: Database) -> None:
    assert migrate(owner_url).is_current
    require_current_schema(database)


def test_an_empty_database_is_refused_with_what_to_do(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("empty_one")
    empty = Database(postgres.url("empty_one"))
    with pytest.raises(SchemaOutdated, match="sync-server migrate"):
        require_current_schema(empty)
    empty.close()
    postgres.drop_database("empty_one")


def test_an_older_schema_is_refused_with_both_versions_named(owner_url: str, database: Database) -> None:
    owner = Database(owner_url, role=None)
    with owner.unit_of_work() as work:
        work.connection.execute("UPDATE alembic_version SET version_num = '0000'")
    owner.close()
    with pytest.raises(SchemaOutdated, match=f"version 0000 .* needs {needed_version()}"):
        require_current_schema(database)


def test_the_template_stays_untouched_by_tests(postgres: EmbeddedPostgres, database: Database) -> None:
    with database.unit_of_work() as work:
        work.connection.execute("INSERT INTO person (name, created_at) VALUES ('ada', now())")
    template = Database(postgres.url(DATABASE_NAME, OWNER_ROLE), role=None)
    with template.reading() as work:
        assert work.connection.execute("SELECT count(*) FROM person").fetchone() == (0,)
    template.close()
