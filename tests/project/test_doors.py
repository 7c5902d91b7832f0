"""Imports go through the doors: between the packages, between the rooms, and to third parties."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import doors
from tests.project.source_tree import PACKAGES, ROOT, Rule, broken_rules, python_files, sample

# The linter is started as a program of its own: it keeps the import graph in its process.
LINT = [
    sys.executable,
    "-c",
    "from importlinter.cli import lint_imports_command; lint_imports_command()",
    "--no-cache",
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINT, cwd=folder, capture_output=True, text=True, timeout=120)


def test_imports_between_packages_and_rooms_run_downwards() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout.rpartition("Broken contracts")[2] + result.stderr


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("edge_agent/status.py", "import sync_server.settings"),
        ("sync_server/settings.py", "from edge_agent import status"),
        ("shared/money.py", "import sync_server.settings"),
        ("sync_server/settings.py", "def f():\n    import sync_server.app"),
        ("sync_server/inventory/items.py", "import sync_server.ingestion.admission"),
        ("sync_server/stores/registry.py", "import sync_server.inventory.items"),
        ("sync_server/attic.py", ""),
    ],
)
def test_an_import_through_a_wall_is_found(tmp_path: Path, path: str, text: str) -> None:
    rooms = ["app.py", "settings.py", "inventory/items.py", "ingestion/admission.py", "stores/registry.py"]
    house = ["edge_agent/status.py", "shared/money.py", *(f"sync_server/{room}" for room in rooms)]
    for file in (*house, path):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
        for folder in (tmp_path / file).relative_to(tmp_path).parents:
            (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert lint_imports(tmp_path).returncode == 0 or path == "sync_server/attic.py"
    (tmp_path / path).write_text(text, encoding="utf-8")
    assert lint_imports(tmp_path).returncode == 1


@pytest.mark.parametrize(
    "rule",
    [doors.undeclared_imports, doors.hidden_imports, doors.relative_imports, doors.star_imports],
    ids=lambda rule: rule.__name__,
)
def test_imports_of_the_packages_go_through_the_doors(rule: Rule) -> None:
    found = broken_rules(rule, python_files(*PACKAGES))
    assert not found, f"{rule.__doc__}\n{found}"


def test_modules_that_decide_do_not_act() -> None:
    deciding = [file for file in python_files(*PACKAGES) if file.module in doors.PURE_MODULES]
    assert not (found := broken_rules(doors.impure_imports, deciding)), found


def test_a_third_party_that_no_extra_declares_is_found() -> None:
    for path, text in [
        ("shared/money.py", "import httpx"),
        ("shared/money.py", "import pydantic"),
        ("edge_agent/uplink.py", "import fastapi"),
        ("sync_server/app.py", "import pytest"),
        ("sync_server/app.py", "import no_such_module"),
    ]:
        assert broken_rules(doors.undeclared_imports, [sample(text, path)]), f"{path}: {text}"
    assert not broken_rules(doors.undeclared_imports, [sample("import httpx, json", "edge_agent/uplink.py")])


@pytest.mark.parametrize(
    "text", ["import sqlite3", "from sqlmodel import Session", "from shared.clock import Clock"]
)
def test_a_deciding_module_that_acts_is_found(text: str) -> None:
    assert broken_rules(doors.impure_imports, [sample(text)])
    assert not broken_rules(doors.impure_imports, [sample("from shared.clock import read_instant")])


def test_an_import_hidden_in_a_function_is_found() -> None:
    assert broken_rules(doors.hidden_imports, [sample("def f():\n    import json")])
    assert not broken_rules(
        doors.hidden_imports, [sample("def f():\n    import rich  # half a second, only here")]
    )


def test_a_relative_or_star_import_is_found() -> None:
    assert broken_rules(doors.relative_imports, [sample("from . import money")])
    assert broken_rules(doors.star_imports, [sample("from shared.money import *")])
