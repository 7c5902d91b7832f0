"""The tree holds what it should, and nothing of the place where it was written."""

import re
from pathlib import Path

import pytest

from tests.project.layout import misplaced, missing, unwanted_sayings
from tests.project.source_tree import ROOT, project_files

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def texts() -> dict[str, str]:
    found = {}
    for path in project_files():
        try:
            found[path] = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # pictures and the like
    return found


def broken_links(path: str, text: str, root: Path) -> list[str]:
    return [link for link in LINK.findall(text) if not (root / path).parent.joinpath(link).exists()]


def test_the_top_of_the_tree_holds_only_what_belongs_there() -> None:
    assert not list(misplaced(project_files()))
    assert not missing(project_files())


def test_no_file_names_a_machine_a_registry_or_a_secret() -> None:
    faults = [fault for path, text in texts().items() for fault in unwanted_sayings(path, text)]
    assert not faults, "\n".join(map(str, faults))


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = {path: broken_links(path, text, ROOT) for path, text in texts().items() if path.endswith(".md")}
    assert not {path: links for path, links in broken.items() if links}


@pytest.mark.parametrize(
    "path", ["notes.txt", "src/app.py", "shared/__pycache__/money.pyc", "edge_agent/spool.sqlite3"]
)
def test_a_misplaced_file_is_found(path: str) -> None:
    assert list(misplaced([path]))


def test_a_missing_package_is_found() -> None:
    assert missing(["README.md", "shared/money.py"]) == {
        "pyproject.toml",
        "edge_agent",
        "sync_server",
        "tests",
    }


@pytest.mark.parametrize(
    "line",
    [
        "data = '/home/anna/till'",
        r"C:\Users\Anna",
        "--index-url https://pypi.org/simple",
        "-----BEGIN PRIVATE KEY-----",
        "# TODO: later",
    ],
)
def test_an_unwanted_saying_is_found(line: str) -> None:
    assert list(unwanted_sayings("docs/sample.md", line))


@pytest.mark.parametrize(
    "line", ["GET /api/v1/inventory/stores", "https://shop.example/home/x", "/var/lib/tillsync"]
)
def test_an_ordinary_line_is_left_alone(line: str) -> None:
    assert not list(unwanted_sayings("docs/sample.md", line))


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").touch()
    text = "[a](there.md) [b](gone.md) [c](there.md#part) [d](#part) [e](https://example.com/x)"
    assert broken_links("index.md", text, tmp_path) == ["gone.md"]
