"""Counts at a store's close, from counting to posting, by people who are there by name."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work
from sync_server.people.callers import Caller, CallerKind
from sync_server.people.roles import Role
from sync_server.people.users import add_person
from sync_server.reconciliation import decisions
from sync_server.reconciliation.reading import details_of
from sync_server.reconciliation.reconciliations import (
    Counts,
    ItemCount,
    make_count,
    make_reconciliation,
)
from sync_server.reconciliation.wire import ReconciliationDetails
from tests.builders import OPERATOR
from tests.set_clock import START
from tests.store_ledger import StoreLedger

DAY = date(2026, 2, 10)
NOON = datetime(2026, 2, 10, 12, 0, tzinfo=START.tzinfo)
CHART = ChartOfAccounts()


def at(hour: int, minute: int = 0) -> str:
    """A time of day on the day of the counts, as a till writes it."""
    return f"2026-02-10T{hour:02}:{minute:02}:00Z"


def hour(of: int) -> datetime:
    """The same as an instant."""
    return NOON.replace(hour=0) + timedelta(hours=of)


class StoreCounts:
    """One store's counts; ada makes them, bob approves them."""

    def __init__(self, store: StoreLedger) -> None:
        self.store = store
        self.ada = person(store, "ada", Role.STOCK_CONTROLLER)
        self.bob = person(store, "bob", Role.APPROVER)

    def count(
        self,
        counted: Mapping[str, str],
        *,
        when: datetime = NOON,
        tenders: Mapping[str, str] | None = None,
        reason: str = "SHRINKAGE",
    ) -> str:
        """A count of items and tenders by ada; returns its id."""
        counts = Counts(
            date=when.date(),
            counted_at=when,
            lines=[ItemCount(item, Decimal(number), reason) for item, number in counted.items()],
            tenders=[(tender, Decimal(amount)) for tender, amount in (tenders or {}).items()],
        )
        with self.store.database.unit_of_work() as work:
            made = make_count(work, CHART, self.store.store_no, counts, by=self.ada, now=START)
        return made.proposal.document.reconciliation_id

    def money(self, amount: str, reason: str = "SHRINKAGE") -> str:
        """An amount of money without items, stated by ada."""
        with self.store.database.unit_of_work() as work:
            made = make_reconciliation(
                work,
                CHART,
                self.store.store_no,
                day=DAY,
                variance_amount=Decimal(amount),
                reason=reason,
                by=self.ada,
                now=START,
            )
        return made.proposal.document.reconciliation_id

    def approve(
        self, document: str, *, by: Caller | None = None, seen: str | None = None, reason: str | None = None
    ) -> None:
        """Approved by bob, who has just looked at it, unless somebody or something else is named."""
        seen = seen or self.show(document).content_hash
        with self.store.database.unit_of_work() as work:
            decisions.approve(work, CHART, document, seen=seen, reason=reason, by=by or self.bob, now=START)

    def post(self, document: str) -> None:
        """Posted by ada."""
        with self.store.database.unit_of_work() as work:
            decisions.post(work, CHART, document, by=self.ada, now=START)

    def settle(self, document: str, *, reason: str | None = None) -> None:
        """Approved and posted."""
        self.approve(document, reason=reason)
        self.post(document)

    def show(self, document: str) -> ReconciliationDetails:
        """The document with everything that its approver sees."""
        with self.store.database.reading() as work:
            return details_of(work, CHART, document)

    def variance(self, document: str) -> dict[str, tuple[str, str, str]]:
        """(system, variance, corrected variance) by item."""
        return {
            line.item_id: (str(line.system), str(line.variance), str(line.corrected_variance))
            for line in self.show(document).lines
        }


def person(store: StoreLedger, name: str, *roles: Role) -> Caller:
    """Somebody with these roles."""
    with store.database.unit_of_work() as work:
        _add(work, name, roles)
    return Caller(
        kind=CallerKind.PERSON, name=name, roles=frozenset(roles), request_id="req-test", origin="test"
    )


def _add(work: Work, name: str, roles: tuple[Role, ...]) -> None:
    add_person(work, name, [role.value for role in roles], by=OPERATOR, now=START)
