"""A source of somebody else's making, and what the pages on sources say."""

import json
import re
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge_agent.data_folder import DataFolder
from edge_agent.errors import SettingsError
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources import PosSource
from edge_agent.sources.configured import configured_sources
from edge_agent.sources.csv_export.profile import CsvTable, read_profiles
from edge_agent.sources.database_tail.configuration import DatabaseTable, read_databases
from edge_agent.sources.till_rows.configuration import FieldTable, TenderTable, TypeTable
from edge_agent.spool_desk import SpoolDesk
from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import NEW_YORK, ManualClock, open_intake
from tests.edge_agent.misbehaving_line import MisbehavingLine

DOCS = Path(__file__).parents[2] / "docs" / "sources"


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def sources(root: Path, configuration: str) -> tuple[list[PosSource], SpoolDesk, RefusedRecords]:
    """What an agent with this configuration has."""
    folder = DataFolder(root / "agent")
    folder.create()
    folder.configuration.write_text(configuration, "utf-8")
    clock = ManualClock()
    desk, intake = open_intake(folder.root, clock)
    refused = RefusedRecords(folder.undeliverable, 1_000_000, clock)
    return configured_sources(folder, intake, refused, lambda: NEW_YORK, clock), desk, refused


def test_the_source_of_the_page_takes_sales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, out = tmp_path / "package", tmp_path / "out"
    package.mkdir()
    out.mkdir()
    (package / "acme_till.py").write_text("import pathlib\n" + blocks("README.md", "python")[0])
    monkeypatch.syspath_prepend(str(package))
    table = blocks("README.md", "toml")[0].replace("C:/acme/out", out.as_posix())
    (source,), desk, refused = sources(tmp_path, table)
    (out / "1.txt").write_text("item-001 2 50.00")
    (out / "2.txt").write_text("item-001 none 50.00")
    source.start()
    source.look()
    source.stop()
    events: list[Any] = [json.loads(body) for body in desk.ask(lambda spool: spool.newest_bodies(9))]
    assert [(event["eventId"], event["amount"], source.name) for event in events] == [
        ("acme-1", "50.00", "acme")
    ]
    assert refused.count() == 1
    assert list(out.iterdir()) == []
    with pytest.raises(SettingsError, match="the keys do not fit acme_till:AcmeTill"):
        sources(tmp_path / "other", table.replace("folder", "flder"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[[source]]\nuse = "a:b"', "the name must be"),
        ('[[source]]\nname = "x"\nuse = "no_such_module:Till"', "an installed package"),
        ('[[source]]\nname = "x"\nuse = "json:Till"', "an installed package"),
        ('[[source]]\nname = "x"', "use must be 'module:class'"),
    ],
)
def test_a_source_that_cannot_be_made_is_named(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        sources(tmp_path, table)


def test_a_running_agent_delivers_what_a_tills_database_and_its_files_say(
    agent: AgentProcess, line: MisbehavingLine, tmp_path: Path
) -> None:
    till = sqlite3.connect(tmp_path / "till.db", isolation_level=None)
    till.execute("CREATE TABLE sold (id INTEGER PRIMARY KEY, sku TEXT, pieces REAL, price REAL)")
    till.execute("INSERT INTO sold VALUES (1, 'A', 1, 0.1), (2, 'B', 2, 0.7)")
    (agent.data_dir / "agent.toml").write_text(
        f"""
        [csv.till]
        fields = {{ itemId = "item", quantity = "qty", amount = "amount" }}
        [[database]]
        name = "kiosk"
        file = "{(tmp_path / "till.db").as_posix()}"
        query = "SELECT * FROM sold WHERE id >= :since ORDER BY id"
        order = ["id"]
        identity = ["id"]
        start = 1
        interval = 1
        [database.fields]
        itemId = "sku"
        quantity = {{ column = "pieces", scale = 3 }}
        amount = {{ column = "price", scale = 2 }}
        """
    )
    (agent.data_dir / "spool" / "in" / "day.csv").write_text("item,qty,amount\nC,1,2.50\n")
    agent.start()
    eventually("three sales are at headquarters", lambda: len(line.held()["events"]) == 3)
    till.execute("INSERT INTO sold VALUES (3, 'A', 1, 0.1)")
    eventually("the fourth as well", lambda: len(line.held()["events"]) == 4)
    code, seconds = agent.terminate()
    assert (code, seconds < 5) == (0, True)


def test_an_agent_does_not_start_on_a_table_that_it_does_not_understand(agent: AgentProcess) -> None:
    for table, key in (('[[database]]\nname = "till"\nquerry = "x"', "querry"), ("[cvs.till]", "cvs")):
        (agent.data_dir / "agent.toml").write_text(table)
        result = agent.command("run")
        assert result.returncode == 1
        assert f"`{key}`" in result.stderr.replace("'", "`")
        assert "correct i" in result.stderr


def test_the_examples_of_the_pages_make_sense() -> None:
    for page, kind in (("csv.md", "csv"), ("database.md", "database")):
        for block in blocks(page, "toml"):
            table = tomllib.loads(block)[kind]
            if kind == "csv":
                assert read_profiles(table)
            else:
                assert read_databases(table)


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("csv.md", CsvTable),
        ("csv.md", FieldTable),
        ("csv.md", TypeTable),
        ("csv.md", TenderTable),
        ("database.md", DatabaseTable),
    ],
)
def test_every_key_is_explained(page: str, table: type[Any]) -> None:
    text = (DOCS / page).read_text("utf-8")
    if page == "database.md":
        text += (DOCS / "csv.md").read_text("utf-8")
    assert [key for key in table.__struct_fields__ if f"`{key}`" not in text] == []
