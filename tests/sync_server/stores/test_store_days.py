"""The proof of a day: the agent's digest against that of the receipts, and what a difference leads to."""

import hashlib

import pytest

from shared.day_digest import digest_of
from sync_server.database import Database
from tests.builders import EnrolledAgent, build_agent, build_person, build_store
from tests.http_caller import HttpCaller

STORE = "/api/v1/inventory/stores/STORE-01"
HASHES = [hashlib.sha256(bytes([number])).digest() for number in range(5)]
THEIRS = digest_of(enumerate(HASHES, start=1))


@pytest.fixture
def enrolled(database: Database) -> EnrolledAgent:
    """An agent of STORE-01."""
    build_store(database)
    return build_agent(database)


def _receive(database: Database, store_no: int, first: int, hashes: list[bytes]) -> None:
    """Receipts of a run of sequences, as a batch leaves them."""
    with database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO stream (store_no, stream_id) VALUES (%s, 's-1') ON CONFLICT DO NOTHING", [store_no]
        )
        work.connection.execute(
            "INSERT INTO stream_receipt (store_no, stream_no, first_sequence, last_sequence, business_date, "
            "content_hashes, outcomes) SELECT store_no, stream_no, %s, %s, '2026-02-10', %s, %s FROM stream",
            [first, first + len(hashes) - 1, b"".join(hashes), "P" * len(hashes)],
        )


def _compare(agent: HttpCaller, stream_id: str = "s-1") -> dict[str, object]:
    body = {
        "streamId": stream_id,
        "businessDate": "2026-02-10",
        "digest": THEIRS.digest,
        "events": THEIRS.events,
    }
    response = agent.post(f"{STORE}/day-digests", json=body)
    assert response.status_code == 200
    answer: dict[str, object] = response.json()
    return answer


def test_a_day_whose_events_have_all_arrived_is_proven(
    database: Database, http: HttpCaller, enrolled: EnrolledAgent
) -> None:
    _receive(database, enrolled.store_no, 3, HASHES[2:])
    _receive(database, enrolled.store_no, 1, HASHES[:2])
    agent = http.as_caller(enrolled.credential)
    assert _compare(agent) == {"state": "PROVEN", "businessDate": "2026-02-10", "events": 5}


def test_a_day_that_lacks_an_event_differs_until_it_has_arrived(
    database: Database, http: HttpCaller, enrolled: EnrolledAgent
) -> None:
    agent, reader = http.as_caller(enrolled.credential), http.as_caller(build_person(database))
    _receive(database, enrolled.store_no, 1, HASHES[:4])
    for _ in range(2):
        assert _compare(agent) == {"state": "DIFFERS", "businessDate": "2026-02-10", "events": 4}
    (finding,) = reader.get("/api/v1/inventory/findings").json()["items"]
    assert (finding["code"], finding["subject"], finding["count"]) == ("DAY_DIFFERS", "s-1 2026-02-10", 2)
    _receive(database, enrolled.store_no, 5, HASHES[4:])
    assert _compare(agent)["state"] == "PROVEN"
    (finding,) = reader.get("/api/v1/inventory/findings").json()["items"]
    assert (finding["status"], finding["closedBy"]) == ("RESOLVED", "tillsync")


def test_an_event_with_other_content_differs(
    database: Database, http: HttpCaller, enrolled: EnrolledAgent
) -> None:
    _receive(database, enrolled.store_no, 1, [*HASHES[:4], HASHES[0]])
    assert _compare(http.as_caller(enrolled.credential))["state"] == "DIFFERS"


def test_a_stream_that_headquarters_never_saw_differs(http: HttpCaller, enrolled: EnrolledAgent) -> None:
    assert _compare(http.as_caller(enrolled.credential), "s-9")["state"] == "DIFFERS"
