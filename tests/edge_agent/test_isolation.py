"""Which part of a refused batch is to blame."""

from typing import Any

from edge_agent.isolation import SetAside, Suspect, isolate
from edge_agent.uplink import Refused


def refusal(*fields: str, code: str = "VALIDATION_FAILED", status: int = 422) -> Refused:
    violations = [{"field": field, "constraint": "No", "rejectedValue": None} for field in fields]
    return Refused(status, {"errorCode": code, "message": "No", "details": {"violations": violations}})


ENDS = [10, 12, 13, 16]  # groups 9-10, 11-12, 13, 14-16


def test_a_named_event_takes_its_whole_group_aside() -> None:
    verdict = isolate(9, ENDS, refusal("events[2].quantity"), judged_before=False)
    assert verdict == SetAside(parts=[(9, 10), (13, 16)], aside=[(11, 12)])


def test_named_events_first_and_last() -> None:
    verdict = isolate(9, ENDS, refusal("events[0].type", "events[7].amount"), judged_before=False)
    assert verdict == SetAside(parts=[(11, 13)], aside=[(9, 10), (14, 16)])


def test_without_a_name_the_batch_is_halved_between_groups() -> None:
    verdict = isolate(9, ENDS, refusal(), judged_before=False)
    assert verdict == SetAside(parts=[(9, 12), (13, 16)], aside=[])


def test_a_name_outside_the_batch_is_no_name() -> None:
    verdict = isolate(9, ENDS, refusal("events[99].type", "batchId", "events"), judged_before=False)
    assert verdict == SetAside(parts=[(9, 12), (13, 16)], aside=[])


def test_a_group_that_is_refused_alone_without_a_name_is_suspect_first_and_set_aside_then() -> None:
    assert isolate(9, [10], refusal(), judged_before=False) == Suspect()
    assert isolate(9, [10], refusal(), judged_before=True) == SetAside(parts=[], aside=[(9, 10)])


def test_a_batch_conflict_is_sent_again_under_another_id() -> None:
    conflict = refusal(code="BATCH_CONFLICT", status=409)
    assert isolate(9, ENDS, conflict, judged_before=False) == SetAside(parts=[(9, 16)], aside=[])


def test_details_of_any_shape_are_survived() -> None:
    shapes: list[Any] = [None, [], {"violations": None}, {"violations": [None, {"field": 7}, "x"]}]
    for details in shapes:
        problem = {"errorCode": "VALIDATION_FAILED", "details": details}
        assert isinstance(isolate(1, [1, 2], Refused(422, problem), judged_before=False), SetAside)
