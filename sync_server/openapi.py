"""The OpenAPI 3.1 document: what FastAPI knows, and what our own dependencies know beyond that.

Bodies are read by `JsonBody`, callers are found by `Permission`: both say here what they ask for. Every
operation that can be refused names the one shape in which it is.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import Field
from pydantic.json_schema import models_json_schema

from sync_server.people.authentication import Permission
from sync_server.request_body import JsonBody
from sync_server.wire_models import Page, WireModel

REFERENCE = "#/components/schemas/{model}"
BEARER = "bearer"
_DESCRIPTION = """Takes POS events from stores and posts stock and books.

Every error has one shape, `Problem`, whoever raises it. `X-Request-Id` is taken or made, returned and logged.
Decimals are JSON numbers; as input they may be strings."""


class ViolationShape(WireModel):
    """One thing wrong with one field."""

    field: str = Field(examples=["events[0].quantity"])
    constraint: str = Field(examples=["Quantity must be greater than zero"])
    rejected_value: Any


class ProblemDetails(WireModel):
    """What is wrong in particular."""

    violations: list[ViolationShape] | None = None


class ProblemShape(WireModel):
    """An error, whoever raises it."""

    error_code: str = Field(examples=["VALIDATION_FAILED"])
    message: str
    timestamp: str = Field(examples=["2026-02-10T23:05:00Z"])
    request_id: str
    details: ProblemDetails


def install_openapi(app: FastAPI, version: str) -> None:
    """Makes `app` serve the document, drawn up when it is first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, version)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def permission_of(route: APIRoute) -> Permission | None:
    """What `route` asks of its callers; None for one that is open to anybody."""
    return next((each for each in _dependencies(route.dependant) if isinstance(each, Permission)), None)


def _document(app: FastAPI, version: str) -> dict[str, Any]:
    document = get_openapi(
        title="TillSync",
        version=version,
        description=_DESCRIPTION,
        routes=app.routes,
        openapi_version="3.1.0",
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["securitySchemes"] = {BEARER: {"type": "http", "scheme": "bearer"}}
    routes = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    schemas.update(_schemas(routes))
    for route in routes:
        for method in route.methods or ():
            _complete(document["paths"][route.path_format][method.lower()], route)
    return document


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    """Adds body, security and problems to one operation."""
    body = next((each for each in _dependencies(route.dependant) if isinstance(each, JsonBody)), None)
    if body is not None:
        operation["requestBody"] = {"required": not body.may_be_empty, "content": _json(body.model.__name__)}
    answers = operation["responses"]
    answers.pop("422", None)
    problems = {"500": "A fault of the server", "503": "Not now; see Retry-After"}
    permission = permission_of(route)
    if permission is not None:
        operation["security"] = [{BEARER: []}]
        operation["x-roles"] = sorted(permission.roles)
        operation["x-agents"] = permission.agents
        problems |= {"401": "No known credential", "403": "Not allowed"}
    if route.methods and "POST" in route.methods:
        problems |= {
            "400": "No JSON",
            "413": "Too large",
            "415": "Not JSON",
            "409": "Contradicts what is there",
        }
    if operation.get("parameters") or "requestBody" in operation:
        problems |= {"422": "Not valid; every violation is named"}
    parameters = operation.get("parameters", ())
    if any(parameter["in"] == "path" or parameter["name"].endswith("Id") for parameter in parameters):
        problems |= {"404": "No such document"}
    if isinstance(route.response_model, type) and issubclass(route.response_model, Page):
        answers["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    for status, meaning in problems.items():
        answers.setdefault(status, {"description": meaning})
    for status, described in answers.items():
        if status >= "400":
            described.setdefault("content", _json("Problem"))


def _schemas(routes: list[APIRoute]) -> dict[str, Any]:
    """The schemas of the bodies that our own dependency reads, and of problems."""
    bodies = {
        each.model
        for route in routes
        for each in _dependencies(route.dependant)
        if isinstance(each, JsonBody)
    }
    inputs = [(model, "validation") for model in sorted(bodies, key=lambda model: model.__name__)]
    outputs = [(ProblemShape, "serialization")]
    _, found = models_json_schema(
        [*inputs, *outputs],  # type: ignore[list-item]  # the modes are literals
        ref_template=REFERENCE,
    )
    schemas: dict[str, Any] = found["$defs"]
    schemas["Problem"] = schemas.pop(ProblemShape.__name__)
    return schemas


def _dependencies(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _dependencies(inner)


def _json(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=model)}}}
