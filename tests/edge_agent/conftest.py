"""What several of the agent's tests ask for: a misbehaving headquarters, an enrolled agent, our own zone data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.zone_data import use_own_zone_data
from tests.edge_agent.agent_process import AgentProcess
from tests.edge_agent.misbehaving_line import MisbehavingLine


@pytest.fixture(autouse=True, scope="session")
def own_zone_data() -> None:
    """Both programs read the bundled zone data alone, and so do their tests."""
    use_own_zone_data()


@pytest.fixture
def line() -> Iterator[MisbehavingLine]:
    """A headquarters that behaves until it is told otherwise."""
    with MisbehavingLine() as started:
        yield started


@pytest.fixture
def agent(tmp_path: Path, line: MisbehavingLine) -> Iterator[AgentProcess]:
    """An enrolled agent that is not running yet."""
    with AgentProcess(tmp_path / "agent") as made:
        made.enrol(line.url)
        yield made
