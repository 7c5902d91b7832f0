"""`sync-server user …`, `token …` and `enrolment-code`: who may do what, and the keys that say so.

A key is printed alone on stdout, once: nothing here can show it again.
"""

import re
from datetime import timedelta
from typing import Annotated

import typer

from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, print_json, print_rows
from sync_server.people.tokens import issue_person_token, issue_service_token
from sync_server.people.users import add_person, give_cashier, list_people
from sync_server.stores.enrolment import create_enrolment_code
from sync_server.stores.registry import find_store

users = typer.Typer(help="People and their roles.", no_args_is_help=True)
tokens = typer.Typer(help="API tokens.", no_args_is_help=True)

_DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@users.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The person's name, by which everything they do is recorded.")],
    role: Annotated[
        str,
        typer.Option(
            help="Roles, with commas between: viewer,support,stock_controller,approver,auditor,admin."
        ),
    ],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Adds a person; adding the very same one again changes nothing."""
    roles = [each.strip() for each in role.split(",") if each.strip()]
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        added = add_person(work, name, roles, by=house.operator, now=house.clock.now())
    if as_json:
        print_json({"name": name, "added": added})
    else:
        print(f"{name} is added." if added else f"{name} was there already, with these roles.")


@users.command("list")
def show(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Lists the people and their roles."""
    with opened(data_dir) as house, house.database.reading() as work:
        people = list_people(work)
    rows = [
        {
            "name": person.name,
            "roles": [role.value for role in person.roles],
            "createdAt": person.created_at,
            "disabled": person.disabled,
        }
        for person in people
    ]
    print_rows(rows, as_json=as_json, columns=("name", "roles", "createdAt", "disabled"))


@users.command("cashier")
def cashier(
    name: Annotated[str, typer.Argument(help="A person who was added.")],
    store_id: Annotated[str, typer.Argument(help="The store at whose tills they stand.")],
    cashier_id: Annotated[str, typer.Argument(help="The id that its tills know them by.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Writes down a person's cashier id in a store: what a till counts under it they may not approve."""
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        found = find_store(work, store_id)
        store = (found.store_no or 0, found.store_id)
        added = give_cashier(work, name, store, cashier_id, by=house.operator, now=house.clock.now())
    if as_json:
        print_json({"name": name, "storeId": store_id, "cashierId": cashier_id, "added": added})
    else:
        said = "is known as" if added else "was known already as"
        print(f"{name} {said} cashier {cashier_id} of {store_id}.")


@tokens.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="A person who was added; with --role, the name of a service.")],
    role: Annotated[
        str | None, typer.Option(help="Makes it a service's token, with this one role, such as till.")
    ] = None,
    store: Annotated[str | None, typer.Option(help="The one store that the service may touch.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="Time after which it ends, such as 90d; without, it does not end.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Issues an API token and prints it alone on stdout, this once."""
    if store is not None and role is None:
        raise typer.BadParameter(
            "a store goes with a service's role; name it with --role", param_hint="--store"
        )
    lifetime = duration(expires) if expires is not None else None
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        now = house.clock.now()
        expires_at = now + lifetime if lifetime else None
        if role is None:
            key = issue_person_token(work, name, by=house.operator, now=now, expires_at=expires_at)
        else:
            found = find_store(work, store) if store is not None else None
            bound = (found.store_no or 0, found.store_id) if found else None
            key = issue_service_token(
                work, name, role, store=bound, by=house.operator, now=now, expires_at=expires_at
            )
    print(key)


def enrolment_code(
    store_id: Annotated[str, typer.Argument(help="The store that an agent shall belong to.")],
    expires: Annotated[str, typer.Option(help="Time after which it ends: 30m, 24h, 7d.")] = "24h",
    data_dir: DataDir = None,
) -> None:
    """Makes a one-time code for an agent of the store and prints it alone on stdout, this once."""
    lifetime = duration(expires)
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        code = create_enrolment_code(
            work, store_id, by=house.operator, now=house.clock.now(), expires_in=lifetime
        )
    print(code)


def duration(text: str) -> timedelta:
    """The time that `30m`, `24h` or `7d` names; a wrong one is wrong usage."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter(
            f"{text!r} is no duration; write it as 30m, 24h or 7d", param_hint="--expires"
        )
    return int(match[1]) * _UNITS[match[2]]
