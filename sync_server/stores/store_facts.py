"""A store as its agent needs to know it: where it is, when its day begins, what a request may weigh."""

from datetime import datetime

from pydantic import Field

from shared.protocol import Limits
from shared.zone_data import zone_data_version
from sync_server.stores.registry import day_start_text
from sync_server.stores.tables import Store
from sync_server.wire_models import WireModel


class LimitsModel(WireModel):
    """What a request may weigh."""

    max_events: int = Field(description="Events in a batch.")
    max_body_bytes: int = Field(description="Bytes of a body as sent.")
    max_decompressed_bytes: int = Field(description="Bytes of a body once unpacked.")
    max_depth: int = Field(description="Levels of nesting.")


class ItemBarcodes(WireModel):
    """An item and the barcodes that stand for it; none: it has lost them all."""

    item_id: str
    barcodes: list[str]


class Profile(WireModel):
    """A store's facts and a page of its items' barcodes, those that changed last at the end.

    `next` is the cursor of the page after this one, null on the last; `position` is the cursor to ask with
    later, for what has changed by then.
    """

    store_id: str
    location_id: str
    timezone: str
    day_start: str = Field(examples=["04:00"])
    currency: str
    timezone_data: str
    limits: LimitsModel
    server_time: datetime
    items: list[ItemBarcodes]
    next: str | None
    position: str | None


def profile_of(
    store: Store,
    limits: Limits,
    now: datetime,
    *,
    items: list[ItemBarcodes],
    next_page: str | None,
    position: str | None,
) -> Profile:
    """The profile of `store` with a page of items."""
    return Profile(
        store_id=store.store_id,
        location_id=store.location_id,
        timezone=store.timezone,
        day_start=day_start_text(store.day_start),
        currency=store.currency,
        timezone_data=zone_data_version(),
        limits=LimitsModel(
            max_events=limits.max_events,
            max_body_bytes=limits.max_body_bytes,
            max_decompressed_bytes=limits.max_decompressed_bytes,
            max_depth=limits.max_depth,
        ),
        server_time=now,
        items=items,
        next=next_page,
        position=position,
    )
