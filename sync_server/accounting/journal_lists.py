"""Journals as they are listed, with their lines; reading only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from psycopg.rows import namedtuple_row

from sync_server.database import Work
from sync_server.stores.sequence_windows import last_sequence, page_down

HIGHEST: Final = 2**62
_COLUMNS = """
    j.store_sequence, j.store_no, s.store_id, j.first_sequence, j.kind, j.currency, j.business_date,
    j.accounting_date, j.posted_at
"""
_CONDITIONS = """
    (%(business_date)s::date IS NULL OR j.business_date = %(business_date)s::date)
    AND (%(first)s::date IS NULL OR j.accounting_date >= %(first)s::date)
    AND (%(last)s::date IS NULL OR j.accounting_date <= %(last)s::date)
    AND (%(account)s::varchar IS NULL OR EXISTS (
        SELECT FROM journal_line l
        WHERE l.store_no = j.store_no AND l.store_sequence = j.store_sequence AND l.account = %(account)s::varchar))
"""
_OF_STORE = f"""
SELECT {_COLUMNS} FROM journal j JOIN store s USING (store_no)
WHERE j.store_no = %(store_no)s AND j.store_sequence BETWEEN %(lowest)s AND %(highest)s AND {_CONDITIONS}
ORDER BY j.store_sequence DESC LIMIT %(limit)s
"""  # noqa: S608  # built from constants
_OF_ALL = f"""
SELECT {_COLUMNS} FROM journal j JOIN store s USING (store_no)
WHERE (j.store_no, j.store_sequence) <= (%(store_no)s, %(highest)s) AND {_CONDITIONS}
ORDER BY j.store_no DESC, j.store_sequence DESC LIMIT %(limit)s
"""  # noqa: S608  # built from constants
_LINES = """
SELECT l.store_no, l.store_sequence, l.account, l.tender, l.debit, l.credit
FROM unnest(%s::int[], %s::bigint[]) AS wanted (store_no, store_sequence)
JOIN journal_line l USING (store_no, store_sequence) ORDER BY l.store_no, l.store_sequence, l.line_number
"""
_FOR_EXPORT = f"""
SELECT {_COLUMNS}, l.account, (SELECT min(a.name) FROM account a WHERE a.account = l.account), l.tender,
       l.debit, l.credit
FROM journal j JOIN store s USING (store_no) JOIN journal_line l USING (store_no, store_sequence)
WHERE (%(store_no)s::int IS NULL OR j.store_no = %(store_no)s::int) AND {_CONDITIONS}
ORDER BY s.store_id, j.store_sequence, l.line_number
"""  # noqa: S608  # built from constants


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFilter:
    """Which journals are asked for; None leaves a condition out."""

    business_date: date | None = None
    account: str | None = None
    first: date | None = None
    """The first and the last accounting date."""
    last: date | None = None

    def parameters(self) -> dict[str, Any]:
        """The conditions as the queries name them."""
        return {
            "business_date": self.business_date,
            "account": self.account,
            "first": self.first,
            "last": self.last,
        }


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Journals with their lines, newest first in each store, and where the next page begins."""

    journals: Sequence[Any]
    next: list[int] | None
    """[store number, store sequence]."""
    lines: dict[tuple[int, int], list[tuple[Any, ...]]] = field(default_factory=dict)
    """(account, tender, debit, credit) by (store number, store sequence)."""


def list_journals(
    work: Work, store_no: int | None, wanted: JournalFilter, *, start: list[int] | None, limit: int
) -> JournalPage:
    """The journals of one store or of all, from `start` on, where the page before said that this one begins."""
    page = (
        _of_all(work, wanted, start, limit)
        if store_no is None
        else _of_store(work, store_no, wanted, start, limit)
    )
    keys = [
        [each.store_no for each in page.journals],
        [each.store_sequence for each in page.journals],
    ]
    for number, sequence, *line in work.connection.execute(_LINES, keys):
        page.lines.setdefault((number, sequence), []).append(tuple(line))
    return page


def export_lines(work: Work, store_no: int | None, wanted: JournalFilter) -> Iterator[tuple[Any, ...]]:
    """Every line of every journal, with the journal's columns before it; read piece by piece."""
    with work.connection.cursor(name="journal_export") as cursor:
        cursor.itersize = 5_000
        cursor.execute(_FOR_EXPORT, {"store_no": store_no} | wanted.parameters())
        yield from cursor


def _of_store(
    work: Work, store_no: int, wanted: JournalFilter, start: list[int] | None, limit: int
) -> JournalPage:
    def fetch(lowest: int, highest: int, most: int) -> Sequence[Any]:
        window = {"store_no": store_no, "lowest": lowest, "highest": highest, "limit": most}
        return _rows(work, _OF_STORE, window | wanted.parameters())

    highest = last_sequence(work, store_no) if start is None else start[1]
    found, rest = page_down(fetch, highest, limit)
    return JournalPage(found, None if rest is None else [store_no, rest])


def _of_all(work: Work, wanted: JournalFilter, start: list[int] | None, limit: int) -> JournalPage:
    store_no, highest = start or (2**31 - 1, HIGHEST)
    begin = {"store_no": store_no, "highest": highest, "limit": limit + 1}
    found = _rows(work, _OF_ALL, begin | wanted.parameters())
    rest = found[limit] if len(found) > limit else None
    return JournalPage(found[:limit], None if rest is None else [rest.store_no, rest.store_sequence])


def _rows(work: Work, query: str, parameters: dict[str, Any]) -> list[Any]:
    with work.connection.cursor(row_factory=namedtuple_row) as cursor:
        return list(cursor.execute(query.encode(), parameters))
