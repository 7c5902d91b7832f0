"""CSV files dropped into spool/in, of tills as different as their makers."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_agent.data_folder import DataFolder
from edge_agent.errors import SettingsError
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources.csv_export.csv_files import CsvFiles
from edge_agent.sources.csv_export.profile import CsvProfile, read_profiles
from edge_agent.sources.dropped_file import DroppedFile, DroppedRecord, FileRejected
from edge_agent.sources.file_drop import FileDrop
from edge_agent.sources.file_formats import file_readers
from shared.pos_event import check_event
from tests.edge_agent.builders import ManualClock, open_intake

PLAIN = {"fields": {"itemId": "item", "quantity": "qty", "amount": "amount"}}
GERMAN = """
[csv.kasse]
files = "bon*.csv"
delimiter = ";"
encoding = "cp1252"
decimal_mark = ","
thousands_mark = "."
group = ["Bon"]
negative_quantity = "RETURN"
[csv.kasse.type]
column = "Art"
values = { V = "SALE", X = "VOID", S = "SKIP" }
[csv.kasse.fields]
transactionNumber = "Bon"
saleId = "Bon"
lineNumber = "Pos"
itemId = "Artikel"
quantity = "Menge"
amount = "Betrag"
occurredAt = { columns = ["Datum", "Zeit"], format = "%d.%m.%Y %H:%M:%S" }
currency = { constant = "EUR" }
"voids.saleId" = "Bezug"
originalSaleId = "Bezug"
[csv.kasse.extra]
note = "Bemerkung"
[[csv.kasse.tenders]]
type = "CASH"
amount = "Bar"
"""
GERMAN_HEADER = "Bon;Pos;Art;Artikel;Menge;Betrag;Datum;Zeit;Bezug;Bemerkung;Bar\r\n"


def read(content: bytes, table: dict[str, Any] = PLAIN, name: str = "a.csv") -> list[DroppedRecord]:
    """The records of a file under one profile."""
    return list(CsvFiles([CsvProfile("till", table)]).read(DroppedFile(name, content)))


def events(content: bytes, table: dict[str, Any] = PLAIN) -> list[Any]:
    """What the rows say; every one of them must be good."""
    records = read(content, table)
    assert [record.violations for record in records if record.violations] == []
    return [record.value for record in records]


class CsvFolder:
    """A drop folder on the real disk whose agent.toml describes CSV files."""

    def __init__(self, root: Path, configuration: str) -> None:
        self.folder = DataFolder(root)
        self.folder.create()
        self.folder.configuration.write_text(configuration, encoding="utf-8")
        self.desk, intake = open_intake(root, ManualClock())
        refused = RefusedRecords(self.folder.undeliverable, 1_000_000, ManualClock())
        readers = file_readers(self.folder.configuration)
        self.drop = FileDrop(self.folder, intake, refused, ManualClock(), readers, interval=1, settle=0)

    def put(self, name: str, content: bytes) -> None:
        (self.folder.drop_in / name).write_bytes(content)
        self.drop.look()

    def bodies(self) -> list[Any]:
        return [json.loads(body) for body in self.desk.ask(lambda spool: spool.newest_bodies(1000))]

    def report(self, name: str) -> Any:
        return json.loads((self.folder.drop_rejected / f"{name}.error.json").read_bytes())


@pytest.fixture
def german(tmp_path: Path) -> CsvFolder:
    """The drop folder of a German till."""
    return CsvFolder(tmp_path, GERMAN)


def test_a_german_export_becomes_sales_returns_and_voids(german: CsvFolder) -> None:
    rows = (
        "7;1;V;Käse 5kg;1.000,5;1.234.567,89;10.02.2026;09:30:00;;frisch;1.234.600,00\r\n"
        "7;2;V;Brot;-1;-2,50;10.02.2026;09:30:00;5;;\r\n"
        "8;1;X;;;;10.02.2026;09:31:00;7;;\r\n"
        ";;S;;;1.234.565,39;;;;;\r\n"
    )
    german.put("Bon-1.CSV", (GERMAN_HEADER + rows).encode("cp1252"))
    sale, returned, void = german.bodies()
    assert (sale["type"], sale["itemId"], sale["note"]) == ("SALE", "Käse 5kg", "frisch")
    assert (sale["quantity"], sale["amount"]) == (1000.5, 1234567.89)
    assert sale["tenders"] == [{"type": "CASH", "amount": 1234600}]
    assert sale["stamp"]["occurredAt"] == "2026-02-10T14:30:00Z"
    assert sale["stamp"]["timeReading"] == "LOCAL"
    assert (sale["stamp"]["groupSize"], returned["stamp"]["groupSize"]) == (2, 2)
    assert (returned["type"], returned["quantity"], returned["amount"]) == ("RETURN", 1, 2.5)
    assert returned["originalSaleId"] == "5"
    assert (void["type"], void["voids"], "quantity" in void) == ("VOID", {"saleId": "7"}, False)


def test_amounts_stay_exact_to_the_last_digit(german: CsvFolder) -> None:
    row = "7;1;V;A;0,000000001;99999999999999999,99;10.02.2026;09:30:00;;;\r\n"
    german.put("bon.csv", (GERMAN_HEADER + row).encode())
    body = german.desk.ask(lambda spool: spool.newest_bodies(1))[0]
    assert b'"quantity":1E-9,' in body
    assert b'"amount":99999999999999999.99,' in body


def test_a_file_dropped_twice_adds_nothing(german: CsvFolder) -> None:
    content = (GERMAN_HEADER + "7;1;V;A;1;2,50;10.02.2026;09:30:00;;;\r\n" * 2).encode()
    for name in ("bon.csv", "bon.csv", "bon-again.csv"):
        german.put(name, content)
    assert len(german.bodies()) == 2


def test_a_bad_row_is_named_by_line_and_column_and_the_rest_goes_on(german: CsvFolder) -> None:
    good = "7;1;V;A;1;2,50;10.02.2026;09:30:00;;;\r\n"
    bad = [
        "7;2;V;A;eins;2,50;31.02.2026;09:30:00;;;",
        "7;3;R;A;1;2,50;10.02.2026;09:30:00;;;",
        "7;4;V;A;0;1;;;;;",
    ]
    german.put("bon.csv", (GERMAN_HEADER + good + "\r\n".join(bad) + "\r\n" + good).encode())
    report = german.report("bon.csv")
    named = [(entry["line"], entry["field"], entry.get("column")) for entry in report["violations"]]
    assert named == [
        (3, "quantity", "Menge"),
        (3, "occurredAt", None),
        (4, "type", "Art"),
        (5, "quantity", "Menge"),
    ]
    assert report["violations"][0]["rejectedValue"] == "eins"
    assert len(german.bodies()) == 2
    rejected = (german.folder.drop_rejected / "bon.csv").read_bytes()
    assert rejected == GERMAN_HEADER.encode().rstrip() + b"\n" + "\n".join(bad).encode() + b"\n"


def test_a_corrected_rejected_file_adds_just_what_was_missing(german: CsvFolder) -> None:
    good = "7;1;V;A;1;2,50;10.02.2026;09:30:00;;;\r\n"
    german.put("bon.csv", (GERMAN_HEADER + good + good.replace("2,50", "zwei") + good).encode())
    corrected = (german.folder.drop_rejected / "bon.csv").read_bytes().replace(b"zwei", b"2,50")
    german.put("bon.csv", corrected)
    assert len(german.bodies()) == 3


def test_a_file_that_no_profile_describes_is_rejected_with_what_to_do(german: CsvFolder) -> None:
    german.put("stock.csv", b"a,b\n1,2\n")
    assert "No [csv] profile of agent.toml matches" in german.report("stock.csv")["message"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\r\n \r\n", "empty"),
        (b"item,qty\nA,1\n", "no column amount"),
        (b'"item,qty,amount\nA,1,2', "header cannot be read"),
        (b"item,qty,amount,qty\nA,1,2,3", "qty twice"),
        (b"\xff\xfei\x00t\x00e", "no utf-16-le"),
    ],
)
def test_a_file_without_a_usable_header_is_rejected_whole(content: bytes, message: str) -> None:
    with pytest.raises(FileRejected, match=message):
        read(content)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_and_line_ends_of_every_system_are_read(end: str, encoding: str) -> None:
    text = end.join(["item,qty,amount", "Bücher,1,2", "", "Ж,1,2"])
    assert [event["itemId"] for event in events(text.encode(encoding))] == ["Bücher", "Ж"]


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "cp850", "iso8859-15", "cp1251", "cp932", "gbk"])
def test_code_pages_are_read(encoding: str) -> None:
    word = {"cp1251": "Хлеб", "cp932": "パン", "gbk": "面包"}.get(encoding, "Brötchen")
    content = f"item,qty,amount\n{word},1,2\n".encode(encoding)
    assert events(content, {**PLAIN, "encoding": encoding})[0]["itemId"] == word


def test_one_row_in_the_wrong_code_page_costs_one_row() -> None:
    records = read("item,qty,amount\nBrot,1,2\nKäse,1,2\n".encode("cp1252") + "Käse,1,2\n".encode())
    assert [bool(record.violations) for record in records] == [False, True, False]
    assert "see the profile's encoding" in records[1].violations[0].constraint


def test_an_unclosed_quote_costs_one_line() -> None:
    records = read(b'item,qty,amount\nA,1,2\n"B,1,2\nC,1,2\n"D",1,2\n')
    assert [(record.place, bool(record.violations)) for record in records] == [
        (2, False), (3, True), (4, False), (5, False),
    ]  # fmt: skip


def test_a_quoted_text_may_run_over_lines() -> None:
    records = read(b'item,qty,amount\r\n"A ""big""\r\none",1,2\r\nB,1,2\r\n', {**PLAIN, "extra": {}})
    assert [record.place for record in records] == [2, 4]
    assert records[0].value["itemId"] == 'A "big"\r\none'
    assert records[0].raw == b'"A ""big""\r\none",1,2'


def test_hostile_rows_are_refused_by_name() -> None:
    header = b"item,qty,amount,x\n"
    rows = [b"A\0,1,2,", b'"A"B,1,2,', b"A,1,2,3,4", b"A,1", b"A,1,2," + b"y" * 1_000_000, b"A,1,1e5,"]
    records = read(header + b"\n".join(rows) + b"\nA,1,2,3")
    good = [not record.violations and not check_event(record.value, "") for record in records]
    assert good == [False] * 6 + [True]
    assert "ends before the column amount" in records[3].violations[0].constraint


def test_columns_go_by_number_without_a_header() -> None:
    table = {"header": False, "skip_lines": 1, "fields": {"itemId": 3, "quantity": 1, "amount": 2}}
    assert events(b"Export of till 4\n1,2.5,A\n", table) == [
        {"itemId": "A", "quantity": 1, "amount": Decimal("2.5"), "type": "SALE"}
    ]


def test_a_prefix_makes_a_return_and_is_taken_off() -> None:
    table = {
        "fields": {"itemId": "item", "quantity": "qty", "amount": "amount", "voids.saleId": "sale"},
        "type": {"column": "qty", "prefixes": {"R": "RETURN", "X": "VOID"}, "default": "SALE"},
    }
    read_events = events(b"item,qty,amount,sale\nA,R2,5,\nA,3,7,\nA,X1,1,S-9\n", table)
    assert [(event["type"], str(event["quantity"])) for event in read_events] == [
        ("RETURN", "2"), ("SALE", "3"), ("VOID", "1"),
    ]  # fmt: skip
    assert read_events[2]["voids"] == {"saleId": "S-9"}


def test_unit_price_and_net_amounts_are_computed_exactly() -> None:
    table = {
        "fields": {
            "itemId": "item",
            "quantity": "qty",
            "amount": {"column": "price", "times": "qty", "plus": "tax", "scale": 2},
            "taxAmount": "tax",
        }
    }
    assert (
        str(events(b"item,qty,price,tax\nA,3,0.335,0.1\n", table)[0]["amount"]) == "1.10"
    )  # 1.105, half-even


def test_numbers_as_tills_write_them() -> None:
    table = {**PLAIN, "delimiter": ";", "decimal_mark": ",", "thousands_mark": "."}
    for text, value in [
        ("12,50-", "-12.50"),
        ("+1.234,5", "1234.5"),
        ("1234567", "1234567"),
        (",5", "0.5"),
    ]:
        assert str(events(f"item;qty;amount\nA;1;{text}\n".encode(), table)[0]["amount"]) == value
    for text in ("1.23", "1,2,3", "12.50", "1e5", "0x1", "١٢", "--1", "-1-", ",", "NaN", "1 000"):
        assert read(f"item;qty;amount\nA;1;{text}\n".encode(), table)[0].violations, text


def test_tenders_that_every_row_repeats_count_once() -> None:
    table = {
        "fields": {**PLAIN["fields"], "transactionNumber": "no"},
        "group": ["no"],
        "tenders": [{"type": {"column": "paid", "values": {"BAR": "CASH"}}, "amount": "total"}],
        "tenders_repeat": True,
    }
    read_events = events(
        b"no,item,qty,amount,paid,total\n1,A,1,2,BAR,5\n1,B,1,3,BAR,5\n2,A,1,2,BAR,2\n", table
    )
    assert ["tenders" in event for event in read_events] == [True, False, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delimeter": ";"}, "unknown field `delimeter`"),
        ({"delimiter": ";;"}, "must be one character"),
        ({"encoding": "rot13"}, "no code page"),
        ({"encoding": "utf-7"}, "no code page"),
        ({"decimal_mark": ",", "thousands_mark": ","}, "must differ"),
        ({"fields": {"quanttiy": "qty"}}, "'quanttiy' is no field of an event"),
        ({"fields": {"quantity": 3}}, "by its name"),
        ({"header": False}, "by its number"),
        ({"fields": {"occurredAt": {"column": "t", "format": "%d.%m.%Y %Q"}}}, "%Q, which is none of"),
        ({"fields": {"occurredAt": {"column": "t", "format": "%H:%M"}}}, "must have day, month and year"),
        ({"fields": {"occurredAt": {"column": "t", "constant": "x"}}}, "exactly one of"),
        ({"type": {"column": "t"}}, "neither values nor prefixes"),
        ({"type": {"column": "t", "values": {"X": "VOID"}}}, "nothing says of what"),
        ({"type": {"column": "t", "values": {"X": "CANCEL"}}}, "CANCEL"),
        ({"negative_quantity": "VOID"}, "nothing says of what"),
        ({"fields": None}, "Expected `object`"),
    ],
)
def test_a_wrong_profile_is_named_with_what_to_do(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_profiles({"till": {**PLAIN, **change}})
    assert message in str(raised.value)
    assert "[csv.till" in str(raised.value)
    assert "correct it" in str(raised.value)


HOSTILE = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from(
            [b"item,qty,amount", b"A,1,2", b'"', b"\n", b"\r", b"\0", b";", b",", b"\xff", b"\xef\xbb\xbf", b"1e9",
             b'"A\nB",1,2\n', b"\xff\xfe", b"-1", b"99999999999999999999", b"R", b"\x85"]
        ),
        max_size=30,
    ).map(b"".join),
)  # fmt: skip


@given(
    HOSTILE,
    st.sampled_from(["utf-8", "cp1252", "cp932", "utf-16"]),
    st.booleans(),
    st.sampled_from(["", '"']),
)
@settings(max_examples=400, deadline=None)
@example(b"item,qty,amount\n\x1c\n", "utf-8", True, '"')
def test_any_bytes_end_in_records_or_in_named_refusals(
    content: bytes, encoding: str, header: bool, quote: str
) -> None:
    fields = PLAIN["fields"] if header else {"itemId": 1, "quantity": 2, "amount": 3}
    table = {
        "fields": fields,
        "encoding": encoding,
        "header": header,
        "quote": quote,
        "negative_quantity": "RETURN",
    }
    files = CsvFiles([CsvProfile("till", table)])
    for file in (DroppedFile("a.csv", content), DroppedFile("a.csv", b"item,qty,amount\n" + content)):
        try:
            records = list(files.read(file))
        except FileRejected:
            continue
        for record in records:
            assert record.value is not None or record.violations
        assert [record.index for record in records] == list(range(len(records)))
        assert sum(len(record.raw) for record in records) <= 2 * len(file.content)
