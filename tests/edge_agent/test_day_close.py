"""A day that differs is compared event by event; only what headquarters lacks is sent again, until it is proven."""

import pytest

from tests.edge_agent.agent_process import AgentProcess, eventually
from tests.edge_agent.builders import sale
from tests.edge_agent.misbehaving_line import MisbehavingLine

pytestmark = pytest.mark.system
DAY = "2026-02-10T12:00:00-05:00"


@pytest.fixture
def sold(agent: AgentProcess, line: MisbehavingLine) -> AgentProcess:
    """A running agent, six of whose sales of one past day were delivered and proven."""
    agent.start()
    agent.sell(*(sale(eventId=f"e-{n}", occurredAt=DAY) for n in range(1, 7)))
    eventually("the day is proven", lambda: agent.status()["days"] == {"PROVEN": 1})
    return agent


def test_only_what_differs_is_sent_again(sold: AgentProcess, line: MisbehavingLine) -> None:
    before = line.held()
    line.set(differs={"missing": [[2, 3]], "different": [[5, 5]], "surplus": [[9, 9]]})
    sold.sell(sale(eventId="late", occurredAt=DAY))
    eventually("the list was asked for", lambda: line.held()["day_lists"])
    eventually("the day is proven", lambda: sold.status()["days"] == {"PROVEN": 1})
    after = line.held()
    (asked,) = after["day_lists"]
    assert (asked["businessDate"], asked["runs"][0]["first"]) == ("2026-02-10", 1)
    sent = sum(attempt["events"] for attempt in after["attempts"]) - sum(
        a["events"] for a in before["attempts"]
    )
    assert sent == 1 + 3, "the late sale, and the three that differ"
    assert "1 only there" in sold.log()


def test_the_z_totals_of_a_till_go_up(sold: AgentProcess, line: MisbehavingLine) -> None:
    totals = {"SALE": {"count": 6, "amount": "300.00"}, "tenders": {"CASH": "300.00"}}
    status, _ = sold.sell({"type": "DAY_CLOSE", "workstationId": "T1", "eventId": "z-1", "totals": totals})
    assert status == 201
    eventually("headquarters has it", lambda: "z-1" in line.held()["events"].values())
