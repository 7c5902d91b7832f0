"""Two stores between which goods go, over the API and the tills; what came of it as an accountant reads it."""

from collections.abc import Mapping
from typing import Any

import httpx

from shared.wire_json import decode_json
from sync_server.database import Database
from sync_server.people.roles import Role
from sync_server.scheduling.job_run import run_job
from sync_server.transfers.arrivals import arrivals_job
from sync_server.transfers.linking import linking_job
from tests.builders import build_person
from tests.http_caller import HttpCaller
from tests.set_clock import SetClock
from tests.store_ledger import StoreLedger, assert_whole
from tests.till_events import ITEM, Event

TRANSFERS = "/api/v1/inventory/transfers"


class TwoStores:
    """FROM has 10 of item-001 at 4.00, TO has 5 at 6.00. ada ships and receives, otto settles."""

    def __init__(self, database: Database, http: HttpCaller, clock: SetClock) -> None:
        """`http` needs no credential yet."""
        self.database = database
        self.clock = clock
        self.source = StoreLedger(database, "FROM")
        self.destination = StoreLedger(database, "TO")
        self.source.open_with({ITEM: ("10", "4.00")})
        self.destination.open_with({ITEM: ("5", "6.00")})
        self.ada = http.as_caller(build_person(database, "ada", Role.STOCK_CONTROLLER, Role.APPROVER))
        self.otto = http.as_caller(build_person(database, "otto", Role.APPROVER))

    def request(self, quantity: Any = 4, **fields: Any) -> str:
        """Requests a transfer of item-001; returns its id."""
        lines = [{"itemId": ITEM, "quantity": quantity}]
        body = {"fromStoreId": "FROM", "toStoreId": "TO", "lines": lines, **fields}
        response = self.ada.order(TRANSFERS, json=body)
        assert response.status_code == 201, response.text
        return str(decode_json(response.content)["transferId"])

    def ship(self, transfer_id: str, quantity: Any = None) -> httpx.Response:
        """Ships so much of item-001, or everything requested."""
        return self.ada.order(f"{TRANSFERS}/{transfer_id}/ship", json=_lines(quantity))

    def receive(self, transfer_id: str, quantity: Any = None) -> httpx.Response:
        """Receives so much of item-001, or everything that is under way."""
        return self.ada.order(f"{TRANSFERS}/{transfer_id}/receive", json=_lines(quantity))

    def cancel(self, transfer_id: str) -> httpx.Response:
        """Cancels."""
        return self.ada.order(f"{TRANSFERS}/{transfer_id}/cancel")

    def settle(
        self, transfer_id: str, reason: str = "LOST_IN_TRANSIT", *, by: HttpCaller | None = None, **body: Any
    ) -> httpx.Response:
        """Settles all that differs, as otto unless somebody else is named."""
        order = {"reasonCode": reason, **body}
        return (by or self.otto).order(f"{TRANSFERS}/{transfer_id}/settle", json=order)

    def deliver(self) -> int:
        """Runs the scheduled jobs once; returns how many things they did."""
        runs = [run_job(self.database, job, self.clock) for job in (linking_job(), arrivals_job())]
        assert not any(run.failed for run in runs), [run.failed for run in runs]
        return sum(run.done for run in runs)

    def shown(self, transfer_id: str) -> dict[str, Any]:
        """The transfer as the API shows it."""
        response = self.ada.get(f"{TRANSFERS}/{transfer_id}")
        assert response.status_code == 200, response.text
        shown: dict[str, Any] = decode_json(response.content)
        return shown

    def standing(self, transfer_id: str) -> tuple[str, str]:
        """Status, and the first line's `requested/shipped/received/settled`."""
        shown = self.shown(transfer_id)
        line = shown["lines"][0]
        figures = [figure(line[name]) for name in ("requested", "shipped", "received", "settled")]
        return shown["status"], "/".join(figures)

    def stock(self, store: StoreLedger, item: str = ITEM) -> tuple[str, str, str, str]:
        """On hand, its value, in transit, its value."""
        rows = store.rows(
            """SELECT trim_scale(on_hand)::text, trim_scale(value)::text, trim_scale(in_transit)::text,
                      trim_scale(in_transit_value)::text
               FROM store_stock JOIN item USING (item_no) WHERE store_no = %(store_no)s AND item_id = %(item)s""",
            item=item,
        )
        return rows[0] if rows else ("0", "0", "0", "0")

    def ledger(self, store: StoreLedger) -> list[str]:
        """The store's journals but its opening, in the order of posting: `TRANSFER: Dr 1410 16, Cr 1400 16`."""
        rows = store.rows(
            """SELECT j.store_sequence, j.kind, l.account, trim_scale(l.debit)::text, trim_scale(l.credit)::text
               FROM journal j JOIN journal_line l USING (store_no, store_sequence)
               WHERE j.store_no = %(store_no)s AND j.kind <> 'OPENING_STOCK'
               ORDER BY j.store_sequence, l.debit = 0, l.account"""
        )
        journals: dict[int, tuple[str, list[str]]] = {}
        for number, kind, account, debit, credit in rows:
            side = f"Dr {account} {debit}" if credit == "0" else f"Cr {account} {credit}"
            journals.setdefault(number, (kind, []))[1].append(side)
        return [f"{kind}: {', '.join(sides)}" for kind, sides in journals.values()]

    def announced(self) -> list[tuple[str, str]]:
        """What the destination announced: status, and `shipped/received` of the first line."""
        rows = self.destination.rows(
            "SELECT payload FROM announcement WHERE store_no = %(store_no)s ORDER BY store_sequence"
        )
        return [
            (said["status"], f"{said['lines'][0]['shipped']}/{said['lines'][0]['received']}")
            for (said,) in rows
        ]

    def in_company(self) -> dict[str, str]:
        """Over both stores: on hand, in transit, legs that wait, and account 1410, the books of which must agree."""
        ((goods, transit, worth, legs, legs_worth, booked),) = self.source.rows(
            """SELECT (SELECT sum(on_hand) FROM store_stock), (SELECT sum(in_transit) FROM store_stock),
                      (SELECT sum(in_transit_value) FROM store_stock), coalesce(sum(leg.quantity), 0),
                      coalesce(sum(leg.value), 0),
                      (SELECT coalesce(sum(debit - credit), 0) FROM journal_line WHERE account = '1410')
               FROM transfer_leg_waiting JOIN transfer_leg leg USING (store_no, store_sequence)"""
        )
        assert booked == worth + legs_worth
        return {"goods": figure(goods + transit + legs), "1410": figure(booked)}

    def check(self) -> None:
        """Everything that must hold in the database holds."""
        assert_whole(self.database)


def scan_out(quantity: Any = 4, transfer_id: str | None = "T-1", **fields: Any) -> Event:
    """A till's line of goods that leave."""
    return _scan("TRANSFER_OUT", quantity, transfer_id, fields)


def scan_in(quantity: Any = 4, transfer_id: str | None = "T-1", **fields: Any) -> Event:
    """A till's line of goods that arrive."""
    return _scan("TRANSFER_IN", quantity, transfer_id, fields)


def figure(number: Any) -> str:
    """A number in its shortest form."""
    text = f"{number:f}" if not isinstance(number, int) else str(number)
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _scan(kind: str, quantity: Any, transfer_id: str | None, fields: Mapping[str, Any]) -> Event:
    event = {"type": kind, "itemId": ITEM, "quantity": quantity, "transferId": transfer_id, **fields}
    return {name: value for name, value in event.items() if value is not None}


def _lines(quantity: Any) -> dict[str, Any]:
    return {} if quantity is None else {"lines": [{"itemId": ITEM, "quantity": quantity}]}
