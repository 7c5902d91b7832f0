"""`sync-server resync` and `sync-server agent …`: what a store's agents are asked for, and what they answered."""

from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, print_json, print_rows
from sync_server.errors import CannotRun
from sync_server.stores.agent_commands import (
    AgentCommandType,
    CommandState,
    attachment_of,
    find_command,
    list_commands,
)
from sync_server.stores.registry import find_store
from sync_server.support.command_api import give_once
from sync_server.support.resyncs import ResyncWish, order_resync, resync_cost

agents = typer.Typer(
    help="What a store's agents are asked for, and what they answered.", no_args_is_help=True
)

StoreId = Annotated[str, typer.Argument(help="The store's id, such as STORE-01.")]
NO_REASON = "asked for at the command line"
_SHOWN = 200


def resync(
    store_id: StoreId,
    from_sequence: Annotated[int | None, typer.Option(help="First sequence to send again.")] = None,
    to_sequence: Annotated[int | None, typer.Option(help="Last sequence to send again.")] = None,
    stream: Annotated[str | None, typer.Option(help="The stream of the sequences.")] = None,
    business_date: Annotated[str | None, typer.Option(help="A whole business day: 2026-02-10.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that the store still keeps.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is missing and its cost; ask nobody.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; it goes into the audit trail.")] = NO_REASON,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Asks the store's agents to send again: what headquarters lacks, or a choice. Nothing is deleted or doubled."""
    wish = ResyncWish(
        stream_id=stream,
        from_sequence=from_sequence,
        to_sequence=to_sequence,
        business_date=None if business_date is None else _date(business_date),
        all=everything,
    )
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        store_no = find_store(work, store_id).store_no
        assert store_no is not None
        costs = resync_cost(work, store_no, wish)
        ordered = (
            []
            if dry_run
            else order_resync(work, store_no, wish, reason=reason, by=house.operator, now=house.clock.now())
        )
    events, missing = sum(cost.events for cost in costs), sum(cost.missing for cost in costs)
    size = sum(cost.bytes for cost in costs)
    if as_json:
        streams = [
            {"streamId": cost.stream_id, "events": cost.events, "missing": cost.missing, "bytes": cost.bytes}
            for cost in costs
        ]
        commands = [str(each.command_id) for each in ordered]
        print_json(
            {"dryRun": dry_run, "events": events, "missing": missing, "bytes": size, "streams": streams}
            | {"commands": commands}
        )
        return
    print(f"{missing} events are missing; {events} would be sent, about {size // 1024} KiB on the line.")
    for each in ordered:
        again = " (it waited already)" if each.repeated else ""
        print(f"Command {each.command_id} waits for agent {each.device_id}{again}.")


@agents.command("ask")
def ask(
    store_id: StoreId,
    command: Annotated[AgentCommandType, typer.Argument(help="What to do.")],
    device: Annotated[UUID | None, typer.Option(help="One agent; without it whichever comes first.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it goes into the audit trail.")] = NO_REASON,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Asks an agent for something of the closed list; the same open command is not left twice."""
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        now = house.clock.now()
        state, fresh = give_once(
            work, store_id, command, device_id=device, reason=reason, by=house.operator, now=now
        )
    if as_json:
        print_json({"commandId": str(state.command_id), "fresh": fresh})
    else:
        print(f"Command {state.command_id} waits for the agent" + ("." if fresh else " already."))


@agents.command("answers")
def answers(store_id: StoreId, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Lists what the store's agents were asked for and what came of it, the newest first."""
    with opened(data_dir) as house, house.database.reading() as work:
        store_no = find_store(work, store_id).store_no
        assert store_no is not None
        found = list_commands(work, store_no, limit=_SHOWN)
        now = house.clock.now()
    rows = [
        {
            "commandId": str(each.command_id),
            "type": each.type,
            "state": each.state(now),
            "createdAt": each.created_at,
            "createdBy": each.created_by,
            "finishedAt": each.finished_at,
            "reason": each.reason,
            "result": each.result,
        }
        for each in found
    ]
    columns = ("commandId", "type", "state", "createdAt", "createdBy", "finishedAt")
    print_rows(rows, as_json=as_json, columns=columns)


@agents.command("answer")
def answer(
    store_id: StoreId,
    command_id: Annotated[UUID, typer.Argument(help="As `agent ask` or `agent answers` named it.")],
    save: Annotated[Path | None, typer.Option(help="Where to write the file that came along.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Shows what an agent answered; `--save` writes the zip of a BUNDLE."""
    with opened(data_dir) as house, house.database.reading() as work:
        store_no = find_store(work, store_id).store_no
        assert store_no is not None
        state = find_command(work, store_no, command_id)
        content = attachment_of(work, store_no, command_id) if save is not None else b""
        now = house.clock.now()
    if save is not None:
        try:
            save.write_bytes(content)
        except OSError as error:
            raise CannotRun(f"{save} cannot be written ({error.strerror}); name another file.") from error
    _show(state, state.state(now), as_json=as_json)


def _show(state: CommandState, word: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"commandId": str(state.command_id), "type": state.type, "state": word, "result": state.result}
        )
        return
    print(f"{state.type}: {word}")
    for check in (state.result or {}).get("checks", []):
        advice = f" -> {check['advice']}" if check.get("advice") else ""
        print(f"{check['state']}  {check['check']}: {check['finding']}{advice}")
    for name, value in (state.result or {}).items():
        if name != "checks":
            print(f"{name}: {value}")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no date such as 2026-02-10", param_hint="--business-date"
        ) from error
