"""The consumer under faults: database away, stores held, members that come, go and die; each event once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from tests.kafka.consumer_process import start_consumer
from tests.kafka.consuming import SALES, Consumers, Tills, till_event
from tests.kafka.posting_store import PostingStore
from tests.kafka.waiting import wait_until
from tests.store_ledger import assert_whole

pytestmark = pytest.mark.long


@pytest.fixture
def tills(broker: EmbeddedKafka) -> Tills:
    """Tills that speak to this test's broker, whose topics are there."""
    tills = Tills(broker)
    tills.create_topics()
    return tills


@pytest.fixture
def consumers(database: Database, broker: EmbeddedKafka) -> Consumers:
    """None yet."""
    return Consumers(database, broker)


@pytest.fixture
def stores(database: Database) -> list[PostingStore]:
    """Twelve stores, so that every partition has some."""
    return [PostingStore(database, f"STORE-{number:02}") for number in range(12)]


def posted(database: Database) -> dict[str, int]:
    """How many events each store has in its ledger."""
    with database.reading() as work:
        return dict(
            work.connection.execute(
                "SELECT store_id, count(*) FROM pos_event JOIN store USING (store_no) GROUP BY store_id"
            ).fetchall()
        )


def sell_everywhere(tills: Tills, stores: list[PostingStore], turn: int, lines: int = 5) -> None:
    """One sale of so many lines in every store."""
    for store in stores:
        sale = f"S-{turn}"
        lines_of_sale = [till_event(storeId=store.store_id, saleId=sale) for _ in range(lines)]
        tills.say(*lines_of_sale, prefix=f"{store.store_id}-{sale}")


@contextmanager
def held_store(store: PostingStore) -> Iterator[None]:
    """Somebody else holds the store's row."""
    with store.database.unit_of_work() as work:
        work.connection.execute("SELECT FROM store WHERE store_no = %s FOR UPDATE", [store.store_no])
        yield


def test_a_store_that_is_held_waits_and_the_others_go_on(
    tills: Tills, consumers: Consumers, stores: list[PostingStore], database: Database
) -> None:
    with consumers.running(), capture_logs() as log:
        with held_store(stores[0]):
            sell_everywhere(tills, stores, 1)
            wait_until(lambda: len(posted(database)) == len(stores) - 1)
            wait_until(lambda: consumers.number("sync_server_consumer_partitions_paused") >= 1)
            assert stores[0].store_id not in posted(database)
            assert tills.committed() != tills.ends, "nothing is committed past what waits"
        tills.wait_until_done()
        wait_until(lambda: consumers.number("sync_server_consumer_partitions_paused") == 0)
    assert set(posted(database).values()) == {5}
    assert [line["store_id"] for line in log if line["action"] == "consumer.store_busy"] == ["STORE-00"]
    assert_whole(database)


def test_while_the_database_is_away_the_partitions_are_kept_and_paused(
    tills: Tills,
    consumers: Consumers,
    stores: list[PostingStore],
    database: Database,
    postgres: EmbeddedPostgres,
    database_name: str,
) -> None:
    with consumers.running(), capture_logs() as log:
        sell_everywhere(tills, stores, 1)
        tills.wait_until_done()
        with database_that_takes_nobody(postgres, database_name):
            sell_everywhere(tills, stores, 2)
            wait_until(lambda: consumers.number("sync_server_consumer_stopped") == 1)
            threading.Event().wait(8)  # longer than the group waits for a member that says nothing
            assert consumers.number("sync_server_consumer_partitions") == 18
        tills.wait_until_done()
    assert set(posted(database).values()) == {10}
    said = [line["action"] for line in log]
    assert said.count("consumer.stopped") == said.count("consumer.resumed") == 1
    assert said.count("consumer.assigned") == 1, "the group has not taken it for dead"
    assert_whole(database)


@contextmanager
def database_that_takes_nobody(postgres: EmbeddedPostgres, name: str) -> Iterator[None]:
    """The database as it is for its callers while its server is away."""
    owner = Database(postgres.url("postgres", OWNER_ROLE), role=None)
    application = Database(postgres.url("postgres"))
    try:
        with owner.unit_of_work() as work:
            work.connection.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0".encode())
        with application.reading() as work:
            work.connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
        yield
    finally:
        with owner.unit_of_work() as work:
            work.connection.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1".encode())
        owner.close()
        application.close()


def test_a_member_that_joins_and_one_that_leaves_while_stores_post_cost_and_double_nothing(
    tills: Tills, consumers: Consumers, stores: list[PostingStore], database: Database
) -> None:
    def shares() -> list[float]:
        return [
            consumers.number("sync_server_consumer_partitions", index)
            for index in range(len(consumers.registries))
        ]

    turns = iter(range(1, 1000))
    with consumers.running() as first:
        wait_until(lambda: shares() == [18])
        with consumers.running():
            while shares() != [9, 9]:
                sell_everywhere(tills, stores[:4], next(turns))
                threading.Event().wait(0.3)
            first.set()
            while shares() != [0, 18]:
                sell_everywhere(tills, stores[:4], next(turns))
                threading.Event().wait(0.3)
            tills.wait_until_done()
    sales = next(turns) - 1
    assert set(posted(database).values()) == {5 * sales}
    assert_whole(database)


def test_a_killed_member_is_replaced_and_what_it_had_not_committed_is_no_double(
    tills: Tills, stores: list[PostingStore], database: Database, database_url: str, broker: EmbeddedKafka
) -> None:
    members = [start_consumer(database_url, broker.bootstrap_servers)]
    turns = iter(range(1, 1000))
    try:
        while not posted(database):
            sell_everywhere(tills, stores, next(turns))
            threading.Event().wait(0.5)
        sell_everywhere(tills, stores, next(turns), lines=20)
        members[0].kill()
        members.append(start_consumer(database_url, broker.bootstrap_servers))
        sell_everywhere(tills, stores, next(turns))
        tills.wait_until_done()
        members[1].send_signal(signal.SIGTERM)
        assert members[1].wait(30) == 0
    finally:
        for member in members:
            member.kill()
            member.wait()
    sales = next(turns) - 1
    assert set(posted(database).values()) == {5 * (sales - 1) + 20}
    assert_whole(database)


def test_a_frozen_member_that_wakes_up_moves_no_offset_back_and_doubles_nothing(
    tills: Tills,
    consumers: Consumers,
    stores: list[PostingStore],
    database: Database,
    database_url: str,
    broker: EmbeddedKafka,
) -> None:
    frozen = start_consumer(database_url, broker.bootstrap_servers)
    try:
        sell_everywhere(tills, stores, 1)
        tills.wait_until_done()
        os.kill(frozen.pid, signal.SIGSTOP)
        sell_everywhere(tills, stores, 2)
        with consumers.running():
            tills.wait_until_done()
            os.kill(frozen.pid, signal.SIGCONT)
            sell_everywhere(tills, stores, 3)
            tills.wait_until_done()
    finally:
        frozen.kill()
        frozen.wait()
    assert set(posted(database).values()) == {15}
    assert_whole(database)


def test_messages_that_come_again_in_another_cut_are_duplicates(
    tills: Tills, consumers: Consumers, stores: list[PostingStore], database: Database
) -> None:
    lines = [till_event(storeId="STORE-00", saleId=f"S-{number // 3}") for number in range(30)]
    for first in range(0, 30, 7):
        for number, line in list(enumerate(lines, 1))[first : first + 7]:
            tills.say(line, prefix=f"E-{number}")
    with consumers.running():
        tills.wait_until_done()
        for number, line in enumerate(lines, 1):
            tills.say(line, prefix=f"E-{number}")
        tills.wait_until_done()
    assert posted(database) == {"STORE-00": 30}
    with database.reading() as work:
        conflicts = work.connection.execute("SELECT count(*) FROM held_event").fetchone()
    assert conflicts == (0,)
    assert_whole(database)


def test_a_message_as_large_as_kafka_takes_becomes_a_letter_without_its_value(
    tills: Tills, consumers: Consumers, stores: list[PostingStore], database: Database
) -> None:
    tills.send(b"x" * 999_800, key="STORE-00")
    sell_everywhere(tills, stores, 1)
    with consumers.running():
        tills.wait_until_done()
    ((value, headers),) = tills.letters(SALES)
    assert (value, headers["reason"], headers["valueDropped"]) == (None, "NOT_JSON", "999800")
    assert set(posted(database).values()) == {5}
