"""What docs/asyncapi.yaml says of consumed messages and dead letters is what the consumer reads and writes."""

import copy
from pathlib import Path
from typing import Any

import pytest

from shared.wire_json import encode_json
from sync_server.consuming.core_transfer import Action, CoreTransfer, read_word
from sync_server.consuming.dead_letters import letter_topic
from sync_server.consuming.inbound import (
    INBOUND_KINDS,
    DeadLetterReason,
    Inbound,
    Unusable,
    read_message,
)
from sync_server.publishing.topics import PARTITIONS
from sync_server.settings import Settings
from tests.kafka.test_asyncapi import DOCUMENT, validator

MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
CHANNELS: dict[str, Any] = DOCUMENT["channels"]


def example(event_type: str) -> dict[str, Any]:
    """A copy of the document's own example of an event."""
    (one,) = MESSAGES[event_type]["examples"]
    message: dict[str, Any] = copy.deepcopy(one["payload"])
    return message


def received() -> dict[str, str]:
    """The topics that the document says are consumed, by their event."""
    found = {}
    for operation in DOCUMENT["operations"].values():
        if operation["action"] == "receive":
            channel = CHANNELS[operation["channel"]["$ref"].rpartition("/")[2]]
            (event_type,) = channel["messages"]
            found[event_type] = channel["address"]
            assert operation["bindings"]["kafka"]["groupId"]["const"] == "inventory-core-cg"
    return found


def test_the_consumed_topics_are_the_settings_and_have_their_dead_letters(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert received() == {
        "POSSaleEvent": settings.kafka_topic_sales,
        "POSReturnEvent": settings.kafka_topic_returns,
        "StoreTransferEvent": settings.kafka_topic_transfers,
    }
    assert received().keys() == INBOUND_KINDS.keys()
    assert settings.kafka_group_id == "inventory-core-cg"
    letters = {
        channel["address"]: channel for channel in CHANNELS.values() if "DeadLetter" in channel["messages"]
    }
    assert set(letters) == {letter_topic(topic) for topic in received().values()}
    assert {channel["bindings"]["kafka"]["partitions"] for channel in letters.values()} == {PARTITIONS}


def test_every_reason_of_a_dead_letter_is_described() -> None:
    reasons = DOCUMENT["components"]["schemas"]["DeadLetterHeaders"]["properties"]["reason"]["enum"]
    assert reasons == [reason.value for reason in DeadLetterReason]


@pytest.mark.parametrize("event_type", INBOUND_KINDS)
def test_the_documents_examples_are_valid_and_are_read(event_type: str) -> None:
    message = example(event_type)
    validator(event_type).validate(message)
    assert isinstance(read_message(encode_json(message)), Inbound)


@pytest.mark.parametrize("event_type", INBOUND_KINDS)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("storeId", None),
        ("storeId", "no store/"),
        ("itemId", None),
        ("quantity", None),
        ("quantity", "two"),
        ("type", "COUNT"),
        ("sequence", 1),
        ("stamp", {}),
    ],
)
def test_what_the_document_forbids_is_refused(event_type: str, field: str, value: object) -> None:
    message = example(event_type)
    if value is None:
        del message["payload"][field]
    else:
        message["payload"][field] = value
    assert not validator(event_type).is_valid(message)
    assert not isinstance(read_message(encode_json(message)), Inbound)


def whole_transfer(**changes: Any) -> dict[str, Any]:
    """A word of the inventory core about a transfer."""
    payload = {
        "transferId": "TR-1",
        "fromStoreId": "STORE-01",
        "toStoreId": "STORE-02",
        "status": "SHIPPED",
        "lines": [{"itemId": "item-001", "quantity": "4.5"}],
        **changes,
    }
    said = {name: value for name, value in payload.items() if value is not None}
    return {"eventType": "StoreTransferEvent", "eventId": 7, "payload": said}


@pytest.mark.parametrize("action", Action)
def test_a_word_about_a_whole_transfer_is_valid_and_read(action: Action) -> None:
    for message in (whole_transfer(status=action.value), whole_transfer(status=None, action=action.value)):
        validator("StoreTransferEvent").validate(message)
        assert isinstance(read_word(encode_json(message)), CoreTransfer)


@pytest.mark.parametrize(
    "changes",
    [
        {"transferId": None},
        {"fromStoreId": None},
        {"toStoreId": "no store/"},
        {"status": None},
        {"status": "LOST"},
        {"lines": []},
        {"lines": [{"itemId": "item-001"}]},
        {"lines": [{"itemId": "item-001", "quantity": "two"}]},
    ],
)
def test_what_the_document_forbids_of_a_whole_transfer_is_refused(changes: dict[str, Any]) -> None:
    message = whole_transfer(**changes)
    assert not validator("StoreTransferEvent").is_valid(message)
    assert isinstance(read_word(encode_json(message)), Unusable)
