"""`sync-server rebuild`: stock recomputed from its movements, store by store."""

import sys
from typing import Annotated, Any

import typer

from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, print_json
from sync_server.stores.registry import find_store, list_stores
from sync_server.support.rebuild import StockDifference, rebuild_stock

MAX_SHOWN = 50


def rebuild(
    store: Annotated[
        str | None, typer.Option(help="One store alone; all of them without.", show_default=False)
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Put right what differs; else it is only named.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; it is audited.")] = "Stock recomputed from its movements",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Recomputes stock from its movements under each store's lock; with --apply puts right what differs."""
    told: list[dict[str, Any]] = []
    with opened(data_dir) as house:
        with house.database.reading() as work:
            stores = list_stores(work) if store is None else [find_store(work, store)]
        for each in stores:
            assert each.store_no is not None
            with house.database.unit_of_work() as work:
                found = rebuild_stock(
                    work,
                    each.store_no,
                    apply=apply,
                    reason=reason,
                    by=house.operator,
                    now=house.clock.now(),
                )
            if found:
                told.append({"storeId": each.store_id, "differences": [_row(one) for one in found]})
    if as_json:
        print_json({"stores": len(stores), "applied": apply, "differing": told})
    else:
        _say(told, len(stores), apply=apply)
    if told and not apply:
        raise typer.Exit(1)


def _row(difference: StockDifference) -> dict[str, Any]:
    return {
        "itemId": difference.item_id,
        "field": difference.field,
        "was": difference.was,
        "is": difference.is_now,
    }


def _say(told: list[dict[str, Any]], stores: int, *, apply: bool) -> None:
    lines = [
        f"{each['storeId']}, item {row['itemId']}: {row['field']} is {row['was']}, by the movements {row['is']}"
        for each in told
        for row in each["differences"]
    ]
    for line in lines[:MAX_SHOWN]:
        print(line)
    if not lines:
        print(f"The stock of {stores} stores is what their movements add up to.")
    elif apply:
        print(f"{len(lines)} differences in {len(told)} stores are put right.")
    else:
        print(
            f"{len(lines)} differences in {len(told)} stores; put them right with --apply.", file=sys.stderr
        )
