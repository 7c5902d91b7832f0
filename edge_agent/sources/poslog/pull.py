"""One run of the XML parser, from some place of a journal to its end or to the first thing that is wrong."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from edge_agent.sources.dropped_file import FileRejected
from edge_agent.sources.poslog.elements import Element, local

MAX_DEPTH = 64
"""Levels of nesting; the deepest that vendors write is about ten."""
MAX_PARTS = 100_000
"""Elements and attributes of one transaction."""
MAX_TRANSACTION_BYTES = 8 * 1024 * 1024
"""Bytes of one transaction."""

DTD_REFUSED = "The file carries a DTD (DOCTYPE), which is never read; send it without"

_PLACE = re.compile(r",? line [0-9]+, column [0-9]+.*", re.DOTALL)


class FoundTransaction(msgspec.Struct, frozen=True):
    """A whole transaction; its element is emptied when the next one is asked for."""

    element: Element
    line: int


class Fault(msgspec.Struct, frozen=True):
    """Where and why reading stopped."""

    line: int
    path: str
    """The elements that were open: `POSLog/Transaction/RetailTransaction`."""
    reason: str
    started: int
    """Transactions whose beginning was read in this run."""
    inside: bool
    """Whether the last of them was still open."""


class Pull:
    """Reads transactions until the bytes end or `fault` says why not."""

    def __init__(self, chunks: Iterable[bytes], first_line: int, *, from_the_top: bool) -> None:
        """`chunks` are UTF-8, whatever they declare; `first_line` is the file's line that they begin in."""
        # lxml takes 9 MB of memory, which only a store whose tills write POSLog shall spend.
        from lxml import etree

        self.fault: Fault | None = None
        self._chunks = chunks
        self._first_line = first_line
        self._dtd_possible = from_the_top
        self._syntax_error = etree.XMLSyntaxError
        self._parser = etree.XMLPullParser(
            events=("start", "end"),
            encoding="utf-8",
            resolve_entities=False,
            load_dtd=False,
            dtd_validation=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._open: list[str] = []
        self._line = first_line
        self._inside: Element | None = None
        self._started = 0
        self._parts = 0
        self._fed = 0
        self._fed_before = 0

    def transactions(self) -> Iterator[FoundTransaction]:
        """The transactions, each as soon as it is whole; raises FileRejected for a DTD."""
        for chunk in self._chunks:
            self._fed += len(chunk)
            syntax = self._feed(chunk)
            yield from self._take_events()
            if self.fault is None and syntax is not None:
                self._stop(*syntax)
            if self.fault is not None:
                return
        syntax = self._feed(None)
        yield from self._take_events()
        if self.fault is None and syntax is not None:
            self._stop(*syntax)

    def _feed(self, chunk: bytes | None) -> tuple[str, int] | None:
        """Hands bytes, or their end, to the parser; what is wrong with them, and in which line."""
        try:
            if chunk is None:
                self._parser.close()
            else:
                self._parser.feed(chunk)
        except self._syntax_error as error:
            # What went wrong first tells more than what the parser says when it gives up.
            first = next(iter(self._parser.feed_error_log), None)
            message, line = (error.msg, error.position[0]) if first is None else (first.message, first.line)
            reason = _PLACE.sub("", str(message)).strip() or "The XML ends before its end"
            return reason, self._first_line + max(line, 1) - 1
        return None

    def _take_events(self) -> Iterator[FoundTransaction]:
        for event, element in self._parser.read_events():
            if event == "start":
                self._begin(element)
            elif element is self._inside:
                self._open.pop()
                yield FoundTransaction(element, self._line_of(element))
                self._inside = None
                _forget(element)
            else:
                self._open.pop()
                if self._inside is None:
                    _forget(element)
            if self.fault is not None:
                return

    def _begin(self, element: Element) -> None:
        if self._dtd_possible:
            self._dtd_possible = False
            if element.getroottree().docinfo.doctype:
                raise FileRejected(DTD_REFUSED)
        name = local(element)
        self._open.append(name)
        self._line = self._line_of(element)
        if name == "Transaction":
            self._started += 1
            if self._inside is None:
                self._inside, self._parts, self._fed_before = element, 0, self._fed
        self._parts += 1 + len(element.attrib)
        if len(self._open) > MAX_DEPTH:
            self._stop(f"Elements are nested deeper than {MAX_DEPTH} levels")
        elif self._inside is not None and self._parts > MAX_PARTS:
            self._stop(f"A transaction has more than {MAX_PARTS} elements and attributes")
        elif self._inside is not None and self._fed - self._fed_before > MAX_TRANSACTION_BYTES:
            self._stop(f"A transaction is larger than {MAX_TRANSACTION_BYTES} bytes")

    def _stop(self, reason: str, line: int | None = None) -> None:
        self.fault = Fault(
            line=line or self._line,
            path="/".join(self._open[:MAX_DEPTH]),
            reason=reason,
            started=self._started,
            inside=self._inside is not None,
        )

    def _line_of(self, element: Element) -> int:
        return self._first_line + (element.sourceline or 1) - 1


def _forget(element: Element) -> None:
    """Frees an element and what stood before it."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and (previous := element.getprevious()) is not None:
        parent.remove(previous)
