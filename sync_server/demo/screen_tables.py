"""The demo's tables: how the stores stand, the proof, and what became of the real lines."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from sync_server.demo.mapping_report import MappingReport
from sync_server.demo.proof import Proof
from sync_server.demo.watch import StoreFigures

_GOOD, _BAD = "green", "bold red"
_WIDE = 100
_GAP = (0, 1, 0, 0)


def figures_table(stores: Sequence[StoreFigures], title: str, width: int) -> Table:
    """How every store stands at the moment; a screen of less than 100 columns goes without the zones."""
    with_zones = width >= _WIDE
    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=_GAP, pad_edge=False
    )
    table.add_column("store", no_wrap=True)
    if with_zones:
        table.add_column("zone, day starts", no_wrap=True)
    table.add_column("line", no_wrap=True, min_width=10)
    for name in ("replayed", "buffered", "acknowledged", "posted", "published"):
        table.add_column(name, justify="right", no_wrap=True)
    for store in stores:
        table.add_row(
            store.store_id,
            *([f"{store.timezone} {store.day_start}"] if with_zones else []),
            Text(store.line, style=_BAD if store.is_troubled else _GOOD),
            f"{store.replayed:,}",
            Text(f"{store.buffered:,}", style="yellow" if store.buffered else "dim"),
            f"{store.acknowledged:,}",
            f"{store.posted:,}",
            f"{store.published:,}",
        )
    return table


def proof_table(proof: Proof) -> Table:
    """The proof, a line for each store; the columns say where each number was read."""
    table = Table(
        title="The proof", title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("store")
    table.add_column("replayed\n[dim]tills' log[/dim]", justify="right")
    table.add_column("acknowledged\n[dim]agent's file[/dim]", justify="right")
    table.add_column("posted\n[dim]database[/dim]", justify="right")
    table.add_column("published\n[dim]topics[/dim]", justify="right")
    table.add_column("days proven\n[dim]of all days[/dim]", justify="right")
    table.add_column("")
    for store in proof.stores:
        table.add_row(
            store.store_id,
            *(
                f"{number:,}"
                for number in (store.replayed, store.acknowledged, store.posted, store.published)
            ),
            f"{store.days_proven} of {store.days}",
            _verdict(holds=store.ok),
        )
    return table


def books_lines(proof: Proof) -> list[Text]:
    """What holds of all stores together."""
    return [
        Text.assemble(_verdict(holds=proof.stock_equals_movements), "  stock = Σ movements, for every item"),
        Text.assemble(_verdict(holds=proof.journals_balanced), "  every journal balances"),
    ]


def mapping_table(report: MappingReport) -> Table:
    """What became of the real lines, and what was derived beside them."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    table.add_column()
    for number, sentence in report.rows():
        table.add_row(f"{number:,}", sentence)
    return table


def _verdict(*, holds: bool) -> Text:
    return Text("✓", style=_GOOD) if holds else Text("✗ does not hold", style=_BAD)
