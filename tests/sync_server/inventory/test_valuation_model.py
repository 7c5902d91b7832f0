"""Whatever comes in, goes out and is taken back: stock and books agree at every step, and with a model in fractions.

The model follows the rules in words, one at a time, and knows nothing of decimals, contexts or positions in place.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.journal_entry import JournalEntry
from sync_server.accounting.posting_rules import book_goods
from sync_server.inventory.valuation import StockPosition, current_cost, issue, move, unit_cost_of, worth_at

CHART = ChartOfAccounts()
COINS = st.sampled_from([Decimal(1), Decimal("0.01"), Decimal("0.001")])
QUANTITIES = st.one_of(st.integers(1, 50).map(Decimal), st.decimals("0.001", 50, places=3))
UNIT_COSTS = st.decimals(0, 100, places=4)


@dataclass(frozen=True)
class Step:
    """What happens next: goods are sold, received, or an earlier step is taken back."""

    what: str
    quantity: Decimal = Decimal(0)
    unit_cost: Decimal = Decimal(0)
    which: int = 0


STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.just("sell"), QUANTITIES),
        st.builds(Step, st.just("receive"), QUANTITIES, UNIT_COSTS),
        st.builds(Step, st.just("take back"), which=st.integers(0, 20)),
    ),
    min_size=1,
    max_size=25,
)


@dataclass
class Model:
    """The rules of cost in words."""

    coin: Decimal
    on_hand: Fraction = Fraction(0)
    value: Fraction = Fraction(0)
    frozen: Fraction = Fraction(0)

    def coins(self, amount: Fraction) -> Fraction:
        """Half-even to whole coins."""
        return Fraction(round(amount / Fraction(self.coin))) * Fraction(self.coin)

    def move(self, quantity: Fraction, worth: Fraction) -> Fraction:
        """The change of inventory value; what is left of `worth` is variance."""
        before, after = self.value, self.on_hand + quantity
        if self.on_hand > 0 >= after:
            self.frozen = Fraction(round(self.value / self.on_hand * 10**6), 10**6)
        if after == 0:
            self.value = Fraction(0)
        elif quantity > 0 and self.on_hand < 0 and after > 0:
            self.value = self.coins(worth / quantity * after)
        elif quantity > 0 and self.on_hand < 0:
            self.value += self.coins(quantity * self.frozen)
        else:
            self.value += worth
            if after > 0 > self.value:
                self.value = Fraction(0)
        self.on_hand = after
        return self.value - before


@dataclass
class Shelf:
    """The real position, the model, and the books, moved together and compared at every step."""

    coin: Decimal
    stock: StockPosition = field(default_factory=StockPosition)
    journal: JournalEntry = field(default_factory=JournalEntry)
    done: list[tuple[str, Decimal, Decimal]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = Model(self.coin)

    def take(self, step: Step) -> None:
        """Does one step."""
        if step.what == "sell":
            worth = current_cost(self.stock, step.quantity, self.coin)
            self._move(CHART.cost_of_goods_sold, -step.quantity, -worth)
        elif step.what == "receive":
            worth = worth_at(step.unit_cost, step.quantity, self.coin)
            self._move(CHART.goods_received, step.quantity, worth)
        elif self.done:
            account, quantity, worth = self.done.pop(step.which % len(self.done))
            self._move(account, -quantity, -worth)
            self.done.pop()

    def _move(self, account: str, quantity: Decimal, worth: Decimal) -> None:
        frozen = unit_cost_of(self.stock)
        moved = move(self.stock, quantity, worth, self.coin)
        assert moved.value + moved.variance == worth
        assert Fraction(moved.value) == self.model.move(Fraction(quantity), Fraction(worth))
        book_goods(self.journal, CHART, account, moved)
        self.done.append((account, quantity, worth))
        self._check(frozen)

    def _check(self, frozen: Decimal) -> None:
        stock = self.stock
        assert Fraction(stock.on_hand) == self.model.on_hand
        assert Fraction(stock.value) == self.model.value
        assert stock.on_hand != 0 or stock.value == 0
        assert stock.on_hand <= 0 or stock.value >= 0
        assert stock.value == stock.value.quantize(self.coin, rounding=ROUND_HALF_EVEN)
        assert stock.on_hand > 0 or unit_cost_of(stock) == frozen
        assert self.balance(CHART.inventory) == stock.value

    def balance(self, account: str) -> Decimal:
        """Debits less credits; asking for it makes sure that the journal balances."""
        lines = self.journal.lines()
        return sum((debit - credit for code, _, debit, credit in lines if code == account), Decimal(0))


@settings(max_examples=200, deadline=None)
@given(COINS, STEPS)
def test_stock_and_books_agree_with_the_rules_at_every_step(coin: Decimal, steps: list[Step]) -> None:
    shelf = Shelf(coin)
    for step in steps:
        shelf.take(step)


@settings(max_examples=100, deadline=None)
@given(COINS, STEPS)
def test_when_everything_is_taken_back_nothing_is_left_in_the_books(coin: Decimal, steps: list[Step]) -> None:
    shelf = Shelf(coin)
    for step in steps:
        shelf.take(step)
    while shelf.done:
        shelf.take(Step("take back", which=0))
    assert shelf.stock.on_hand == 0
    assert shelf.stock.value == 0
    assert shelf.balance(CHART.cost_of_goods_sold) == 0
    assert shelf.balance(CHART.goods_received) == 0
    assert shelf.balance(CHART.cost_variance) == 0


@settings(max_examples=100, deadline=None)
@given(COINS, STEPS, QUANTITIES)
def test_a_sale_taken_back_at_once_leaves_the_stock_as_it_was(
    coin: Decimal, steps: list[Step], quantity: Decimal
) -> None:
    shelf = Shelf(coin)
    for step in steps:
        shelf.take(step)
    on_hand, value, cogs = shelf.stock.on_hand, shelf.stock.value, shelf.balance(CHART.cost_of_goods_sold)
    shelf.take(Step("sell", quantity))
    shelf.take(Step("take back", which=len(shelf.done) - 1))
    assert shelf.stock.on_hand == on_hand
    assert shelf.balance(CHART.cost_of_goods_sold) == cogs
    crossed_zero = on_hand > 0 > on_hand - quantity
    assert abs(shelf.stock.value - value) <= (coin if crossed_zero else 0)


@settings(max_examples=300, deadline=None)
@given(
    st.decimals(min_value=-50, max_value=50, places=3),
    st.decimals(min_value=0, max_value=900, places=2),
    st.decimals(min_value=0, max_value=9, places=6),
    st.decimals(min_value="0.001", max_value=60, places=3),
)
def test_goods_that_leave_at_their_current_cost_leave_no_variance(
    on_hand: Decimal, value: Decimal, unit_cost: Decimal, quantity: Decimal
) -> None:
    if on_hand <= 0:
        value = Decimal(0) if on_hand == 0 else -value
    coin = Decimal("0.01")
    stepwise, at_once = StockPosition(on_hand, value, unit_cost), StockPosition(on_hand, value, unit_cost)
    cost = current_cost(stepwise, quantity, coin)
    moved = move(stepwise, -quantity, -cost, coin)
    assert (moved.value, moved.variance) == (-cost, Decimal(0))
    assert issue(at_once, quantity, coin) == cost
    assert at_once == stepwise
