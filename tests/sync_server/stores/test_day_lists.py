"""Lists of a day that differs: headquarters names what it lacks, and no more."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_server.database import Database
from sync_server.stores.day_lists import difference
from tests.agent_stream import STREAM_ID, AgentStream
from tests.builders import build_agent
from tests.http_caller import HttpCaller
from tests.store_ledger import StoreLedger
from tests.till_events import sale

LISTS = "/api/v1/inventory/stores/STORE-01/day-lists"
PAIRS = st.dictionaries(st.integers(1, 30), st.sampled_from([b"a", b"b"]))


@given(PAIRS, PAIRS)
def test_sending_what_differs_makes_both_sides_equal(
    theirs: dict[int, bytes], ours: dict[int, bytes]
) -> None:
    found = difference(theirs, ours)
    named = [{s for low, high in part for s in range(low, high + 1)} for part in
             (found.missing, found.different, found.surplus)]  # fmt: skip
    missing, different, surplus = named
    healed = {**ours, **{sequence: theirs[sequence] for sequence in missing | different}}
    assert {sequence: content for sequence, content in healed.items() if sequence not in surplus} == theirs
    assert not missing & different
    assert surplus == ours.keys() - theirs.keys()


def test_headquarters_names_what_it_lacks_and_what_it_has_otherwise(
    database: Database, http: HttpCaller
) -> None:
    ledger = StoreLedger(database)
    enrolled = build_agent(database)
    stream = AgentStream()
    events = stream.groups(*(sale() for _ in range(6)))
    ledger.post(*events[:2], *events[4:], stream=stream)
    with database.reading() as work:
        rows = work.connection.execute("SELECT first_sequence, content_hashes FROM stream_receipt").fetchall()
    held = {
        first + n: bytes(hashes[n * 32 : n * 32 + 32])
        for first, hashes in rows
        for n in range(len(hashes) // 32)
    }
    assert set(held) == {1, 2, 5, 6}
    hashes = [held[1], b"x" * 32, b"y" * 32, b"z" * 32, held[5]]
    body: dict[str, Any] = {
        "streamId": STREAM_ID,
        "businessDate": events[0]["stamp"]["businessDate"],
        "firstSequence": 1,
        "lastSequence": 2**53 - 1,
        "runs": [{"first": 1, "hashes": base64.b64encode(b"".join(hashes)).decode()}],
    }
    agent = http.as_caller(enrolled.credential)
    answer = agent.post(LISTS, json=body)
    assert answer.json() == {"missing": [[3, 4]], "different": [[2, 2]], "surplus": [[6, 6]]}
    assert agent.post(LISTS, json={**body, "lastSequence": 5}).json()["surplus"] == []
    unknown = agent.post(LISTS, json={**body, "streamId": "never-seen"}).json()
    assert unknown["missing"] == [[1, 5]]


@pytest.mark.parametrize("hashes", ["AAAA", "no base64!", "A" * 1_000_001])
def test_a_list_that_makes_no_sense_is_refused(database: Database, http: HttpCaller, hashes: str) -> None:
    StoreLedger(database)
    agent = http.as_caller(build_agent(database).credential)
    body = {"streamId": "s", "businessDate": "2026-02-10", "firstSequence": 1, "lastSequence": 9}
    assert agent.post(LISTS, json={**body, "runs": [{"first": 1, "hashes": hashes}]}).status_code == 422
