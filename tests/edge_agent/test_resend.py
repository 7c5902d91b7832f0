"""What has to be sent again."""

from edge_agent.resend import lost_at_server, without


def test_nothing_is_lost_when_headquarters_has_everything() -> None:
    assert lost_at_server(100, [], 100, []) == []


def test_a_gap_is_sent_again() -> None:
    assert lost_at_server(10, [(11, 12), (20, 20)], 100, []) == [(11, 12), (20, 20)]


def test_a_restored_headquarters_gets_everything_since_its_backup() -> None:
    assert lost_at_server(40, [], 100, []) == [(41, 100)]


def test_what_waits_for_a_receipt_is_not_lost() -> None:
    assert lost_at_server(40, [], 100, [(50, 60), (90, 120)]) == [(41, 49), (61, 89)]


def test_what_was_never_sent_is_not_lost() -> None:
    assert lost_at_server(40, [(41, 300)], 100, [(101, 300)]) == [(41, 100)]
    assert lost_at_server(0, [], 0, [(1, 5)]) == []


def test_a_headquarters_that_knows_more_than_the_agent_asks_for_nothing() -> None:
    assert lost_at_server(500, [], 100, []) == []
    assert lost_at_server(500, [(501, 510)], 100, []) == []


def test_taking_out_of_ranges() -> None:
    assert without([(1, 10)], [(3, 4), (10, 12)]) == [(1, 2), (5, 9)]
    assert without([(1, 3), (5, 8)], [(0, 100)]) == []
