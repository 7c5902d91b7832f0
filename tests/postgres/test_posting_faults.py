"""A fault at every point of a posting: each statement in each way, each table; all of a batch is posted or nothing.

Whatever broke, the sender sends the same again and the books are as if nothing had broken.
"""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from shared.event_batch import BatchReceipt
from sync_server.database import Database
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.errors import Unavailable
from tests.agent_stream import AgentStream
from tests.held_desk import HeldDesk
from tests.postgres.breaking_line import Break, BreakingLine
from tests.postgres.fingerprint import LEDGER_TABLES, fingerprint
from tests.postgres.reserving_crowd import Reserver
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, Event, basket, cash, receipt, returned, sale, void

MOST_STATEMENTS = 60
WRITTEN = [
    table for table in LEDGER_TABLES
    if table not in ("agent_command", "item_barcode", "reconciliation", "store_day")
]  # fmt: skip


def a_day(name: str) -> list[list[Event]]:
    """Groups that make a posting write to every table that it can: sales, returns, voids, held and unknown ones."""
    return [
        basket(
            f"{name}-S1", sale(2, "20.00", tenders=[cash("15.00")]), sale(1, "5.00", item=f"unknown-{name}")
        ),
        basket(f"{name}-S2", sale(20, "200.00")),
        [returned(1, "10.00", originalSaleId=f"{name}-S1", eventId=f"{name}-R1")],
        [void({"saleId": f"{name}-S2"}, eventId=f"{name}-V1")],
        [void(f"{name}-later", eventId=f"{name}-V2")],
        [receipt(3, "5.00", eventId=f"{name}-G1")],
        [{"type": "TRANSFER_OUT", "itemId": ITEM, "quantity": 1, "transferId": f"{name}-T1"}],
        [{"type": "TRANSFER_IN", "itemId": ITEM, "quantity": 1, "transferId": f"{name}-T2"}],
        basket(f"{name}-S3", sale(1, "10.00")),
        [sale(9, eventId="known", note=name)],
        [{"type": "DAY_CLOSE", "workstationId": name, "totals": {"SALE": 1}}],
    ]


@pytest.fixture
def store(database: Database) -> StoreLedger:
    """A store that has sold before."""
    ledger = StoreLedger(database)
    ledger.open_with({ITEM: ("10", "4.00")})
    ledger.post(sale(1, eventId="known"))
    return ledger


@pytest.fixture
def line(postgres: EmbeddedPostgres) -> Iterator[BreakingLine]:
    """A line to this run's PostgreSQL that can break."""
    administrator = psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True)

    def terminate(process: int) -> None:
        administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [process])

    with administrator, BreakingLine(postgres.socket_folder, terminate) as breaking:
        yield breaking


@pytest.fixture
def over_the_line(line: BreakingLine, store: StoreLedger, database_name: str) -> Iterator[StoreLedger]:
    """The same store, reached over that line with one connection, warm."""
    database = Database(f"postgresql://tillsync_app@/{database_name}?host={line.folder}", pool_size=1)
    with database.reading() as work:
        work.connection.execute("SELECT 1")
    yield store.over(database)
    database.close()


@pytest.fixture
def reservation(store: StoreLedger) -> str:
    """Goods of the store that are reserved; every day sells a little of them."""
    made = Reserver(store.database, store.store_no).reserve(5)
    assert made is not None
    return made


def _deliver(ledger: StoreLedger, name: str, reservation: str) -> Callable[[], BatchReceipt]:
    """Posting the day of that name, as often as it is called."""
    stream = AgentStream(f"stream-{name}")
    reserved = sale("0.01", "0.10", reservationId=reservation, eventId=f"{name}-P1")
    events = [event for group in [*a_day(name), [reserved]] for event in stream.group(*group)]
    return lambda: ledger.post(*events, batch_id=f"day {name}", stream=stream)


def _complete(answer: BatchReceipt) -> bool:
    counts = (answer.accepted, answer.duplicates, answer.held, answer.acknowledged_sequence)
    return counts == (12, 0, 1, 13) and not answer.gaps


@pytest.mark.parametrize("way", Break)
def test_a_posting_that_breaks_at_any_statement_is_all_there_or_not_at_all(
    store: StoreLedger, over_the_line: StoreLedger, line: BreakingLine, reservation: str, way: Break
) -> None:
    posted_and_unanswered = []
    for number in range(1, MOST_STATEMENTS):
        deliver = _deliver(over_the_line, f"{number}", reservation)
        before = fingerprint(store.database)
        line.break_at(number, way)
        try:
            deliver()
        except Unavailable:
            assert line.broke
        else:
            assert not line.broke
            break
        line.mend()
        if fingerprint(store.database) != before:
            posted_and_unanswered.append(number)
            store.check()
        answer = deliver()
        assert _complete(answer)
        assert answer.duplicate == (number in posted_and_unanswered)
    else:
        pytest.fail(f"a posting takes more than {MOST_STATEMENTS} statements")
    statements = number - 1
    assert statements >= 10
    # The commit is the last statement. psycopg prepares a query at its fifth use, which is one statement more, so
    # that the last one has not the same number each time.
    assert bool(posted_and_unanswered) == (way is Break.ANSWER_LOST)
    assert all(number >= statements - 2 for number in posted_and_unanswered)
    store.check()


def test_a_posting_that_fails_in_any_table_leaves_nothing_in_the_others(
    store: StoreLedger, owner_url: str, reservation: str
) -> None:
    with psycopg.connect(owner_url, autocommit=True) as owner:
        for table in WRITTEN:
            store.post(void({"saleId": f"{table}-S3"}))
            deliver = _deliver(store, table, reservation)
            before = fingerprint(store.database)
            _make_fail(owner, table)
            with pytest.raises(psycopg.Error, match="the disk is full"):
                deliver()
            assert fingerprint(store.database) == before, table
            owner.execute(sql.SQL("DROP TRIGGER fail ON {}").format(sql.Identifier(table)))
            answer = deliver()
            assert _complete(answer), table
            assert not answer.duplicate, table
            assert deliver().duplicate, table
    store.check()


@pytest.mark.parametrize("way", Break)
def test_a_release_that_breaks_at_any_statement_is_decided_and_posted_or_neither(
    store: StoreLedger, over_the_line: StoreLedger, line: BreakingLine, reservation: str, way: Break
) -> None:
    desk, breaking = HeldDesk(store), HeldDesk(over_the_line)
    for number in range(1, MOST_STATEMENTS):
        store.post(*basket(f"S-{number}", sale(1, eventId="known", note=f"{number}"), sale(2, "20.00")))
        first, second = desk.numbers()
        before = fingerprint(store.database)
        line.break_at(number, way)
        try:
            breaking.release(first, new_identity=True)
        except Unavailable:
            assert line.broke
        else:
            assert not line.broke
            break
        line.mend()
        if fingerprint(store.database) == before:
            assert desk.numbers() == [first, second]
            desk.release(first, new_identity=True)
        assert desk.numbers() == []
    else:
        pytest.fail(f"a release takes more than {MOST_STATEMENTS} statements")
    assert number >= 10
    # Nine of ten pieces were left; each release sold three.
    assert store.stock()[0] == str(9 - 3 * number)
    store.check()


def _make_fail(owner: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    """Every row that is written to `table` fails from here on."""
    owner.execute(
        """CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"""
    )
    owner.execute(
        sql.SQL(
            "CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION fail()"
        ).format(sql.Identifier(table))
    )
