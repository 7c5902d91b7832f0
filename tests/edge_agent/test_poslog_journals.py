"""Real journals of an NCR ACS till go through the drop folder, to the last line and the last cent.

`poslog_samples` holds them with their licence (BSD 3-Clause): one transaction, and a part of a day.
"""

import gzip
import json
import xml.etree.ElementTree as ET
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edge_agent.data_folder import DataFolder
from edge_agent.errors import SettingsError
from edge_agent.refused_records import RefusedRecords
from edge_agent.sources.dropped_file import DroppedFile
from edge_agent.sources.file_drop import FileDrop
from edge_agent.sources.file_formats import file_readers
from edge_agent.sources.poslog.configuration import read_rules
from edge_agent.sources.poslog.journal_files import PoslogFiles
from edge_agent.sources.poslog.tally import Tally
from shared.wire_json import decode_json
from tests.edge_agent.builders import ManualClock, open_intake
from tests.edge_agent.poslog_xml import ARTS, events, goods, item, journal, refusals, retail

SAMPLES = Path(__file__).parent / "poslog_samples"
SMALL = (SAMPLES / "ncr-acs-small.xml").read_bytes()
DAY = gzip.decompress((SAMPLES / "ncr-acs-day.xml.gz").read_bytes())
NAMES = {"p": ARTS, "acs": "http://www.ncr.com/rsd/acs/tlog/markup/poslog/2.1"}


class PoslogFolder:
    """A drop folder on the real disk, its spool behind it."""

    def __init__(self, root: Path, configuration: str = "") -> None:
        self.folder = DataFolder(root)
        self.folder.create()
        self.folder.configuration.write_text(configuration, encoding="utf-8")
        self.desk, intake = open_intake(root, ManualClock())
        refused = RefusedRecords(self.folder.undeliverable, 1_000_000, ManualClock())
        readers = file_readers(self.folder.configuration)
        self.drop = FileDrop(self.folder, intake, refused, ManualClock(), readers, interval=1, settle=0)

    def take(self, name: str, content: bytes) -> Any:
        (self.folder.drop_in / name).write_bytes(content)
        return self.drop.take_now(name)

    def bodies(self) -> list[Any]:
        return [decode_json(body) for body in self.desk.ask(lambda spool: spool.newest_bodies(1000))]


@pytest.fixture
def spool(tmp_path: Path) -> PoslogFolder:
    """An empty drop folder."""
    return PoslogFolder(tmp_path)


def read(content: bytes) -> tuple[list[Any], Tally]:
    """The events of a journal in which everything is understood, and what was counted."""
    tally = Tally()
    found = list(PoslogFiles().records(DroppedFile("day.xml", content), tally))
    assert [record.violations for record in found if record.violations] == []
    return [record.value for record in found], tally


def test_every_transaction_and_line_of_a_real_day_is_accounted_for() -> None:
    found, tally = read(DAY)
    assert tally.transactions == {"RetailTransaction": 42, "ControlTransaction": 9}
    assert tally.passed_over == {"OperatorSignOn": 4, "OperatorSignOff": 3, "NoSale": 2}
    assert Counter(event["type"] for event in found) == {"SALE": 547, "RETURN": 1, "VOID": 4}
    # 1041 line items: 552 of goods, 51 tenders, 23 taxes, 245 discounts in rewards; 170 say nothing of either.
    assert tally.lines_passed_over == {
        "LoyaltyReward": 333 - 245,
        "CRMCustomVariable": 56,
        "AgeRestriction": 8,
        "ElectronicSignature": 7,
        "LoyaltyMembership": 4,
        "ItemNotFound": 3,
        "ItemRestriction": 3,
        "SupervisorOverride": 1,
    }
    assert (tally.refused, tally.unequal_totals, tally.named) == (0, 0, [])


def net_of(found: list[Any]) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """(charged, tax, paid) by transaction: sales that were not voided less returns."""
    voided = {
        (event["voids"]["saleId"], event["voids"]["lineNumber"]) for event in found if event["type"] == "VOID"
    }
    sums: dict[str, tuple[Decimal, Decimal, Decimal]] = {}
    for event in found:
        if event["type"] == "VOID":
            continue
        counts = (event["saleId"], event["lineNumber"]) not in voided
        sign = (-1 if event["type"] == "RETURN" else 1) * counts
        charged, tax, paid = sums.get(event["saleId"], (Decimal(0),) * 3)
        sums[event["saleId"]] = (
            charged + sign * event["amount"],
            tax + sign * event.get("taxAmount", 0),
            paid + sum(tender["amount"] for tender in event.get("tenders", ())),
        )
    return sums


def stated_in(content: bytes) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """The same from the journal's own totals, read with another XML library."""
    stated = {}
    for each in ET.fromstring(content).iterfind("p:Transaction[p:RetailTransaction]", NAMES):
        parts = [each.findtext(f"p:{name}", "", NAMES) for name in ("RetailStoreID", "WorkstationID")]
        parts += [each.findtext(f"p:{name}", "", NAMES) for name in ("BusinessDayDate", "SequenceNumber")]
        totals = {
            total.get("TotalType"): Decimal(total.text or "")
            for total in each.iterfind("p:RetailTransaction/p:Total", NAMES)
        }
        tenders = each.iterfind("p:RetailTransaction/p:LineItem/p:Tender/p:Amount", NAMES)
        stated["-".join(parts)] = (
            totals["TransactionGrandAmount"],
            totals["TransactionTaxAmount"],
            sum((Decimal(tender.text or "") for tender in tenders), Decimal(0)),
        )
    return stated


def test_every_transaction_of_a_real_day_comes_to_its_own_totals() -> None:
    found = net_of(read(DAY)[0])
    assert found == stated_in(DAY)
    assert len(found) == 42
    sums = [sum(column, Decimal(0)) for column in zip(*found.values(), strict=True)]
    assert sums == [Decimal("2643.72"), Decimal("57.15"), Decimal("2643.72")]


def test_the_small_journal_comes_to_its_own_totals() -> None:
    found, tally = read(SMALL)
    assert (
        net_of(found)
        == stated_in(SMALL)
        == {"9-34-2017-09-30-161": (Decimal("1.07"), Decimal(0), Decimal("1.07"))}
    )
    assert tally.transactions == {"RetailTransaction": 1, "ControlTransaction": 1}
    assert found[0]["discountAmount"] == Decimal("0.19")


def test_a_real_voiding_line_takes_back_its_line_and_a_bottle_refund_comes_back() -> None:
    found, _ = read(DAY)
    voids = [event for event in found if event["type"] == "VOID"]
    targets = {(event["saleId"], event["lineNumber"]): event for event in found if event["type"] == "SALE"}
    named = [targets[event["voids"]["saleId"], event["voids"]["lineNumber"]] for event in voids]
    assert [(event["itemId"], str(event["quantity"]), str(event["amount"])) for event in named] == [
        ("00021908501406", "1", "2.79"),
        ("00000000062367", "1.47", "4.40"),
        ("00000000010214", "1", "12.50"),
        ("00000000090537", "7.21", "93.66"),
    ]
    (refund,) = [event for event in found if event["type"] == "RETURN"]
    assert (refund["itemId"], refund["quantity"], refund["amount"]) == ("00000000054409", 1, Decimal("2.00"))


def test_a_real_day_is_in_the_spool_in_whole_transactions(spool: PoslogFolder) -> None:
    outcome = spool.take("day.xml", DAY)
    assert (outcome.accepted, outcome.duplicates, outcome.rejected) == (552, 0, 0)
    groups = Counter((body["stamp"]["groupFirst"], body["transactionNumber"]) for body in spool.bodies())
    assert len(groups) == 42
    assert {body["stamp"]["groupSize"] for body in spool.bodies()} >= {1, 106}
    assert [path.name for path in spool.folder.drop_done.iterdir()] == ["day.xml"]
    assert list(spool.folder.drop_rejected.iterdir()) == []


def test_a_real_day_dropped_twice_adds_nothing_under_any_name(spool: PoslogFolder) -> None:
    spool.take("day.xml", DAY)
    outcome = spool.take("Again.XML", DAY)
    assert (outcome.accepted, outcome.duplicates) == (0, 552)
    # Another file that holds the same transactions again: they are known by what they are.
    assert spool.take("other.xml", DAY.replace(b"><Transaction>", b">\n<Transaction>")).accepted == 0


def test_the_declared_day_stands_though_the_receipt_is_of_the_next_morning(spool: PoslogFolder) -> None:
    spool.take("small.xml", SMALL)
    (body,) = spool.bodies()
    assert body["occurredAt"] == "2017-10-01T02:02:54"
    assert (body["stamp"]["businessDate"], body["stamp"]["timeReading"]) == ("2017-09-30", "LOCAL")


def test_what_is_refused_lies_in_rejected_with_line_and_path_and_the_rest_is_taken(
    spool: PoslogFolder,
) -> None:
    outcome = spool.take("a.xml", journal(retail(goods(1), goods(2, "free")), retail(goods(1), number=118)))
    assert (outcome.accepted, outcome.rejected) == (2, 1)
    report = json.loads((spool.folder.drop_rejected / "a.xml.error.json").read_bytes())
    assert report["violations"] == [
        {
            "field": "RetailTransaction/LineItem[SequenceNumber=2]/Sale/ExtendedAmount",
            "constraint": "ExtendedAmount must be a decimal number",
            "rejectedValue": "free",
            "line": 5,
        }
    ]
    corrected = (spool.folder.drop_rejected / "a.xml").read_bytes().replace(b"free", b"1.00")
    assert spool.take("b.xml", corrected).accepted == 1
    assert len(list(spool.folder.undeliverable.iterdir())) == 1


def test_transactions_of_one_number_on_two_days_are_two_groups(spool: PoslogFolder) -> None:
    spool.take(
        "a.xml", journal(*[retail(goods(1), goods(2), day=day) for day in ("2026-02-09", "2026-02-10")])
    )
    assert [body["stamp"]["groupFirst"] for body in spool.bodies()] == [1, 1, 3, 3]


OWN = """
[poslog]
store = "9"
[poslog.profiles.rival]
extends = "ncr-acs"
namespaces = ["urn:rival:"]
tax = "included"
tender_types = { voucher = "VOUCHER" }
"""


def test_a_profile_of_ones_own_is_found_by_its_namespace(tmp_path: Path) -> None:
    folder = PoslogFolder(tmp_path, OWN)
    tax = item(2, "<Tax><Amount>0.40</Amount></Tax>")
    folder.take("a.xml", journal(retail(goods(1), tax), more='xmlns:r="urn:rival:2"'))
    folder.take("b.xml", journal(retail(goods(1), tax, number=118)))
    assert [body["amount"] for body in folder.bodies()] == [Decimal("2.5"), Decimal("2.9")]


def test_transactions_of_another_store_are_refused() -> None:
    content = journal(retail(goods(1)))
    assert len(events(content, {"store": "9"})) == 1
    assert refusals(content, {"store": "8"}) == [(2, "Transaction", "RetailStoreID must be 8, this store's")]


def test_lines_that_are_voided_in_place_or_reversing_are_the_profiles_business() -> None:
    content = journal(retail(goods(1), goods(2, flags='VoidFlag="true"')))

    def types(void_lines: str) -> list[str]:
        table = {"profile": "own", "profiles": {"own": {"void_lines": void_lines}}}
        return [event["type"] for event in events(content, table)]

    assert types("by-sign") == types("in-place") == ["SALE"]
    assert types("reversing") == ["SALE", "VOID"]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"profile": "acme"}, "'acme', which is unknown; choose one of auto, standard, ncr-acs"),
        ({"profil": "auto"}, "unknown field `profil`"),
        ({"profiles": {"own": {"extends": "acme"}}}, r"\[poslog.profiles.own\] extends 'acme'"),
        (
            {"profiles": {"own": {"tax": "maybe"}}},
            r"\[poslog.profiles.own\] makes no sense \(Invalid enum value 'maybe'",
        ),
        ("auto", r"\[poslog\] makes no sense"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_named(table: Any, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_rules(table)
