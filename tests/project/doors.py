"""Rules on imports beyond those between rooms: third parties by extra, pure modules, no hidden circles."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

from tests.project.source_tree import PACKAGES, ROOT, Fault, SourceFile

# What each package may install on the machine it runs on, by the extras of pyproject.toml.
EXTRAS = {"shared": (), "edge_agent": ("edge", "database-source"), "sync_server": ("server", "embedded")}
# Decide, do not act: values in, values out, no session, no clock, no log.
PURE_MODULES = {
    "edge_agent.translation",
    "edge_agent.batching",
    "sync_server.ingestion.admission",
    "sync_server.inventory.movements",
    "sync_server.inventory.valuation",
    "sync_server.reconciliation.variance",
    "sync_server.accounting.posting_rules",
    "sync_server.accounting.journal_entry",
}
ACTING = {
    "asyncio", "concurrent", "http", "io", "logging", "multiprocessing", "os", "pathlib", "psycopg", "random",
    "shutil", "socket", "sqlalchemy", "sqlite3", "sqlmodel", "structlog", "subprocess", "tempfile",
    "threading", "time", "urllib",
}  # fmt: skip
PURE_DEPENDENCIES = {"msgspec"}


@cache
def pyproject() -> dict[str, Any]:
    """The parsed pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def distribution_of(requirement: str) -> str:
    """The normalised name in a requirement: `psycopg[binary]>=3` → `psycopg`."""
    return (
        re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")
    )


@cache
def allowed_distributions(package: str) -> frozenset[str]:
    """The distributions that a package may import: the base dependencies and those of its extras."""
    project = pyproject()["project"]
    named = list(project["dependencies"])
    for extra in EXTRAS[package]:
        named += project["optional-dependencies"][extra]
    return frozenset(distribution_of(requirement) for requirement in named)


@cache
def distributions_of(top_level: str) -> frozenset[str]:
    """The installed distributions that bring a top-level module."""
    found = importlib.metadata.packages_distributions().get(top_level, [])
    return frozenset(distribution_of(name) for name in found)


def imports(file: SourceFile) -> Iterator[tuple[ast.stmt, str]]:
    """Every import statement of the file with each module that it names."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, f"{'.' * node.level}{node.module or ''}"


def undeclared_imports(file: SourceFile) -> Iterator[Fault]:
    """A package imports the standard library, ours, and what its extra declares; nothing that came along."""
    package = file.path.partition("/")[0]
    for node, name in imports(file):
        top_level = name.partition(".")[0]
        if top_level in sys.stdlib_module_names or top_level in PACKAGES or name.startswith("."):
            continue
        if not distributions_of(top_level) & allowed_distributions(package):
            yield file.fault(node, f"{name} is in none of {package}'s extras in pyproject.toml")


def impure_imports(file: SourceFile) -> Iterator[Fault]:
    """What decides imports nothing that acts."""
    for node, name in imports(file):
        top_level = name.partition(".")[0]
        third_party = top_level not in sys.stdlib_module_names and top_level not in PACKAGES
        if top_level in ACTING or (third_party and top_level not in PURE_DEPENDENCIES):
            yield file.fault(node, f"a module that only decides imports {name}")
        if name == "shared.clock":
            yield from _clock_types(file, node)


def _clock_types(file: SourceFile, node: ast.stmt) -> Iterator[Fault]:
    """Of the clock's module a pure one may use the functions on text, never a clock."""
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if alias.name.endswith("Clock"):
                yield file.fault(
                    node, f"a module that only decides imports {alias.name}; give it the instant"
                )


def hidden_imports(file: SourceFile) -> Iterator[Fault]:
    """An import inside a function hides a circle, unless a comment on its line or just above says why."""
    for function in ast.walk(file.tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            if not set(range(node.lineno - 3, node.lineno + 1)) & set(file.comments):
                yield file.fault(node, "an import inside a function, and no comment that says why")


def relative_imports(file: SourceFile) -> Iterator[Fault]:
    """Imports name the whole way, so that a reader sees through which door they go."""
    for node, name in imports(file):
        if name.startswith("."):
            yield file.fault(node, f"relative import {name}")


def star_imports(file: SourceFile) -> Iterator[Fault]:
    """Nothing is imported without being named."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield file.fault(node, f"from {node.module} import *")
