"""Stores that catch up leave turns to those that sell now, and come again when too many of them wait."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from shared.protocol import BACKLOG_HEADER, pos_batches_path
from shared.wire_json import encode_json
from sync_server.database import Database
from sync_server.ingestion.posting_turns import COME_AGAIN_SECONDS, DRAINING_THREADS, MAX_WAITING, backlog_of
from tests.builders import build_agent, build_store
from tests.http_caller import HttpCaller
from tests.store_ledger import POSTED_AT
from tests.till_events import sale

DRAINING = {BACKLOG_HEADER: "5000"}


@pytest.fixture
def at_once() -> Iterator[ThreadPoolExecutor]:
    """Callers that wait for their answers beside each other."""
    with ThreadPoolExecutor(32) as callers:
        yield callers


def _post(caller: HttpCaller, store: str, batch: str, headers: dict[str, str]) -> httpx.Response:
    body = {"batchId": batch, "postedAt": POSTED_AT, "events": [sale()]}
    return caller.post(pos_batches_path(store), content=encode_json(body), headers=headers)


def test_stores_that_sell_now_get_their_turn_while_many_catch_up(
    database: Database, http: HttpCaller, at_once: ThreadPoolExecutor
) -> None:
    catching_up = build_store(database, "STORE-01")
    build_store(database, "STORE-02")
    drainer = http.as_caller(build_agent(database, "STORE-01").credential)
    seller = http.as_caller(build_agent(database, "STORE-02").credential)
    many = DRAINING_THREADS + MAX_WAITING
    with database.unit_of_work() as elsewhere:  # the store that catches up is busy for a long time
        elsewhere.connection.execute("SELECT FROM store WHERE store_no = %s FOR UPDATE", [catching_up])
        waiting: list[Future[httpx.Response]] = []
        turned_away: list[httpx.Response] = []
        while not turned_away:
            answer = at_once.submit(_post, drainer, "STORE-01", f"d-{len(waiting)}", DRAINING)
            try:
                turned_away.append(answer.result(timeout=0.3))
            except TimeoutError:
                waiting.append(answer)
        assert len(waiting) == many
        assert turned_away[0].status_code == 429
        assert turned_away[0].json()["errorCode"] == "TOO_MANY_REQUESTS"
        assert turned_away[0].headers["Retry-After"] == str(COME_AGAIN_SECONDS)
        for number in range(5):
            assert _post(seller, "STORE-02", f"s-{number}", {}).status_code == 201
    assert {answer.result(timeout=60).status_code for answer in waiting} == {201}
    again = _post(drainer, "STORE-01", f"d-{many}", DRAINING)
    assert again.status_code == 201, "the same batch, a moment later"


@pytest.mark.parametrize(
    ("said", "backlog"), [(None, 0), ("", 0), ("7", 7), ("-7", 0), ("many", 0), ("9" * 30, 0), ("٣", 0)]
)
def test_what_is_said_of_a_backlog_is_read_carefully(said: str | None, backlog: int) -> None:
    assert backlog_of(said) == backlog
