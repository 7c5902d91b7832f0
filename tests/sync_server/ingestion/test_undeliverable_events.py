"""`POST /stores/{storeId}/undeliverable` under bodies that no sound agent sends: held all the same, never a fault."""

from typing import Any

import pytest

from shared.wire_json import decode_json, encode_json
from sync_server.database import Database
from tests.agent_stream import STREAM_ID
from tests.builders import build_agent, build_store
from tests.http_caller import HttpCaller
from tests.store_ledger import assert_whole

PATH = "/api/v1/inventory/stores/STORE-01/undeliverable"


def _refused(
    sequence: int, raw: str = '{"type":"SALE"}', octet: str = "ab", reason: Any = "no"
) -> dict[str, Any]:
    return {"sequence": sequence, "contentHash": octet * 32, "raw": raw, "reason": reason}


@pytest.mark.parametrize(
    ("events", "acknowledged", "held"),
    [
        ([_refused(1), _refused(1)], 1, 1),
        ([_refused(1), _refused(1, octet="cd")], 1, 2),
        ([_refused(2), _refused(1)], 2, 2),
        ([_refused(1, raw="no json \x00 at all")], 1, 1),
        ([_refused(1, raw='{"eventId":"\\u0000","note":"\\u0000"}')], 1, 1),
        ([_refused(1, raw='{"stamp":{"businessDate":"9999-12-31"}}')], 1, 1),
        ([_refused(1, raw='{"stamp":{"businessDate":"never"}}')], 1, 1),
        ([_refused(1, raw="[" * 1000)], 1, 1),
        ([_refused(1, reason={"violations": [{"rejectedValue": 1}], "text": "a\x00b"})], 1, 1),
    ],
)
def test_whatever_was_refused_is_held_and_fills_its_place(
    database: Database, http: HttpCaller, events: list[dict[str, Any]], acknowledged: int, held: int
) -> None:
    build_store(database)
    agent = http.as_caller(build_agent(database).credential)
    for _ in range(2):
        response = agent.post(PATH, content=encode_json({"streamId": STREAM_ID, "events": events}))
        assert response.status_code == 200, response.text
        assert decode_json(response.content) == {"acknowledgedSequence": acknowledged, "gaps": []}
    with database.reading() as work:
        assert work.connection.execute("SELECT count(*) FROM held_event").fetchone() == (held,)
    assert_whole(database)
