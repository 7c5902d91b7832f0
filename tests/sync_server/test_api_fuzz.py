"""Every operation of the API under requests that nobody would think of: no 5xx, every answer as described."""

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sync_server.app import create_app
from sync_server.database import Database
from sync_server.people.roles import PERSON_ROLES
from sync_server.settings import Settings
from tests.builders import build_agent, build_person, build_store

CHECKS = (
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
EXAMPLES = 25


def _operations() -> list[tuple[str, str]]:
    """Every operation of the application, as its own document has them."""
    paths = create_app(Settings(), Database("postgresql://nobody@127.0.0.1:1/nowhere")).openapi()["paths"]
    return [(path, method) for path, methods in paths.items() for method in methods]


def _key_for(operation: Any, database: Database) -> str:
    """A credential that the operation takes, so that the request gets further than the door."""
    if operation.definition.raw.get("x-agents"):
        return build_agent(database).credential
    return build_person(database, "ada", *PERSON_ROLES)


@pytest.mark.parametrize(("path", "method"), _operations())
def test_no_request_breaks_the_server(app: FastAPI, database: Database, path: str, method: str) -> None:
    build_store(database)
    operation = schemathesis.openapi.from_asgi("/openapi.json", app)[path][method]
    headers = {"Authorization": f"Bearer {_key_for(operation, database)}"}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        if "storeId" in case.path_parameters:
            case.path_parameters["storeId"] = "STORE-01"
        case.call_and_validate(headers=headers, checks=CHECKS)

    send()
