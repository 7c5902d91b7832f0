"""Importing a module defines things and does nothing: no connection, no thread, no file, no environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.source_tree import PACKAGES, ROOT, python_files

AUDIT = ROOT / "tests" / "project" / "import_audit.py"
# Alembic runs this file as a script; it exists to act.
SCRIPTS = {"sync_server.migrations.env"}


def audit(folder: Path, modules: list[str]) -> str:
    """What importing the modules of `folder` does; empty when nothing. Fails when one cannot be imported."""
    result = subprocess.run(
        [sys.executable, "-B", str(AUDIT), *modules],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_any_module_does_nothing(package: str) -> None:
    modules = [file.module for file in python_files(package) if file.module not in SCRIPTS]
    assert modules
    assert not (deeds := audit(ROOT, modules)), deeds


@pytest.mark.parametrize(
    "text",
    [
        "import socket\nsocket.socket()",
        "import threading\nthreading.Thread(target=print).start()",
        "open('left_behind.txt', 'w').close()",
        "from pathlib import Path\nPath('left_behind').mkdir()",
        "import sqlite3\nsqlite3.connect(':memory:')",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])",
        "import os\nHOME = os.environ.get('HOME')",
        "import os\nHOME = os.getenv('HOME')",
        "import os\nos.environ['LEFT_BEHIND'] = '1'",
    ],
)
def test_a_module_that_acts_when_imported_is_found(tmp_path: Path, text: str) -> None:
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").touch()
    (house / "busy.py").write_text(text, encoding="utf-8")
    (house / "visitor.py").write_text("import house.busy", encoding="utf-8")
    assert "busy.py:" in audit(tmp_path, ["house.visitor", "house.busy"])


def test_a_module_that_only_defines_passes(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "__init__.py").write_text(
        "import decimal, json\nONE = decimal.Decimal(1)\n", encoding="utf-8"
    )
    assert not audit(tmp_path, ["house"])
