"""What the inventory core says of a whole transfer over Kafka does what people do over the API, once."""

import json
from typing import Any

import pytest

from sync_server.consuming.core_transfer import CoreTransfer, read_word
from sync_server.consuming.inbound import Inbound, Unusable
from sync_server.consuming.store_batches import Received
from sync_server.consuming.store_posting import Posted, StorePosting
from sync_server.consuming.transfer_posting import TransferPosting
from tests.set_clock import START
from tests.sync_server.transfers.two_stores import TwoStores
from tests.till_events import ITEM


def word(status: str, quantity: Any = 4, *, event_id: str | None = "E-1", **changes: Any) -> bytes:
    """A message of the inventory core about T-1."""
    payload = {
        "transferId": "T-1",
        "fromStoreId": "FROM",
        "toStoreId": "TO",
        "status": status,
        "lines": [{"itemId": ITEM, "quantity": quantity}],
        **changes,
    }
    said = {name: value for name, value in payload.items() if value is not None}
    return json.dumps({"eventType": "StoreTransferEvent", "eventId": event_id, "payload": said}).encode()


def say(stores: TwoStores, value: bytes) -> Posted:
    """Posts a message that can be understood."""
    content = read_word(value)
    assert isinstance(content, CoreTransfer), content
    posting = TransferPosting(stores.database, stores.clock, StorePosting(stores.database, stores.clock))
    return posting.post(Received("inventory.core.store-transfer", 0, 7, b"FROM", value, (), START, content))


def refused(posted: Posted) -> str:
    """Why the message was laid aside."""
    ((_, why),) = posted.letters
    assert not posted.done
    return str(why.reason)


def test_a_transfer_goes_its_way_word_by_word_and_each_word_counts_once(stores: TwoStores) -> None:
    for status, event_id in (("REQUESTED", None), ("SHIPPED", "E-1"), ("RECEIVED", "E-2")):
        for _ in range(2):
            posted = say(stores, word(status, event_id=event_id))
            assert (len(posted.done), posted.letters) == (1, [])
        stores.deliver()
    assert stores.standing("T-1") == ("RECEIVED", "4/4/4/0")
    assert stores.stock(stores.source) == ("6", "24", "0", "0")
    assert stores.stock(stores.destination) == ("9", "46", "0", "0")
    assert stores.in_company() == {"goods": "15", "1410": "0"}
    stores.check()


def test_words_in_any_order_end_the_same(stores: TwoStores) -> None:
    say(stores, word("RECEIVED", event_id="E-2"))
    say(stores, word("SHIPPED", event_id="E-1"))
    say(stores, word("REQUESTED"))
    stores.deliver()
    assert stores.standing("T-1") == ("RECEIVED", "4/4/4/0")
    assert stores.source.findings() == stores.destination.findings() == {}
    stores.check()


def test_partial_receipts_are_told_apart_by_their_ids(stores: TwoStores) -> None:
    say(stores, word("SHIPPED", event_id="E-1"))
    say(stores, word("RECEIVED", 2, event_id="E-2"))
    say(stores, word("RECEIVED", 2, event_id="E-3"))
    say(stores, word("RECEIVED", 2, event_id="E-3"))
    assert stores.standing("T-1") == ("RECEIVED", "0/4/4/0")
    stores.deliver()
    stores.check()


def test_a_transfer_is_cancelled_before_it_is_shipped_and_laid_aside_afterwards(stores: TwoStores) -> None:
    say(stores, word("REQUESTED"))
    for _ in range(2):
        assert say(stores, word("CANCELLED", lines=None)).letters == []
    assert stores.standing("T-1") == ("CANCELLED", "4/0/0/0")
    say(stores, word("SHIPPED", transferId="T-2"))
    assert refused(say(stores, word("CANCELLED", transferId="T-2", lines=None))) == "NOT_POSTABLE"
    stores.check()


def test_what_contradicts_what_is_there_is_laid_aside(stores: TwoStores) -> None:
    say(stores, word("REQUESTED"))
    assert refused(say(stores, word("REQUESTED", 5))) == "NOT_POSTABLE"
    assert refused(say(stores, word("SHIPPED", fromStoreId="TO", toStoreId="FROM"))) == "NOT_POSTABLE"
    assert refused(say(stores, word("SHIPPED", transferId="T-3", fromStoreId="NOWHERE"))) == "UNKNOWN_STORE"
    assert stores.standing("T-1") == ("REQUESTED", "4/0/0/0")


def test_an_item_that_nobody_described_becomes_a_placeholder(stores: TwoStores) -> None:
    lines = [{"itemId": "new", "quantity": "1.5"}]
    say(stores, word("REQUESTED", lines=lines))
    say(stores, word("SHIPPED", lines=lines))
    assert ("UNKNOWN_ITEM", "new") in stores.source.findings()
    assert stores.standing("T-1") == ("SHIPPED", "1.5/1.5/0/0")
    stores.deliver()
    stores.check()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (word("SHIPPED", event_id=None), "NO_IDENTITY"),
        (word("LOST"), "STRUCTURE_INVALID"),
        (word("SHIPPED", 0), "STRUCTURE_INVALID"),
        (word("SHIPPED", "NaN"), "STRUCTURE_INVALID"),
        (word("SHIPPED", lines=[]), "STRUCTURE_INVALID"),
        (word("SHIPPED", lines=[7]), "STRUCTURE_INVALID"),
        (word("SHIPPED", toStoreId="a/b"), "STRUCTURE_INVALID"),
        (word("SHIPPED", transferId="x" * 200), "STRUCTURE_INVALID"),
        (word("SHIPPED", occurredAt="yesterday"), "STRUCTURE_INVALID"),
        (b'{"fromStoreId":', "NOT_JSON"),
        (b'["fromStoreId"]', "NOT_AN_EVENT"),
    ],
)
def test_what_cannot_be_understood_is_laid_aside_with_its_reason(value: bytes, reason: str) -> None:
    said = read_word(value)
    assert isinstance(said, Unusable)
    assert said.reason == reason


def test_a_single_scan_stays_a_scan() -> None:
    scan = {
        "type": "TRANSFER_OUT",
        "storeId": "FROM",
        "fromStoreId": "FROM",
        "transferId": "T-1",
        "itemId": ITEM,
    }
    payload = {**scan, "quantity": 1}
    value = json.dumps({"eventType": "StoreTransferEvent", "eventId": "E-1", "payload": payload}).encode()
    assert isinstance(read_word(value), Inbound)
