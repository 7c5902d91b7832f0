"""Pure: the bytes of a CSV file → rows of texts, each with its line and its bytes.

A quote that is never closed must not swallow the rest of the day: a record goes on over the line's end only if
what follows makes a whole row of it; otherwise its line alone is refused and reading goes on with the next.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edge_agent.sources.csv_export.encodings import EncodedText

MAX_LINES_OF_RECORD = 50
"""Lines that a quoted text may run over."""
MAX_RECORD_BYTES = 131_072
"""A longer record is no sale."""

_LINE_END = re.compile(rb"\r\n|\n|\r")


class Dialect(NamedTuple):
    """How the file separates and quotes."""

    delimiter: str
    quote: str
    """Empty when nothing is quoted."""


class RawRow(NamedTuple):
    """A row, or the reason why there is none."""

    line: int
    """Where it begins, from 1."""
    raw: bytes
    """Its bytes, without the line end."""
    cells: Sequence[str]
    trouble: str = ""


class _Line(NamedTuple):
    start: int
    end: int
    next_start: int


def rows(text: EncodedText, dialect: Dialect, skip_lines: int, width: int | None) -> Iterator[RawRow]:
    """Every row that is not blank. `width` is the number of cells that a row over several lines must have
    (None: that of the first row).
    """
    ahead = _lines(text)
    lines: list[_Line] = []
    number = 0
    while lines or (lines := _more(ahead)):
        line = lines.pop(0)
        number += 1
        raw = text.content[line.start : line.end]
        if number <= skip_lines or not raw.strip():
            continue
        row, is_open = _row(number, raw, text.encoding, dialect)
        if is_open and (whole := _over_several_lines(text, dialect, (number, line), lines, ahead, width)):
            yield whole[0]
            del lines[: whole[1]]
            number += whole[1]
            continue
        if not row.trouble and width is None:
            width = len(row.cells)
        yield row


def _lines(text: EncodedText) -> Iterator[_Line]:
    start = text.start
    for found in _LINE_END.finditer(text.content, start):
        yield _Line(start, found.start(), found.end())
        start = found.end()
    if start < len(text.content):
        yield _Line(start, len(text.content), len(text.content))


def _more(ahead: Iterator[_Line]) -> list[_Line]:
    line = next(ahead, None)
    return [] if line is None else [line]


def _over_several_lines(
    text: EncodedText,
    dialect: Dialect,
    first: tuple[int, _Line],
    lines: list[_Line],
    ahead: Iterator[_Line],
    width: int | None,
) -> tuple[RawRow, int] | None:
    """The row whose quoted text goes on, and how many lines it takes beside the first; None if it does not.

    Lines that are looked at are kept in `lines` for whoever comes next.
    """
    number, begin = first
    quote = dialect.quote.encode(text.encoding)
    quotes = text.content.count(quote, begin.start, begin.end)
    for taken in range(1, MAX_LINES_OF_RECORD):
        if len(lines) < taken:
            lines += _more(ahead)
        if len(lines) < taken or lines[taken - 1].end - begin.start > MAX_RECORD_BYTES:
            return None
        here = text.content.count(quote, lines[taken - 1].start, lines[taken - 1].end)
        quotes += here
        if here % 2 == 0:
            continue
        # The first line that may close the quote decides; to try all the others would cost their square.
        raw = text.content[begin.start : lines[taken - 1].end]
        row, is_open = _row(number, raw, text.encoding, dialect)
        if not is_open and not row.trouble and (width is None or len(row.cells) == width):
            return row, taken
        return None
    return None


def _row(number: int, raw: bytes, encoding: str, dialect: Dialect) -> tuple[RawRow, bool]:
    """The row, and whether a quote is still open at its end."""
    if len(raw) > MAX_RECORD_BYTES:
        return RawRow(number, raw, (), f"Line is longer than {MAX_RECORD_BYTES} bytes"), False
    try:
        text = raw.decode(encoding)
    except UnicodeError as error:
        reason = getattr(error, "reason", error)
        return RawRow(number, raw, (), f"Line is no {encoding}: {reason}; see the profile's encoding"), False
    reader = csv.reader(
        [text],
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        found = list(reader)
    except csv.Error as error:
        is_open = "unexpected end of data" in str(error)
        reason = "a quote is opened and not closed" if is_open else str(error)
        return RawRow(number, raw, (), f"Line is no CSV: {reason}"), is_open
    if len(found) != 1:
        return RawRow(number, raw, (), "Line is no CSV: it holds a line end outside quotes"), False
    return RawRow(number, raw, found[0]), False
