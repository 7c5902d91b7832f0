"""`sync-server import`: a file that a store's agent exported, carried here by hand."""

from pathlib import Path
from typing import Annotated

import typer

from shared.wire_json import decode_json, encode_json
from sync_server.commands.house import DataDir, opened
from sync_server.commands.output import AsJson, print_json
from sync_server.support.carried_files import ImportedFile, Voucher
from sync_server.support.carried_files import import_file as take_in


def import_file(
    file: Annotated[Path, typer.Argument(help="What `edge-agent export` wrote.")],
    person: Annotated[
        str | None, typer.Option(help="Who vouches for a file that is not signed: support or admin.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why an unsigned file is taken in.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Takes in a store's events from a file, once; a second time, or sent over the line as well, they add nothing."""
    voucher = None if person is None else Voucher(person, reason or "")
    with opened(data_dir) as house:
        imported = take_in(
            house.database,
            house.clock,
            file,
            by=house.operator,
            voucher=voucher,
            max_events=house.settings.limits.max_events,
        )
    if as_json:
        print_json(_document(imported))
        return
    how = "RESCUED, on a person's word" if imported.rescued else "signed by its device"
    print(f"{imported.seal.events} events of {imported.heading.store_id}, {how}.")
    if imported.imported_before is not None:
        print(f"The very same file was imported at {imported.imported_before:%Y-%m-%d %H:%M:%SZ} already.")
    print(
        f"{imported.accepted} posted, {imported.duplicates} known already, {imported.held} held for a person."
    )


def _document(imported: ImportedFile) -> dict[str, object]:
    before = imported.imported_before
    return {
        "storeId": imported.heading.store_id,
        "deviceId": imported.heading.device_id,
        "sha256": imported.seal.sha256,
        "rescued": imported.rescued,
        "importedBefore": before,
        "batches": imported.seal.batches,
        "events": imported.seal.events,
        "accepted": imported.accepted,
        "duplicates": imported.duplicates,
        "held": imported.held,
        "receipts": [decode_json(encode_json(receipt)) for receipt in imported.receipts],
    }
