"""`sync-server` as a person types it: what it prints, where, and with which exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sync_server.__main__ import program
from sync_server.embedded.postgres import OWNER_ROLE, EmbeddedPostgres

pytestmark = [pytest.mark.system, pytest.mark.long]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Runs commands on one data folder."""

    folder: Path

    def __call__(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs `sync-server WORD…` and expects the exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "sync_server", *words, "--data-dir", str(self.folder)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done


@pytest.fixture(scope="module")
def sync_server(data_folder_of_many: Path) -> Iterator[CommandLine]:
    """The command line on a data folder with an embedded PostgreSQL, which runs for as long as the tests do."""
    with EmbeddedPostgres(data_folder_of_many):
        yield CommandLine(data_folder_of_many)


def _file(sync_server: CommandLine, name: str, text: str) -> str:
    path = sync_server.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_store_from_nothing_to_an_enrolment_code(empty_folder: Path) -> None:
    sync_server = CommandLine(empty_folder)
    sync_server("store", "add", "STORE-01", "--location", "LOC-100", "--timezone", "America/New_York")
    again = sync_server(
        "store", "add", "STORE-01", "--location", "LOC-100", "--timezone", "America/New_York", "--json"
    )
    assert json.loads(again.stdout) == {"storeId": "STORE-01", "added": False}
    listed = json.loads(sync_server("store", "list", "--json").stdout)
    assert [store["storeId"] for store in listed["items"]] == ["STORE-01"]
    code = sync_server("enrolment-code", "STORE-01", "--expires", "30m").stdout
    assert len(code.strip()) == 24
    assert code.count("\n") == 1


def test_people_and_tokens(sync_server: CommandLine) -> None:
    sync_server("user", "add", "ada", "--role", "viewer,approver")
    people = json.loads(sync_server("user", "list", "--json").stdout)["items"]
    assert [(person["name"], person["roles"]) for person in people] == [("ada", ["approver", "viewer"])]
    token = sync_server("token", "issue", "ada").stdout
    assert token.startswith("tst_")
    assert token.count("\n") == 1


def test_items_and_opening_stock_from_files(sync_server: CommandLine) -> None:
    sync_server("store", "add", "STORE-09", "--location", "L", "--timezone", "UTC")
    items = _file(
        sync_server,
        "items.csv",
        "itemId,description,barcodes,unitOfMeasure,unitCost,price,safetyStock\n"
        "item-001,Milk,4001,EA,0.50,0.99,0\nitem-002,,,,,,\n",
    )
    report = sync_server("item", "import", items, code=1)
    assert report.stdout.strip() == "1 added, 0 changed, 0 unchanged, 1 refused"
    assert "line 3, item-002: description is required" in report.stderr
    stock = _file(
        sync_server,
        "stock.csv",
        "storeId,itemId,quantity,unitCost\nSTORE-09,item-001,10.5,0.50\nSTORE-09,item-404,1,1\nNOWHERE,item-001,0,-1\n",
    )
    posted = json.loads(sync_server("stock", "import", stock, "--json", code=1).stdout)
    assert (posted["added"], posted["refused"]) == (1, 2)
    again = json.loads(sync_server("stock", "import", stock, "--json", code=1).stdout)
    assert (again["unchanged"], again["refused"]) == (1, 2)
    reasons = {row["line"]: row["reason"] for row in posted["rows"]}
    assert reasons[3] == "itemId is no item here; import the items first"
    assert "quantity must be greater than zero" in reasons[4]
    assert "unitCost must not be negative" in reasons[4]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("store", "add", "A", "--location", "L", "--timezone", "Mars/X"), "is no IANA timezone"),
        (("enrolment-code", "NOWHERE"), "There is no store 'NOWHERE'"),
        (("token", "issue", "nobody"), "There is nobody called 'nobody'"),
        (("user", "add", "eve", "--role", "king"), "must be one of"),
        (("item", "import", "gone.csv"), "gone.csv cannot be read"),
        (("publish", "--from", "yesterday"), "is no position"),
    ],
)
def test_a_failure_is_one_sentence_on_stderr(
    sync_server: CommandLine, words: tuple[str, ...], sentence: str
) -> None:
    done = sync_server(*words, code=1)
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("store", "add"),
        ("enrolment-code", "A", "--expires", "soon"),
        ("token", "issue", "ada", "--store", "STORE-01"),
        ("serve", "--only", "everything"),
        ("serve", "--port", "many"),
    ],
)
def test_wrong_usage_has_an_exit_code_of_its_own(words: tuple[str, ...]) -> None:
    outcome = CliRunner().invoke(program, words)  # the whole command line, but for the start of a process
    assert (outcome.exit_code, outcome.stdout) == (2, "")


def test_wrong_usage_is_told_to_whoever_started_the_process(sync_server: CommandLine) -> None:
    done = sync_server("token", "issue", "ada", "--store", "STORE-01", code=2)
    assert done.stdout == ""
    assert "--role" in done.stderr


def test_every_level_has_help() -> None:
    for words in ([], ["store", "add"]):
        done = subprocess.run(
            [sys.executable, "-m", "sync_server", *words, "--help"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "Usage" in done.stdout


def test_a_named_database_that_is_away_is_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sync_server", "store", "list"],
        env={"SYNC_SERVER_DATABASE_URL": "postgresql://app:hunter2@127.0.0.1:1/x", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "The database cannot be worked with" in done.stderr
    assert "SYNC_SERVER_DATABASE_URL" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_a_named_database_is_migrated_by_its_owner_and_by_nobody_else(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("named")
    urls = {
        "SYNC_SERVER_DATABASE_URL": postgres.url("named"),
        "SYNC_SERVER_DATABASE_OWNER_URL": postgres.url("named", OWNER_ROLE),
    }

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sync_server", *words],
            env={**os.environ, **urls},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    refused = run("serve", "--port", "0")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Run `sync-server migrate`" in refused.stderr
    assert json.loads(run("migrate", "--json").stdout)["before"] is None
    assert json.loads(run("store", "list", "--json").stdout) == {"items": []}
    assert "up to date already" in run("migrate").stdout
    postgres.drop_database("named")
