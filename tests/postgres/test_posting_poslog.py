"""A real day of a till's POSLog journal, posted: what was charged, taxed and paid is what the journal says."""

import gzip
from pathlib import Path

from sync_server.database import Database
from tests.edge_agent.poslog_xml import events
from tests.store_ledger import StoreLedger

DAY = Path(__file__).parents[1] / "edge_agent" / "poslog_samples" / "ncr-acs-day.xml.gz"


def test_a_real_day_is_posted_without_a_difference(database: Database) -> None:
    store = StoreLedger(database)
    store.open_with({"00000000067591": ("10", "2.00")})
    answer = store.post(*events(gzip.decompress(DAY.read_bytes())))
    assert (answer.accepted, answer.held) == (552, 0)
    # Its items are unknown here, so that stock falls below zero; tenders fit every transaction.
    assert {finding["code"] for finding in answer.findings} <= {
        "UNKNOWN_ITEM",
        "COST_UNKNOWN",
        "NEGATIVE_STOCK",
        "CLOCK_SUSPECT",
        "RETURN_WITHOUT_SALE",
    }
    balances = store.balances()
    assert (balances["1000"], balances["2300"], balances["4000"]) == ("2643.72", "-57.15", "-2586.57")
    store.check()
