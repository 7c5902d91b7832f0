"""Voids: the exact reverse of the line or sale they name, whenever the two meet. Pure.

A void before its sale is a claim that takes effect when the sale arrives. A void of a sale, or of a line number
in it, goes on claiming, for ever: what it names and arrives later is taken back too. Identities never expire, and a
store may come back after months; whichever of the two comes first, the books are the same. A till that counts its
sale ids from 1 again and voided one of them before is the price: its new sale of that id is taken back, which shows
as a void effect, in the till's Z totals and in its messages. Release or resend it under another sale id.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.identifiers import event_key_hex
from shared.pos_event import EventType
from sync_server.ingestion.event_rows import line_row, movement_row
from sync_server.ingestion.group_journals import GroupJournals
from sync_server.ingestion.groups import Arrival, sale_key
from sync_server.ingestion.known_state import Claim, PostedLine
from sync_server.ingestion.ledger_rows import VOID
from sync_server.ingestion.line_effects import apply_line
from sync_server.ingestion.open_posting import OpenPosting
from sync_server.ingestion.other_line import TakingBack
from sync_server.ingestion.other_lines import OTHER_LINES
from sync_server.ingestion.reserved_sales import give_back_part
from sync_server.stores.findings import FindingCode


def post_void(posting: OpenPosting, arrival: Arrival, journals: GroupJournals) -> None:
    """Records a void and takes back what it names, as far as that is there."""
    number = posting.next_number()
    posting.rows.lines.append(line_row(number, arrival, posting.stream_no))
    lines = _named_lines(posting, arrival)
    standing = [line for line in lines if not line.voided]
    for line in standing:
        _take_back(posting, line, number, arrival, journals)
    if lines and not standing:
        posting.find(FindingCode.VOID_REPEATED, subject_of_void(arrival.event.voids or {}))
    _claim(posting, arrival, number, pending=not lines)


def voided_within(group: Sequence[Arrival]) -> set[int]:
    """The lines of a group, by index, that a void of the same group takes back: the tenders paid for the others."""
    voids = [arrival.event.voids or {} for arrival in group if arrival.event.type == EventType.VOID]
    if not voids:
        return set()
    keys = {event_key_hex(each["eventId"]) for each in voids if "eventId" in each}
    lines = {(each["saleId"], each.get("lineNumber")) for each in voids if "eventId" not in each}
    return {
        index
        for index, arrival in enumerate(group)
        if arrival.event.type != EventType.VOID
        and (
            arrival.key in keys
            or not lines.isdisjoint(
                {(arrival.event.sale_id, arrival.event.line_number), (arrival.event.sale_id, None)}
            )
        )
    }


def claim_lines(posting: OpenPosting, lines: Sequence[PostedLine], group: Sequence[Arrival]) -> None:
    """Takes back lines just posted that an earlier void claims, in a journal of their own."""
    claims = posting.state.claims
    lines = [
        line for line in lines if line.key in claims or (line.sale_id and sale_key(line.sale_id) in claims)
    ]
    if not lines:
        return
    arrivals = {arrival.key: arrival for arrival in group}
    first = posting.sequence + 1
    journals = posting.journals_of(group[0].time.business_date)
    for line in lines:
        claim = None if line.voided else _claim_on(posting, line)
        if claim is not None:
            _take_back(posting, line, claim.void_sequence, arrivals[line.key], journals)
            if claim.pending:
                claim.pending = False
                posting.rows.satisfied_claims.append(claim.void_sequence)
    if posting.sequence >= first:
        posting.sequence = journals.close(posting.rows, first, posting.sequence)


def _named_lines(posting: OpenPosting, arrival: Arrival) -> list[PostedLine]:
    voids = arrival.event.voids or {}
    if "eventId" in voids:
        line = posting.state.lines_by_key.get(event_key_hex(voids["eventId"]))
        return [] if line is None or line.type == EventType.VOID else [line]
    lines = posting.state.lines_by_sale.get(voids["saleId"], [])
    if "lineNumber" in voids:
        return [line for line in lines if line.line_number == voids["lineNumber"]]
    return lines


def _take_back(
    posting: OpenPosting,
    line: PostedLine,
    void_sequence: int,
    arrival: Arrival,
    journals: GroupJournals,
) -> None:
    number = posting.next_number()
    line.voided = True
    posting.state.taken_back.add(line.store_sequence)
    taking = TakingBack(number, void_sequence, arrival.time)
    if line.type in OTHER_LINES:
        OTHER_LINES[line.type].take_back(posting, line, taking, journals)
    else:
        _reverse(posting, line, taking, journals)
    posting.rows.void_effects.append((number, void_sequence, line.store_sequence))
    posting.rows.outbox.append((number, VOID))


def _reverse(posting: OpenPosting, line: PostedLine, taking: TakingBack, journals: GroupJournals) -> None:
    books = posting.books(journals, line.currency or posting.context.currency)
    movement = apply_line(line, taking.number, books, sign=-1)
    reserved = None if line.part is None else give_back_part(posting, line)
    if movement is not None and line.item is not None:
        posting.rows.movements.append(
            movement_row(
                taking.number,
                line.item.item_no,
                EventType.VOID.value,
                movement,
                taking.void_sequence,
                taking.time,
                journals.accounting_date,
                reserved=reserved,
            )
        )


def _claim(posting: OpenPosting, arrival: Arrival, number: int, *, pending: bool) -> None:
    """Keeps the void's claim where lines may still come: nothing was there, or it names them by their sale.

    A sale, and even a line number in it, can bring further lines; whatever the order, the void takes them all.
    """
    voids = arrival.event.voids or {}
    by_event = "eventId" in voids
    key = event_key_hex(voids["eventId"]) if by_event else sale_key(voids["saleId"])
    line_number = None if by_event else voids.get("lineNumber")
    if pending or not by_event:
        posting.rows.claims.append((key, number, line_number, pending))
        posting.state.claims.setdefault(key, []).append(Claim(number, line_number, pending))


def _claim_on(posting: OpenPosting, line: PostedLine) -> Claim | None:
    claims = list(posting.state.claims.get(line.key, ()))
    if line.sale_id is not None:
        claims += posting.state.claims.get(sale_key(line.sale_id), ())
    fitting = [claim for claim in claims if claim.line_number in (None, line.line_number)]
    return min(fitting, key=lambda claim: claim.void_sequence, default=None)


def subject_of_void(voids: Mapping[str, Any]) -> str:
    """Whom findings about a void name: what it takes back."""
    return str(voids.get("eventId") or voids.get("saleId"))
