"""A migrated database for many tests: making one for each costs more than most tests do."""

from collections.abc import Iterator
from contextlib import contextmanager

from sync_server.database import DATABASE_NAME, Database
from sync_server.embedded.postgres import EmbeddedPostgres


@contextmanager
def database_for_many(postgres: EmbeddedPostgres, name: str) -> Iterator[Database]:
    """A copy of the template under that name, for as long as the block lasts, as the application sees it."""
    postgres.create_database(name, template=DATABASE_NAME)
    database = Database(postgres.url(name))
    try:
        yield database
    finally:
        database.close()
        postgres.drop_database(name)
