"""A till is reinstalled at noon and counts from 1 again: the day as an accountant reads it, figures checked by hand.

given   twenty pieces at 4.00 on the shelf (80.00)
when    till-1 sells two pieces for 20.00 cash, one for 10.00 by card, and gives one away; is reinstalled; and
        sells, under the same ids as in the morning, three for 30.00 cash, one for 10.00 cash, and five for
        50.00 in training
and     closes the day with its Z report: sales 70.00, cash 60.00, card 10.00
then    the afternoon is held and the Z report says that 40.00 in cash is missing;
        support releases the two sales under new identities and discards the training; the day adds up

account                     debit   credit
1000 tender clearing        70.00
1400 inventory              48.00            80.00 − 8 × 4.00
3000 opening balance                 80.00
4000 sales                           70.00
5000 cost of goods sold     32.00            8 × 4.00
"""

from sync_server.ingestion.till_proof import prove_tills
from tests.held_desk import HeldDesk
from tests.postgres.conftest import NewStore
from tests.set_clock import START
from tests.store_ledger import StoreLedger
from tests.till_events import ITEM, Event, sale, tender

SUBJECT = "till-1 2026-02-10"


def _rung(number: int, quantity: int, amount: str, paid_by: str = "CASH") -> Event:
    """What till-1 rings up; it makes its ids of its own transaction numbers."""
    names: Event = {"transactionNumber": number, "workstationId": "till-1", "eventId": f"till-1/{number}"}
    return sale(quantity, amount, tenders=[tender(paid_by, amount)], **names)


def _prove(store: StoreLedger) -> None:
    with store.database.unit_of_work() as work:
        prove_tills(work, store.store_no, START)


def test_the_afternoon_of_a_reinstalled_till_is_released_and_the_day_adds_up(new_store: NewStore) -> None:
    store = new_store()
    store.open_with({ITEM: ("20", "4.00")})
    desk = HeldDesk(store)

    morning = store.post(_rung(1, 2, "20.00"), _rung(2, 1, "10.00", "CARD"), _rung(3, 1, "0.00"))
    afternoon = store.post(_rung(1, 3, "30.00"), _rung(2, 1, "10.00"), _rung(3, 5, "50.00"))
    assert (morning.accepted, afternoon.accepted, afternoon.held) == (3, 0, 3)

    z = {"SALE": "70.00", "tenders": {"CASH": "60.00", "CARD": "10.00"}}
    store.post({"type": "DAY_CLOSE", "workstationId": "till-1", "transactionNumber": 4, "totals": z})
    ((detail,),) = store.rows(
        "SELECT detail FROM finding WHERE store_no = %(store_no)s AND code = 'Z_TOTAL_DIFFERS'"
    )
    assert detail == "SALE: till 70.00, headquarters 30.00; CASH: till 60.00, headquarters 20.00"

    first, second, training = desk.numbers()
    desk.release(first, new_identity=True)
    desk.release(second, new_identity=True)
    desk.discard(training, reason="rung up in training")
    _prove(store)

    assert store.stock() == ("12", "48")
    assert store.balances() == {"1000": "70", "1400": "48", "3000": "-80", "4000": "-70", "5000": "32"}
    assert store.findings() == {}
    assert ("Z_TOTAL_DIFFERS", SUBJECT) in store.findings("RESOLVED")
    store.check()
