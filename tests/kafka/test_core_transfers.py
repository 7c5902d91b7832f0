"""A whole transfer over a real broker: words of the inventory core, posted once, their offsets committed."""

from sync_server.database import Database
from sync_server.embedded.kafka import EmbeddedKafka
from tests.kafka.consuming import TRANSFERS, Consumers, Tills
from tests.store_ledger import StoreLedger, assert_whole
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
        {**transfer, "status": status, "lines": lines} for status in ("REQUESTED", "SHIPPED", "RECEIVED")
    ]
    with consumers.running():
        tills.say(*words, {**transfer, "status": "LOST", "lines": lines}, topic=TRANSFERS)
        tills.wait_until_done()
        tills.say(*words, topic=TRANSFERS)
        tills.wait_until_done()
    assert source.stock() == ("6", "24")
    assert destination.stock() == ("4", "16")
    ((_, headers),) = tills.letters(TRANSFERS)
    assert headers["reason"] == "STRUCTURE_INVALID"
    assert_whole(database)
