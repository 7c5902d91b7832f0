"""`sync-server store …`: the registry of stores."""

from pathlib import Path
from typing import Annotated

import typer

from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, print_json, print_report, print_rows
from sync_server.stores.fleet import overviews
from sync_server.stores.registry import DEFAULT_CURRENCY, DEFAULT_DAY_START, NewStore, add_store
from sync_server.stores.store_import import import_stores

stores = typer.Typer(help="The registry of stores.", no_args_is_help=True)

_ALL = 1_000_000


@stores.command("add")
def add(
    store_id: Annotated[str, typer.Argument(help="The store's id, such as STORE-01.")],
    location: Annotated[str, typer.Option(help="The location's id, such as LOC-100.")],
    timezone: Annotated[str, typer.Option(help="IANA zone, such as America/New_York.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = DEFAULT_CURRENCY,
    day_start: Annotated[
        str, typer.Option(help="Local time at which the business day begins.")
    ] = DEFAULT_DAY_START,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Adds a store; adding the very same one again changes nothing."""
    new = NewStore(
        store_id=store_id, location_id=location, timezone=timezone, currency=currency, day_start=day_start
    )
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        added = add_store(work, new, by=house.operator, now=house.clock.now())
    if as_json:
        print_json({"storeId": store_id, "added": added})
    else:
        print(f"{store_id} is added." if added else f"{store_id} was there already, just like this.")


@stores.command("list")
def show(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Lists the stores with the last contact of their agents and what these have not sent yet."""
    with opened(data_dir) as house, house.database.reading() as work:
        found = overviews(work, after="", limit=_ALL)
    rows = [
        {
            "storeId": store.store_id,
            "locationId": store.location_id,
            "timezone": store.timezone,
            "dayStart": store.day_start,
            "currency": store.currency,
            "lastContact": store.last_contact,
            "backlogEvents": store.backlog_events,
            "openFindings": store.open_findings,
        }
        for store in found
    ]
    columns = ("storeId", "locationId", "timezone", "dayStart", "currency", "lastContact", "backlogEvents")
    print_rows(rows, as_json=as_json, columns=columns)


@stores.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV: storeId,locationId,timezone,currency,dayStart.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Adds the stores of a CSV file; rows that cannot be used are named, the others are in."""
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        report = import_stores(work, file, by=house.operator, now=house.clock.now())
    raise typer.Exit(print_report(report, as_json=as_json))
