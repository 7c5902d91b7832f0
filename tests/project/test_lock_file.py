"""What is installed is what was chosen: every dependency has its reason, its version and its hashes."""

import re

from packaging.requirements import Requirement
from packaging.version import Version

from tests.project.doors import pyproject
from tests.project.source_tree import ROOT

ENTRY = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?P<rest>(?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)


def requirements() -> list[str]:
    project = pyproject()["project"]
    return [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]


def unlocked(wanted: list[str], lock: str) -> list[str]:
    """The requirements for which the lock file has no version that satisfies them."""
    locked: dict[str, list[str]] = {}
    for entry in ENTRY.finditer(lock):
        locked.setdefault(entry["name"], []).append(entry["version"])
    return [
        line
        for line in wanted
        if not any(
            Version(v) in Requirement(line).specifier for v in locked.get(Requirement(line).name.lower(), [])
        )
    ]


def unhashed(lock: str) -> list[str]:
    """The entries of the lock file without a hash."""
    return [entry["name"] for entry in ENTRY.finditer(lock) if "--hash=sha256:" not in entry["rest"]]


def unreasoned(text: str) -> list[str]:
    """The lines of pyproject.toml that name a dependency and do not say what it is for."""
    tables = text.partition("\ndependencies = [")[2].partition("\n[project.scripts]")[0]
    return [line.strip() for line in tables.splitlines() if re.match(r'\s+"[^"]+",\s*$', line)]


def test_every_dependency_is_locked() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not unlocked(requirements(), lock), "run `make lock`"
    assert not unhashed(lock)
    assert "://" not in lock


def test_every_dependency_says_what_it_is_for() -> None:
    assert not unreasoned((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_an_unlocked_outgrown_or_unhashed_dependency_is_found() -> None:
    lock = "httpx==0.28.1 \\\n    --hash=sha256:ab\nrich==15.0.0\n    # via tillsync\n"
    assert unlocked(["httpx>=0.28", "httpx>=0.29", "fastapi>=0.1"], lock) == ["httpx>=0.29", "fastapi>=0.1"]
    assert unhashed(lock) == ["rich"]


def test_a_dependency_without_a_reason_is_found() -> None:
    assert unreasoned('\ndependencies = [\n    "httpx",\n    "rich",  # tables\n]') == ['"httpx",']
