"""`sync-server demo`: the main job on real input, on this machine, with a proof at the end."""

from pathlib import Path
from typing import Annotated

import typer

from sync_server.commands.output import AsJson
from sync_server.demo.needs import demand_everything


def demo(
    stores: Annotated[int, typer.Option(min=1, max=40, help="How many stores, the busiest of the data.")] = 5,
    minutes: Annotated[
        int | None,
        typer.Option(min=1, help="End by itself after about so many minutes.", show_default=False),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End after the proof: exit code 0 if it holds, 1 if not.")
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="The server's port; 9003, or a free one, without.", show_default=False
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="An empty folder for everything; it is kept.", show_default=False),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=120, help="Days of real transactions before the proof.", hidden=True),
    ] = None,
    seconds: Annotated[
        int | None, typer.Option(min=1, help="Seconds in which they are replayed.", hidden=True)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replays real transactions into real agents, cuts lines, kills processes, and proves that nothing is lost."""
    demand_everything()
    # The demo needs what no other command does: the parquet reader and the broker's client take half a second.
    from sync_server.demo.demo import run_demo
    from sync_server.demo.options import REPLAY_SECONDS, SCRIPTED_DAYS, DemoOptions

    options = DemoOptions(
        stores=stores,
        minutes=minutes,
        once=once,
        as_json=as_json,
        browser=not no_browser,
        data_dir=data_dir,
        port=port,
        days=days or SCRIPTED_DAYS,
        replay_seconds=seconds or REPLAY_SECONDS,
    )
    raise typer.Exit(run_demo(options))
