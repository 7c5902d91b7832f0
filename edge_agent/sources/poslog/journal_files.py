"""The reader behind the drop folder: a POSLog file in, records out, what cannot be understood kept raw and named."""

import logging
from collections.abc import Iterator, Sequence
from copy import deepcopy

from edge_agent.sources.dropped_file import DroppedFile, DroppedRecord, FileRejected, RejectedRecord
from edge_agent.sources.poslog.configuration import BY_NAMESPACE, PoslogRules
from edge_agent.sources.poslog.elements import Element, local
from edge_agent.sources.poslog.header import domain_of
from edge_agent.sources.poslog.journal import BrokenPiece, Journal
from edge_agent.sources.poslog.pull import FoundTransaction
from edge_agent.sources.poslog.tally import Tally
from edge_agent.sources.poslog.transactions import RefusedPart, read_transaction
from shared.problems import Violation

MOST_LINES_APART = 20
"""Refused lines of one transaction that are kept one by one, each with the transaction's header."""

log = logging.getLogger(__name__)


class PoslogFiles:
    """ARTS/OMG POSLog, 2.x and 6."""

    suffixes = (".xml",)
    places = "line"

    def __init__(self, rules: PoslogRules = BY_NAMESPACE) -> None:
        self._rules = rules

    def read(self, file: DroppedFile) -> Iterator[DroppedRecord]:
        """The events of the journal's transactions; raises FileRejected when it holds none."""
        records = self.records(file, Tally())
        first = next(records, None)
        return iter(()) if first is None else _again(first, records)

    def records(self, file: DroppedFile, tally: Tally) -> Iterator[DroppedRecord]:
        """As `read`, counting in `tally`, which is complete when the records are exhausted."""
        journal = Journal(file.content)
        if journal.misdeclared:
            tally.name("the file calls itself UTF-8 and is not; it was read as Windows-1252")
        index = 0
        for piece in journal.pieces():
            for record in self._records_of(piece, index, tally):
                yield record
                index += 1
        if not tally.transactions and not tally.refused:
            raise FileRejected("The file holds no POSLog transaction")
        _report(file.name, tally)

    def rejected_part(self, file: DroppedFile, rejected: Sequence[RejectedRecord]) -> bytes:
        """A journal of the refused transactions, each with the refused lines alone."""
        journal = Journal(file.content)
        parts = [journal.opening(), *(record.raw for record in rejected), b"</" + journal.root() + b">"]
        return b"\n".join(parts) + b"\n"

    def _records_of(
        self, piece: FoundTransaction | BrokenPiece, index: int, tally: Tally
    ) -> Iterator[DroppedRecord]:
        if isinstance(piece, BrokenPiece):
            tally.refused += 1
            violation = Violation(piece.path or "POSLog", piece.reason)
            yield DroppedRecord(index, piece.line, piece.raw, None, [violation])
            return
        profile = self._rules.profile_of(piece.element.nsmap.values())
        reading = read_transaction(piece.element, profile, tally, self._rules.store)
        for event, element in reading.events:
            yield DroppedRecord(index, piece.line + _lines_below(element, piece.element), b"", event)
            index += 1
        for part in _bounded(reading.refused):
            tally.refused += 1
            source = part.items[0] if part.items else piece.element
            line = piece.line + _lines_below(source, piece.element)
            yield DroppedRecord(index, line, _raw(piece.element, part), None, part.violations)
            index += 1


def _again(first: DroppedRecord, rest: Iterator[DroppedRecord]) -> Iterator[DroppedRecord]:
    yield first
    yield from rest


def _bounded(refused: list[RefusedPart]) -> list[RefusedPart]:
    """Of a transaction of which hardly a line makes sense, the first ones each by itself, the rest in one piece."""
    rest = refused[MOST_LINES_APART:]
    if not rest:
        return refused
    items = [item for part in rest for item in part.items]
    return [*refused[:MOST_LINES_APART], RefusedPart(items, [part.violations[0] for part in rest])]


def _lines_below(element: Element, transaction: Element) -> int:
    """How many lines of the file an element begins below its transaction."""
    return int((element.sourceline or 0) - (transaction.sourceline or 0))


def _raw(transaction: Element, part: RefusedPart) -> bytes:
    """The refused transaction as XML; of a refused line, the transaction with that line alone."""
    # Loaded already by whoever parsed the transaction; see pull.py.
    from lxml import etree

    if not part.items:
        return bytes(etree.tostring(transaction, with_tail=False))
    try:
        shell = _with_these_lines(transaction, part)
    except ValueError:  # lxml reads names of namespaces that it does not let anybody write
        shell = transaction
    return bytes(etree.tostring(shell, with_tail=False))


def _with_these_lines(transaction: Element, part: RefusedPart) -> Element:
    """A copy of the transaction with nothing of its lines but those that were refused."""
    shell = transaction.makeelement(transaction.tag, transaction.attrib, transaction.nsmap)
    domain, wanted = domain_of(transaction), set(part.items)
    for each in transaction:
        if domain is None or each is not domain:
            shell.append(deepcopy(each))
            continue
        inner = shell.makeelement(each.tag, each.attrib, each.nsmap)
        shell.append(inner)
        # What is said of all lines, such as the sale that they come back from, goes with the line.
        for said in each:
            if local(said) == "TransactionLink" or said in wanted:
                inner.append(deepcopy(said))
    return shell


def _report(name: str, tally: Tally) -> None:
    log.info("%s holds %s", name, tally.summary(), extra={"action": "poslog.read"})
    for sentence in tally.named:
        log.info("%s: %s", name, sentence, extra={"action": "poslog.noted"})
