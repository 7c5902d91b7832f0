"""`sync-server account …` and `sync-server journal …`: the chart of accounts, and journals for another program."""

import csv
import sys
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Annotated, TextIO

import typer

from sync_server.accounting.chart_editing import list_accounts, set_account
from sync_server.accounting.journal_lists import JournalFilter, export_lines
from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, print_json, print_rows
from sync_server.database import Work
from sync_server.stores.registry import store_number

accounts = typer.Typer(help="The chart of accounts.", no_args_is_help=True)
journals = typer.Typer(help="Journals.", no_args_is_help=True)

COLUMNS = (
    "journalId",
    "storeId",
    "kind",
    "currency",
    "businessDate",
    "accountingDate",
    "postedAt",
    "account",
    "accountName",
    "tender",
    "debit",
    "credit",
)


@accounts.command("list")
def show(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Lists which account serves which purpose, and which did before."""
    with opened(data_dir) as house, house.database.reading() as work:
        found = list_accounts(work)
    rows = [
        {
            "purpose": each.purpose,
            "account": each.account,
            "name": each.name,
            "formerly": list(each.formerly),
        }
        for each in found
    ]
    print_rows(rows, as_json=as_json, columns=("account", "name", "purpose", "formerly"))


@accounts.command("set")
def put(
    purpose: Annotated[str, typer.Argument(help="The purpose, as `account list` names it.")],
    account: Annotated[str, typer.Argument(help="The account that shall serve it.")],
    reason: Annotated[str, typer.Option(help="Why; it is audited.")],
    name: Annotated[str | None, typer.Option(help="What the account is called.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Lets another account serve a purpose; journals keep the account of their day."""
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        now = house.clock.now()
        found, changed = set_account(work, purpose, account, name, reason=reason, by=house.operator, now=now)
    if as_json:
        print_json({"purpose": found.purpose, "account": found.account, "changed": changed})
    else:
        print(f"{found.purpose} is served by {found.account} {found.name}.")


@journals.command("export")
def export(
    store: Annotated[str | None, typer.Option(help="One store alone; all of them without.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="The first accounting date.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last accounting date.")] = None,
    file: Annotated[Path | None, typer.Option(help="Where to write; stdout without.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Writes every line of every journal as CSV, for the general ledger of another program."""
    wanted = JournalFilter(first=_day(first), last=_day(last))
    with opened(data_dir) as house, house.database.reading() as work:
        store_no = None if store is None else store_number(work, store)
        work.connection.execute("SET LOCAL statement_timeout = 0")
        out = nullcontext(sys.stdout) if file is None else file.open("w", encoding="utf-8", newline="")
        with out as stream:
            lines = _write(work, store_no, wanted, stream)
    if file is not None:
        if as_json:
            print_json({"file": str(file), "lines": lines})
        else:
            print(f"{lines} lines are in {file}.")


def _write(work: Work, store_no: int | None, wanted: JournalFilter, stream: TextIO) -> int:
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    lines = 0
    for row in export_lines(work, store_no, wanted):
        (
            number,
            _,
            store_id,
            _,
            kind,
            currency,
            business,
            accounting,
            posted,
            account,
            name,
            tender,
            *sides,
        ) = row
        dates = (business.isoformat(), accounting.isoformat(), posted.isoformat())
        amounts = [f"{side:f}" for side in sides]
        writer.writerow(
            [f"{store_id}-{number}", store_id, kind, currency, *dates, account, name, tender, *amounts]
        )
        lines += 1
    return lines


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write it as 2026-01-31") from None
