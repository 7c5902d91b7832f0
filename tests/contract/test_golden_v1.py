"""Protocol version 1 as it was shipped: agents in stores speak it for years, and hashes and keys never change.

A failure here means that an old agent or an old database would no longer be understood. Raise the version and
add files for it; these stay as they are.
"""

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared import protocol
from shared.business_date import TimeReading
from shared.canonical_json import canonical_bytes
from shared.clock import read_instant
from shared.day_digest import digest_of
from shared.event_batch import BatchReceipt, EventBatch, read_batch
from shared.identifiers import batch_event_key, derive_event_id, event_key
from shared.pos_event import NOT_HASHED, EventType, PosEvent, read_carefully, read_event
from shared.problems import ErrorCode
from shared.wire_json import decode_json, encode_json
from sync_server.ingestion.groups import sale_key
from sync_server.people.audit_log import FIRST_PREVIOUS_HASH, AuditFacts, chain_hash

HERE = Path(__file__).parent
VERSION = HERE / "v1"


def golden(name: str) -> Any:
    """The golden file of that name, numbers exact."""
    return decode_json((VERSION / name).read_bytes())


EVENTS = golden("events.json")
IDENTITIES = golden("identities.json")
PROTOCOL = golden("protocol.json")


def test_every_version_of_the_protocol_has_its_golden_files() -> None:
    assert PROTOCOL["version"] == protocol.PROTOCOL_VERSION
    versions = {path.name for path in HERE.glob("v*")}
    assert versions == {f"v{number}" for number in range(1, protocol.PROTOCOL_VERSION + 1)}


@pytest.mark.parametrize("case", EVENTS, ids=lambda case: str(case["name"]))
def test_an_event_has_the_content_hash_that_it_always_had(case: dict[str, Any]) -> None:
    assert hashlib.sha256(case["canonical"].encode()).hexdigest() == case["contentHash"]
    for reader in (read_event, read_carefully):
        event = reader(case["event"], "events[0]")
        assert isinstance(event, PosEvent), event
        assert event.content_hash.hex() == case["contentHash"]


@pytest.mark.parametrize("case", EVENTS, ids=lambda case: str(case["name"]))
def test_the_canonical_form_has_the_hash_of_the_event_that_it_spells(case: dict[str, Any]) -> None:
    event = read_event(decode_json(case["canonical"].encode()), "events[0]")
    assert isinstance(event, PosEvent), event
    assert event.content_hash.hex() == case["contentHash"]


def test_every_type_of_event_that_is_posted_has_a_golden_one() -> None:
    assert {"SALE", "RETURN", "VOID", "RECEIPT"} <= {case["event"]["type"] for case in EVENTS}


@pytest.mark.parametrize(("event_id", "key"), IDENTITIES["eventKeys"].items())
def test_an_event_id_has_the_key_that_it_always_had(event_id: str, key: str) -> None:
    assert str(event_key(event_id)) == key


@pytest.mark.parametrize("case", IDENTITIES["batchEventKeys"])
def test_an_event_without_an_id_has_the_key_that_it_always_had(case: dict[str, Any]) -> None:
    assert str(batch_event_key(case["batchId"], case["index"])) == case["key"]


@pytest.mark.parametrize(("sale_id", "key"), IDENTITIES["saleKeys"].items())
def test_a_sale_id_has_the_key_that_it_always_had(sale_id: str, key: str) -> None:
    assert str(UUID(sale_key(sale_id))) == key


@pytest.mark.parametrize("case", IDENTITIES["derivedEventIds"])
def test_a_till_s_line_has_the_derived_id_that_it_always_had(case: dict[str, Any]) -> None:
    assert derive_event_id(*case["words"]) == case["eventId"]


def test_a_batch_has_the_hash_that_it_always_had() -> None:
    case = golden("batch.json")
    lines = "".join(f"{line}\n" for line in case["hashedLines"])
    assert hashlib.sha256(lines.encode()).hexdigest() == case["contentHash"] == case["batch"]["contentHash"]
    batch = read_batch(case["batch"], PROTOCOL["limits"]["maxEvents"])
    assert isinstance(batch, EventBatch), batch
    assert batch.content_hash.hex() == case["contentHash"]
    assert batch.posted_at == case["postedAt"]
    assert [event.sequence for event in batch.events] == [7, 8]
    assert batch.events[0].stamp is not None
    assert (batch.events[0].stamp.group_first, batch.events[0].stamp.group_size) == (7, 2)


def test_a_receipt_is_spelled_as_it_always_was() -> None:
    receipt = BatchReceipt(
        batch_id="B-0001",
        store_id="STORE-01",
        status="POSTED",
        duplicate=False,
        accepted=500,
        duplicates=0,
        held=1,
        findings=[{"code": "NEGATIVE_STOCK", "subject": "item-001"}],
        acknowledged_sequence=1700,
        gaps=[(1801, 1810)],
        commands=[],
        server_time="2026-02-10T23:05:00Z",
    )
    assert decode_json(encode_json(receipt)) == golden("receipt.json")


def test_a_day_has_the_digest_that_it_always_had() -> None:
    case = golden("day_digest.json")
    events = [(each["sequence"], bytes.fromhex(each["contentHash"])) for each in case["events"]]
    digest = digest_of(events)
    assert (digest.digest, digest.events) == (case["digest"], case["count"])
    lines = "".join(f"{each['sequence']}:{each['contentHash']}\n" for each in case["events"])
    assert hashlib.sha256(lines.encode()).hexdigest() == case["digest"]


def test_an_audit_chain_has_the_hashes_that_it_always_had() -> None:
    case = golden("audit_chain.json")
    previous = FIRST_PREVIOUS_HASH
    for entry in case["entries"]:
        facts = AuditFacts(
            at=read_instant(entry["at"]),
            actor_kind=entry["actorKind"],
            actor=entry["actor"],
            action=entry["action"],
            subject=entry["subject"],
            before=entry["before"],
            after=entry["after"],
            request_id=entry["requestId"],
            origin=entry["origin"],
        )
        said = {name: value for name, value in entry.items() if name != "hash"}
        canonical = canonical_bytes({"storeNo": case["storeNo"], **said})
        assert hashlib.sha256(previous + canonical).hexdigest() == entry["hash"]
        previous = chain_hash(previous, case["storeNo"], entry["sequence"], facts)
        assert previous.hex() == entry["hash"]


def test_requests_go_where_they_always_went() -> None:
    store = "STORE-01"
    assert PROTOCOL["paths"] == {
        "posBatches": protocol.pos_batches_path(store),
        "heartbeats": protocol.heartbeats_path(store),
        "dayDigests": protocol.day_digests_path(store),
        "profile": protocol.profile_path(store),
        "undeliverable": protocol.undeliverable_path(store),
        "commandResult": protocol.command_result_path(store, "c/1"),
        "enrolments": protocol.ENROLMENTS_PATH,
    }
    assert PROTOCOL["headers"] == {
        "requestId": protocol.REQUEST_ID_HEADER,
        "serverMark": protocol.SERVER_MARK_HEADER,
        "agentVersion": protocol.AGENT_VERSION_HEADER,
    }


def test_limits_words_and_error_codes_are_the_ones_that_were_published() -> None:
    assert decode_json(encode_json(protocol.DEFAULT_LIMITS)) == PROTOCOL["limits"]
    assert [each.value for each in EventType] == PROTOCOL["eventTypes"]
    assert [each.value for each in TimeReading] == PROTOCOL["timeReadings"]
    assert sorted(NOT_HASHED) == PROTOCOL["notHashed"]
    assert {code.value: code.http_status for code in ErrorCode} == PROTOCOL["errors"]
    assert sorted(code.value for code in ErrorCode if code.retryable) == PROTOCOL["retryable"]
