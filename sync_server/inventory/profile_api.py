"""`GET /stores/{storeId}/profile`: a store's facts, and barcodes page by page since a cursor.

The cursor is the position of an item's last change of barcodes, given under a lock when a file is imported, and
the item's number: whoever reads on from it misses nothing that was committed later.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from shared.problems import Violation
from shared.protocol import API_PREFIX
from sync_server.database import Work
from sync_server.errors import Invalid
from sync_server.people.authentication import authenticated
from sync_server.people.roles import READERS, Role
from sync_server.request_context import parts_of
from sync_server.stores.registry import find_store
from sync_server.stores.store_facts import ItemBarcodes, Profile, profile_of
from sync_server.wire_models import After, StoreIdPath, answer, cursor_position, cursor_text

PAGE_ITEMS = 1000
MAX_PAGE_ITEMS = 5000

Position = tuple[int, int]

_PAGE = """
SELECT i.change_sequence, i.item_no, i.item_id,
       array(SELECT barcode FROM item_barcode b WHERE b.item_no = i.item_no ORDER BY barcode)
FROM item i WHERE i.change_sequence > 0 AND (i.change_sequence, i.item_no) > (%s, %s)
ORDER BY i.change_sequence, i.item_no LIMIT %s
"""


def router() -> APIRouter:
    """The route of profiles."""
    routes = APIRouter(prefix=API_PREFIX, tags=["agents"])
    reading = authenticated(*READERS, Role.TILL, agents=True)
    routes.get("/stores/{storeId}/profile", response_model=Profile, dependencies=[reading])(show_profile)
    return routes


def show_profile(
    request: Request,
    store_id: StoreIdPath,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_ITEMS, description="Items of a page.")] = PAGE_ITEMS,
) -> Response:
    """The store's facts with the items whose barcodes changed after the cursor, or all of them."""
    parts = parts_of(request)
    start = read_position(after)
    with parts.database.reading() as work:
        store = find_store(work, store_id)
        found = barcodes_after(work, start, limit + 1)
    shown = found[:limit]
    reached = cursor_text(list(shown[-1][0])) if shown else after
    profile = profile_of(
        store,
        parts.limits,
        parts.clock.now(),
        items=[item for _, item in shown],
        next_page=reached if len(found) > limit else None,
        position=reached,
    )
    return answer(profile)


def read_position(after: str | None) -> Position:
    """The position that a cursor of a profile names; raises Invalid for another list's."""
    position = cursor_position(after, list)
    if position is None:
        return 0, 0
    if len(position) != 2 or any(type(number) is not int for number in position):
        violation = Violation("after", "must be the `next` or `position` of a profile", after)
        raise Invalid("The request's parameters are not valid", violations=[violation])
    return position[0], position[1]


def barcodes_after(work: Work, position: Position, limit: int) -> list[tuple[Position, ItemBarcodes]]:
    """Items by their last change of barcodes, those after `position`, with the position of each."""
    rows = work.connection.execute(_PAGE, [*position, limit])
    return [
        ((sequence, item_no), ItemBarcodes(item_id=item_id, barcodes=barcodes))
        for sequence, item_no, item_id, barcodes in rows
    ]
