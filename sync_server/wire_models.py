"""How requests and answers are declared: camelCase, exact numbers, and lists that page by cursor.

An endpoint returns `answer(model)`: pydantic would spell a decimal as text on its way out, and the spec has
numbers. The model is named to FastAPI as `response_model` for the OpenAPI document.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from shared.clock import read_instant
from shared.event_fields import calendar_date
from shared.exact_decimal import parse
from shared.identifiers import is_identifier
from shared.problems import Violation
from shared.wire_json import JsonError, decode_json, encode_json
from sync_server.errors import Invalid

MAX_PAGE = 500
DEFAULT_PAGE = 100


class WireModel(BaseModel):
    """A JSON object of the API; what a newer peer adds is ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


def _exact(value: object) -> Decimal:
    return parse(value)


def _calendar_date(value: object) -> date:
    return value if type(value) is date else date.fromisoformat(calendar_date(value))


def _one_line(value: str) -> str:
    if not is_identifier(value):
        raise ValueError("must be 1 to 128 characters without control characters")
    return value


ExactNumber = Annotated[
    Decimal, BeforeValidator(_exact), WithJsonSchema({"type": "number"}, mode="serialization")
]
"""A decimal: read from a JSON number or a decimal string without a float, written as a JSON number."""
_DATE = BeforeValidator(lambda value: None if value is None else _calendar_date(value))
CalendarDate = Annotated[date, BeforeValidator(_calendar_date)]
"""A date as the wire has it, `2026-02-10`, and nothing that pydantic would take for one: no number, no time."""
Identifier = Annotated[
    str, BeforeValidator(lambda value: _one_line(value) if isinstance(value, str) else value)
]
"""1 to 128 characters without control characters."""
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
"""Why a person does something; it goes into the audit trail."""
SequenceRange = Annotated[
    tuple[int, int],
    WithJsonSchema({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}),
]
"""First and last of a run of sequences, both included."""
StoreIdPath = Annotated[str, Path(alias="storeId", description="The store's id, such as STORE-01.")]
After = Annotated[str | None, Query(description="The `next` of the page before; none begins at the start.")]
DateQuery = Annotated[date | None, _DATE]
"""A date in a query, to be given its `Query`."""
FromDate = Annotated[
    date | None, _DATE, Query(alias="from", description="The first date, such as 2026-02-01.")
]
ToDate = Annotated[date | None, _DATE, Query(alias="to", description="The last date, included.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Rows of a page.")]

Row = TypeVar("Row", bound=WireModel)


class Page(WireModel, Generic[Row]):
    """A page of a list: `next` is the cursor of the page after it, null on the last one."""

    items: list[Row]
    next: str | None = Field(default=None)


def answer(model: BaseModel, status: int = 200) -> Response:
    """The HTTP answer that carries `model`; decimals leave as JSON numbers with the digits they have."""
    body = encode_json(model.model_dump(by_alias=True))
    return Response(body, status, media_type="application/json")


def page_of(
    found: Sequence[Any], limit: int, row: Callable[[Any], Row], position: Callable[[Any], Any]
) -> Response:
    """The page for `found`, which was asked for with one more than `limit` to see whether more follows."""
    shown = found[:limit]
    more = len(found) > limit
    rows = [row(each) for each in shown]
    return answer(Page[Any](items=rows, next=cursor_text(position(shown[-1])) if more else None))


def cursor_text(position: Any) -> str:
    """A position in a list as an opaque word."""
    return base64.urlsafe_b64encode(encode_json(position)).decode("ascii").rstrip("=")


def cursor_position(after: str | None, kind: type[Any], parts: Sequence[type[Any]] | None = None) -> Any:
    """The position that a cursor names, None for the start; raises Invalid for one that we did not give.

    `parts`: the types that a list consists of.
    """
    if after is None:
        return None
    try:
        position = decode_json(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (JsonError, binascii.Error, ValueError):
        position = None
    fits = type(position) is kind and (parts is None or [type(part) for part in position] == list(parts))
    if not fits or not _storable(position):
        raise _not_ours(after)
    return position


def date_position(after: str | None) -> date | None:
    """The date that a cursor names; raises Invalid for one that we did not give."""
    text = cursor_position(after, str)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise _not_ours(after) from None


def instant_position(text: str, after: str | None) -> datetime:
    """The instant that stands in a cursor; raises Invalid for one that we did not give."""
    try:
        return read_instant(text)
    except ValueError:
        raise _not_ours(after) from None


def _not_ours(after: str | None) -> Invalid:
    violation = Violation("after", "must be the `next` of a page of this list", after)
    return Invalid("The request's parameters are not valid", violations=[violation])


def _storable(position: Any) -> bool:
    """Whether PostgreSQL can take the position for a comparison; a forged one might be too large for it."""
    if isinstance(position, list):
        return all(_storable(part) for part in position)
    return -(2**63) <= position < 2**63 if isinstance(position, int) else "\x00" not in str(position)
