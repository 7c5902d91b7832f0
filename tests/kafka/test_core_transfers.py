"""Transfers on Kafka: words of the inventory core posted once, and what the destination tells as documented."""

import json

from shared.wire_json import decode_json
from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.messages import Announced, announced_message
from tests.http_caller import HttpCaller
from tests.kafka.consuming import TRANSFERS, Consumers, Tills
from tests.kafka.test_asyncapi import validator
from tests.set_clock import SetClock
from tests.store_ledger import StoreLedger, assert_whole
from tests.sync_server.transfers.two_stores import TwoStores
from tests.till_events import ITEM


def test_words_of_the_inventory_core_move_goods_between_stores(
    database: Database, broker: EmbeddedKafka
) -> None:
    source, destination = StoreLedger(database, "FROM"), StoreLedger(database, "TO")
    source.open_with({ITEM: ("10", "4.00")})
    tills, consumers = Tills(broker), Consumers(database, broker)
    tills.create_topics()
    transfer = {"transferId": "T-1", "fromStoreId": "FROM", "toStoreId": "TO"}
    lines = [{"itemId": ITEM, "quantity": 4}]
    words = [
        {**transfer, "status": status, "lines": lines}
        for status in ("REQUESTED", "SHIPPED", "RECEIVED", "LOST")
    ]
    with consumers.running():
        for _ in range(2):
            for number, payload in enumerate(words):
                said = {"eventType": "StoreTransferEvent", "eventId": f"E-{number}", "payload": payload}
                # One key, one partition: in this order.
                tills.send(json.dumps(said).encode(), topic=TRANSFERS, key="T-1")
            tills.flush()
            tills.wait_until_done()
    assert source.stock() == ("6", "24")
    assert destination.stock() == ("4", "16")
    assert [headers["reason"] for _, headers in tills.letters(TRANSFERS)] == ["STRUCTURE_INVALID"] * 2
    assert_whole(database)


def test_a_destination_tells_where_its_transfer_stands_as_the_document_says(
    database: Database, http: HttpCaller, clock: SetClock
) -> None:
    stores = TwoStores(database, http, clock)
    transfer = stores.request(4)
    stores.ship(transfer)
    stores.receive(transfer, 3)
    stores.settle(transfer)
    rows = stores.destination.rows(
        """SELECT store_sequence, cause, payload::text, '2026-02-10 23:05:00+00' FROM announcement
           WHERE store_no = %(store_no)s ORDER BY store_sequence"""
    )
    messages = [announced_message(Announced("TO", row[0], OutboxKind.TRANSFER, *row[1:])) for row in rows]
    told = [decode_json(message.value) for message in messages]
    for message, document in zip(messages, told, strict=True):
        assert (message.topic, message.key) == ("inventory.pos.store-transfer.updated", b"TO")
        validator("StoreTransferUpdatedEvent").validate(json.loads(message.value))
        assert (document["payload"]["storeId"], document["payload"]["toStoreId"]) == ("TO", "TO")
    assert [document["payload"]["status"] for document in told] == ["SHIPPED", "SHIPPED", "RECEIVED"]
    assert [document["payload"]["lines"][0]["inTransit"] for document in told] == [4, 1, 0]
    assert stores.source.count("SELECT count(*) FROM announcement WHERE store_no = %(store_no)s") == 0
