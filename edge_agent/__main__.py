"""The command line of the agent: `edge-agent init | enrol | run | status | enqueue | …`.

Exit code 0 = done, 1 = failed (one sentence on stderr: what happened, what to do), 2 = wrong usage.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from edge_agent import commands
from edge_agent.commands import Report
from edge_agent.errors import EdgeAgentError, SettingsError
from edge_agent.program_version import program_version
from edge_agent.settings import Settings, read_settings
from shared.wire_json import encode_json
from shared.zone_data import use_own_zone_data

_COMMANDS = {
    "init": "make the data folder and its configuration",
    "enrol": "join a store: exchange a one-time code for this device's own credential",
    "run": "take events from tills and deliver them, until stopped",
    "status": "say whether every sale is safe and sent",
    "enqueue": "hand files with events to the agent",
    "prove": "compare every unproven business day with headquarters now",
    "doctor": "examine everything that could be wrong, and say what to do",
    "undeliverable": "list, show, try again or give up what was refused",
    "resync": "send events to headquarters again; nothing is deleted or doubled",
    "bundle": "write a zip for support, without secrets and without sales",
    "import": "take in a file that another agent of this store exported, or that was rescued",
    "export": "write events into a signed file, to be carried to headquarters by hand",
}
_UNDELIVERABLE = {
    "list": "everything that was refused, the oldest first",
    "show": "one refused event with its bytes and the reason",
    "retry": "try again: send it, or take it in",
    "discard": "take it off the list, with a reason; its bytes are kept",
}


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    shared_flags = argparse.ArgumentParser(add_help=False)
    shared_flags.add_argument("--data-dir", metavar="FOLDER", help="where the agent keeps everything")
    shared_flags.add_argument("--port", type=int, metavar="PORT", help="the agent's port on 127.0.0.1 (9013)")
    shared_flags.add_argument("--json", action="store_true", help="print one JSON document instead of lines")
    parser = argparse.ArgumentParser(
        prog="edge-agent",
        description="Takes sales from tills, keeps them safe, delivers them to headquarters.",
    )
    parser.add_argument("--version", action="version", version=f"edge-agent {program_version()}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parents: dict[str, list[argparse.ArgumentParser]] = {"undeliverable": []}  # its verbs take them
    made = {
        name: subparsers.add_parser(
            name, help=sentence, description=sentence, parents=parents.get(name, [shared_flags])
        )
        for name, sentence in _COMMANDS.items()
    }
    made["enrol"].add_argument(
        "url", metavar="URL", help="headquarters' address, such as https://sync.example.com"
    )
    made["enrol"].add_argument("code", metavar="CODE", help="the code that headquarters made for this store")
    made["enqueue"].add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help=".json, .ndjson, .csv or .xml with events"
    )
    made["run"].add_argument("--log-level", metavar="LEVEL", help="DEBUG, INFO, WARNING or ERROR")
    _add_support(made, shared_flags)
    return parser


def _add_support(made: dict[str, argparse.ArgumentParser], shared_flags: argparse.ArgumentParser) -> None:
    """What the commands for support take."""
    verbs = made["undeliverable"].add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, sentence in _UNDELIVERABLE.items():
        words = verbs.add_parser(verb, help=sentence, description=sentence, parents=[shared_flags])
        if verb != "list":
            words.add_argument("id", metavar="ID", help="as `edge-agent undeliverable list` names it")
        if verb == "discard":
            words.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept")
    resync = made["resync"]
    resync.add_argument("--from-sequence", type=int, metavar="N", help="first sequence to send again")
    resync.add_argument("--to-sequence", type=int, metavar="M", help="last sequence to send again")
    resync.add_argument(
        "--stream", metavar="ID", help="the stream of the sequences; without it the current one"
    )
    resync.add_argument(
        "--business-date", type=date.fromisoformat, metavar="DATE", help="a whole business day"
    )
    resync.add_argument("--all", action="store_true", help="everything that is still kept here")
    resync.add_argument("--dry-run", action="store_true", help="say what would be sent, and send nothing")
    made["bundle"].add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="the zip; without it one here"
    )
    made["import"].add_argument("file", type=Path, metavar="FILE", help="what `edge-agent export` wrote")
    export = made["export"]
    export.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    export.add_argument(
        "--business-date", type=date.fromisoformat, metavar="DATE", help="a whole business day"
    )
    export.add_argument("--all", action="store_true", help="everything that is still kept here")
    export.add_argument(
        "--rescue", action="store_true", help="from the disk of a dead PC, mounted at --data-dir; not signed"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Whoever reads us through a pipe waits for each line.
        sys.stdout.reconfigure(line_buffering=True)
    use_own_zone_data()
    given = build_parser().parse_args(arguments)
    try:
        report = _run(given)
    except EdgeAgentError as error:
        report = commands.failed(error)
    except BrokenPipeError:
        return 1
    _print(report, as_json=given.json)
    return report.exit_code


def _run(given: argparse.Namespace) -> Report:
    flags: dict[str, Any] = {
        "data_dir": given.data_dir,
        "port": given.port,
        "log_level": getattr(given, "log_level", None),
    }
    try:
        settings: Settings = read_settings(flags, os.environ)
    except SettingsError as error:
        if given.command == "doctor":
            from edge_agent import support_commands as support  # as below

            return support.doctor_without_settings(error)
        raise
    match given.command:
        case "init":
            return commands.run_init(settings, given.port)
        case "enrol":
            return commands.run_enrol(settings, given.url, given.code)
        case "run":
            return commands.run_agent(settings)
        case "status":
            return commands.run_status(settings)
        case "enqueue":
            return commands.run_enqueue(settings, given.files)
        case "prove":
            return commands.run_prove(settings)
        case _:
            return _run_support(given, settings)


def _run_support(given: argparse.Namespace, settings: Settings) -> Report:
    # These need httpx and the spool, which `status` does not.
    from edge_agent import support_commands as support

    match given.command:
        case "doctor":
            return support.run_doctor(settings)
        case "undeliverable":
            entry_id, reason = getattr(given, "id", None), getattr(given, "reason", None)
            return support.run_undeliverable(settings, given.verb, entry_id, reason)
        case "resync":
            return support.run_resync(settings, _resync_request(given))
        case "import":
            return support.run_import(settings, given.file)
        case "bundle":
            return support.run_bundle(settings, given.file)
        case _:
            return support.run_export(
                settings,
                given.file,
                rescue=given.rescue,
                business_date=given.business_date,
                everything=given.all,
            )


def _resync_request(given: argparse.Namespace) -> dict[str, Any]:
    asked = {
        "streamId": given.stream,
        "fromSequence": given.from_sequence,
        "toSequence": given.to_sequence,
        "businessDate": None if given.business_date is None else given.business_date.isoformat(),
        "all": given.all or None,
        "dryRun": given.dry_run or None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        print(encode_json(report.document).decode())
    else:
        for line in report.lines:
            print(line)
    if report.trouble is not None:
        print(f"edge-agent: {report.trouble}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
