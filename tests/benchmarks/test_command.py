"""`python -m benchmarks` as somebody types it, on its quickest row."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.system
def test_a_quick_run_writes_its_rows_as_json(tmp_path: Path) -> None:
    results = tmp_path / "results.json"

    done = run("--quick", "--only", "agent-intake", "--results", str(results))

    assert done.returncode == 0, done.stderr
    (row,) = json.loads(results.read_text())
    assert set(row) == {"name", "ours", "limit", "ratio", "goal", "ok"}
    assert row["name"] == "agent-intake"
    assert row["ratio"] == pytest.approx(row["ours"] / row["limit"], abs=0.001)
    assert row["ok"] is (row["ratio"] >= row["goal"])
    assert "agent intake" in done.stdout


def test_a_name_that_no_row_has_is_refused_with_those_there_are(tmp_path: Path) -> None:
    done = run("--only", "nonsense", "--results", str(tmp_path / "results.json"))

    assert done.returncode == 2
    assert "agent-intake" in done.stderr
    assert not (tmp_path / "results.json").exists()
