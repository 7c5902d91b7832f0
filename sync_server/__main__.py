"""`sync-server`: the command line of the program at headquarters.

Exit codes: 0 done, 1 failed (one sentence on stderr: what happened, what to do), 2 wrong usage.
"""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from sync_server.commands import checking, running
from sync_server.commands.agents import agents, resync
from sync_server.commands.books import accounts, journals
from sync_server.commands.carried_files import import_file
from sync_server.commands.demo import demo
from sync_server.commands.items import items, stock
from sync_server.commands.output import failure_sentence
from sync_server.commands.people import enrolment_code, tokens, users
from sync_server.commands.periods import periods
from sync_server.commands.reasons import reasons
from sync_server.commands.rebuilding import rebuild
from sync_server.commands.stores import stores
from sync_server.errors import SyncServerError
from sync_server.program_version import program_version

FAILED = 1

program = typer.Typer(
    name="sync-server",
    help="Takes sales from stores, posts stock and books, and publishes what happened.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
program.command()(demo)
program.command()(running.serve)
program.command()(running.migrate)
program.add_typer(stores, name="store")
program.add_typer(items, name="item")
program.add_typer(stock, name="stock")
program.add_typer(periods, name="period")
program.add_typer(accounts, name="account")
program.add_typer(journals, name="journal")
program.add_typer(reasons, name="reason")
program.add_typer(users, name="user")
program.add_typer(tokens, name="token")
program.command("enrolment-code")(enrolment_code)
program.command()(running.publish)
program.command()(checking.verify)
program.command()(rebuild)
program.command()(resync)
program.command("import")(import_file)
program.add_typer(agents, name="agent")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"sync-server {program_version()}")
        raise typer.Exit


@program.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Takes sales from stores, posts stock and books, and publishes what happened."""


def main() -> None:
    """Runs one command; ends the process with its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Whoever reads us through a pipe waits for each line, such as the address that `serve` announces.
        sys.stdout.reconfigure(line_buffering=True)
    try:
        program()
    except SyncServerError as error:
        print(failure_sentence(error), file=sys.stderr)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
