"""Which line an event is by its till's own words: for events without an id, for copies that came two ways. Pure."""

from typing import Any

from shared.identifiers import derived_key_hex
from shared.pos_event import PosEvent


def natural_key(store_id: str, event: PosEvent, raw: dict[str, Any]) -> str | None:
    """The key (32 hex digits) that the agent, too, derives for an event without an id.

    From store, workstation, the till's own date text, transaction number and line; None where the till said too
    little for one. `raw` is the event as it came, for the date's own spelling.
    """
    workstation, transaction, line = event.workstation_id, event.transaction_number, event.line_number
    if not workstation or not transaction or line is None:
        return None
    date_text = raw.get("businessDate") or str(raw.get("occurredAt") or "")[:10]
    return derived_key_hex(store_id, workstation, date_text, transaction, str(line)) if date_text else None
