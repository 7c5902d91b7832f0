"""Tests run on real parts."""

import pytest

from tests.project.real_parts import patched_parts
from tests.project.source_tree import broken_rules, python_files, sample


def test_no_test_patches_our_own_code() -> None:
    assert not (found := broken_rules(patched_parts, python_files("tests", "benchmarks"))), found


@pytest.mark.parametrize(
    "text",
    [
        "from unittest.mock import Mock",
        "import unittest.mock",
        "from unittest import mock",
        "import pytest_mock",
        "import shared.money\ndef test_x(monkeypatch):\n    monkeypatch.setattr(shared.money, 'scale', 2)",
        "from sync_server import app\ndef test_x(patch):\n    patch.delattr(app.router, 'routes')",
        "def test_x(monkeypatch):\n    monkeypatch.setattr('edge_agent.spool.Spool', None)",
        "from shared import clock\nclock.SystemClock = None",
        "from shared.clock import SystemClock\nSystemClock.now = None",
        "from shared import clock\nsetattr(clock, 'SystemClock', None)",
    ],
)
def test_a_patch_of_our_own_code_is_found(text: str) -> None:
    assert broken_rules(patched_parts, [sample(text, "tests/sample.py")])


@pytest.mark.parametrize(
    "text",
    [
        "def test_x(monkeypatch):\n    monkeypatch.setenv('EDGE_AGENT_PORT', '0')",
        "from shared.clock import SystemClock\nclock = SystemClock()\nself.clock = clock",
    ],
)
def test_the_environment_and_ones_own_things_may_be_set(text: str) -> None:
    assert not broken_rules(patched_parts, [sample(text, "tests/sample.py")])
