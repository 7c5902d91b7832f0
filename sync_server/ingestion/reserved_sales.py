"""A sale that names a reservation: revenue for what was shipped already, goods for the rest. Pure.

| of the quantity sold | goods | cost |
|---|---|---|
| shipped by a fulfilment, not yet sold | none: they have left | as they were shipped |
| still reserved | on hand −, reserved − | the average |
| beyond both | on hand − | the average |

A void of the line gives back exactly that, and what becomes of the reservation is `ReservedGoods.take_back`'s to say.
"""

from datetime import date
from decimal import Decimal

from sync_server.ingestion.event_rows import Movement, movement_row
from sync_server.ingestion.groups import Arrival
from sync_server.ingestion.known_state import PostedLine
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.inventory.valuation import current_cost
from sync_server.stores.findings import FindingCode

ZERO = Decimal(0)


def take_reserved(posting: OpenPosting, line: PostedLine, reservation_id: str) -> None:
    """Gives a sold line its part of the reservation that it names; finds a reservation that has nothing for it."""
    known = posting.state.reservations
    goods = known.goods.get(reservation_id)
    if goods is not None and line.item is not None and goods.item_no == line.item.item_no:
        part = goods.sell(line.quantity, known.now, posting.coin)
        if part.billed or part.taken:
            line.part = part
            known.changed.add(reservation_id)
            known.sold.append((line.store_sequence, part))
            return
    posting.find(FindingCode.RESERVATION_NOT_OPEN, reservation_id)


def cost_with_part(posting: OpenPosting, line: PostedLine) -> Decimal:
    """What all goods of such a line cost: those shipped as they were shipped, the others at the average."""
    assert line.part is not None
    assert line.item is not None
    issued = line.quantity - line.part.billed
    average = current_cost(line.item.position, issued, posting.coin) if issued else ZERO
    return line.part.billed_cost + average


def move_reserved(
    posting: OpenPosting, line: PostedLine, movement: Movement | None, arrival: Arrival, booked_on: date
) -> Movement | None:
    """The movement of such a line; where reserved moves with it, it gets a row apart and None is returned."""
    assert line.part is not None
    assert line.item is not None
    taken = line.part.taken
    if movement is None or not taken:
        return movement
    number, item_no = line.store_sequence, line.item.item_no
    posting.rows.movements.append(
        movement_row(number, item_no, line.type, movement, number, arrival.time, booked_on, reserved=-taken)
    )
    posting.rows.allocations.append((item_no, -taken, ZERO, ZERO))
    return None


def give_back_part(posting: OpenPosting, line: PostedLine) -> Decimal | None:
    """What is reserved again once such a line is taken back; None: nothing is."""
    assert line.part is not None
    assert line.item is not None
    known = posting.state.reservations
    again = known.goods[line.part.reservation_id].take_back(line.part, known.now)
    known.changed.add(line.part.reservation_id)
    if not again:
        return None
    posting.rows.allocations.append((line.item.item_no, again, ZERO, ZERO))
    return again
