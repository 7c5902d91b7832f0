"""What lines of POSLog were charged and how they were paid, in the contract's words."""

from decimal import Decimal
from typing import Any

from edge_agent.sources.poslog.tally import Tally
from tests.edge_agent.poslog_xml import SALE_ID, events, goods, item, journal, records, retail, tender

TOTAL = '<Total TotalType="TransactionGrandAmount">{}</Total>'


def charges(content: str, table: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """(amount, tax, discount) of each event."""
    return [
        (str(event["amount"]), str(event.get("taxAmount", 0)), str(event.get("discountAmount", 0)))
        for event in events(journal(content), table)
    ]


def test_a_tax_of_its_own_that_is_said_to_be_included_is_not_added() -> None:
    tax = '<Tax><TaxableAmount TaxIncludedInTaxableAmountFlag="true">2.50</TaxableAmount><Amount>0.40</Amount></Tax>'
    assert charges(retail(goods(1, more=tax))) == [("2.50", "0.40", "0")]
    assert charges(retail(goods(1, more=tax.replace("true", "false")))) == [("2.90", "0.40", "0")]


def test_where_nobody_says_so_the_total_tells_whether_tax_is_included() -> None:
    tax = "<Tax><Amount>0.40</Amount></Tax>"
    assert charges(retail(goods(1, more=tax), TOTAL.format("2.50"))) == [("2.50", "0.40", "0")]
    assert charges(retail(goods(1, more=tax), TOTAL.format("2.90"))) == [("2.90", "0.40", "0")]
    assert charges(retail(goods(1, more=tax), tender(2, "2.50"))) == [("2.50", "0.40", "0")]


def test_a_tax_of_the_transaction_is_spread_over_its_lines_to_the_last_cent() -> None:
    tax = item(4, "<Tax><Amount>0.10</Amount></Tax>")
    three = [goods(number, "1.00") for number in (1, 2, 3)]
    assert charges(retail(*three, tax, TOTAL.format("3.10"))) == [
        ("1.04", "0.04", "0"),
        ("1.03", "0.03", "0"),
        ("1.03", "0.03", "0"),
    ]


def test_an_exchange_takes_tax_back_with_what_comes_back() -> None:
    tax = item(3, "<Tax><Amount>0.50</Amount></Tax>")
    bought, back = goods(1, "10.00"), goods(2, "5.00", kind="Return")
    assert charges(retail(bought, back, tax, TOTAL.format("5.50"))) == [
        ("11.00", "1.00", "0"),
        ("5.50", "0.50", "0"),
    ]


def test_price_modifiers_explain_the_amount_or_reduce_it_as_the_total_tells() -> None:
    modifier = '<RetailPriceModifier><Amount Action="Subtract">0.50</Amount></RetailPriceModifier>'
    assert charges(retail(goods(1, more=modifier))) == [("2.50", "0", "0.50")]
    assert charges(retail(goods(1, more=modifier), TOTAL.format("2.00"))) == [("2.00", "0", "0.50")]
    table = {"profile": "own", "profiles": {"own": {"modifiers": "deducted"}}}
    assert charges(retail(goods(1, more=modifier)), table) == [("2.00", "0", "0.50")]
    surcharge = modifier.replace("Subtract", "Add")
    assert charges(retail(goods(1, more=surcharge), TOTAL.format("3.00"))) == [("3.00", "0", "-0.50")]


def test_a_discount_of_the_transaction_is_spread_over_what_was_sold() -> None:
    discount = item(3, "<Discount><Amount>1.00</Amount></Discount>")
    two = goods(1, "7.50"), goods(2, "2.50")
    assert charges(retail(*two, discount, TOTAL.format("9.00"))) == [
        ("6.75", "0", "0.75"),
        ("2.25", "0", "0.25"),
    ]


def paid(*items: str) -> list[tuple[str, str]]:
    """What paid for a transaction."""
    (event,) = events(journal(retail(*items)))
    tenders = event.get("tenders", [])
    return [(each["type"], str(each["amount"])) for each in tenders]


def test_change_is_taken_off_once_however_it_is_written() -> None:
    inside = "<TenderChange><Amount>17.50</Amount></TenderChange>"
    assert paid(goods(1), tender(2, "20.00", more=inside)) == [("CASH", "2.50")]
    assert paid(goods(1), tender(2, "20.00"), tender(3, "17.50", type_code="Refund")) == [
        ("CASH", "20.00"),
        ("CASH", "-17.50"),
    ]
    repeated = inside.replace("17.50", "-17.50")
    assert paid(goods(1), tender(2, "20.00"), tender(3, "-17.50", more=repeated)) == [
        ("CASH", "20.00"),
        ("CASH", "-17.50"),
    ]


def test_cash_taken_along_on_a_card_is_cash_that_left() -> None:
    card = tender(2, "22.50", "CreditDebit", "<Cashback>20.00</Cashback>")
    assert paid(goods(1), card) == [("CARD", "22.50"), ("CASH", "-20.00")]


def test_what_was_rounded_away_is_a_tender_of_its_own() -> None:
    rounding = item(3, "<Rounding><Amount>-0.02</Amount></Rounding>")
    assert paid(goods(1, "2.52"), tender(2, "2.50"), rounding, TOTAL.format("2.52")) == [
        ("CASH", "2.50"),
        ("ROUNDING", "0.02"),
    ]


def test_any_tender_has_a_type_and_a_voided_one_does_not_count() -> None:
    voided = tender(2, "2.50").replace("<LineItem ", '<LineItem VoidFlag="true" ')
    assert paid(goods(1), voided, tender(3, "2.50", "GiftCertificate")) == [("GIFT_CERTIFICATE", "2.50")]


def test_a_total_that_no_reading_gives_is_posted_and_named() -> None:
    tally = Tally()
    assert records(journal(retail(goods(1), TOTAL.format("2.49"))), tally=tally)[0].value[
        "amount"
    ] == Decimal("2.50")
    assert tally.unequal_totals == 1
    assert tally.named == [f"transaction {SALE_ID}: its lines add up to 2.50, not to its total"]
