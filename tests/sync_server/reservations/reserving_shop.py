"""A store with goods, and the people who reserve them, over the API."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from shared.clock import instant_text
from shared.wire_json import decode_json
from sync_server.people.roles import Role
from sync_server.reservations.expiry import expiry_job
from sync_server.scheduling.job_run import run_job
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.set_clock import START, SetClock
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM

RESERVATIONS = "/api/v1/inventory/reservations"
AVAILABILITY = "/api/v1/inventory/availability"
TOMORROW = START + timedelta(days=1)


class ReservingShop:
    """Reserves in one store and reads what came of it; figures as text, as an accountant writes them."""

    def __init__(self, store: StoreLedger, http: HttpCaller, clock: SetClock) -> None:
        """`http` needs no credential yet: ada, a stock controller, gets one here."""
        self.store = store
        self.clock = clock
        self.ada = http.as_caller(build_person(store.database, "ada", Role.STOCK_CONTROLLER))

    def ask(
        self, quantity: Any = 1, *, item: str = ITEM, expires_at: datetime = TOMORROW, **fields: Any
    ) -> httpx.Response:
        """Asks for a reservation."""
        body = {"storeId": self.store.store_id, "itemId": item, "quantity": quantity, **fields}
        return self.ada.order(RESERVATIONS, json={"expiresAt": instant_text(expires_at), **body})

    def reserve(self, quantity: Any = 1, **fields: Any) -> str:
        """Reserves, which has to be granted; returns the reservation's id."""
        response = self.ask(quantity, **fields)
        assert response.status_code == 201, response.text
        return str(decode_json(response.content)["reservationId"])

    def release(self, reservation_id: str, **body: Any) -> httpx.Response:
        """Releases a reservation."""
        return self.ada.order(f"{RESERVATIONS}/{reservation_id}/release", json=body)

    def fulfil(self, reservation_id: str, **body: Any) -> httpx.Response:
        """Fulfils a reservation, all that remains or `quantity` of it."""
        return self.ada.order(f"{RESERVATIONS}/{reservation_id}/fulfil", json=body)

    def shown(self, reservation_id: str) -> dict[str, Any]:
        """The reservation as the API shows it."""
        response = self.ada.get(f"{RESERVATIONS}/{reservation_id}")
        assert response.status_code == 200, response.text
        shown: dict[str, Any] = decode_json(response.content)
        return shown

    def standing(self, reservation_id: str) -> tuple[str, str, str]:
        """Status, what remains and what is fulfilled."""
        shown = self.shown(reservation_id)
        return shown["status"], _figure(shown["remaining"]), _figure(shown["fulfilled"])

    def expire(self) -> int:
        """Runs the scheduler's job once; returns how many reservations it closed."""
        run = run_job(self.store.database, expiry_job(1), self.clock)
        assert not run.failed, run.failed
        return run.done

    def stock(self, item: str = ITEM) -> tuple[str, str, str]:
        """On hand, reserved and value of an item."""
        rows = self.store.rows(
            """SELECT trim_scale(on_hand)::text, trim_scale(reserved)::text, trim_scale(value)::text
               FROM store_stock JOIN item USING (item_no) WHERE store_no = %(store_no)s AND item_id = %(item)s""",
            item=item,
        )
        return rows[0] if rows else ("0", "0", "0")

    def available(self, item: str = ITEM) -> str:
        """What the store can promise, as the API shows it."""
        response = self.ada.get(AVAILABILITY, params={"itemId": item, "storeId": self.store.store_id})
        assert response.status_code == 200, response.text
        (row,) = decode_json(response.content)["items"]
        return _figure(row["available"])

    def ledger(self, item: str = ITEM) -> list[tuple[str, str, str, str]]:
        """The item's movements: type, change of on hand, of reserved, of value."""
        rows = self.store.rows(
            """SELECT type, trim_scale(quantity)::text, trim_scale(coalesce(reserved, 0))::text,
                      trim_scale(value)::text
               FROM stock_movement JOIN item USING (item_no)
               WHERE store_no = %(store_no)s AND item_id = %(item)s ORDER BY store_sequence""",
            item=item,
        )
        return [tuple(row) for row in rows]


def _figure(number: Any) -> str:
    text = str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text
