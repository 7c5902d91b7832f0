"""Which part of each tender pays for which line, to the last cent, so that every line can be reversed by itself."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sync_server.accounting.posting_rules import DIFFERENCE
from sync_server.accounting.tender_shares import share_tenders

CENT = Decimal("0.01")
AMOUNTS = st.lists(
    st.integers(-(10**6), 10**6).map(lambda cents: Decimal(cents).scaleb(-2)), min_size=1, max_size=12
)
TENDERS = st.lists(
    st.tuples(st.sampled_from(["CASH", "CARD", "VOUCHER", "POINTS"]), st.integers(-(10**6), 10**6)),
    max_size=4,
    unique_by=lambda tender: tender[0],
)


def money(*texts: str) -> list[Decimal]:
    """Amounts."""
    return [Decimal(text) for text in texts]


def test_without_tenders_one_unspecified_one_is_assumed() -> None:
    assert share_tenders(money("30", "20"), [], CENT) == (
        [[(None, Decimal(30))], [(None, Decimal(20))]],
        False,
    )


def test_one_tender_that_pays_for_all_pays_each_line_s_amount() -> None:
    shares, differs = share_tenders(money("30", "20"), [("CARD", Decimal(50))], CENT)
    assert shares == [[("CARD", Decimal(30))], [("CARD", Decimal(20))]]
    assert not differs


def test_two_tenders_are_split_by_amount_and_the_odd_cent_goes_to_the_largest_remainder() -> None:
    shares, differs = share_tenders(
        money("10", "10", "10"), [("CASH", Decimal(20)), ("CARD", Decimal(10))], CENT
    )
    assert [dict(line) for line in shares] == [
        {"CASH": Decimal("6.67"), "CARD": Decimal("3.33")},
        {"CASH": Decimal("6.67"), "CARD": Decimal("3.33")},
        {"CASH": Decimal("6.66"), "CARD": Decimal("3.34")},
    ]
    assert not differs


def test_too_little_paid_is_a_difference_of_its_own() -> None:
    shares, differs = share_tenders(money("50"), [("CASH", Decimal(45))], CENT)
    assert shares == [[("CASH", Decimal("45.00")), (DIFFERENCE, Decimal("5.00"))]]
    assert differs


def test_too_much_paid_is_a_difference_the_other_way() -> None:
    shares, differs = share_tenders(money("50"), [("CASH", Decimal(60))], CENT)
    assert [dict(line) for line in shares] == [{"CASH": 60, DIFFERENCE: -10}]
    assert differs


def test_an_exchange_pays_the_difference_between_what_goes_and_what_comes_back() -> None:
    shares, differs = share_tenders(money("50", "-30"), [("CASH", Decimal(20))], CENT)
    assert shares == [[("CASH", Decimal(50))], [("CASH", Decimal(-30))]]
    assert not differs


def test_what_is_paid_out_for_a_return_may_be_written_either_way_round() -> None:
    for paid in ("30", "-30"):
        shares, differs = share_tenders(money("-30"), [("CASH", Decimal(paid))], CENT)
        assert shares == [[("CASH", Decimal(-30))]]
        assert not differs


def test_an_even_exchange_keeps_the_direction_of_what_was_paid_and_given_back() -> None:
    tenders = [("VOUCHER", Decimal(10)), ("CASH", Decimal(-10))]
    shares, differs = share_tenders(money("50", "-50"), tenders, CENT)
    assert not differs
    assert {
        name: sum((dict(line).get(name, Decimal(0)) for line in shares), Decimal(0)) for name, _ in tenders
    } == {
        "VOUCHER": 10,
        "CASH": -10,
    }


@given(AMOUNTS, TENDERS)
def test_every_line_and_every_tender_comes_out_to_the_cent(
    amounts: list[Decimal], tenders: list[tuple[str, int]]
) -> None:
    paid = [(name, Decimal(cents).scaleb(-2)) for name, cents in tenders]
    shares, differs = share_tenders(amounts, paid, CENT)
    assert [sum((share for _, share in line), Decimal(0)) for line in shares] == amounts
    total, given_sum = sum(amounts), sum((amount for _, amount in paid), Decimal(0))
    assert differs == (bool(paid) and abs(total) != abs(given_sum))
    sign = -1 if total != 0 and given_sum == -total else 1
    for name, amount in paid:
        booked = sum((dict(line).get(name, Decimal(0)) for line in shares), Decimal(0))
        assert booked == amount * sign
