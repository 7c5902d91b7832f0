"""The chart of accounts as table `account` has it, remembered for some seconds: it changes once a year."""

from shared.clock import Clock
from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.database import Work

REMEMBER_SECONDS = 30


class RememberedChart:
    """Safe to use from any number of threads; a changed chart is used by every process within REMEMBER_SECONDS."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._remembered: tuple[float, ChartOfAccounts] | None = None  # float: seconds

    def read(self, work: Work) -> ChartOfAccounts:
        """The chart; purposes that the table does not name keep their default account."""
        remembered, now = self._remembered, self._clock.monotonic()
        if remembered is None or now >= remembered[0]:
            remembered = self._remembered = (now + REMEMBER_SECONDS, read_chart(work))
        return remembered[1]


def read_chart(work: Work) -> ChartOfAccounts:
    """The chart as the table has it now, for whoever asks seldom."""
    rows = work.connection.execute("SELECT purpose, account FROM account").fetchall()
    return ChartOfAccounts(**dict(rows))
