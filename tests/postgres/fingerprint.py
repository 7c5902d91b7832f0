"""What a database holds, as one word a table: to show that nothing, or exactly the same thing, has happened."""

from sync_server.database import Database

LEDGER_TABLES = (
    "till_proof_progress", "workstation_day", "workstation_total", "z_total",
    "agent_command", "audit_entry", "finding", "held_event", "item", "item_barcode", "journal", "journal_line",
    "outbox", "pos_batch", "pos_event", "pos_sale", "reconciliation", "reservation",
    "reservation_sale", "sale_return", "stock_movement", "store",
    "store_day", "store_stock", "stream", "stream_receipt", "transfer_leg", "transfer_leg_waiting", "transfer_receipt",
    "void_claim", "void_effect",
)  # fmt: skip


def fingerprint(database: Database) -> dict[str, str]:
    """A hash over all rows of each table that posting touches."""
    words = " UNION ALL ".join(
        f"SELECT '{table}', coalesce(md5(string_agg(row::text, '|' ORDER BY row::text)), 'empty') FROM {table} AS row"
        for table in LEDGER_TABLES
    )
    with database.reading() as work:
        return dict(work.connection.execute(words.encode()).fetchall())
