"""What each shape of POSLog comes to, in 2.x and in 6."""

from decimal import Decimal
from typing import Any

import pytest

from edge_agent.sources.poslog.tally import Tally
from tests.edge_agent.poslog_xml import (
    SALE_ID,
    events,
    goods,
    item,
    journal,
    link,
    records,
    refusals,
    retail,
    tender,
    transaction,
)


def the_event(*items: str, **options: Any) -> Any:
    """The one event of a transaction of these items."""
    (event,) = events(journal(retail(*items, **options)))
    return event


@pytest.mark.parametrize("version", [2, 6])
def test_a_sale_carries_everything_that_the_header_says(version: int) -> None:
    content = journal(retail(goods(1), tender(2, "2.50"), version=version), version=version)
    assert events(content) == [
        {
            "type": "SALE",
            "saleId": SALE_ID,
            "lineNumber": 1,
            "transactionNumber": "117",
            "workstationId": "3",
            "cashierId": "41",
            "occurredAt": "2026-02-10T09:30:00",
            "businessDate": "2026-02-10",
            "currency": "EUR",
            "itemId": "MILK",
            "quantity": Decimal(1),
            "amount": Decimal("2.50"),
            "tenders": [{"type": "CASH", "amount": Decimal("2.50")}],
        }
    ]


def test_names_count_whatever_the_namespace_and_prefix() -> None:
    content = (
        journal(retail(goods(1)))
        .replace(b"<", b"<p:")
        .replace(b"<p:/", b"</p:")
        .replace(b"xmlns=", b"xmlns:p=")
    )
    assert [event["type"] for event in events(content)] == ["SALE"]


def test_a_date_with_an_offset_and_a_time_with_an_offset_are_taken() -> None:
    content = journal(retail(goods(1), day="2026-02-10+01:00")).replace(b"T09:30:00", b"T09:30:00.250+01:00")
    (event,) = events(content)
    assert (event["businessDate"], event["occurredAt"]) == ("2026-02-10", "2026-02-10T09:30:00.250+01:00")


def test_version_6_may_date_a_transaction_by_poslogdatetime_and_number_it_by_its_id() -> None:
    content = (
        journal(retail(goods(1), version=6), version=6)
        .replace(b"<EndDateTime>", b'<POSLogDateTime TypeCode="Transaction">')
        .replace(b"</EndDateTime>", b"</POSLogDateTime>")
        .replace(b"<SequenceNumber>117</SequenceNumber>", b"<TransactionID>a-7</TransactionID>")
    )
    (event,) = events(content)
    assert (event["occurredAt"], event["transactionNumber"]) == ("2026-02-10T09:30:00", "a-7")


@pytest.mark.parametrize(
    ("identity", "item_id", "barcode"),
    [
        (
            '<POSIdentity POSIDType="EAN-13"><POSItemID>4006381333931</POSItemID></POSIdentity>',
            None,
            "4006381333931",
        ),
        ('<POSIdentity POSIDType="PLU"><POSItemID>4011</POSItemID></POSIdentity>', "4011", None),
        ("<POSIdentity><POSItemID>4011</POSItemID></POSIdentity>", "4011", None),
        (
            '<ItemID>A1</ItemID><POSIdentity POSIDType="GTIN"><POSItemID>0401</POSItemID></POSIdentity>',
            "A1",
            "0401",
        ),
        ('<MerchandiseHierarchy Level="Department">6</MerchandiseHierarchy>', "DEPARTMENT-6", None),
    ],
)
def test_an_item_is_named_by_its_id_or_its_barcode(
    identity: str, item_id: str | None, barcode: str | None
) -> None:
    event = the_event(goods(1, item_id=identity))
    assert (event.get("itemId"), event.get("barcode")) == (item_id, barcode)


@pytest.mark.parametrize(
    ("quantity", "expected", "unit"),
    [
        ("<Quantity>0.42</Quantity>", "0.42", None),
        ('<Quantity Units="1" UnitOfMeasureCode="EA">3</Quantity>', "3", "EA"),
        ('<Quantity Units="0.755" UnitOfMeasureCode="KGM">1</Quantity>', "0.755", "KGM"),
        ("<Quantity>+.5</Quantity>", "0.5", None),
    ],
)
def test_quantities_have_units(quantity: str, expected: str, unit: str | None) -> None:
    event = the_event(goods(1, quantity=quantity))
    assert (event["quantity"], event.get("unitOfMeasure")) == (Decimal(expected), unit)


def test_without_an_extended_amount_price_times_quantity_counts() -> None:
    line = item(
        1,
        "<Sale><ItemID>A</ItemID><ActualSalesUnitPrice>1.25</ActualSalesUnitPrice><Quantity>4.005</Quantity></Sale>",
    )
    assert the_event(line)["amount"] == Decimal("5.01")


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_return_with_a_link_names_its_sale_whatever_its_sign(sign: str) -> None:
    line = goods(1, f"{sign}2.50", kind="Return", more=link(), quantity=f"<Quantity>{sign}1</Quantity>")
    event = the_event(line, tender(2, "2.50", type_code="Refund"))
    assert (event["type"], event["quantity"], event["amount"]) == ("RETURN", 1, Decimal("2.50"))
    assert event["originalSaleId"] == "9-3-2026-02-09-90"
    assert event["tenders"] == [{"type": "CASH", "amount": Decimal("-2.50")}]


def test_a_return_without_a_link_names_none_and_a_link_of_the_transaction_counts_for_its_lines() -> None:
    assert "originalSaleId" not in the_event(goods(1, kind="Return"))
    linked = the_event(link(reason="Return"), goods(1, kind="Return", more="<Reason>Broken</Reason>"))
    assert (linked["originalSaleId"], linked["reasonCode"]) == ("9-3-2026-02-09-90", "Broken")


def test_a_resumed_transaction_is_no_origin_of_returns() -> None:
    assert "originalSaleId" not in the_event(link(reason="Resume"), goods(1, kind="Return"))


def test_a_link_takes_what_it_leaves_out_from_its_own_transaction() -> None:
    event = the_event(
        goods(1, kind="Return", more="<TransactionLink><SequenceNumber>90</SequenceNumber></TransactionLink>")
    )
    assert event["originalSaleId"] == "9-3-2026-02-10-90"


def test_a_sale_below_zero_is_a_return() -> None:
    assert the_event(goods(1, "-0.25"))["type"] == "RETURN"
    event = the_event(goods(1, "-2.50", quantity="<Quantity>-1</Quantity>"))
    assert (event["type"], event["quantity"], event["amount"]) == ("RETURN", 1, Decimal("2.50"))


MINUS = "<Quantity>-1</Quantity>"


def test_a_voiding_line_takes_back_the_line_that_it_repeats() -> None:
    content = journal(
        retail(
            goods(1),
            goods(2, "1.00", item_id="<ItemID>BREAD</ItemID>"),
            goods(3, "-2.50", quantity=MINUS, flags='VoidFlag="true"'),
            tender(4, "1.00"),
        )
    )
    first, second, void = events(content)
    assert (first["type"], second["type"], void["type"]) == ("SALE", "SALE", "VOID")
    assert void["voids"] == {"saleId": SALE_ID, "lineNumber": 1}
    assert void["lineNumber"] == 3


def test_two_voids_take_back_two_lines() -> None:
    void = [goods(number, "-2.50", quantity=MINUS, flags='VoidFlag="true"') for number in (3, 4)]
    found = events(journal(retail(goods(1), goods(2), *void)))
    assert [event["voids"]["lineNumber"] for event in found if event["type"] == "VOID"] == [2, 1]


def test_a_voiding_line_may_name_the_line_that_it_takes_back() -> None:
    links = "<ItemLink><LineItemSequenceNumber>1</LineItemSequenceNumber></ItemLink>"
    void = goods(3, "-2.50", quantity=MINUS, flags='VoidFlag="true"').replace("<Sale>", f"{links}<Sale>")
    found = events(journal(retail(goods(1), goods(2), void)))
    assert found[2]["voids"] == {"saleId": SALE_ID, "lineNumber": 1}


def test_a_void_of_a_part_of_a_line_brings_that_part_back() -> None:
    three = goods(1, "7.50", quantity="<Quantity>3</Quantity>")
    sale, back = events(journal(retail(three, goods(2, "-2.50", quantity=MINUS, flags='VoidFlag="true"'))))
    assert (back["type"], back["quantity"], back["originalSaleId"]) == ("RETURN", 1, sale["saleId"])


@pytest.mark.parametrize("flag", ['VoidFlag="true"', 'CancelFlag="true"'])
def test_a_line_voided_or_cancelled_where_it_stands_counts_for_nothing(flag: str) -> None:
    assert the_event(goods(1), goods(2, "9.99", flags=flag))["lineNumber"] == 1


POST_VOID = "<PostVoid>{}</PostVoid>"


@pytest.mark.parametrize(
    "content",
    [
        retail(link(reason="PostVoid"), goods(1, "-2.50", quantity=MINUS)),
        retail(link(), goods(1), attributes='TransactionStatus="PostVoided"'),
        transaction(f"<ControlTransaction><PostVoid>{link()}</PostVoid></ControlTransaction>"),
        transaction(f"<VoidTransaction>{link()}</VoidTransaction>"),
    ],
)
def test_a_post_void_takes_back_the_linked_sale_and_nothing_else(content: str) -> None:
    (event,) = events(journal(content))
    assert (event["type"], event["voids"]) == ("VOID", {"saleId": "9-3-2026-02-09-90"})
    assert (event["transactionNumber"], event["lineNumber"]) == ("117", 0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"flags": 'TrainingModeFlag="true"'}, "training"),
        ({"flags": 'CancelFlag="1"'}, "cancelled"),
        ({"attributes": 'TransactionStatus="Suspended"'}, "suspended"),
        ({"attributes": 'TransactionStatus="Voided"'}, "voided before it was completed"),
        ({"attributes": 'TransactionStatus="PostVoided"'}, "voided afterwards, without a link to the sale"),
    ],
)
def test_what_was_no_sale_is_not_posted_and_the_tally_says_why(options: dict[str, str], reason: str) -> None:
    tally = Tally()
    assert records(journal(retail(goods(1), **options), retail(goods(1), number=118)), tally=tally)[0].value[
        "transactionNumber"
    ] == ("118")
    assert tally.passed_over == {reason: 1}
    assert tally.named == [f"transaction {SALE_ID}: {reason}, not posted"]


def test_a_training_post_void_voids_nothing() -> None:
    trained = retail(link(reason="PostVoid"), flags='TrainingModeFlag="true"')
    assert [event["type"] for event in events(journal(trained, retail(goods(1))))] == ["SALE"]


def test_control_transactions_are_counted_and_passed_over() -> None:
    tally = Tally()
    control = [
        transaction(f"<ControlTransaction><ReasonCode>x</ReasonCode><{kind}/></ControlTransaction>")
        for kind in ("OperatorSignOn", "OperatorSignOn", "BusinessEOD")
    ]
    drawer = transaction(
        "<TenderControlTransaction><TillLoan><Amount>50</Amount></TillLoan></TenderControlTransaction>"
    )
    assert records(journal(*control, drawer), tally=tally) == []
    assert tally.passed_over == {"OperatorSignOn": 2, "BusinessEOD": 1, "TillLoan": 1}
    assert tally.transactions == {"ControlTransaction": 3, "TenderControlTransaction": 1}


@pytest.mark.parametrize("domain", ["ControlTransaction", "TenderControlTransaction"])
def test_a_settlement_with_totals_closes_the_day(domain: str) -> None:
    totals = (
        "<TotalNetSalesAmount>1480.10</TotalNetSalesAmount><TransactionCount>87</TransactionCount>"
        '<TenderSummary TenderType="Cash"><Amount>310.00</Amount></TenderSummary><Operator>41</Operator>'
    )
    (event,) = events(journal(transaction(f"<{domain}><SessionSettle>{totals}</SessionSettle></{domain}>")))
    assert (event["type"], event["workstationId"], event["kind"]) == ("DAY_CLOSE", "3", "SessionSettle")
    assert event["totals"] == [
        {"name": "TotalNetSalesAmount", "value": Decimal("1480.10")},
        {"name": "TransactionCount", "value": 87},
        {"name": "TenderSummary/Amount", "value": Decimal("310.00"), "tender": "CASH"},
    ]


def test_lines_without_goods_or_money_are_passed_over_and_counted() -> None:
    tally = Tally()
    lines = item(2, "<AgeRestriction>18</AgeRestriction>"), item(3, "")
    assert len(records(journal(retail(goods(1), *lines)), tally=tally)) == 1
    assert tally.lines_passed_over == {"AgeRestriction": 1, "empty line": 1}


def test_line_numbers_that_repeat_or_lack_are_given_anew() -> None:
    found = events(journal(retail(goods(5), goods(5), tender(6, "5.00"))))
    assert [event["lineNumber"] for event in found] == [1, 2]


SALE_2 = "RetailTransaction/LineItem[SequenceNumber=2]/Sale"


@pytest.mark.parametrize(
    ("bad", "path", "why"),
    [
        (goods(2, quantity=""), SALE_2, "Quantity is missing"),
        (
            goods(2, quantity="<Quantity>x</Quantity>"),
            f"{SALE_2}/Quantity",
            "Quantity must be a decimal number",
        ),
        (
            goods(2, quantity="<Quantity>0</Quantity>"),
            f"{SALE_2}/Quantity",
            "Quantity must be greater than zero",
        ),
        (goods(2, "1,50"), f"{SALE_2}/ExtendedAmount", "ExtendedAmount must be a decimal number"),
        (goods(2, item_id=""), f"{SALE_2}/ItemID", "Item id or barcode is required"),
        (
            item(2, "<PaymentOnAccount><Amount>5</Amount></PaymentOnAccount>"),
            "RetailTransaction/LineItem[SequenceNumber=2]/PaymentOnAccount",
            "PaymentOnAccount carries money, and no rule says what it is",
        ),
    ],
)
def test_a_line_that_makes_no_sense_is_named_and_the_rest_of_its_transaction_goes_on(
    bad: str, path: str, why: str
) -> None:
    content = journal(retail(goods(1), bad, goods(3)), retail(goods(1), number=118))
    assert refusals(content) == [(5, path, why)]
    assert [event.value["lineNumber"] for event in records(content) if event.value] == [1, 3, 1]


@pytest.mark.parametrize(
    ("change", "path", "why"),
    [
        (
            (b"<SequenceNumber>117</SequenceNumber>", b""),
            "Transaction",
            "A transaction needs a SequenceNumber or",
        ),
        ((b">2026-02-10<", b">10.02.2026<"), "BusinessDayDate", "Must be a date such as 2026-02-10"),
        ((b"2026-02-10T09:30:00", b"half past nine"), "EndDateTime", "Time must be an ISO 8601 date-time"),
        ((b">EUR<", b">Euro<"), "CurrencyCode", "Currency must be a three-letter"),
        (
            (b"RetailTransaction", b"InventoryControlTransaction"),
            "InventoryControlTransaction",
            "No rule says what",
        ),
        ((b"RetailTransaction", b"Unheard"), "Transaction", "Says not what kind of transaction it is"),
    ],
)
def test_a_transaction_that_makes_no_sense_is_refused_whole(
    change: tuple[bytes, bytes], path: str, why: str
) -> None:
    found = records(journal(retail(goods(1), goods(2))).replace(*change))
    assert [(each.violations[0].field, each.value) for each in found] == [(path, None)]
    assert found[0].violations[0].constraint.startswith(why)
    assert found[0].raw.startswith(b"<Transaction")


def test_money_without_goods_is_refused() -> None:
    assert refusals(journal(retail(tender(1, "5.00")))) == [
        (2, "RetailTransaction", "Money was taken, and no line says what for")
    ]


def test_a_transaction_of_more_lines_than_a_batch_may_have_is_refused_whole() -> None:
    content = journal(retail(*[goods(number) for number in range(2001)]))
    assert refusals(content) == [(2, "RetailTransaction", "A transaction may have 2000 lines of goods")]
