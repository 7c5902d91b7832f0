"""Kafka in: every message once in the ledger or among the dead letters, and its offset committed behind that."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.identifiers import derive_event_id
from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.stores.intake import Intake
from sync_server.stores.registry import declare_intake
from tests.kafka.consuming import RETURNS, SALES, TRANSFERS, Consumers, Tills, till_event
from tests.kafka.posting_store import BY, NOON, PostingStore
from tests.kafka.test_asyncapi import validator
from tests.store_ledger import assert_whole


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


def posted(store: PostingStore) -> list[tuple[str, str]]:
    """Type and id of every event in the store's ledger."""
    with store.database.reading() as work:
        return work.connection.execute(
            "SELECT type, coalesce(event_id, event_key::text) FROM pos_event WHERE store_no = %s "
            "ORDER BY type, store_sequence",
            [store.store_no],
        ).fetchall()


def held(store: PostingStore) -> list[tuple[str, str]]:
    """Id and reason of what is held of the store."""
    with store.database.reading() as work:
        return work.connection.execute(
            "SELECT event_id, reason FROM held_event WHERE store_no = %s ORDER BY 1", [store.store_no]
        ).fetchall()


def batches(store: PostingStore) -> list[tuple[str, int, int]]:
    """Channel, accepted and duplicates of each batch of the store."""
    with store.database.reading() as work:
        return work.connection.execute(
            "SELECT channel, accepted, duplicates FROM pos_batch WHERE store_no = %s ORDER BY first_sequence",
            [store.store_no],
        ).fetchall()


def test_sales_and_returns_are_posted_once_and_their_offsets_committed_behind_them(
    tills: Tills, consumers: Consumers, store: PostingStore
) -> None:
    other = PostingStore(store.database, "STORE-02")
    tills.say(till_event(), till_event(saleId="S-1"), till_event(storeId="STORE-02"))
    tills.say(till_event(originalSaleId="S-1"), topic=RETURNS, prefix="R")
    with consumers.running():
        tills.wait_until_done()
        assert posted(store) == [("RETURN", "R-1"), ("SALE", "E-1"), ("SALE", "E-2")]
        assert posted(other) == [("SALE", "E-3")]
        tills.say(till_event(), till_event(saleId="S-1"), till_event(storeId="STORE-02"))
        tills.wait_until_done()
    assert len(posted(store)) == 3
    assert consumers.number("sync_server_consumed_messages_total", outcome="accepted") == 4
    assert consumers.number("sync_server_consumed_messages_total", outcome="duplicates") == 3
    assert {channel for channel, _, _ in batches(store)} == {"kafka"}
    assert_whole(store.database)


BROKEN: dict[str, tuple[Any, str]] = {
    "not JSON": (b"{nonsense", "NOT_JSON"),
    "no value": (None, "NOT_JSON"),
    "no object": (b"[]", "NOT_AN_EVENT"),
    "no payload": (b'{"eventType":"POSSaleEvent"}', "NOT_AN_EVENT"),
    "unknown type": (b'{"eventType":"Wedding","payload":{}}', "UNKNOWN_EVENT_TYPE"),
    "no store": (b'{"eventType":"POSSaleEvent","payload":{}}', "UNKNOWN_STORE"),
    "unknown store": (till_event(storeId="NOWHERE"), "UNKNOWN_STORE"),
    "quantity 0": (till_event(quantity=0), "STRUCTURE_INVALID"),
    "a return on the wrong event": (till_event(type="RETURN"), "STRUCTURE_INVALID"),
    "a sequence": (till_event(sequence=1), "STRUCTURE_INVALID"),
}


def test_what_cannot_be_understood_is_laid_aside_with_its_reason_and_blocks_nothing(
    tills: Tills, consumers: Consumers, store: PostingStore
) -> None:
    values = []
    for what, _ in BROKEN.values():
        if isinstance(what, dict):
            what = json.dumps({"eventType": "POSSaleEvent", "eventId": "B", "payload": what}).encode()
        values.append(what)
        tills.send(what, headers=[("trace", b"t-1")])
    without_id = json.dumps({"eventType": "POSSaleEvent", "payload": till_event()}).encode()
    tills.send(without_id)
    tills.say(till_event())
    with consumers.running(), capture_logs() as log:
        tills.wait_until_done()
    assert posted(store) == [("SALE", "E-1")]
    letters = tills.letters()
    reasons = [reason for _, reason in BROKEN.values()]
    assert [(value, headers["reason"]) for value, headers in letters if "trace" in headers] == list(
        zip(values, reasons, strict=True)
    )
    for _, headers in letters:
        validator("DeadLetterHeaders").validate({**headers, "trace": "t-1"})
    ((value, headers),) = [letter for letter in letters if "trace" not in letter[1]]
    assert (value, headers["reason"]) == (without_id, "NO_IDENTITY")
    assert "workstationId, transactionNumber, lineNumber" in headers["message"]
    assert (headers["sourceTopic"], headers["sourceOffset"]) == (SALES, str(len(BROKEN)))
    (violations,) = {
        headers["violations"] for _, headers in letters if "quantity" in headers.get("violations", "")
    }
    assert json.loads(violations) == [
        {"field": "payload.quantity", "constraint": "Quantity must be greater than zero", "rejectedValue": 0}
    ]
    assert len([line for line in log if line["action"] == "consumer.dead_letter"]) == len(BROKEN) + 1
    assert consumers.number("sync_server_dead_letters_total", topic=SALES, reason="UNKNOWN_STORE") == 2


def test_an_event_without_an_id_gets_the_one_that_a_file_would_give_it(
    tills: Tills, consumers: Consumers, store: PostingStore
) -> None:
    line = till_event(workstationId="W-1", transactionNumber=77, lineNumber=1)
    tills.say(line, ids=False)
    tills.say(line, ids=False)
    with consumers.running():
        tills.wait_until_done()
    assert posted(store) == [("SALE", derive_event_id("STORE-01", "W-1", "2026-02-10", "77", "1"))]


def test_lines_of_one_sale_are_one_group_with_its_tenders(
    tills: Tills, consumers: Consumers, store: PostingStore
) -> None:
    tenders = [{"type": "CASH", "amount": 100}]
    tills.say(till_event(saleId="S-1", tenders=tenders), till_event(saleId="S-1"))
    with consumers.running():
        tills.wait_until_done()
    with store.database.reading() as work:
        journals = work.connection.execute("SELECT count(*) FROM journal").fetchone()
        findings = work.connection.execute("SELECT code FROM finding ORDER BY code").fetchall()
    assert journals == (1,)
    assert ("TENDER_MISMATCH",) not in findings


def test_what_came_over_kafka_beside_the_stores_own_intake_is_held(
    tills: Tills, consumers: Consumers, store: PostingStore
) -> None:
    with store.database.unit_of_work() as work:
        declare_intake(work, "STORE-01", Intake.AGENT, by=BY, now=NOON)
    tills.say(till_event())
    transfer = till_event(type="TRANSFER_IN", transferId="TR-1")
    tills.say(
        {name: value for name, value in transfer.items() if name != "amount"}, topic=TRANSFERS, prefix="T"
    )
    with consumers.running():
        tills.wait_until_done()
    assert ("E-1", "SECOND_CHANNEL") in held(store)
    assert ("T-1", "SECOND_CHANNEL") not in held(store), "a transfer is not a till's word"
    assert_whole(store.database)
