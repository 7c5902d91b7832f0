"""One database for all tests that need no more of it than a store of their own."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sync_server.database import Database
from sync_server.embedded.postgres import EmbeddedPostgres
from tests.database_for_many import database_for_many
from tests.store_ledger import StoreLedger, assert_whole

NewStore = Callable[..., StoreLedger]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared_database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A migrated database that many tests post to, each to its own store; in the end all of it is whole."""
    with database_for_many(postgres, "test_shared") as database:
        yield database
        assert_whole(database)


@pytest.fixture
def new_store(shared_database: Database) -> NewStore:
    """Makes a store that no other test has; what `build_store` takes may be given."""

    def make(**store: Any) -> StoreLedger:
        return StoreLedger(shared_database, f"STORE-{next(_numbers)}", **store)

    return make
