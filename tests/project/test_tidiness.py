"""The tree is tidy: files and functions are small, explained and named for things."""

import pytest

from tests.project import tidiness
from tests.project.source_tree import Rule, broken_rules, python_files, sample

RULES = [tidiness.long_files, tidiness.long_functions, tidiness.unexplained_modules, tidiness.drawers]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_code_is_tidy(rule: Rule) -> None:
    found = broken_rules(rule, python_files())
    assert not found, f"{rule.__doc__}\n{found}"


def test_a_file_of_401_lines_is_found() -> None:
    assert not broken_rules(tidiness.long_files, [sample("pass\n" * 400)])
    assert broken_rules(tidiness.long_files, [sample("pass\n" * 401)])


def test_a_function_of_61_lines_is_found() -> None:
    assert not broken_rules(tidiness.long_functions, [sample("def f():\n" + "    pass\n" * 59)])
    assert broken_rules(tidiness.long_functions, [sample("def f():\n" + "    pass\n" * 60)])


def test_a_module_without_a_docstring_is_found() -> None:
    assert not broken_rules(tidiness.unexplained_modules, [sample('"""What it is for."""\n')])
    assert broken_rules(tidiness.unexplained_modules, [sample("import os\n")])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("shared/utils.py", ""),
        ("shared/money_helpers.py", ""),
        ("sync_server/common/errors.py", ""),
        ("edge_agent/base.py", ""),
        ("sync_server/stores/store_service.py", "class StoreManager: ...\n"),
    ],
)
def test_a_drawer_is_found(path: str, text: str) -> None:
    assert broken_rules(tidiness.drawers, [sample(text, path)])


def test_a_windows_service_and_a_database_are_things_of_the_trade() -> None:
    good = [
        sample("", "edge_agent/windows_service.py"),
        sample("class Database: ...\n", "sync_server/database.py"),
    ]
    assert not broken_rules(tidiness.drawers, good)
