"""`sync-server verify`: recomputing a database from its own rows, and naming the first place where it is not whole."""

import sys
from typing import Annotated

import typer

from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, print_json
from sync_server.support.verify import verify as find_faults


def verify(
    store: Annotated[
        str | None, typer.Option(help="One store alone; all of them without.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Recomputes stock, books, outbox, streams and audit chain; names the first fault and exits with 1 if any."""
    with opened(data_dir) as house, house.database.reading() as work:
        faults = find_faults(work, store)
    if as_json:
        rows = [{"storeId": fault.store_id, "where": fault.where, "what": fault.what} for fault in faults]
        print_json({"ok": not faults, "faults": rows})
    elif not faults:
        print(f"{store or 'Every store'} is whole: stock, books, outbox, streams and audit chain agree.")
    if faults:
        others = f" `--json` names {len(faults) - 1} more." if len(faults) > 1 else ""
        print(
            f"{faults[0]}. Stop `serve` and compare with a restored backup before more is posted.{others}",
            file=sys.stderr,
        )
        raise typer.Exit(1)
