"""`sync-server period …`: closing a store's books through a day, and opening them again."""

from datetime import date
from typing import Annotated

import typer

from sync_server.accounting.periods import Period, close_period, period_of, reopen_period
from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, print_json
from sync_server.stores.registry import store_number

periods = typer.Typer(help="Periods of a store's books.", no_args_is_help=True)

StoreId = Annotated[str, typer.Argument(help="The store's id, such as STORE-01.")]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write it as 2026-01-31") from None


@periods.command("show")
def show(store_id: StoreId, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """How far the books of a store are closed, and what is still loose in the closed days."""
    with opened(data_dir) as house, house.database.reading() as work:
        period = period_of(work, store_number(work, store_id))
    _say(store_id, period, as_json=as_json)


@periods.command("close")
def close(
    store_id: StoreId,
    through: Annotated[str, typer.Option(help="The last day to be closed, such as 2026-01-31.")],
    reason: Annotated[str, typer.Option(help="Why; it is audited.")] = "Period closed",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Closes the books through a day that is over; what arrives for it later is booked on the first open day."""
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        store_no, now = store_number(work, store_id), house.clock.now()
        period, _ = close_period(work, store_no, _day(through), reason=reason, by=house.operator, now=now)
    _say(store_id, period, as_json=as_json)


@periods.command("reopen")
def reopen(
    store_id: StoreId,
    from_day: Annotated[str, typer.Option("--from", help="The first day to be open again.")],
    reason: Annotated[str, typer.Option(help="Why; it is audited.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Opens the books again from a day on; what was booked meanwhile stays where it was booked."""
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        store_no, now = store_number(work, store_id), house.clock.now()
        period, _ = reopen_period(work, store_no, _day(from_day), reason=reason, by=house.operator, now=now)
    _say(store_id, period, as_json=as_json)


def _say(store_id: str, period: Period, *, as_json: bool) -> None:
    closed = period.closed_through
    if as_json:
        print_json(
            {
                "storeId": store_id,
                "closedThrough": None if closed is None else closed.isoformat(),
                "unprovenDays": period.unproven_days,
                "openFindings": period.open_findings,
                "heldEvents": period.held_events,
            }
        )
        return
    print(f"The books of {store_id} are " + ("open." if closed is None else f"closed through {closed}."))
    if period.unproven_days:
        print(f"{period.unproven_days} of the closed days are not proven to be complete.")
