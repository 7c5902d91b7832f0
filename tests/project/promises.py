"""What the code offers by name (settings, codes, commands, metrics), found in the code, and what docs/ says.

Nothing is looked for at a fixed place, so that a room that is built later cannot be forgotten: classes are
found by their names, metrics by what constructs them, commands by walking both programs' parsers.
"""

import argparse
import ast
import dataclasses
import enum
import importlib
import re
import typing
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import typer
import typer.main
from pydantic import BaseModel

from tests.project.source_tree import PACKAGES, ROOT, Fault, SourceFile, dotted, imported_names, python_files

METRIC_KINDS = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
TABLE_ROW = re.compile(r"^\| `(?P<name>[A-Za-z0-9_]+)` \|(?P<rest>.*)$", re.MULTILINE)
HEADING = re.compile(r"^#+ `(?P<name>[^`]+)`\s*$", re.MULTILINE)
SETTING_NAME = re.compile(r"\b(?:SYNC_SERVER|EDGE_AGENT)_[A-Z0-9_]*[A-Z0-9]\b")


def document(name: str) -> str:
    """The text of a file in docs/; empty when it is not there."""
    path = ROOT / "docs" / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def rows(text: str) -> dict[str, str]:
    """The table rows whose first cell is a name in backquotes: the name and the rest of the row."""
    return {row["name"]: row["rest"] for row in TABLE_ROW.finditer(text)}


def sections(text: str) -> dict[str, str]:
    """The sections headed by a name in backquotes: the name and the text up to the next heading."""
    return {
        heading["name"]: re.split(r"^#", text[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0]
        for heading in HEADING.finditer(text)
    }


def classes_named(*suffixes: str) -> Iterator[tuple[ModuleType, type[Any]]]:
    """Every class of the packages whose name ends so, with its module."""
    for file in python_files(*PACKAGES):
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef) and node.name.endswith(suffixes):
                module = importlib.import_module(file.module)
                yield module, getattr(module, node.name)


def codes(class_name: str) -> dict[str, enum.Enum]:
    """Every code of the enumerations of that name: its value and the member."""
    return {member.value: member for _, found in classes_named(class_name) for member in found}


def settings() -> dict[str, str]:
    """Every setting by its environment variable, with its sentence."""
    found: dict[str, str] = {}
    for module, declared in classes_named("Settings"):
        for name, sentence in _fields(declared):
            found[f"{module.ENVIRONMENT_PREFIX}{name.upper()}"] = sentence
    return found


def _fields(declared: type[Any]) -> Iterator[tuple[str, str]]:
    if issubclass(declared, BaseModel):
        yield from ((name, field.description or "") for name, field in declared.model_fields.items())
    elif dataclasses.is_dataclass(declared):
        yield from (
            (field.name, field.metadata.get("sentence", "")) for field in dataclasses.fields(declared)
        )
    else:
        raise TypeError(
            f"{declared} is neither a pydantic model nor a dataclass; teach this function its fields"
        )


def commands() -> dict[str, set[str]]:
    """Every command of both programs that does something, with its long options."""
    server = importlib.import_module("sync_server.__main__")
    agent = importlib.import_module("edge_agent.__main__")
    return {
        **_typer_commands("sync-server", typer.main.get_command(_typer_application(server))),
        **_argparse_commands("edge-agent", _argument_parser(agent)),
    }


def _typer_application(module: ModuleType) -> typer.Typer:
    """The application that is part of no other one."""
    applications = [value for value in vars(module).values() if isinstance(value, typer.Typer)]
    parts = [group.typer_instance for application in applications for group in application.registered_groups]
    whole = [application for application in applications if application not in parts]
    if len(whole) != 1:
        raise LookupError(
            f"{module.__name__} should hold one typer.Typer that is the whole program, not {whole}"
        )
    return whole[0]


def _argument_parser(module: ModuleType) -> argparse.ArgumentParser:
    for value in vars(module).values():
        if callable(value) and getattr(value, "__annotations__", {}).get("return") is argparse.ArgumentParser:
            return typing.cast("argparse.ArgumentParser", value())
    raise LookupError(f"{module.__name__} should hold a function that returns its argparse.ArgumentParser")


def _typer_commands(path: str, command: Any) -> dict[str, set[str]]:
    if hasattr(command, "commands"):
        children = command.commands.items()
        return {k: v for name, child in children for k, v in _typer_commands(f"{path} {name}", child).items()}
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    options = {option for parameter in shown for option in (*parameter.opts, *parameter.secondary_opts)}
    return {path: {option for option in options if option.startswith("--")} - {"--help"}}


def _argparse_commands(path: str, parser: argparse.ArgumentParser) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                found |= _argparse_commands(f"{path} {name}", child)
    options = {option for action in parser._actions for option in action.option_strings}
    return found or {path: {option for option in options if option.startswith("--")} - {"--help"}}


def metrics(files: Iterable[SourceFile]) -> dict[str, Fault]:
    """Every Prometheus metric by its name, with the place where it is made."""
    found: dict[str, Fault] = {}
    for file in files:
        names = imported_names(file.tree)
        for node in ast.walk(file.tree):
            if not isinstance(node, ast.Call):
                continue
            maker = dotted(node.func, names)
            kind = maker.rpartition(".")[2]
            if maker.startswith("prometheus_client.") and (
                kind in METRIC_KINDS or kind.endswith("MetricFamily")
            ):
                first = node.args[0] if node.args else None
                name = first.value if isinstance(first, ast.Constant) else f"(not spelled out in {file.path})"
                found[str(name)] = file.fault(node, kind)
    return found
