"""Messages are made from what was posted: exact, under ids that follow from their cause alone."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.wire_json import decode_json
from sync_server.publishing.kinds import OutboxKind
from sync_server.publishing.messages import (
    PostedJournal,
    PostedLine,
    PostedVoid,
    event_id,
    journal_message,
    return_message,
    sale_message,
    void_message,
)

KEY = "0198f0a2-6b1e-7c55-9a3d-3f1d7c1b2a10"
SOLD_AT = "2026-02-10 22:41:07+00"
LINE = PostedLine(
    store_id="STORE-01",
    store_sequence=1201,
    event_key=KEY,
    event_id=None,
    sale_id="SALE-1001",
    item_id="item-001",
    quantity="2",
    amount="50.00",
    currency="USD",
    tax_amount=None,
    line_number=None,
    business_date="2026-02-10",
    accounting_date="2026-02-10",
    occurred_at=SOLD_AT,
    posted_at=SOLD_AT,
    workstation_id=None,
    transaction_number=None,
    details=None,
)
JOURNAL = PostedJournal(
    store_id="STORE-01",
    store_sequence=1202,
    cause=f"EVENT {KEY}",
    kind="POS",
    currency="USD",
    business_date="2026-02-10",
    accounting_date="2026-02-10",
    posted_at=SOLD_AT,
    pos_event_ids=[KEY],
    lines=[("1000", "CASH", "50.00", "0"), ("4000", None, "0", "50.00")],
)


def test_the_specs_example_comes_out_as_the_spec_spells_it() -> None:
    message = sale_message(LINE)
    specified = (
        b'{"eventType":"POSSalePostedEvent","payload":{"storeId":"STORE-01","saleId":"SALE-1001",'
        b'"itemId":"item-001","quantity":2,"amount":50.00,"currency":"USD",'
    )
    assert message.value.startswith(specified)
    assert (message.topic, message.key) == ("inventory.pos.pos-sale.posted", b"STORE-01")


@given(st.decimals(0, 10**17, places=9), st.decimals(0, 10**17, places=2))
def test_every_digit_that_was_posted_is_published(quantity: Decimal, amount: Decimal) -> None:
    payload = decode_json(sale_message(replace(LINE, quantity=f"{quantity:f}", amount=f"{amount:f}")).value)[
        "payload"
    ]
    assert (payload["quantity"], payload["amount"]) == (quantity, amount)


@given(st.text(min_size=1, max_size=40))
def test_any_text_of_a_till_survives(text: str) -> None:
    line = replace(LINE, sale_id=text, workstation_id=text)
    payload = decode_json(sale_message(line).value)["payload"]
    assert (payload["saleId"], payload["workstationId"]) == (text, text)


def test_an_id_follows_from_the_cause_and_from_nothing_else() -> None:
    again = replace(LINE, store_sequence=77, posted_at="2026-03-01 00:00:00+00")
    first, restored = decode_json(sale_message(LINE).value), decode_json(sale_message(again).value)
    assert first["eventId"] == restored["eventId"]
    assert first["storeSequence"] != restored["storeSequence"]


def test_store_kind_and_cause_each_make_another_id() -> None:
    ids = {
        event_id(kind, store, cause)
        for kind in (OutboxKind.SALE, OutboxKind.VOID)
        for store in ("A", "B")
        for cause in ("1", "2")
    }
    assert len(ids) == 8


def test_ids_stay_what_they_were_when_the_first_version_was_released() -> None:
    assert event_id(OutboxKind.SALE, "STORE-01", KEY) == "a2fdf613-0b68-8c97-a468-81a493c34688"


def test_a_till_event_is_named_as_its_till_spelled_it() -> None:
    plain = decode_json(sale_message(LINE).value)["payload"]["posEventId"]
    spelled = decode_json(sale_message(replace(LINE, event_id="T-1")).value)["payload"]["posEventId"]
    assert (plain, spelled) == (KEY, "T-1")


def test_of_the_tills_other_fields_those_of_the_contract_are_published() -> None:
    details = '{"discountAmount":1.50,"disposition":"DAMAGED","originalSaleId":"S","extra":{"x":"\\u0000"}}'
    payload = decode_json(return_message(replace(LINE, details=details)).value)["payload"]
    assert payload["discountAmount"] == Decimal("1.50")
    assert (payload["disposition"], payload["originalSaleId"]) == ("DAMAGED", "S")
    assert "extra" not in payload


def test_instants_leave_in_utc_with_their_microseconds() -> None:
    value = decode_json(sale_message(replace(LINE, posted_at="2026-02-10 22:41:07.120443+00")).value)
    assert value["timestamp"] == "2026-02-10T22:41:07.120443Z"
    assert value["payload"]["occurredAt"] == "2026-02-10T22:41:07Z"


def test_goods_go_back_on_the_shelf_where_the_till_does_not_say() -> None:
    assert decode_json(return_message(LINE).value)["payload"]["disposition"] == "RESTOCK"


def test_a_line_and_its_void_sum_to_zero() -> None:
    line = replace(LINE, tax_amount="3.10", details='{"discountAmount":1.50}')
    void = PostedVoid(line=line, line_type="SALE", void_key="V", void_id="V-1", void_sale_id="SALE-1002")
    sold = decode_json(sale_message(line).value)["payload"]
    taken_back = decode_json(void_message(void).value)["payload"]
    for name in ("quantity", "amount", "taxAmount", "discountAmount"):
        assert sold[name] + taken_back[name] == 0
    assert taken_back["voidedEventId"] == KEY
    assert (taken_back["voidedSaleId"], taken_back["saleId"]) == ("SALE-1001", "SALE-1002")
    assert taken_back["posEventId"] == "V-1"


def test_a_void_of_two_lines_has_two_ids() -> None:
    void = PostedVoid(line=LINE, line_type="SALE", void_key="V", void_id=None, void_sale_id=None)
    other = replace(void, line=replace(LINE, event_key="OTHER"))
    assert (
        decode_json(void_message(void).value)["eventId"] != decode_json(void_message(other).value)["eventId"]
    )


def test_a_journal_names_a_tender_where_there_is_one() -> None:
    payload = decode_json(journal_message(JOURNAL).value)["payload"]
    assert payload["lines"] == [
        {"account": "1000", "debit": Decimal("50.00"), "credit": 0, "tender": "CASH"},
        {"account": "4000", "debit": 0, "credit": Decimal("50.00")},
    ]
    assert payload["journalId"] == "STORE-01-1202"


def test_the_journals_of_one_transaction_in_two_currencies_have_two_ids() -> None:
    dollars, euros = (journal_message(replace(JOURNAL, currency=currency)) for currency in ("USD", "EUR"))
    assert decode_json(dollars.value)["eventId"] != decode_json(euros.value)["eventId"]
