"""One thing that must hold in the database, as a query that finds where it does not."""

from dataclasses import dataclass

from sync_server.database import RawConnection

MOST_FAULTS = 20
"""Faults that one check names; whoever has that many has one cause for all."""

_OF_STORE = "(%(store_no)s::int IS NULL OR store_no = %(store_no)s::int)"


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """A place where the database contradicts itself: in which store, where, and what is wrong."""

    store_id: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.store_id}, {self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """A promise and the query for its breaches.

    The query gives rows of (store_no, position, place, what): `place` and `what` are text for a person,
    `position` puts the first breach of a store first. `OF_STORE` in it stands for the condition on store_no.
    """

    promise: str
    query: str

    def faults(self, connection: RawConnection, store_no: int | None) -> list[LedgerFault]:
        """The breaches, of one store or of all, at most MOST_FAULTS."""
        # Materialized: a limit that reached into the query would tempt the planner to look rows up one by one.
        statement = (
            f"WITH fault (store_no, position, place, what) AS MATERIALIZED ({self.query}) "  # noqa: S608  # built from constants
            "SELECT s.store_id, place, what FROM fault LEFT JOIN store s USING (store_no) "
            "ORDER BY store_no, position, place, what LIMIT %(most)s"
        ).replace("OF_STORE", _OF_STORE)
        rows = connection.execute(statement.encode(), {"store_no": store_no, "most": MOST_FAULTS})
        return [LedgerFault(store_id or "no store", place, what) for store_id, place, what in rows]
