"""Any order of reserving, fulfilling, releasing, expiring, selling and voiding ends as the plain model says."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Database, Work
from sync_server.embedded.postgres import EmbeddedPostgres
from sync_server.errors import Conflict
from sync_server.reservations.availability import availability_of
from sync_server.reservations.listing import reservation_of
from sync_server.reservations.reserving import Wish, expire_lapsed, fulfil, release, reserve
from tests.builders import OPERATOR
from tests.database_for_many import database_for_many
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.sync_server.reservations.reservation_model import SAFETY_STOCK, Promise, ShelfModel, Sold
from tests.till_events import receipt, sale, void

QUANTITY = st.integers(1, 6)
_numbers = itertools.count(1)


class ShelfMachine(RuleBasedStateMachine):
    """One fresh item of a store, by the real transactions and by the model."""

    database: Database
    store: StoreLedger
    promises = Bundle("promises")
    sales = Bundle("sales")

    def __init__(self) -> None:
        super().__init__()
        self.item = f"shelf-{next(_numbers)}"
        self.store.open_with({self.item: ("12", "4.00")})
        with self.database.unit_of_work() as work:
            work.connection.execute(
                "UPDATE item SET safety_stock = %s WHERE item_id = %s", [SAFETY_STOCK, self.item]
            )
        self.model = ShelfModel(on_hand=12)

    @property
    def now(self) -> datetime:
        """The instant that the model's minutes stand for."""
        return START + timedelta(minutes=self.model.now)

    @rule(target=promises, quantity=QUANTITY, minutes=st.integers(1, 30))
    def reserve(self, quantity: int, minutes: int) -> object:
        """Granted exactly when the model has so much available."""
        expires_at = self.model.now + minutes
        wish = Wish(self.item, Decimal(quantity), START + timedelta(minutes=expires_at))
        available = self.model.available()
        try:
            with self.database.unit_of_work() as work:
                made = reserve(work, self.store.store_no, wish, by=OPERATOR, now=self.now).reservation_id
        except Conflict as refusal:
            refused = refusal
        else:
            assert quantity <= available
            self.model.promises[made] = Promise(quantity, expires_at, quantity)
            return made
        assert quantity > available
        assert refused.details is not None
        assert refused.details["available"] == available
        return multiple()

    @rule(promise=promises, part=QUANTITY)
    def fulfil(self, promise: str, part: int) -> None:
        """A part of what remains, while it is open."""
        told = self.model.promises[promise]
        quantity = min(part, told.reserved) or part
        if self._resolves(
            promise,
            lambda work: fulfil(
                work, ChartOfAccounts(), promise, Decimal(quantity), by=OPERATOR, now=self.now
            ),
        ):
            self.model.ship(told, quantity)

    @rule(promise=promises)
    def release(self, promise: str) -> None:
        """While it is open."""
        if self._resolves(
            promise,
            lambda work: release(work, promise, by=OPERATOR, reason=None, now=self.now),
        ):
            self.model.end(self.model.promises[promise], "RELEASED")

    @rule(minutes=st.integers(1, 15), written=st.booleans())
    def wait(self, minutes: int, written: bool) -> None:
        """Time passes; the scheduler comes by or does not."""
        self.model.now += minutes
        if written:
            with self.database.unit_of_work() as work:
                expire_lapsed(work, self.store.store_no, self.now)

    @rule(target=sales, quantity=QUANTITY)
    def sell(self, quantity: int) -> object:
        """A sale that names no reservation."""
        return self._sell(quantity, None)

    @rule(target=sales, quantity=QUANTITY, promise=promises)
    def sell_reserved(self, quantity: int, promise: str) -> object:
        """A sale that names one, whatever has become of it."""
        return self._sell(quantity, promise)

    @rule(line=sales)
    def void(self, line: tuple[str, Sold]) -> None:
        """Of a line that may be void already."""
        event_id, sold = line
        self.store.post(void(event_id), now=self.now)
        if sold.quantity:
            self.model.void(sold)
            sold.quantity = 0

    @rule(quantity=QUANTITY)
    def receive(self, quantity: int) -> None:
        """Goods come in."""
        self.store.post(receipt(quantity, item=self.item), now=self.now)
        self.model.on_hand += quantity

    @invariant()
    def both_agree(self) -> None:
        """On what is on hand, what is available and every reservation."""
        with self.database.reading() as work:
            (row,) = availability_of(work, self.item, now=self.now, store_id=self.store.store_id)
            assert row.available == self.model.available()
            for reservation_id, told in self.model.promises.items():
                shown = reservation_of(work, reservation_id, now=self.now)
                assert shown.status == told.status(self.model.now)
                assert shown.fulfilled == told.shipped + told.taken
                assert shown.remaining == (told.reserved if shown.status == "OPEN" else 0)
        assert self.store.quantities()[self.item] == self.model.on_hand

    def teardown(self) -> None:
        """The ledger proves itself."""
        self.store.check()

    def _sell(self, quantity: int, promise: str | None) -> tuple[str, Sold]:
        event_id = f"sale-{next(_numbers)}"
        named = {} if promise is None else {"reservationId": promise}
        self.store.post(sale(quantity, item=self.item, eventId=event_id, **named), now=self.now)
        return event_id, self.model.sell(quantity, self.model.promises[promise] if promise else None)

    def _resolves(self, promise: str, act: Callable[[Work], None]) -> bool:
        """Whether the reservation was open; it must be so exactly when the model's is."""
        is_open = self.model.promises[promise].status(self.model.now) == "OPEN"
        try:
            with self.database.unit_of_work() as work:
                act(work)
        except Conflict:
            assert not is_open
            return False
        assert is_open
        return True


def test_reservations_agree_with_the_model_at_every_step(postgres: EmbeddedPostgres) -> None:
    with database_for_many(postgres, "test_reservation_model") as database:
        ShelfMachine.database = database
        ShelfMachine.store = StoreLedger(database)
        run_state_machine_as_test(
            ShelfMachine,
            settings=settings(
                max_examples=12,
                stateful_step_count=20,
                deadline=None,
                derandomize=True,
                phases=[Phase.generate],  # to shrink a failure would take longer than the rest of the tests
                suppress_health_check=list(HealthCheck),
            ),
        )
