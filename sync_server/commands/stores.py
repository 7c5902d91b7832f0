"""`sync-server store …`: the registry of stores."""

from pathlib import Path
from typing import Annotated

import typer

from shared.exact_decimal import parse
from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, ReportFile, print_json, print_report, print_rows
from sync_server.stores.fleet import overviews
from sync_server.stores.intake import Intake
from sync_server.stores.registry import (
    DEFAULT_CURRENCY,
    DEFAULT_DAY_START,
    NewStore,
    add_store,
    declare_intake,
    set_adjustment_limit,
)
from sync_server.stores.store_import import import_stores

stores = typer.Typer(help="The registry of stores.", no_args_is_help=True)

OPEN = "open"
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
    intake: Annotated[
        Intake | None,
        typer.Option(help="The one way by which its events come; without it the first batch decides."),
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Adds a store; adding the very same one again changes nothing."""
    new = NewStore(
        store_id=store_id,
        location_id=location,
        timezone=timezone,
        currency=currency,
        day_start=day_start,
        intake=intake,
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
            "intake": store.intake,
            "lastContact": store.last_contact,
            "backlogEvents": store.backlog_events,
            "openFindings": store.open_findings,
        }
        for store in found
    ]
    columns = ("storeId", "locationId", "timezone", "dayStart", "currency", "lastContact", "backlogEvents")
    print_rows(rows, as_json=as_json, columns=columns)


@stores.command("intake")
def intake(
    store_id: Annotated[str, typer.Argument(help="The store's id, such as STORE-01.")],
    way: Annotated[str, typer.Argument(help="agent, direct or kafka; `open` leaves it to the next batch.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Declares the one way by which a store's events come; what comes by another is held."""
    if way not in (*Intake, OPEN):
        raise typer.BadParameter(f"ways are {', '.join((*Intake, OPEN))}", param_hint="WAY")
    declared = None if way == OPEN else Intake(way)
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        changed = declare_intake(work, store_id, declared, by=house.operator, now=house.clock.now())
    if as_json:
        print_json({"storeId": store_id, "intake": declared, "changed": changed})
    else:
        print(f"{store_id} takes its events by: {way}.")


@stores.command("adjustment-limit")
def adjustment_limit(
    store_id: Annotated[str, typer.Argument(help="The store.")],
    limit: Annotated[
        str, typer.Argument(help="An amount in the store's currency, or `none` for any amount.")
    ],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Sets the value up to which the store's tills adjust stock at once; above it another person approves."""
    try:
        amount = None if limit == "none" else parse(limit)
    except ValueError as error:
        raise typer.BadParameter(f"{limit!r} {error}", param_hint="LIMIT") from None
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        changed = set_adjustment_limit(work, store_id, amount, by=house.operator, now=house.clock.now())
    if as_json:
        print_json({"storeId": store_id, "adjustmentLimit": amount, "changed": changed})
    else:
        said = "any amount" if amount is None else f"up to {amount}"
        print(f"The tills of {store_id} adjust {said} at once.")


@stores.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV: storeId,locationId,timezone,currency,dayStart,intake.")],
    report_file: ReportFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Adds the stores of a CSV file; rows that cannot be used are named, the others are in."""
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        report = import_stores(work, file, by=house.operator, now=house.clock.now())
    raise typer.Exit(print_report(report, as_json=as_json, file=report_file))
