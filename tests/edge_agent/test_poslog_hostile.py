"""Whatever bytes come: records or named refusals, bounded, and never an exception."""

import gzip
import re
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.dropped_file import DroppedFile, DroppedRecord, FileRejected, RejectedRecord
from edge_agent.sources.poslog.journal import MAX_BREAKS
from edge_agent.sources.poslog.journal_files import PoslogFiles
from edge_agent.sources.poslog.tally import Tally
from shared.pos_event import check_event
from tests.edge_agent.poslog_xml import events, goods, item, journal, link, records, refusals, retail, tender

ONE = journal(retail(goods(1)))
THREE = journal(*[retail(goods(1), number=number) for number in (1, 2, 3)])
SAMPLES = Path(__file__).parent / "poslog_samples"


def numbers(content: bytes) -> list[str]:
    """The transaction numbers of what is understood."""
    return [record.value["transactionNumber"] for record in records(content) if record.value]


def reasons(content: bytes) -> list[str]:
    """Why pieces are refused."""
    return [why for _, _, why in refusals(content)]


@pytest.mark.parametrize(
    "dtd",
    [
        '<!DOCTYPE POSLog [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
        '<!DOCTYPE POSLog [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE POSLog SYSTEM "http://127.0.0.1:9/evil.dtd">',
        '<!DOCTYPE POSLog [<!ENTITY % p SYSTEM "http://127.0.0.1:9/evil.dtd"> %p;]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7"])
def test_a_file_with_a_dtd_is_rejected_unread(dtd: str, encoding: str) -> None:
    content = f'<?xml version="1.0" encoding="{encoding}"?>{dtd}{ONE.decode()}'.replace("MILK", "&a;")
    with pytest.raises(FileRejected, match="DTD"):
        records(content.encode(encoding))


def test_an_entity_that_nobody_declared_costs_its_transaction_alone() -> None:
    assert numbers(THREE.replace(b"MILK", b"&evil;", 1)) == ["2", "3"]
    assert reasons(THREE.replace(b"MILK", b"&evil;", 1)) == ["Entity 'evil' not defined"]


@pytest.mark.parametrize("what", ["depth", "text", "elements", "attributes"])
def test_a_transaction_beyond_the_bounds_is_refused_and_the_rest_goes_on(what: str) -> None:
    swollen = {
        "depth": "<a>" * 100 + "</a>" * 100,
        "text": "x" * (11 * 1024 * 1024),
        "elements": "<a/>" * 100_001,
        "attributes": "<a b='1' c='2' d='3'/>" * 33_000,
    }[what]
    content = THREE.replace(b"<ItemID>MILK</ItemID>", b"<ItemID>MILK</ItemID>" + swollen.encode(), 1)
    assert numbers(content) == ["2", "3"]
    assert len(reasons(content)) == 1


def test_depth_outside_of_transactions_ends_in_a_refusal_too() -> None:
    content = b"<POSLog>" + b"<a>" * 5_000 + ONE
    assert reasons(content) == ["Elements are nested deeper than 64 levels"]
    assert numbers(content) == ["117"]


def test_a_hundred_thousand_elements_before_the_first_transaction_take_no_memory() -> None:
    content = ONE.replace(b"<Transaction ", b"<Header>x</Header>" * 100_000 + b"<Transaction ", 1)
    assert numbers(content) == ["117"]


def test_memory_does_not_grow_with_the_file() -> None:
    content = journal(retail(goods(1), tender(2, "2.50")) * 6_000)
    process, sizes = psutil.Process(), []
    for index, _ in enumerate(PoslogFiles().read(DroppedFile("day.xml", content))):
        if index % 500 == 499:
            sizes.append(process.memory_info().rss)
    assert len(sizes) == 12
    # The whole of it as a tree would take more than 30 MB.
    assert max(sizes) - sizes[0] < 8_000_000


def test_a_broken_transaction_is_kept_raw_and_named_by_line_and_path() -> None:
    content = THREE.replace(b"<ItemID>MILK</ItemID>", b"<ItemID>M&M</ItemID>", 1)
    found = records(content)
    assert [record.value["transactionNumber"] for record in found if record.value] == ["2", "3"]
    (refused,) = [record for record in found if record.violations]
    assert (refused.place, refused.violations[0].field) == (
        4,
        "POSLog/Transaction/RetailTransaction/LineItem/Sale/ItemID",
    )
    assert b"M&M" in refused.raw
    assert refused.raw.endswith(b"</Transaction>")


def test_lines_are_counted_on_behind_a_broken_transaction() -> None:
    content = THREE.replace(b"MILK", b"M&M", 1).replace(b"<Quantity>1</Quantity>", b"<Quantity>0</Quantity>")
    assert [line for line, _, _ in refusals(content)] == [4, 8, 12]


@pytest.mark.parametrize("cut", range(20, len(THREE), 97))
def test_a_file_cut_off_anywhere_gives_what_was_whole_and_says_so(cut: int) -> None:
    if b"<Transaction " not in THREE[:cut]:
        with pytest.raises(FileRejected):
            records(THREE[:cut])
        return
    found = records(THREE[:cut])
    whole = THREE[:cut].count(b"</Transaction>")
    assert len([record for record in found if record.value]) == whole
    assert len([record for record in found if record.violations]) == 1


def test_a_second_root_is_named_and_its_transactions_are_taken() -> None:
    second = journal(retail(goods(1), number=118))
    assert numbers(ONE + second) == ["117", "118"]
    assert reasons(ONE + second) == ["Extra content at the end of the document"]


def test_a_blank_line_before_the_declaration_costs_no_transaction() -> None:
    assert numbers(b'\n<?xml version="1.0"?>' + ONE) == ["117"]


def test_a_transaction_in_a_comment_or_cdata_is_none() -> None:
    hidden = b"<!-- " + ONE + b" --><![CDATA[<Transaction>]]>"
    content = THREE.replace(b"<RetailTransaction >", b"<RetailTransaction >" + hidden, 1).replace(
        b"MILK", b"M&M", 2
    )
    assert numbers(content)[-1] == "3"


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso-8859-15"]
)
def test_every_encoding_that_says_its_name_is_read(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    content = f'<?xml version="1.0" encoding="{declared}"?>{ONE.decode()}'.replace("MILK", "Käse €")
    assert [event["itemId"] for event in events(content.encode(encoding))] == ["Käse €"]


def test_windows_1252_that_calls_itself_utf_8_is_read_and_noted() -> None:
    tally = Tally()
    (record,) = records(ONE.replace(b"MILK", "Käse €".encode("cp1252")), tally=tally)
    assert record.value["itemId"] == "Käse €"
    assert "Windows-1252" in tally.named[0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"PK\x03\x04",
        b"<rss><item/></rss>",
        b'<?xml version="1.0" encoding="klingon"?><POSLog/>',
        b"<",
    ],
)
def test_what_is_no_poslog_is_rejected_whole(content: bytes) -> None:
    with pytest.raises(FileRejected):
        records(content)


def test_endless_breaks_end_in_one_refusal_of_the_rest() -> None:
    found = records(b"<POSLog>" + b"<Transaction><\n" * 5_000 + b"</POSLog>")
    assert len(found) == MAX_BREAKS
    assert len(found[-1].raw) > 14 * 3_900


def test_what_is_refused_can_be_corrected_and_dropped_again() -> None:
    content = journal(retail(link(), goods(1), goods(2, "free"), goods(3)), retail(goods(1), number=118))
    found = records(content)
    part = PoslogFiles().rejected_part(DroppedFile("day.xml", content), rejected(found))
    (event,) = events(part.replace(b"free", b"1.00"))
    assert (event["saleId"], event["lineNumber"]) == (found[0].value["saleId"], 2)


def test_a_refused_line_under_a_namespace_that_lxml_cannot_write_is_kept_with_its_transaction() -> None:
    whole = journal(retail(goods(1, quantity="<Quantity>nonsense</Quantity>"), goods(2)))
    content = whole.replace(b"<Transaction", b'<Transaction xmlns:odd="http://x y="', 1)
    assert content != whole
    assert any(b"nonsense" in record.raw for record in records(content) if record.violations)


def test_hundreds_of_bad_lines_are_kept_in_a_bounded_number_of_pieces() -> None:
    found = records(journal(retail(*[goods(number, "free") for number in range(500)])))
    assert len(found) == 21
    assert sum(len(record.violations) for record in found) == 500


@pytest.mark.parametrize(
    "more",
    [
        [
            item(number, f'<Tax TaxID="{number}"><Amount>0.01</Amount></Tax>')
            for number in range(2_000, 4_000)
        ],
        [item(number, "<Discount><Amount>0.01</Amount></Discount>") for number in range(2_000, 4_000)],
        [tender(number, "1.00", f"T{number}") for number in range(2_000, 4_000)],
    ],
    ids=["taxes", "discounts", "tenders"],
)
def test_thousands_of_other_lines_leave_the_goods_what_they_are(more: list[str]) -> None:
    found = events(journal(retail(*[goods(number) for number in range(100)], *more)))
    assert len(found) == 100
    assert len(found[0].get("tenders", [])) in (0, 50)


@pytest.mark.parametrize(
    "content",
    [
        journal(retail(goods(1), *[tender(number, "9" * 18) for number in range(2, 90)])),
        journal(retail(link(reason="PostVoid")).replace(">90<", f">{'9' * 130}<")),
        journal(retail(goods(1)).replace(">3<", f">{'3' * 129}<")),
    ],
    ids=["tenders", "link", "workstation"],
)
def test_what_would_break_the_contract_is_refused_by_name(content: bytes) -> None:
    (record,) = records(content)
    assert record.violations
    assert record.raw.startswith(b"<Transaction")


def rejected(found: list[DroppedRecord]) -> list[RejectedRecord]:
    """What the drop folder makes of the refused among them."""
    return [RejectedRecord(each.place, each.raw, each.violations) for each in found if each.violations]


def read_all(content: bytes) -> list[DroppedRecord]:
    """Reads to the end and writes what was refused, as the drop folder does."""
    reader, file = PoslogFiles(), DroppedFile("day.xml", content)
    try:
        found = list(reader.read(file))
    except FileRejected:
        return []
    reader.rejected_part(file, rejected(found))
    for record in found:
        assert (record.value is None) == bool(record.violations)
        assert record.value is None or check_event(record.value, "") == []
    assert all(later.index == earlier.index + 1 for earlier, later in pairwise(found))
    return found


PIECES = [piece for piece in re.split(rb"(<[^>]*>)", THREE) if piece.strip()] + [
    b"<", b">", b"&", b"\x00", b"\xff\xfe", b"]]>", b"<!--", b"-->", b"<![CDATA[", b"</POSLog>", b"<Transaction",
    b"-1", b"1e9", b"VoidFlag='true'", item(7, "<Tax><Amount>1</Amount></Tax>").encode(), tender(8, "5").encode(),
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join))
def test_whatever_bytes_come_there_are_records_or_named_refusals(content: bytes) -> None:
    read_all(content)
    read_all(b"<POSLog>" + content + b"</POSLog>")
    read_all(THREE.replace(b"</RetailTransaction>", content + b"</RetailTransaction>"))


HUGE = "999999999999999999.999999999"
NUMBERS = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "2.50",
        "-2.50",
        "0.000000001",
        HUGE,
        f"-{HUGE}",
        "9" * 40,
        "1e17",
        "NaN",
        "",
        "x",
        "٣",
        "9" * 5000,
    ]
)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line item of any kind with any numbers."""
    flags = draw(st.sampled_from(["", 'VoidFlag="true"', 'CancelFlag="true"']))
    number, amount, quantity = draw(st.integers(0, 5)), draw(NUMBERS), draw(NUMBERS)
    tax, change = f"<Tax><Amount>{draw(NUMBERS)}</Amount></Tax>", f"<Amount>{draw(NUMBERS)}</Amount>"
    kind = draw(st.sampled_from(["Sale", "Return", "Tender", "Discount", "Rounding", "Tax", "Price"]))
    if kind in ("Sale", "Return"):
        more = draw(
            st.sampled_from([tax, f"<RetailPriceModifier>{change}</RetailPriceModifier>", link(), ""])
        )
        said = goods(
            number, amount, quantity=f"<Quantity>{quantity}</Quantity>", kind=kind, more=more, flags=flags
        )
        links = f"<ItemLink><SequenceNumber>{draw(NUMBERS)}</SequenceNumber></ItemLink>"
        return said.replace("<Sale>", f"{links}<Sale>") if draw(st.booleans()) else said
    if kind == "Price":
        price = f"<ActualSalesUnitPrice>{amount}</ActualSalesUnitPrice>"
        return item(number, f"<Sale><ItemID>A</ItemID>{price}<Quantity>{quantity}</Quantity></Sale>", flags)
    if kind == "Tender":
        return tender(
            number, amount, more=f"<TenderChange>{change}</TenderChange><Cashback>{quantity}</Cashback>"
        )
    return item(number, f"<{kind}><Amount>{amount}</Amount></{kind}>", flags)


@settings(max_examples=300, deadline=None)
@given(st.lists(lines(), max_size=8), NUMBERS)
def test_whatever_numbers_a_transaction_holds_it_keeps_the_contract_or_is_refused(
    items: list[str], due: str
) -> None:
    total = f'<Total TotalType="TransactionGrandAmount">{due}</Total>'
    read_all(journal(retail(*items, total)))
    read_all(journal(retail(*items)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_a_real_journal_it_is_read_to_the_end(data: st.DataObject) -> None:
    content = bytearray((SAMPLES / "ncr-acs-small.xml").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.sampled_from(PIECES) | st.binary(max_size=4))
        content[place : place + data.draw(st.integers(0, 30))] = piece
    read_all(bytes(content))


def test_a_real_day_with_a_broken_byte_in_some_transactions_loses_no_other() -> None:
    day = gzip.decompress((SAMPLES / "ncr-acs-day.xml.gz").read_bytes())
    whole = [record.value["saleId"] for record in records(day) if record.value and "saleId" in record.value]
    broken = day.replace(b"<WorkstationID>31</WorkstationID><S", b"<WorkstationID>31&</WorkstationID><S")
    kept = [record.value["saleId"] for record in records(broken) if record.value and "saleId" in record.value]
    assert kept == [sale for sale in whole if not sale.startswith("9-31-")]
    assert len(reasons(broken)) == 6
