"""The command line of the agent: `edge-agent init | enrol | run | status | enqueue | prove`.

Exit code 0 = done, 1 = failed (one sentence on stderr: what happened, what to do), 2 = wrong usage.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from edge_agent import commands
from edge_agent.commands import Report
from edge_agent.errors import EdgeAgentError
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
    made = {
        name: subparsers.add_parser(name, help=sentence, description=sentence, parents=[shared_flags])
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
    return parser


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
    settings: Settings = read_settings(flags, os.environ)
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
        case _:
            return commands.run_prove(settings)


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
