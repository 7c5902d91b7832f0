"""`sync-server reason …`: why stock is adjusted, and which accounts take it."""

from typing import Annotated

import typer

from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, print_json, print_rows
from sync_server.reconciliation.reason_codes import Reason, list_reasons, put_reason

reasons = typer.Typer(help="Reason codes of adjustments.", no_args_is_help=True)


@reasons.command("put")
def put(
    code: Annotated[str, typer.Argument(help="The reason code, such as SPOILAGE.")],
    description: Annotated[str, typer.Option(help="What it means.")],
    loss: Annotated[str, typer.Option(help="The purpose whose account takes a loss.")] = "shrinkage",
    gain: Annotated[str, typer.Option(help="The purpose whose account takes a gain.")] = "inventory_gain",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Adds a reason code, or changes one; what was posted keeps its accounts."""
    reason = Reason(code, description, loss, gain)
    with opened(data_dir) as house, house.database.unit_of_work() as work:
        changed = put_reason(work, reason, by=house.operator, now=house.clock.now())
    if as_json:
        print_json({"reasonCode": code, "changed": changed})
    else:
        print(f"{code} is written down." if changed else f"{code} was there already, just like this.")


@reasons.command("list")
def show(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Lists the reason codes and the purposes that their accounts serve."""
    with opened(data_dir) as house, house.database.reading() as work:
        rows = [
            {
                "reasonCode": reason.reason_code,
                "description": reason.description,
                "lossPurpose": reason.loss_purpose,
                "gainPurpose": reason.gain_purpose,
            }
            for reason in list_reasons(work)
        ]
    print_rows(rows, as_json=as_json, columns=("reasonCode", "description", "lossPurpose", "gainPurpose"))
