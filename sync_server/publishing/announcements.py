"""What a document of headquarters says on Kafka, written with its posting and published word for word.

Sales, returns, voids, journals and availability are told from the ledger. A transfer or a reconciliation has no
row of its own there, so whoever posts it writes down what is to be told, under a number of the store's sequence:

    number = posting.announce(OutboxKind.TRANSFER, cause=f"{transfer_id} RECEIVED 2", payload={...})

The relay puts `storeId` before the payload's own fields and the envelope around it. The message's `eventId` follows
from kind, store and `cause` alone: the cause names what happened in words that a headquarters restored from a
backup would find again, never a number given at posting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Cursor

from shared.wire_json import encode_json
from sync_server.publishing.kinds import ANNOUNCED_KINDS, OutboxKind

_WRITE = """
WITH said AS (
    SELECT * FROM unnest(%(numbers)s::bigint[], %(kinds)s::smallint[], %(causes)s::varchar[], %(payloads)s::json[])
        AS said (store_sequence, kind, cause, payload)
), announced AS (
    INSERT INTO announcement (store_no, store_sequence, kind, cause, payload, posted_at)
    SELECT %(store_no)s, store_sequence, kind, cause, payload, %(now)s FROM said
)
INSERT INTO outbox (store_no, store_sequence, kind) SELECT %(store_no)s, store_sequence, kind FROM said
"""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One message to come: its number in the store's sequence, what it is, what caused it, what it says.

    `payload`: the fields of the event without `storeId`; decimals as Decimal, instants and dates as text.
    """

    store_sequence: int
    kind: OutboxKind
    cause: str
    payload: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.kind not in ANNOUNCED_KINDS:
            raise ValueError(f"{self.kind.name} is told from the ledger, not announced")
        if not self.payload or "storeId" in self.payload:
            raise ValueError("a payload has fields of its own; storeId is put before them")


def write_announcements(
    cursor: Cursor[Any], store_no: int, announcements: Sequence[Announcement], now: datetime
) -> None:
    """Writes the announcements and their rows in the outbox, in the posting's transaction under the store's lock."""
    if not announcements:
        return
    parameters = {
        "store_no": store_no,
        "now": now,
        "numbers": [said.store_sequence for said in announcements],
        "kinds": [said.kind.value for said in announcements],
        "causes": [said.cause for said in announcements],
        "payloads": [encode_json(dict(said.payload)).decode() for said in announcements],
    }
    cursor.execute(_WRITE, parameters)
