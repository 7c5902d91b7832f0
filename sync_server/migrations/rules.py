"""Rules that the database itself keeps, for the versions to lay on their tables.

The application's role may read and add to every table of the schema, from 0001 on and for tables to come.
What it may change beyond that is granted table by table, column by column; the ledger's tables get nothing,
and a trigger refuses there even what a role with more rights would do.
"""

from alembic import op

from sync_server.database import APPLICATION_ROLE

CREATE_APPLICATION_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION_ROLE}') THEN
        CREATE ROLE {APPLICATION_ROLE} NOLOGIN;
        EXECUTE format('GRANT {APPLICATION_ROLE} TO %I', current_user);
    END IF;
END $$
"""
GRANT_READ_AND_ADD = f"""
GRANT USAGE ON SCHEMA public TO {APPLICATION_ROLE};
GRANT SELECT ON alembic_version TO {APPLICATION_ROLE};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO {APPLICATION_ROLE}
"""
CREATE_REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: its rows are never changed or deleted', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'A mistake is reversed by a further entry.';
END $$
"""


def allow(changes: str, *tables: str) -> None:
    """Lets the application do `changes` on `tables`: `UPDATE`, `UPDATE (count, status)`, `UPDATE, DELETE`."""
    op.execute(f"GRANT {changes} ON {', '.join(tables)} TO {APPLICATION_ROLE}")


def make_append_only(*tables: str) -> None:
    """Makes the database refuse every change and deletion in `tables`, on their partitions too.

    The triggers fire per row: PostgreSQL clones only those to partitions, those that exist and those to come.
    """
    for table in tables:
        op.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
