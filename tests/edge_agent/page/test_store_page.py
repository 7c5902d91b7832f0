"""The store's page over the loopback port, down to the headers."""

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from edge_agent.errors import SpoolFault, SpoolFull
from edge_agent.page.store_page import StorePage
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources.local_http import LocalHttp
from shared.wire_json import decode_json
from tests.edge_agent.builders import ManualClock, open_intake
from tests.edge_agent.loopback_till import LoopbackTill

LEAVES = ("/", "/page.css", "/page.js", "/v1/light")
REPORT: dict[str, Any] = {
    "online": True, "trouble": None, "enrolmentNeeded": False, "undeliverable": 0, "refusedRecords": 0,
    "clockOffsetMs": None, "alarms": [], "stoppedLoops": [], "lastSuccess": None,
    "backlog": {"events": 0, "oldestAcceptedAt": None},
}  # fmt: skip


def refusing_report(error: Exception) -> dict[str, Any]:
    raise error


def page_of(report: Any, store_id: str = "STORE-01") -> StorePage:
    return StorePage(store_id, report, ManualClock(), 86400)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A loopback door that asks tills for a token, with the page beside it."""
    clock = ManualClock()
    desk, intake = open_intake(tmp_path, clock)
    refused = RefusedRecords(tmp_path, 1_000_000, clock)
    errands = {("GET", "/v1/status"): lambda _: REPORT}
    door = LocalHttp(0, "secret", intake, refused, errands, clock, page_of(lambda: REPORT).leaves)
    door.start()
    yield door.port
    door.stop()
    desk.close()


def fetch(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", LEAVES)
def test_every_leaf_forbids_framing_sniffing_and_foreign_content(port: int, path: str) -> None:
    status, headers, _ = fetch(port, path)
    assert status == 200
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize("path", LEAVES)
def test_no_leaf_is_shown_to_other_pages_or_under_other_names(port: int, path: str) -> None:
    strangers: list[dict[str, str]] = [
        {"Host": "evil.example"}, {"Host": f"evil.example:{port}"}, {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": f"http://127.0.0.1:{port}"},
        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
    ]  # fmt: skip
    for stranger in strangers:
        assert fetch(port, path, **stranger)[0] == 403, stranger
    assert fetch(port, path, Sec_Fetch_Site="same-origin")[0] == 200
    assert fetch(port, path, Host=f"localhost:{port}", Sec_Fetch_Site="none")[0] == 200


def test_the_page_needs_no_token_and_opens_nothing_else(port: int) -> None:
    assert fetch(port, "/v1/light")[0] == 200
    assert fetch(port, "/v1/status")[0] == 401
    assert fetch(port, "/page.html")[0] == 401
    assert LoopbackTill(port).ask("POST", "/v1/light")[0] == 405


def test_the_light_holds_no_more_than_the_page_shows(port: int) -> None:
    assert set(decode_json(fetch(port, "/v1/light")[2])) == {
        "colour", "headline", "advice", "codes", "ask", "waiting", "waitingSince", "lastSuccess", "storeId", "version",
    }  # fmt: skip


def test_the_whole_page_is_light(port: int) -> None:
    assert sum(len(fetch(port, path)[2]) for path in LEAVES) < 16_000


@pytest.mark.parametrize(("error", "code"), [(SpoolFault("broken"), "T32"), (SpoolFull("full"), "T30")])
def test_a_status_that_cannot_be_had_is_red_itself(error: Exception, code: str) -> None:
    _, body = page_of(lambda: refusing_report(error)).leaves["/v1/light"]()
    shown = decode_json(body)
    assert (shown["colour"], shown["codes"]) == ("red", [code])


def test_whatever_a_store_is_called_it_is_text(port: int) -> None:
    _, body = page_of(lambda: REPORT, '<script>alert("x")</script>').leaves["/"]()
    assert b"<script>alert" not in body
    assert b"&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in body


def test_records_that_support_took_away_are_counted_no_more(tmp_path: Path) -> None:
    refused = RefusedRecords(tmp_path, 1_000_000, ManualClock())
    refused.keep(b"one", [], "http")
    refused.keep(b"two", [], "http")
    assert refused.count() == 2
    next(tmp_path.glob("*.json")).unlink()
    assert refused.count() == 1
