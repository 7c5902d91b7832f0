"""Enrolment: one code, one device, one store; safe to repeat, useless to anybody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sync_server.database import Database
from sync_server.stores.enrolment import create_enrolment_code
from tests.builders import OPERATOR, build_store
from tests.http_caller import HttpCaller
from tests.set_clock import SetClock

ENROLMENTS = "/api/v1/inventory/enrolments"
DEVICE = str(uuid4())


@pytest.fixture
def code(database: Database, clock: SetClock) -> str:
    """A code for STORE-01, good for an hour."""
    build_store(database, timezone="Europe/Berlin", day_start="04:00", currency="EUR")
    with database.unit_of_work() as work:
        return create_enrolment_code(
            work, "STORE-01", by=OPERATOR, now=clock.now(), expires_in=timedelta(hours=1)
        )


def _enrol(http: HttpCaller, code: str, device_id: str = DEVICE) -> httpx.Response:
    body = {"code": code, "deviceId": device_id, "deviceName": "till PC", "agentVersion": "0.1.0"}
    return http.post(ENROLMENTS, json=body)


def _may_read_profile(http: HttpCaller, answer: dict[str, Any]) -> bool:
    path = f"/api/v1/inventory/stores/{answer['storeId']}/profile"
    return http.as_caller(answer["credential"]).get(path).status_code == 200


def test_a_code_is_exchanged_for_a_credential_and_the_stores_profile(http: HttpCaller, code: str) -> None:
    response = _enrol(http, code)
    answer = response.json()
    assert response.status_code == 201
    assert (answer["storeId"], answer["deviceId"]) == ("STORE-01", DEVICE)
    assert _may_read_profile(http, answer)
    profile = answer["profile"]
    assert profile["timezone"] == "Europe/Berlin"
    assert profile["dayStart"] == "04:00"
    assert profile["currency"] == "EUR"
    assert profile["locationId"] == "LOC-STORE-01"
    assert profile["serverTime"] == "2026-02-10T23:05:00Z"
    assert profile["limits"]["maxEvents"] == 2000
    assert profile["timezoneData"]


def test_an_answer_that_was_lost_is_asked_for_again_and_the_former_credential_dies(
    http: HttpCaller, code: str
) -> None:
    first, second = _enrol(http, code), _enrol(http, code)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["credential"] != second.json()["credential"]
    assert _may_read_profile(http, second.json())
    assert not _may_read_profile(http, first.json())


def test_a_code_that_was_used_opens_nothing_for_another_device(http: HttpCaller, code: str) -> None:
    _enrol(http, code)
    refusal = _enrol(http, code, str(uuid4()))
    assert refusal.status_code == 403
    assert refusal.json()["errorCode"] == "ENROLMENT_REFUSED"


def test_a_code_expires_for_its_own_device_too(http: HttpCaller, code: str, clock: SetClock) -> None:
    assert _enrol(http, code).status_code == 201
    clock.advance(timedelta(hours=1))
    assert _enrol(http, code).json()["errorCode"] == "ENROLMENT_REFUSED"


def test_a_code_may_be_typed_as_people_type(http: HttpCaller, code: str) -> None:
    typed = code.replace("-", " ").lower().replace("0", "o").replace("1", "l")
    assert _enrol(http, typed).status_code == 201


@pytest.mark.parametrize("wrong", ["AAAA-AAAA-AAAA-AAAA-AAAA", "", "x" * 101])
def test_a_code_that_nobody_made_is_refused(http: HttpCaller, code: str, wrong: str) -> None:
    assert _enrol(http, wrong).status_code in (403, 422)


def test_a_device_enrols_once_more_with_a_new_code_of_its_store(
    database: Database, http: HttpCaller, code: str, clock: SetClock
) -> None:
    former = _enrol(http, code).json()
    with database.unit_of_work() as work:
        fresh = create_enrolment_code(work, "STORE-01", by=OPERATOR, now=clock.now())
    response = _enrol(http, fresh)
    assert response.status_code == 201
    assert _may_read_profile(http, response.json())
    assert not _may_read_profile(http, former)


def test_a_device_does_not_move_to_another_store(
    database: Database, http: HttpCaller, code: str, clock: SetClock
) -> None:
    _enrol(http, code)
    build_store(database, "STORE-02")
    with database.unit_of_work() as work:
        other = create_enrolment_code(work, "STORE-02", by=OPERATOR, now=clock.now())
    refusal = _enrol(http, other)
    assert refusal.json()["errorCode"] == "ENROLMENT_REFUSED"
    assert "another store" in refusal.json()["message"]


def test_the_code_and_the_credential_are_kept_as_hashes_and_enrolment_is_audited(
    database: Database, http: HttpCaller, code: str
) -> None:
    credential = _enrol(http, code).json()["credential"]
    with database.reading() as work:
        stored = work.connection.execute(
            "SELECT (SELECT string_agg(c::text, '') FROM enrolment_code c) || (SELECT string_agg(d::text, '') "
            "FROM device d) || (SELECT string_agg(a::text, '') FROM audit_entry a)"
        ).fetchone()
        actions = work.connection.execute(
            "SELECT actor_kind, action FROM audit_entry ORDER BY audit_sequence"
        ).fetchall()
    assert stored is not None
    assert code not in stored[0]
    assert credential[8:] not in stored[0]
    assert actions == [
        ("command_line", "store.added"),
        ("command_line", "enrolment_code.created"),
        ("agent", "device.enrolled"),
    ]


def test_a_code_that_eight_devices_send_at_once_lets_one_in(http: HttpCaller, code: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: _enrol(http, code, str(uuid4())).status_code, range(8)))
    assert sorted(answers) == [201] + [403] * 7
