"""What the demo refuses before it starts anything."""

import socket
from pathlib import Path

import pytest

from sync_server.demo.demo import run_demo
from sync_server.demo.errors import DemoFailed
from sync_server.demo.needs import demand_everything
from sync_server.demo.options import DemoOptions


def test_a_folder_that_is_not_empty_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")

    with pytest.raises(DemoFailed, match="is not empty"):
        run_demo(DemoOptions(data_dir=tmp_path, once=True))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_port_that_was_asked_for_and_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DemoFailed, match=f"Port {port} is taken"):
            run_demo(DemoOptions(data_dir=tmp_path / "new", once=True, port=port))


def test_a_demo_without_all_its_extras_says_what_to_install() -> None:
    demand_everything()
    with pytest.raises(
        DemoFailed, match=r"lacks the extras embedded: .*pip install 'tillsync\[server,edge,embedded\]'"
    ):
        demand_everything({"embedded": ("a_parquet_reader_that_is_not_there",), "edge": ("httpx",)})


def test_a_run_that_ends_with_the_proof_stocks_its_stores_for_that_long_only() -> None:
    assert DemoOptions(once=True).at_hand == DemoOptions(once=True).scripted
    assert DemoOptions().at_hand.last > DemoOptions().scripted.last
