"""Small POSLog journals for tests, written by hand as the two shapes of the standard have them."""

from typing import Any

from edge_agent.sources.dropped_file import DroppedFile, DroppedRecord
from edge_agent.sources.poslog.configuration import PoslogRules, read_rules
from edge_agent.sources.poslog.journal_files import PoslogFiles
from edge_agent.sources.poslog.tally import Tally

ARTS = "http://www.nrf-arts.org/IXRetail/namespace/"
SALE_ID = "9-3-2026-02-10-117"


def journal(*transactions: str, version: int = 2, more: str = "") -> bytes:
    """A journal with a namespace as either version declares it."""
    numbers = 'MajorVersion="6" MinorVersion="0" FixVersion="0"' if version == 6 else ""
    return f'<POSLog xmlns="{ARTS}" {more} {numbers}>\n{"".join(transactions)}</POSLog>\n'.encode()


def transaction(
    domain: str, *, number: int = 117, flags: str = "", version: int = 2, day: str = "2026-02-10"
) -> str:
    """One transaction of workstation 3 of store 9."""
    store = (
        '<BusinessUnit><UnitID TypeCode="RetailStore">9</UnitID></BusinessUnit>'
        if version == 6
        else "<RetailStoreID>9</RetailStoreID>"
    )
    return (
        f"<Transaction {flags}>{store}<WorkstationID>3</WorkstationID><SequenceNumber>{number}</SequenceNumber>"
        f"<BusinessDayDate>{day}</BusinessDayDate><BeginDateTime>2026-02-10T09:29:00</BeginDateTime>"
        '<EndDateTime>2026-02-10T09:30:00</EndDateTime><OperatorID OperatorName="Ann">41</OperatorID>'
        f"<CurrencyCode>EUR</CurrencyCode>\n{domain}</Transaction>\n"
    )


def retail(*items: str, attributes: str = "", **options: Any) -> str:
    """A retail transaction of these line items (and other parts)."""
    return transaction(f"<RetailTransaction {attributes}>\n{''.join(items)}</RetailTransaction>", **options)


def item(number: int, content: str, flags: str = "") -> str:
    """One line item."""
    return f"<LineItem {flags}><SequenceNumber>{number}</SequenceNumber>{content}</LineItem>\n"


def goods(
    number: int,
    amount: str = "2.50",
    *,
    quantity: str = "<Quantity>1</Quantity>",
    kind: str = "Sale",
    more: str = "",
    flags: str = "",
    item_id: str = "<ItemID>MILK</ItemID>",
) -> str:
    """A Sale or Return of one item."""
    return item(
        number, f"<{kind}>{item_id}<ExtendedAmount>{amount}</ExtendedAmount>{quantity}{more}</{kind}>", flags
    )


def tender(number: int, amount: str, kind: str = "Cash", more: str = "", type_code: str = "Sale") -> str:
    """A Tender."""
    content = f'<Tender TenderType="{kind}" TypeCode="{type_code}"><Amount>{amount}</Amount>{more}</Tender>'
    return item(number, content)


def link(number: int = 90, reason: str = "", day: str = "2026-02-09") -> str:
    """A TransactionLink to another transaction of the same workstation."""
    said = f'ReasonCode="{reason}"' if reason else ""
    return (
        f"<TransactionLink {said}><RetailStoreID>9</RetailStoreID><WorkstationID>3</WorkstationID>"
        f"<SequenceNumber>{number}</SequenceNumber><BusinessDayDate>{day}</BusinessDayDate></TransactionLink>"
    )


def records(
    content: bytes, table: dict[str, Any] | None = None, tally: Tally | None = None
) -> list[DroppedRecord]:
    """All records of a journal, as `[poslog]` of the configuration says."""
    rules: PoslogRules = read_rules(table)
    return list(PoslogFiles(rules).records(DroppedFile("day.xml", content), tally or Tally()))


def events(content: bytes, table: dict[str, Any] | None = None) -> list[Any]:
    """The events of a journal in which everything is understood."""
    found = records(content, table)
    assert [record.violations for record in found if record.violations] == []
    return [record.value for record in found]


def refusals(content: bytes, table: dict[str, Any] | None = None) -> list[tuple[int, str, str]]:
    """(line, path, why) of everything that is refused."""
    return [
        (record.place, violation.field, violation.constraint)
        for record in records(content, table)
        for violation in record.violations
    ]
