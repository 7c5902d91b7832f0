"""The doctor's look at TLS, held against a real HTTPS server with certificates of every kind."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge_agent.doctor_check import Check
from edge_agent.doctor_line import way_there
from edge_agent.settings import Settings
from tests.edge_agent.certificates import certificate
from tests.edge_agent.misbehaving_line import MisbehavingLine

TODAY = datetime.now(UTC)
KINDS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "good": ({"valid_from": TODAY - timedelta(days=1)}, "PASS", "certificate accepted", ""),
    "expired": ({"valid_from": TODAY - timedelta(days=9), "days": 8}, "FAIL", "expired", "renew its certificate"),
    "not yet valid": ({"valid_from": TODAY + timedelta(days=9)}, "FAIL", "not yet valid", "Set this PC's date"),
    "for another name": (
        {"valid_from": TODAY - timedelta(days=1), "address": "10.0.0.1"}, "FAIL", "mismatch", "Correct server_url",
    ),
}  # fmt: skip


def tls(line: MisbehavingLine, ca_file: str) -> Check:
    """What the doctor says of TLS."""
    dns, found = way_there(line.url, Settings(ca_file=ca_file, connect_timeout=5))
    assert dns.state == "PASS"
    assert found.check == "tls"
    return found


@pytest.mark.parametrize(("made", "state", "finding", "advice"), KINDS.values(), ids=KINDS)
def test_a_certificate_is_accepted_or_the_doctor_says_what_is_wrong_with_it(
    tmp_path: Path, made: dict[str, Any], state: str, finding: str, advice: str
) -> None:
    with MisbehavingLine(tls=certificate(tmp_path, **made)) as line:
        found = tls(line, str(tmp_path / "certificate.pem"))
    assert found.state == state
    assert finding in found.finding
    assert advice in (found.advice or "")


def test_a_certificate_from_nobody_whom_one_trusts_is_named_with_the_setting_that_helps(
    tmp_path: Path,
) -> None:
    with MisbehavingLine(tls=certificate(tmp_path, TODAY - timedelta(days=1))) as line:
        found = tls(line, "")
    assert (found.state, "self-signed" in found.finding or "self signed" in found.finding) == ("FAIL", True)
    assert "ca_file" in (found.advice or "")


def test_a_server_that_speaks_no_tls_is_told_from_one_whose_certificate_is_bad(tmp_path: Path) -> None:
    with MisbehavingLine() as line:
        plain = line.url.replace("http:", "https:")
        checks = way_there(plain, Settings(ca_file="", connect_timeout=5))
    assert checks[-1].state == "FAIL"
    assert "no secure connection" in checks[-1].finding
