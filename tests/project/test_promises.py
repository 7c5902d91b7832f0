"""What the code offers by name is documented, and what is documented exists."""

import argparse

import pytest
import typer
import typer.main

from tests.project import promises
from tests.project.source_tree import PACKAGES, ROOT, project_files, python_files, sample


def undocumented(offered: set[str], documented: set[str]) -> dict[str, list[str]]:
    """What the code offers and the document lacks, and the reverse; empty when they agree."""
    differences = {
        "offered, not documented": sorted(offered - documented),
        "documented, not offered": sorted(documented - offered),
    }
    return {kind: names for kind, names in differences.items() if names}


def test_every_setting_is_documented_with_its_sentence() -> None:
    offered, documented = promises.settings(), promises.rows(promises.document("settings.md"))
    assert {name.partition("_")[0] for name in offered} == {"SYNC", "EDGE"}
    assert not undocumented(set(offered), set(documented))
    assert not {name: text for name, text in offered.items() if not text or text not in documented[name]}


def test_documents_name_no_setting_that_does_not_exist() -> None:
    offered = promises.settings()
    documents = [path for path in project_files() if path.endswith(".md")]
    for path in documents:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not set(promises.SETTING_NAME.findall(text)) - set(offered), path


@pytest.mark.parametrize(
    ("class_name", "file"),
    [
        ("ErrorCode", "errors.md"),
        ("FindingCode", "findings.md"),
        ("SupportCode", "operating/support-codes.md"),
    ],
)
def test_every_code_is_documented(class_name: str, file: str) -> None:
    offered = promises.codes(class_name)
    assert offered
    documented = promises.rows(promises.document(file))
    assert not undocumented(set(offered), set(documented))
    meanings = {name: getattr(code, "meaning", "") for name, code in offered.items()}
    assert not {name: meaning for name, meaning in meanings.items() if meaning not in documented[name]}


def test_every_command_is_documented_with_its_options() -> None:
    offered, documented = promises.commands(), promises.sections(promises.document("commands.md"))
    assert {command.partition(" ")[0] for command in offered} == {"sync-server", "edge-agent"}
    assert not undocumented(set(offered), set(documented))
    lacking = {
        command: missing
        for command, options in offered.items()
        if (missing := {option for option in options if f"`{option}" not in documented[command]})
    }
    assert not lacking


def test_every_metric_is_documented() -> None:
    offered = promises.metrics(python_files(*PACKAGES))
    assert offered
    assert not undocumented(set(offered), set(promises.rows(promises.document("metrics.md"))))


def test_a_difference_between_code_and_document_is_found() -> None:
    table = "| setting | meaning |\n|---|---|\n| `EDGE_AGENT_PORT` | where |\n| `EDGE_AGENT_GONE` | was |\n"
    assert undocumented({"EDGE_AGENT_PORT", "EDGE_AGENT_NEW"}, set(promises.rows(table))) == {
        "offered, not documented": ["EDGE_AGENT_NEW"],
        "documented, not offered": ["EDGE_AGENT_GONE"],
    }


def test_a_section_ends_where_the_next_begins() -> None:
    text = "## `edge-agent run`\n`--port`\n### `edge-agent status`\n`--json`\n"
    assert promises.sections(text) == {"edge-agent run": "\n`--port`\n", "edge-agent status": "\n`--json`\n"}


def test_commands_are_found_in_a_typer_program() -> None:
    stores, program = typer.Typer(), typer.Typer()

    @stores.command("add")
    def add(timezone: str = typer.Option(...)) -> None:
        """Adds a store."""

    @stores.command("list")
    def show() -> None:
        """Lists the stores."""

    program.add_typer(stores, name="store")
    found = promises._typer_commands("sync-server", typer.main.get_command(program))
    assert found == {"sync-server store add": {"--timezone"}, "sync-server store list": set()}


def test_commands_are_found_in_an_argparse_program() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", action="version")
    kinds = parser.add_subparsers()
    kinds.add_parser("run").add_argument("--port")
    kinds.add_parser("undeliverable").add_subparsers().add_parser("list").add_argument("--json")
    assert promises._argparse_commands("edge-agent", parser) == {
        "edge-agent run": {"--port"},
        "edge-agent undeliverable list": {"--json"},
    }


def test_metrics_are_found_however_they_are_imported() -> None:
    text = (
        "from prometheus_client import Counter\nimport prometheus_client as p\n"
        "from prometheus_client.core import GaugeMetricFamily\n"
        "Counter('lines_posted', '')\np.Histogram('lag_seconds', '')\n"
        "GaugeMetricFamily('backlog', '')\nCounter(name)\n"
    )
    found = promises.metrics([sample(text, "sync_server/sample.py")])
    assert set(found) == {
        "lines_posted",
        "lag_seconds",
        "backlog",
        "(not spelled out in sync_server/sample.py)",
    }
