"""A document of headquarters that posts nothing and has something to say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sync_server.accounting.chart_of_accounts import ChartOfAccounts
from sync_server.accounting.document_posting import DocumentPosting
from sync_server.database import Database
from sync_server.publishing.kinds import OutboxKind
from sync_server.stores.locked_store import lock_store

Saying = tuple[OutboxKind, str, Mapping[str, Any]]
"""Kind, cause and payload."""


def announce(database: Database, store_no: int, *sayings: Saying, now: datetime) -> None:
    """Posts a document of the store that says each of these."""
    with database.unit_of_work() as work:
        cursor = work.connection.cursor()
        store, chart = lock_store(cursor, store_no), ChartOfAccounts()
        posting = DocumentPosting(
            cursor, store, chart, kind="TEST", document="DOC-1", date=now.date(), now=now
        )
        for kind, cause, payload in sayings:
            posting.announce(kind, cause=cause, payload=payload)
        posting.write()
