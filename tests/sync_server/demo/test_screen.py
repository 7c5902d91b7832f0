"""What a person sees, on a terminal and in a log."""

import io

from rich.console import Console

from shared.clock import SystemClock
from sync_server.demo.closing_words import print_proof
from sync_server.demo.mapping_report import MappingReport
from sync_server.demo.proof import Proof, StoreProof
from sync_server.demo.screen import screen_on
from sync_server.demo.watch import StoreFigures

FIGURES = StoreFigures(
    store_id="STORE-367",
    timezone="America/New_York",
    day_start="04:00",
    line="BLACK HOLE",
    is_troubled=True,
    replayed=12_345,
    buffered=45,
    acknowledged=12_300,
    posted=12_300,
    published=12_299,
    days=73,
    days_proven=70,
)
HOLDS = StoreProof(
    store_id="STORE-367",
    replayed=10,
    acknowledged=10,
    posted=10,
    published=10,
    days=2,
    days_proven=2,
    faults=(),
)


def console(*, width: int = 120, terminal: bool = False) -> Console:
    """A console that keeps what is printed on it."""
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, no_color=True)


def printed(on: Console) -> str:
    """What was printed."""
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def test_a_log_gets_each_event_once_as_a_plain_line_with_the_time() -> None:
    log = console()
    with screen_on(log, SystemClock(), "title") as screen:
        screen.say("STORE-367 loses its line")
        screen.show([FIGURES])

    assert printed(log) == "00:00  STORE-367 loses its line\n"


def test_a_terminal_shows_every_figure_of_a_store() -> None:
    terminal = console(terminal=True)
    with screen_on(terminal, SystemClock(), "title") as screen:
        screen.show([FIGURES])
    seen = printed(terminal)

    for figure in ("STORE-367", "America/New_York 04:00", "BLACK HOLE", "12,345", "45", "12,300", "12,299"):
        assert figure in seen


def test_a_narrow_terminal_keeps_the_figures_and_goes_without_the_zones() -> None:
    terminal = console(width=80, terminal=True)
    with screen_on(terminal, SystemClock(), "title") as screen:
        screen.show([FIGURES])
    seen = printed(terminal)

    assert "America/New_York" not in seen
    assert "acknowledged" in seen
    assert "12,299" in seen


def test_what_has_happened_can_be_read_above_when_the_live_part_is_over() -> None:
    terminal = console(terminal=True)
    with screen_on(terminal, SystemClock(), "title") as screen:
        for number in range(30):
            screen.say(f"event {number}")

    assert all(f"event {number}\n" in printed(terminal) for number in range(30))


def test_a_proof_that_holds_says_so_and_shows_what_became_of_the_real_lines() -> None:
    log = console()
    report = MappingReport(lines_sold=1000, lines_of_zero_quantity=7, derived_returns=3)
    print_proof(log, Proof(stores=(HOLDS,), journals_balanced=True, stock_equals_movements=True), report, 77)
    seen = printed(log)

    assert "1,000  real lines handed over as SALE" in seen
    assert "7  real lines of zero quantity left out" in seen
    assert "3  DERIVED returns" in seen
    assert "PROVEN after 77 s" in seen
    assert "NOT PROVEN" not in seen


def test_a_proof_that_does_not_hold_names_what_is_wrong() -> None:
    log = console()
    proof = Proof(
        stores=(HOLDS,),
        journals_balanced=False,
        stock_equals_movements=True,
        faults=("1 of 5 journals do not balance",),
    )
    print_proof(log, proof, None, 77)

    assert "✗ 1 of 5 journals do not balance" in printed(log)
    assert "NOT PROVEN after 77 s" in printed(log)
