"""Every guarantee and every fault names a test, and the test is there."""

import re
from collections.abc import Iterator

import pytest

from tests.project.source_tree import ROOT

PAGES = ("guarantees.md", "faults.md")
ROW = re.compile(r"^\| (?P<promise>.+?) \| `(?P<test>tests/[^`]+)` \|$", re.MULTILINE)
TABLE_LINE = re.compile(r"^\| (?!-)(?!guarantee |fault ).+\|$", re.MULTILINE)


def missing(text: str) -> Iterator[str]:
    """The tests that a page names and that are not in their files."""
    for row in ROW.finditer(text):
        path, _, name = row["test"].partition("::")
        function, _, case = name.partition("[")
        file = ROOT / path
        content = file.read_text(encoding="utf-8") if file.is_file() else ""
        there = content and (
            not function or re.search(rf"^(?:async )?def {function}\(", content, re.MULTILINE)
        )
        if not there or (case and case.removesuffix("]") not in content):
            yield row["test"]


@pytest.mark.parametrize("page", PAGES)
def test_every_named_test_is_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert not list(missing(text))


@pytest.mark.parametrize("page", PAGES)
def test_every_row_names_a_test(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert len(ROW.findall(text)) > 20
    assert not [line for line in TABLE_LINE.findall(text) if not ROW.match(line)]


def test_a_test_that_is_not_there_is_found() -> None:
    here, case = "tests/project/test_named_tests.py", "-".join(("no", "case"))
    row = f"{here}::test_every_row_names_a_test"
    found = [f"{here}::test_of_nothing", f"{row}[{case}]", "tests/nowhere.py"]
    assert list(missing("".join(f"| a | `{name}` |\n" for name in [row, *found]))) == found
