"""What is said of a `[[database]]` that makes no sense, and what is imported without one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.errors import SettingsError
from edge_agent.sources.database_tail.configuration import read_databases
from tests.edge_agent.tailed_store import PLAIN, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store whose till numbers its sales."""
    return Store(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"qurey": ""}, "unknown field `qurey`"),
        ({"name": "Till 1"}, "small letters"),
        ({"file": ""}, "either file, for SQLite, or url"),
        ({"url": "sqlite:///till.db", "file": ""}, "name it by file"),
        ({"query": "SELECT 1"}, ":since"),
        ({"order": []}, "order and in identity"),
        ({"mapping": "unicorn"}, "no ready-made mapping 'unicorn', only chromis, odoo, unicenta"),
        ({"fields": {"quantity": 1}}, "by its number"),
        ({"fields": {"qty": "qty"}}, "'qty' is no field"),
        ({"start": "noon"}, "neither a whole number nor a time"),
        ({"url": "nonsense", "file": ""}, "cannot be used"),
        ({"url": "oracle://x/y", "file": ""}, "correct its url or install its driver"),
    ],
)
def test_a_wrong_configuration_is_named_with_what_to_do(
    store: Store, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        store.tail(**{**PLAIN, "file": "till.db", **change})
    assert message in str(raised.value)


def test_two_databases_need_two_names() -> None:
    with pytest.raises(SettingsError, match="two tables of the name 'till'"):
        read_databases([{**PLAIN, "file": "a.db"}, {**PLAIN, "file": "b.db"}])


def test_a_query_without_a_configured_column_says_so(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.tail(**{**PLAIN, "identity": ["number"]}).look()
    assert "gives no column number" in caplog.text


def test_a_running_agent_names_a_wrong_table_and_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text('[csv.till]\nfeilds = {}\nfields = {itemId = "a"}\n')
    result = subprocess.run(
        [sys.executable, "-m", "edge_agent", "enqueue", "--data-dir", str(tmp_path), "a.csv"],
        env={**os.environ, "EDGE_AGENT_PORT": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert "agent.toml, [csv.till]: Object contains unknown field `feilds`; correct it" in result.stderr


def test_nothing_of_it_is_imported_unless_it_is_configured() -> None:
    code = "import sys, edge_agent.agent; print([m for m in sys.modules if 'sqlalchemy' in m or 'database_tail' in m])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout.strip() == "[]", result.stderr
