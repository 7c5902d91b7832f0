"""Rules on the tree as a whole: what lies at its top, and what no file of it may say."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from tests.project.source_tree import Fault

FIXED = {"pyproject.toml", "README.md", "edge_agent", "sync_server", "shared", "tests"}
ALLOWED = FIXED | {
    "installers", "docs", "benchmarks", ".ci", "Makefile", "LICENSE", "CHANGELOG.md", "requirements.lock",
    ".gitignore", ".gitattributes",
}  # fmt: skip
GENERATED = {
    "__pycache__",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    "node_modules",
    ".DS_Store",
}
GENERATED_SUFFIXES = (".pyc", ".sqlite3", ".sqlite3-wal", ".db", ".log", ".orig", ".rej", ".swp", ".egg-info")

MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|work|workspace|Users)/[\w.]|\b[A-Z]:\\Users\\\w")
REGISTRY_HOST = re.compile(r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|test\.pypi)\b")
SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b")
POSTPONED = re.compile(r"\b(?:TODO|FIXME|HACK)\b")
SAYINGS = {
    "the path of somebody's machine": MACHINE_PATH,
    "the host of a package registry": REGISTRY_HOST,
    "a secret": SECRET,
    "work put off; an issue is the place for it": POSTPONED,
}
# This file spells what it looks for.
EXEMPT = {"tests/project/layout.py", "tests/project/test_layout.py"}


def misplaced(paths: Iterable[str]) -> Iterator[Fault]:
    """What lies at the top beside the allowed names, and what a tool has generated."""
    for path in paths:
        parts = PurePosixPath(path).parts
        if parts[0] not in ALLOWED:
            yield Fault(path, 1, f"'{parts[0]}' has no place at the top of the tree")
        if GENERATED & set(parts) or path.endswith(GENERATED_SUFFIXES):
            yield Fault(path, 1, "is generated; .gitignore should name it")


def missing(paths: Iterable[str]) -> set[str]:
    """The fixed names at the top that are not there."""
    return FIXED - {PurePosixPath(path).parts[0] for path in paths}


def unwanted_sayings(path: str, text: str) -> Iterator[Fault]:
    """What no file may say: a person's paths, a registry's hosts, secrets, work put off."""
    if path in EXEMPT:
        return
    for number, line in enumerate(text.splitlines(), start=1):
        for meaning, pattern in SAYINGS.items():
            if pattern.search(line):
                yield Fault(path, number, f"says {meaning}: {line.strip()[:80]}")
