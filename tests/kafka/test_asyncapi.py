"""What is really published is what docs/asyncapi.yaml says, and the other way round."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.opening_stock import post_opening_stock
from sync_server.embedded.kafka import EmbeddedKafka
from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.relay import Relay
from sync_server.publishing.topics import PARTITIONS
from tests.kafka.posting_store import BY, NOON, PostingStore, sale_event
from tests.kafka.topic_reader import read_everything

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text(encoding="utf-8")
)


ANNOUNCED: tuple[tuple[OutboxKind, str, dict[str, Any]], ...] = (
    (
        OutboxKind.RECONCILED,
        "REC-1 SHRINKAGE",
        {"date": "2026-02-10", "varianceAmount": Decimal("-25.00"), "reason": "SHRINKAGE"},
    ),
    (
        OutboxKind.TRANSFER,
        "TR-1 SHIPPED",
        {
            "transferId": "TR-1",
            "fromStoreId": "STORE-02",
            "toStoreId": "STORE-01",
            "status": "SHIPPED",
            "lines": [
                {
                    "itemId": "item-001",
                    "requested": 3,
                    "shipped": Decimal("2.5"),
                    "received": 0,
                    "settled": 0,
                    "inTransit": Decimal("2.5"),
                }
            ],
        },
    ),
)


def validator(name: str) -> jsonschema_rs.Draft7Validator:
    """The validator of one of the document's schemas."""
    schema = {"allOf": [{"$ref": f"#/components/schemas/{name}"}], "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft7Validator(schema)


def described_fields(schema: dict[str, Any]) -> set[str]:
    """Every property that a schema describes, with those of what it refers to."""
    if "$ref" in schema:
        return described_fields(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    parts = [described_fields(part) for part in schema.get("allOf", ())]
    return set(schema.get("properties", ())).union(*parts)


def payload_schema(name: str) -> dict[str, Any]:
    """The schema of an event's payload."""
    envelope = DOCUMENT["components"]["schemas"][name]["allOf"][1]
    schema: dict[str, Any] = envelope["properties"]["payload"]
    return schema


@pytest.fixture
def eventful_store(store: PostingStore) -> PostingStore:
    """A store that has posted something of every kind, richly and sparsely told."""
    store.sell(lines=2, taxAmount="3.99", discountAmount="1.00", workstationId="W-1", transactionNumber="7")
    store.post({"type": "SALE", "itemId": "item-001", "quantity": "0.001", "amount": 0})
    store.post(sale_event("TENDERED", tenders=[{"type": "CARD", "amount": "50.00"}], currency="EUR"))
    store.post({**sale_event("R-1"), "type": "RETURN"})
    store.post({**sale_event("R-2", disposition="DAMAGED", originalSaleId="S"), "type": "RETURN"})
    store.post({"type": "RECEIPT", "eventId": "G-1", "itemId": "item-001", "quantity": 5, "unitCost": "2.00"})
    store.post({"type": "VOID", "eventId": "V-1", "voids": {"saleId": "STORE-01-SALE-1"}})
    store.post({"type": "VOID", "eventId": "V-2", "voids": {"eventId": "R-2"}})
    store.post({"type": "VOID", "eventId": "V-3", "voids": {"eventId": "G-1"}})
    store.post({"type": "VOID", "eventId": "V-4", "voids": {"eventId": "LATE"}})
    store.post(sale_event("LATE"))
    with store.database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO item (item_id, description, unit_of_measure) VALUES ('item-9', 'Tea', 'EA')"
        )
        ((item_no,),) = work.connection.execute(
            "SELECT item_no FROM item WHERE item_id = 'item-9'"
        ).fetchall()
        opening = [(item_no, Decimal(10), Decimal("1.75"))]
        post_opening_stock(work, ChartOfAccounts(), store.store_no, opening, by=BY, now=NOON)
    store.announce(*ANNOUNCED)
    return store


def test_everything_published_is_as_the_document_says(
    relay: Relay, broker: EmbeddedKafka, eventful_store: PostingStore
) -> None:
    while relay.run_once().advanced:
        pass
    messages = read_everything(broker.bootstrap_servers)
    journals = [message.payload for message in messages if message.topic == OutboxKind.JOURNAL.topic]
    assert {journal["kind"] for journal in journals} == {"POS", "OPENING_STOCK"}
    assert {message.topic for message in messages} == {kind.topic for kind in OutboxKind}
    for message in messages:
        errors = [str(error) for error in validator(message.value["eventType"]).iter_errors(message.value)]
        assert errors == [], message.raw
        assert set(message.payload) <= described_fields(payload_schema(message.value["eventType"]))


def test_every_topic_that_is_published_now_is_described() -> None:
    described = {
        (channel["address"], *channel["messages"], channel["bindings"]["kafka"]["partitions"])
        for channel in DOCUMENT["channels"].values()
        if channel["address"].startswith("inventory.pos.")
    }
    assert described == {(kind.topic, kind.event_type, PARTITIONS) for kind in OutboxKind}


def test_every_channel_has_an_operation() -> None:
    used = [operation["channel"]["$ref"].rpartition("/")[2] for operation in DOCUMENT["operations"].values()]
    assert sorted(used) == sorted(DOCUMENT["channels"])


@pytest.mark.parametrize("event_type", ["POSSalePostedEvent", "StoreStockReconciledEvent"])
def test_the_documents_own_examples_are_valid(event_type: str) -> None:
    (example,) = DOCUMENT["components"]["messages"][event_type]["examples"]
    validator(event_type).validate(example["payload"])


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("eventId", "no uuid"),
        ("storeSequence", 0),
        ("timestamp", "2026-02-10T22:41:08"),
        ("schemaVersion", 2),
    ],
)
def test_a_message_that_is_not_as_described_is_found(field: str, wrong: object) -> None:
    (example,) = DOCUMENT["components"]["messages"]["POSSalePostedEvent"]["examples"]
    assert not validator("POSSalePostedEvent").is_valid({**example["payload"], field: wrong})
