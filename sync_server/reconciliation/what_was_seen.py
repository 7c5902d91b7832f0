"""What an approver has seen: an approval is bound to it, whether it names the content or not.

Whoever names a content hash is held to it. Whoever names none is held to what they were shown last. Whoever was
shown nothing is held to what the maker handed in, as far as people counted it: events that come late for an open
reconciliation are taken in, a new count is not.
"""

from datetime import datetime
from typing import Any

from psycopg import Cursor

from sync_server.database import Work
from sync_server.errors import Conflict
from sync_server.people.callers import Caller, CallerKind
from sync_server.reconciliation.documents import OPEN, Proposal

_NOTE = """
INSERT INTO reconciliation_view (store_no, reconciliation_id, person_no, content_hash, seen_at)
SELECT %(store_no)s, %(document)s, person_no, %(hash)s, %(now)s FROM person WHERE name = %(name)s
ON CONFLICT (store_no, reconciliation_id, person_no)
DO UPDATE SET content_hash = excluded.content_hash, seen_at = excluded.seen_at
"""
_SHOWN = """
SELECT content_hash FROM reconciliation_view
WHERE store_no = %s AND reconciliation_id = %s AND person_no = %s
"""


def note_shown(work: Work, proposal: Proposal, to: Caller, now: datetime) -> None:
    """Keeps what a person was shown of an open reconciliation, last."""
    document = proposal.document
    if to.kind is not CallerKind.PERSON or document.status != OPEN:
        return
    facts = {
        "store_no": document.store_no,
        "document": document.reconciliation_id,
        "hash": proposal.content_hash,
        "now": now,
        "name": to.name,
    }
    work.connection.execute(_NOTE, facts)


def refuse_unseen(cursor: Cursor[Any], proposal: Proposal, person_no: int, named: str | None) -> None:
    """Raises Conflict when the proposal is another than the one that the person has seen.

    `named`: the content hash that the approval names (hex, quoted or not), if it names one.
    """
    if _was_seen(cursor, proposal, person_no, named):
        return
    raise Conflict(
        "The proposal is not the one that was seen: events have come in, or it was counted anew. Read it again "
        "and approve its contentHash.",
        details={"contentHash": proposal.content_hash.hex()},
    )


def _was_seen(cursor: Cursor[Any], proposal: Proposal, person_no: int, named: str | None) -> bool:
    if named is not None:
        return named.strip('"').lower() == proposal.content_hash.hex()
    document = proposal.document
    key = [document.store_no, document.reconciliation_id, person_no]
    shown = cursor.execute(_SHOWN, key).fetchone()
    if shown is not None:
        return bytes(shown[0]) == proposal.content_hash
    handed_in = document.counted_hash
    return handed_in is None or bytes(handed_in) == proposal.counted_hash
