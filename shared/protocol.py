"""Paths, headers, versions and limits that agent and server speak by."""

from urllib.parse import quote

import msgspec

PROTOCOL_VERSION = 1
"""Raised when an older peer would misread what is sent; golden files of every version are kept in the tests."""

API_PREFIX = "/api/v1/inventory"
ENROLMENTS_PATH = f"{API_PREFIX}/enrolments"

REQUEST_ID_HEADER = "X-Request-Id"
SERVER_MARK_HEADER = "X-TillSync-Server"
"""On every answer of our server; what lacks it was said by a captive portal, a proxy or a load balancer."""
AGENT_VERSION_HEADER = "X-TillSync-Agent"
BACKLOG_HEADER = "X-TillSync-Backlog"
"""With a batch: how many events wait behind it. Who catches up leaves turns to those who sell now."""


def store_path(store_id: str) -> str:
    """The path of a store."""
    return f"{API_PREFIX}/stores/{quote(store_id, safe='')}"


def pos_batches_path(store_id: str) -> str:
    """Where batches of POS events are posted."""
    return f"{store_path(store_id)}/pos-batches"


def heartbeats_path(store_id: str) -> str:
    """Where an agent says how it is and hears what to do."""
    return f"{store_path(store_id)}/heartbeats"


def day_digests_path(store_id: str) -> str:
    """Where the digest of a stream's business date is compared."""
    return f"{store_path(store_id)}/day-digests"


def day_lists_path(store_id: str) -> str:
    """Where the list of a business date that differs is compared, event by event."""
    return f"{store_path(store_id)}/day-lists"


def profile_path(store_id: str) -> str:
    """Where an agent reads its store's zone, day start, currency, limits and barcodes."""
    return f"{store_path(store_id)}/profile"


def undeliverable_path(store_id: str) -> str:
    """Where an agent hands over, raw, what the server refused."""
    return f"{store_path(store_id)}/undeliverable"


def discards_path(store_id: str) -> str:
    """Where an agent says which undeliverable events the store has given up."""
    return f"{undeliverable_path(store_id)}/discards"


def command_result_path(store_id: str, command_id: str) -> str:
    """Where an agent reports the outcome of a command."""
    return f"{store_path(store_id)}/commands/{quote(command_id, safe='')}/result"


class Limits(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a request may weigh; published in the store's profile and enforced while reading."""

    max_events: int = 2000
    """Events in a batch."""
    max_body_bytes: int = 4 * 1024 * 1024
    """Bytes of a request body as sent."""
    max_decompressed_bytes: int = 16 * 1024 * 1024
    """Bytes of a request body once unpacked."""
    max_depth: int = 32
    """Levels of nesting in a JSON document."""


DEFAULT_LIMITS = Limits()
