"""What a return is worth: the original sale's cost if it is known, else the current average. Pure."""

from decimal import Decimal

from shared.money import round_to
from shared.pos_event import EventType
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.known_state import KnownItem, PostedLine
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.inventory.valuation import current_cost
from sync_server.stores.findings import FindingCode

ZERO = Decimal(0)


def settle_return(posting: OpenPosting, arrival: Arrival, line: PostedLine, item: KnownItem) -> Decimal:
    """The cost of a return, what it brought back of which sold line, and what is odd about it."""
    original_sale = arrival.event.original_sale_id
    sold = [] if original_sale is None else _sold_lines(posting, original_sale, item)
    subject = original_sale or line.sale_id or str(arrival.key)
    if not sold:
        posting.find(FindingCode.RETURN_WITHOUT_SALE, subject)
        return current_cost(item.position, line.quantity, posting.coin)
    cost, open_quantity = ZERO, line.quantity
    for original in sold:
        back = _brought_back(posting, original)
        part = min(open_quantity, original.quantity - back)
        if part <= 0:
            continue
        cost += _cost_up_to(original, back + part, posting.coin) - _cost_up_to(original, back, posting.coin)
        original.returns.append((line.store_sequence, part))
        open_quantity -= part
        posting.rows.returns.append((original.store_sequence, line.store_sequence, part))
    if open_quantity > 0:
        posting.find(FindingCode.RETURN_EXCEEDS_SALE, subject)
        cost += _cost_up_to(sold[-1], open_quantity, posting.coin)
    return cost


def _sold_lines(posting: OpenPosting, sale_id: str, item: KnownItem) -> list[PostedLine]:
    lines = posting.state.lines_by_sale.get(sale_id, [])
    return [
        line
        for line in lines
        if line.type == EventType.SALE
        and not line.voided
        and line.item is not None
        and line.item.item_no == item.item_no
    ]


def _brought_back(posting: OpenPosting, original: PostedLine) -> Decimal:
    """How much of a sold line is back already, by returns that still stand."""
    taken_back = posting.state.taken_back
    return sum((part for sequence, part in original.returns if sequence not in taken_back), ZERO)


def _cost_up_to(original: PostedLine, quantity: Decimal, coin: Decimal) -> Decimal:
    """What the first `quantity` of a sold line cost; parts taken one after the other add up to all of it."""
    if quantity == original.quantity:
        return original.cost
    return round_to(original.cost * quantity / original.quantity, coin)
