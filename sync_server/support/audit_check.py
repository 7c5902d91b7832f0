"""The audit chain of each store is whole: every entry's hash covers its content and the hash before it."""

from collections.abc import Iterator
from typing import Any

from shared.wire_json import decode_json
from sync_server.database import RawConnection
from sync_server.people.audit_log import FIRST_PREVIOUS_HASH, AuditFacts, chain_hash
from sync_server.support.ledger_check import LedgerFault

_ENTRIES = """
SELECT store_no, store_id, entry.audit_sequence, at, actor_kind, actor, action, subject, before::text, after::text,
       request_id, origin, previous_hash, hash
FROM audit_entry AS entry JOIN store USING (store_no)
WHERE %(store_no)s::int IS NULL OR store_no = %(store_no)s::int
ORDER BY store_no, entry.audit_sequence
"""
_HEADS = """
SELECT store_no, store_id, audit_sequence, audit_hash FROM store
WHERE %(store_no)s::int IS NULL OR store_no = %(store_no)s::int
ORDER BY store_no
"""
_ENTRIES_AT_ONCE = 2000


def audit_faults(connection: RawConnection, store_no: int | None) -> list[LedgerFault]:
    """The first broken entry of each chain, of one store (0: headquarters) or of all; heads are compared too."""
    faults: list[LedgerFault] = []
    reached: dict[int, tuple[int, bytes]] = {}
    broken: set[int] = set()
    for number, store_id, sequence, *entry in _entries(connection, store_no):
        if number in broken:
            continue
        before = reached.get(number, (0, FIRST_PREVIOUS_HASH))
        what = _wrong_with(number, sequence, entry, before)
        if what is not None:
            broken.add(number)
            faults.append(LedgerFault(store_id, f"audit entry {sequence}", what))
        reached[number] = (sequence, bytes(entry[-1]))
    heads = connection.execute(_HEADS, {"store_no": store_no})
    for number, store_id, sequence, head in heads:
        if number not in broken and (sequence, bytes(head)) != reached.get(number, (0, FIRST_PREVIOUS_HASH)):
            what = f"the chain's head is entry {sequence}; the last that is there is {reached.get(number, (0,))[0]}"
            faults.append(LedgerFault(store_id, "audit head", what))
    return faults


def _entries(connection: RawConnection, store_no: int | None) -> Iterator[tuple[Any, ...]]:
    with connection.cursor("audit_entries") as cursor:
        cursor.itersize = _ENTRIES_AT_ONCE
        yield from cursor.execute(_ENTRIES, {"store_no": store_no})


def _wrong_with(store_no: int, sequence: int, entry: list[Any], before: tuple[int, bytes]) -> str | None:
    """What breaks the chain at this entry; None while it is whole."""
    *said, previous_hash, entry_hash = entry
    if sequence != before[0] + 1:
        return f"the entry before it is {before[0]}: entries are missing"
    if bytes(previous_hash) != before[1]:
        return "it does not continue the entry before it: that one was replaced"
    if chain_hash(bytes(previous_hash), store_no, sequence, _facts(said)) != bytes(entry_hash):
        return "its content is not what was written"
    return None


def _facts(said: list[Any]) -> AuditFacts:
    at, actor_kind, actor, action, subject, before, after, request_id, origin = said
    return AuditFacts(
        at=at,
        actor_kind=actor_kind,
        actor=actor,
        action=action,
        subject=subject,
        before=_document(before),
        after=_document(after),
        request_id=request_id,
        origin=origin,
    )


def _document(text: str | None) -> Any:
    return None if text is None else decode_json(text.encode())
