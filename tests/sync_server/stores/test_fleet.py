"""The fleet as operators see it."""

from sync_server.database import Database
from tests.builders import build_agent, build_person, build_store
from tests.http_caller import HttpCaller

STORES = "/api/v1/inventory/stores"


def test_stores_are_listed_by_page_and_headquarters_is_none_of_them(
    database: Database, http: HttpCaller
) -> None:
    for number in (3, 1, 2):
        build_store(database, f"STORE-0{number}")
    reader = http.as_caller(build_person(database))
    first = reader.get(STORES, params={"limit": 2}).json()
    second = reader.get(STORES, params={"limit": 2, "after": first["next"]}).json()
    assert [store["storeId"] for store in first["items"]] == ["STORE-01", "STORE-02"]
    assert [store["storeId"] for store in second["items"]] == ["STORE-03"]
    assert second["next"] is None


def test_a_store_that_nobody_has_heard_of_yet_says_so(database: Database, http: HttpCaller) -> None:
    build_store(database, timezone="Europe/Berlin", day_start="04:00", currency="EUR")
    (store,) = http.as_caller(build_person(database)).get(STORES).json()["items"]
    assert store == {
        "storeId": "STORE-01",
        "locationId": "LOC-STORE-01",
        "timezone": "Europe/Berlin",
        "dayStart": "04:00",
        "currency": "EUR",
        "intake": None,
        "lastContact": None,
        "backlogEvents": None,
        "oldestUnsentAt": None,
        "openFindings": 0,
    }


def test_a_store_shows_its_agents_and_its_streams_with_their_gaps(
    database: Database, http: HttpCaller
) -> None:
    build_store(database)
    agent = build_agent(database)
    with database.unit_of_work() as work:
        work.connection.execute(
            "INSERT INTO stream (store_no, stream_id, device_no, received) "
            "SELECT store_no, 's-1', device_no, '{[1,5),[8,10)}' FROM device"
        )
    store = http.as_caller(build_person(database)).get(f"{STORES}/STORE-01").json()
    assert store["streams"] == [
        {
            "streamId": "s-1",
            "deviceId": str(agent.device_id),
            "acknowledgedSequence": 4,
            "gaps": [[5, 7]],
        }
    ]
    assert [each["lastContact"] for each in store["agents"]] == [None]


def test_an_unknown_store_is_not_found(database: Database, http: HttpCaller) -> None:
    reader = http.as_caller(build_person(database))
    for store_id in ("NOWHERE", "HEADQUARTERS", "a%00b", "%F0%9F%9B%92"):
        response = reader.get(f"{STORES}/{store_id}")
        assert (response.status_code, response.json()["errorCode"]) == (404, "STORE_NOT_FOUND")
