"""Files dropped into spool/in."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.data_folder import DataFolder
from edge_agent.errors import FileUnreadable
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources.file_drop import FileDrop, drop_copy
from edge_agent.sources.file_formats import file_readers
from edge_agent.sources.open_files import is_open_for_writing
from tests.edge_agent.builders import ManualClock, open_intake, sale
from tests.without_root_powers import without_root_powers


class DropFolder:
    """A drop folder on the real disk, its spool behind it, a clock that is set by hand."""

    def __init__(self, root: Path) -> None:
        self.folder = DataFolder(root)
        self.folder.create()
        self.clock = ManualClock()
        self.desk, intake = open_intake(root, self.clock)
        refused = RefusedRecords(self.folder.undeliverable, 1_000_000, self.clock)
        readers = file_readers(self.folder.configuration)
        self.drop = FileDrop(self.folder, intake, refused, self.clock, readers, interval=1, settle=2)

    def put(self, name: str, content: bytes) -> Path:
        path = self.folder.drop_in / name
        path.write_bytes(content)
        return path

    def settle(self) -> None:
        """Looks, waits, looks again: what does not change meanwhile is taken, and at last what has no end."""
        self.drop.look()
        for seconds in (2, 58):
            self.clock.move(seconds)
            self.drop.look()

    def events(self) -> int:
        return self.desk.ask(lambda spool: spool.last_sequence)

    def names(self, folder: Path) -> list[str]:
        return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def drop(tmp_path: Path) -> DropFolder:
    """An empty drop folder."""
    return DropFolder(tmp_path)


def ndjson(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_a_file_is_taken_when_it_has_stopped_growing(drop: DropFolder) -> None:
    path = drop.put("sales.ndjson", ndjson(sale()))
    drop.drop.look()
    drop.clock.move(1.5)
    path.write_bytes(ndjson(sale(), sale()))
    drop.drop.look()
    drop.clock.move(1.5)
    drop.drop.look()
    assert drop.events() == 0
    drop.clock.move(0.5)
    drop.drop.look()
    assert drop.events() == 2
    assert drop.names(drop.folder.drop_in) == []
    assert drop.names(drop.folder.drop_done) == ["sales.ndjson"]


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("half.ndjson", ndjson(sale(eventId="a"), sale(eventId="b"))),
        ("half.json", json.dumps([sale(eventId="a"), sale(eventId="b")]).encode()),
    ],
)
def test_a_file_dropped_half_written_is_waited_for_and_taken_whole(
    drop: DropFolder, name: str, whole: bytes
) -> None:
    path = drop.put(name, whole[:-20])
    drop.drop.look()
    drop.clock.move(55)  # the till's program pauses, much longer than a file has to rest
    drop.drop.look()
    assert drop.names(drop.folder.drop_in) == [name]
    with path.open("ab") as file:
        file.write(whole[-20:])
    drop.drop.look()
    drop.clock.move(2)
    drop.drop.look()
    assert drop.events() == 2
    assert drop.names(drop.folder.drop_rejected) == []


def test_a_file_that_never_gets_its_end_is_rejected_after_a_minute(drop: DropFolder) -> None:
    drop.put("half.json", json.dumps([sale()]).encode()[:-20])
    drop.drop.look()
    drop.clock.move(60)
    drop.drop.look()
    assert drop.names(drop.folder.drop_rejected) == ["half.json", "half.json.error.json"]


def test_a_file_locked_by_another_program_waits_and_holds_up_no_other(drop: DropFolder) -> None:
    locked = drop.put("a.ndjson", ndjson(sale(eventId="locked")))
    drop.put("b.ndjson", ndjson(sale(eventId="free")))
    locked.chmod(0)
    with without_root_powers():
        drop.settle()
    assert drop.events() == 1
    assert drop.names(drop.folder.drop_in) == ["a.ndjson"]
    assert drop.names(drop.folder.drop_rejected) == []
    locked.chmod(0o644)
    drop.drop.look()
    assert drop.events() == 2
    assert drop.names(drop.folder.drop_done) == ["a.ndjson", "b.ndjson"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("one.json", json.dumps(sale()).encode()),
        ("array.json", b"\xef\xbb\xbf" + json.dumps([sale()]).encode()),
        ("lines.NDJSON", ndjson(sale()).replace(b"\n", b"\r\n\r\n")),
    ],
)
def test_every_json_shape_is_taken(drop: DropFolder, name: str, content: bytes) -> None:
    drop.put(name, content)
    drop.settle()
    assert drop.events() == 1


def test_a_file_dropped_twice_adds_nothing_under_any_name(drop: DropFolder) -> None:
    content = ndjson(sale(), sale(), sale(eventId="till-1"))
    for name in ("a.ndjson", "a.ndjson", "b.ndjson"):
        drop.put(name, content)
        drop.settle()
    assert drop.events() == 3
    assert drop.names(drop.folder.drop_done) == ["a.ndjson", "b.ndjson"]


def test_equal_lines_of_one_file_are_events_of_their_own(drop: DropFolder) -> None:
    drop.put("a.ndjson", ndjson(sale(), sale()))
    drop.settle()
    assert drop.events() == 2


def test_a_crash_before_the_file_was_moved_adds_nothing(drop: DropFolder) -> None:
    drop.put("a.ndjson", ndjson(sale(), sale()))
    drop.settle()
    (drop.folder.drop_done / "a.ndjson").rename(drop.folder.drop_in / "a.ndjson")
    drop.settle()
    assert drop.events() == 2


def test_a_bad_line_is_rejected_with_line_and_field_and_the_rest_goes_on(drop: DropFolder) -> None:
    bad = sale(quantity=0, note="as it came")
    drop.put("a.ndjson", ndjson(sale()) + b"\n" + ndjson(bad) + b"{oops\n" + ndjson(sale()))
    drop.settle()
    assert drop.events() == 2
    assert drop.names(drop.folder.drop_rejected) == ["a.ndjson", "a.ndjson.error.json"]
    assert (drop.folder.drop_rejected / "a.ndjson").read_bytes() == ndjson(bad) + b"{oops\n"
    report = json.loads((drop.folder.drop_rejected / "a.ndjson.error.json").read_bytes())
    assert [(violation["line"], violation["field"]) for violation in report["violations"]] == [
        (3, "quantity"),
        (4, ""),
    ]
    assert len(drop.names(drop.folder.undeliverable)) == 2


def test_a_corrected_rejected_file_adds_just_what_was_missing(drop: DropFolder) -> None:
    drop.put("a.ndjson", ndjson(sale(), sale(quantity=0), sale()))
    drop.settle()
    corrected = (
        (drop.folder.drop_rejected / "a.ndjson").read_bytes().replace(b'"quantity": 0', b'"quantity": 1')
    )
    drop.put("a.ndjson", corrected)
    drop.settle()
    assert drop.events() == 3


def test_a_bad_event_of_an_array_is_named_by_its_index(drop: DropFolder) -> None:
    drop.put("a.json", json.dumps([sale(), sale(type="SAIL")]).encode())
    drop.settle()
    report = json.loads((drop.folder.drop_rejected / "a.json.error.json").read_bytes())
    assert [(violation["index"], violation["field"]) for violation in report["violations"]] == [(1, "type")]


@pytest.mark.parametrize("content", [b"", b"  \n", b"{", b"\xff\xfe\x00", b"[1,2", b"\x00" * 100])
def test_a_file_that_cannot_be_read_is_rejected_whole(drop: DropFolder, content: bytes) -> None:
    drop.put("a.json", content)
    drop.settle()
    assert drop.names(drop.folder.drop_rejected) == ["a.json", "a.json.error.json"]
    assert (drop.folder.drop_rejected / "a.json").read_bytes() == content
    assert json.loads((drop.folder.drop_rejected / "a.json.error.json").read_bytes())["message"]


def test_a_rejected_file_never_replaces_another(drop: DropFolder) -> None:
    for content in (b"{", b"["):
        drop.put("a.json", content)
        drop.settle()
    assert drop.names(drop.folder.drop_rejected) == [
        "a-2.json", "a-2.json.error.json", "a.json", "a.json.error.json",
    ]  # fmt: skip


def test_other_files_are_left_alone(drop: DropFolder) -> None:
    for name in ("readme.txt", ".a.json", "~a.json", "a.json.part"):
        drop.put(name, b"{}")
    (drop.folder.drop_in / "folder.json").mkdir()
    drop.settle()
    assert len(drop.names(drop.folder.drop_in)) == 5


def test_lines_of_one_transaction_stay_together(drop: DropFolder) -> None:
    lines = [sale(saleId=f"S{n // 3}") for n in range(3000)]
    drop.put("a.ndjson", ndjson(*lines))
    drop.settle()
    sizes = drop.desk.ask(
        lambda spool: [
            row[0] for row in spool.connection.execute("SELECT lines_after FROM event ORDER BY position")
        ]
    )
    assert sizes == [2, 1, 0] * 1000


def test_a_full_disk_leaves_the_file_where_it_is(drop: DropFolder) -> None:
    drop.desk.ask(lambda spool: spool.connection.execute("PRAGMA max_page_count = 13").fetchall())
    drop.put("a.ndjson", ndjson(*[sale(note="x" * 900) for _ in range(100)]))
    drop.settle()
    assert drop.names(drop.folder.drop_in) == ["a.ndjson"]
    drop.desk.ask(lambda spool: spool.connection.execute("PRAGMA max_page_count = 100000").fetchall())
    drop.drop.look()
    assert drop.events() == 100


def test_a_handed_over_file_appears_complete_and_is_taken_at_once(drop: DropFolder, tmp_path: Path) -> None:
    source = tmp_path / "export.json"
    source.write_bytes(json.dumps([sale(), sale()]).encode())
    name = drop_copy(source, drop.folder, file_readers(drop.folder.configuration))
    outcome = drop.drop.take_now(name)
    assert (outcome.accepted, outcome.duplicates, outcome.rejected) == (2, 0, 0)
    assert drop.drop.take_now(name) == outcome  # the regular look was quicker


def test_only_files_of_the_drop_folder_can_be_asked_for(drop: DropFolder) -> None:
    for name in ("../agent.json", "/etc/passwd", "a.txt", "", "missing.json"):
        with pytest.raises(FileUnreadable):
            drop.drop.take_now(name)


def test_a_file_of_unknown_format_is_not_handed_over(drop: DropFolder, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    for name in ("a.txt", "missing.json"):
        with pytest.raises(FileUnreadable):
            drop_copy(tmp_path / name, drop.folder, file_readers(drop.folder.configuration))


CSV = b"Artikel;Menge;Betrag\nitem-001;1;5,00\n"
CSV_PROFILE = """
[csv.till]
delimiter = ";"
decimal_mark = ","
[csv.till.fields]
itemId = "Artikel"
quantity = "Menge"
amount = "Betrag"
"""


WRITER = """
import sys
file = open(sys.argv[1], 'ab', 0)
for _ in range(2):
    file.write(sys.stdin.buffer.readline())
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def csv_drop(tmp_path: Path) -> DropFolder:
    """A drop folder that takes CSV files, of which nobody can tell where they end."""
    DataFolder(tmp_path).create()
    DataFolder(tmp_path).configuration.write_text(CSV_PROFILE)
    return DropFolder(tmp_path)


def rest(drop: DropFolder, seconds: float, *, looks: int) -> None:
    for _ in range(looks):
        drop.clock.move(seconds / looks)
        drop.drop.look()


def test_a_csv_file_whose_writer_pauses_is_waited_for_and_taken_whole(csv_drop: DropFolder) -> None:
    path = csv_drop.put("sales.csv", CSV)
    csv_drop.drop.look()
    rest(csv_drop, 9, looks=4)  # longer than any other file would wait
    assert csv_drop.events() == 0
    with path.open("ab") as file:
        file.write(b"item-001;2;6,00\n")
    rest(csv_drop, 9, looks=4)
    assert csv_drop.events() == 0, "it has begun to rest anew"
    rest(csv_drop, 4, looks=1)
    assert csv_drop.events() == 2
    assert csv_drop.names(csv_drop.folder.drop_done) == ["sales.csv"]


def test_a_pc_that_slept_has_looked_too_seldom_to_take_a_csv_file(csv_drop: DropFolder) -> None:
    csv_drop.put("sales.csv", CSV)
    csv_drop.drop.look()
    rest(csv_drop, 9 * 3600, looks=1)
    assert csv_drop.events() == 0
    rest(csv_drop, 1, looks=1)
    assert csv_drop.events() == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who writes to a file")
def test_a_csv_file_that_another_program_has_open_for_writing_is_not_taken_however_long_it_rests(
    csv_drop: DropFolder,
) -> None:
    path = csv_drop.put("sales.csv", b"")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write(CSV)
    writer.stdin.flush()
    writer.stdout.readline()
    assert is_open_for_writing(path) is True
    rest(csv_drop, 3600, looks=10)
    assert csv_drop.events() == 0
    writer.communicate()
    assert is_open_for_writing(path) is False
    rest(csv_drop, 1, looks=1)
    assert csv_drop.events() == 1
