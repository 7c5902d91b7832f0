"""A count is the truth of the shelf, also where more was promised; what was promised is counted with it."""

from datetime import timedelta

from shared.wire_json import decode_json
from sync_server.people.roles import Role
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.sync_server.reservations.reserving_shop import ReservingShop
from tests.till_events import ITEM, receipt

API = "/api/v1/inventory"


def _count(shop: ReservingShop, http: HttpCaller, counted: int) -> None:
    """Hands a count in, has it approved by another person, posts it."""
    bob = http.as_caller(build_person(shop.store.database, "bob", Role.APPROVER))
    count = {
        "date": "2026-02-10",
        "countedAt": "2026-02-10T23:30:00Z",
        "lines": [{"itemId": ITEM, "counted": counted}],
    }
    made = shop.ada.order(f"{API}/stores/STORE-01/reconcile", json=count)
    assert made.status_code == 201, made.text
    document = f"{API}/reconciliations/{decode_json(made.content)['reconciliationId']}"
    approved = bob.order(f"{document}/approve", json={"reason": "counted twice"})
    assert approved.status_code == 200, approved.text
    posted = shop.ada.order(f"{document}/post", json={})
    assert posted.status_code == 200, posted.text


def test_a_count_below_what_is_reserved_names_the_promise_that_it_breaks(
    shop: ReservingShop, http: HttpCaller
) -> None:
    """Of 10 on the books 5 and then 3 are promised; 6 are counted. The first promise holds, the second does not."""
    shop.reserve(5)
    shop.clock.advance(timedelta(minutes=30))
    second = shop.reserve(3)
    _count(shop, http, 6)
    assert shop.stock()[:2] == ("6", "8")
    assert {subject for code, subject in shop.store.findings() if code == "RESERVATION_SHORT"} == {second}
    shop.store.check()
    shop.store.post(receipt(2, "4.00", occurredAt="2026-02-10T23:34:00Z"), now=shop.clock.now())
    assert not [code for code, _ in shop.store.findings() if code == "RESERVATION_SHORT"]
    shop.store.check()
