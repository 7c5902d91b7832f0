"""What docs/asyncapi.yaml says of consumed messages and dead letters is what the consumer reads and writes."""

import copy
from pathlib import Path
from typing import Any

import pytest

from shared.wire_json import encode_json
from sync_server.consuming.dead_letters import letter_topic
from sync_server.consuming.inbound import INBOUND_KINDS, DeadLetterReason, Inbound, read_message
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
