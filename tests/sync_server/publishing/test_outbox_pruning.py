"""The outbox is pruned a while after publishing, and everybody who asks knows up to where."""

from datetime import datetime, timedelta

import psycopg
import pytest

from sync_server.database import Database
from sync_server.publishing.outbox_pruning import prune_store, pruning_job
from sync_server.publishing.page import Mark
from sync_server.publishing.progress import advance
from sync_server.publishing.republish import publish_from
from sync_server.scheduling.job_run import run_job
from tests.kafka.posting_store import NOON, PostingStore, sale_event
from tests.set_clock import SetClock
from tests.store_ledger import assert_whole

JOB = pruning_job(30)


def run_at(database: Database, now: datetime) -> int:
    """What the job deletes when it runs at this moment."""
    run = run_job(database, JOB, SetClock(now))
    assert run.failed == {}
    return run.done


def publish(store: PostingStore) -> None:
    """Moves the store's mark to its end, as the relay does."""
    with store.database.unit_of_work() as work:
        advance(work, [Mark(store.store_no, store.published_sequence(), store.last_sequence())])


def left(store: PostingStore) -> list[int]:
    """The store sequences that the outbox still has."""
    with store.database.reading() as work:
        query = "SELECT store_sequence FROM outbox WHERE store_no = %s ORDER BY store_sequence"
        return [sequence for (sequence,) in work.connection.execute(query, [store.store_no])]


def test_what_was_published_thirty_days_ago_is_pruned_and_nothing_else(
    database: Database, store: PostingStore
) -> None:
    store.post(sale_event("E-1"))
    publish(store)
    assert run_at(database, NOON) == 0
    store.post(sale_event("E-2"))
    publish(store)
    store.post(sale_event("E-3"))
    assert run_at(database, NOON + timedelta(days=29)) == 0
    assert run_at(database, NOON + timedelta(days=30)) == 2
    assert left(store) == [3, 4, 5, 6]
    assert run_at(database, NOON + timedelta(days=58)) == 0
    assert run_at(database, NOON + timedelta(days=60)) == 2
    assert left(store) == [5, 6], "what is not published waits, however long"
    assert_whole(database)


def test_what_is_pruned_is_not_promised_to_be_sent_again(database: Database, store: PostingStore) -> None:
    for number in range(3):
        store.post(sale_event(f"E-{number}"))
    publish(store)
    run_at(database, NOON)
    store.post(sale_event("LATER"))
    publish(store)
    run_at(database, NOON + timedelta(days=30))
    again = publish_from(database, None)
    assert (again.stores, again.messages, again.pruned) == (1, 2, 1)
    assert store.published_sequence() == 6
    assert_whole(database)


def test_what_is_being_sent_again_is_not_pruned_meanwhile(database: Database, store: PostingStore) -> None:
    store.post(sale_event("E-1"))
    publish(store)
    run_at(database, NOON)
    publish_from(database, None)
    assert run_at(database, NOON + timedelta(days=31)) == 0
    publish(store)
    assert run_at(database, NOON + timedelta(days=31)) == 2


def test_two_that_prune_at_once_delete_nothing_twice(database: Database, store: PostingStore) -> None:
    store.post(sale_event("E-1"))
    publish(store)
    run_at(database, NOON)
    later = NOON + timedelta(days=31)
    for expected in (2, 0):
        with database.unit_of_work() as work:
            deleted = prune_store(work, store.store_no, later, published_before=later - timedelta(days=30))
        assert deleted == expected


def test_postgresql_refuses_to_delete_what_is_not_pruned(database: Database, store: PostingStore) -> None:
    store.post(sale_event("E-1"))
    publish(store)
    with (
        pytest.raises(psycopg.errors.RestrictViolation, match="above the mark of pruning"),
        database.unit_of_work() as work,
    ):
        work.connection.execute("DELETE FROM outbox WHERE store_no = %s", [store.store_no])
    with pytest.raises(psycopg.errors.CheckViolation), database.unit_of_work() as work:
        work.connection.execute("UPDATE relay_progress SET pruned_sequence = published_sequence + 1")


@pytest.fixture
def store(database: Database) -> PostingStore:
    """A store that posts."""
    return PostingStore(database)
