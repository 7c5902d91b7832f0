"""`sync-server item …` and `sync-server stock …`: the item master and opening stock."""

from pathlib import Path
from typing import Annotated

import typer

from sync_server.accounting.item_mapping import map_item, mappings_job, move_mapped_stock
from sync_server.accounting.stock_import import import_opening_stock
from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, ReportFile, print_json, print_report
from sync_server.inventory.item_import import import_items

items = typer.Typer(help="The item master.", no_args_is_help=True)
stock = typer.Typer(help="Opening stock.", no_args_is_help=True)


@items.command("import")
def import_item_file(
    file: Annotated[
        Path,
        typer.Argument(help="CSV: itemId,description,barcodes,unitOfMeasure,unitCost,price,safetyStock."),
    ],
    report_file: ReportFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Brings the item master in line with a CSV file; rows that cannot be used are named, the others are in."""
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        report = import_items(work, file, by=house.operator, now=house.clock.now())
    raise typer.Exit(print_report(report, as_json=as_json, file=report_file))


@items.command("map")
def map_placeholder(
    placeholder: Annotated[str, typer.Argument(help="The item id that tills use and nobody described.")],
    item: Annotated[str, typer.Argument(help="The item that it really is.")],
    reason: Annotated[str, typer.Option(help="Why; it is audited.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Maps a placeholder to the item that it really was; every store's stock of it moves over."""
    with opened(data_dir) as house:
        now = house.clock.now()
        with house.database.unit_of_work() as work:
            fresh = map_item(work, placeholder, item, reason=reason, by=house.operator, now=now)
        with house.database.reading() as work:
            stores = list(mappings_job().find_stores(work, now))
        for store_no in stores:
            with house.database.unit_of_work() as work:
                move_mapped_stock(work, store_no, by=house.operator, now=now)
    if as_json:
        print_json({"itemId": placeholder, "mappedTo": item, "mapped": fresh, "stores": len(stores)})
    else:
        print(f"{placeholder} is {item}; its stock was moved in {len(stores)} stores.")


@stock.command("import")
def import_stock_file(
    file: Annotated[Path, typer.Argument(help="CSV: storeId,itemId,quantity,unitCost.")],
    report_file: ReportFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Posts opening stock from a CSV file; an item that has moved in its store already is left alone."""
    with opened(data_dir) as house:
        report = import_opening_stock(house.database, house.clock, file, by=house.operator)
    raise typer.Exit(print_report(report, as_json=as_json, file=report_file))
