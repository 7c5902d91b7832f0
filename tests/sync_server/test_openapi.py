"""The OpenAPI document says what the server does: bodies, who may call, and the one shape of errors."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.http_caller import HttpCaller

API = "/api/v1/inventory"


@pytest.fixture
def document(http: HttpCaller) -> dict[str, Any]:
    """The document as it is served."""
    response = http.get("/openapi.json")
    assert response.status_code == 200
    served: dict[str, Any] = response.json()
    return served


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for reference in _references(document):
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def test_every_refusal_has_the_one_shape(document: dict[str, Any]) -> None:
    problem = document["components"]["schemas"]["Problem"]
    assert set(problem["properties"]) == {"errorCode", "message", "timestamp", "requestId", "details"}
    for path, _, operation in _operations(document):
        if path.startswith("/health"):
            continue
        for status, response in operation["responses"].items():
            if status >= "400":
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (path, status)


def test_every_guarded_operation_says_who_may_call_it(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        if path.startswith(f"{API}/stores") or path == f"{API}/findings":
            assert operation["security"] == [{"bearer": []}], (method, path)
            assert operation["x-roles"] or operation["x-agents"], (method, path)
            assert {"401", "403"} <= set(operation["responses"])


def test_every_post_has_a_described_body(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        if method == "post":
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert schema, path


def test_the_paths_of_the_contract_are_there(document: dict[str, Any]) -> None:
    store = f"{API}/stores/{{storeId}}"
    expected = {
        ("post", f"{store}/pos-batches"),
        ("post", f"{store}/reconcile"),
        ("get", f"{API}/reconciliations"),
        ("get", f"{API}/reconciliations/{{reconciliationId}}"),
        ("post", f"{API}/reconciliations/{{reconciliationId}}/approve"),
        ("post", f"{API}/reconciliations/{{reconciliationId}}/reject"),
        ("post", f"{API}/reconciliations/{{reconciliationId}}/post"),
        ("get", f"{API}/reason-codes"),
        ("get", f"{API}/reports/shrinkage"),
        ("get", f"{API}/reports/variance"),
        ("post", f"{store}/heartbeats"),
        ("post", f"{store}/day-digests"),
        ("post", f"{store}/commands/{{commandId}}/result"),
        ("get", f"{store}/profile"),
        ("post", f"{API}/enrolments"),
        ("get", f"{API}/stores"),
        ("get", store),
        ("get", f"{API}/findings"),
        ("get", "/health/live"),
        ("get", "/health/ready"),
        ("get", "/metrics"),
    }
    assert expected <= {(method, path) for path, method, _ in _operations(document)}


def test_decimals_are_numbers_in_answers(document: dict[str, Any]) -> None:
    assert '"pattern"' not in str(document["components"]["schemas"].get("Reconciliation", {}))
