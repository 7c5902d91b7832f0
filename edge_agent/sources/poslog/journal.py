"""Bytes to transactions: XML pulled in pieces and never trusted.

No entities, no DTD, no network, bounded in depth, elements and bytes; one transaction is in memory at a time. Where the
XML breaks, the piece that cannot be read is named, and reading goes on at the next transaction: one unescaped & must
not cost a day.
"""

import codecs
import re
from collections.abc import Iterator

import msgspec

from edge_agent.sources.dropped_file import FileRejected
from edge_agent.sources.poslog.elements import Element, local

MAX_DEPTH = 64
"""Levels of nesting; the deepest that vendors write is about ten."""
MAX_PARTS = 100_000
"""Elements and attributes of one transaction."""
MAX_TRANSACTION_BYTES = 8 * 1024 * 1024
"""Bytes of one transaction."""
MAX_BREAKS = 1_000
"""Broken places of one file after which the rest of it is refused in one piece."""

_CHUNK = 65_536
_HEAD = 65_536
_ENCODING = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_NAMESPACE = re.compile(rb"xmlns(?::[\w.-]{1,40})?\s*=\s*(?:\"[^\"<]{0,300}\"|'[^'<]{0,300}')")
_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]{0,99})")
# Comments and CDATA are matched so that what they hold is passed over.
_START = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|(?P<start><(?:[\w.-]{1,40}:)?Transaction(?=[\s/>]))", re.DOTALL
)
_END = re.compile(rb"</(?:[\w.-]{1,40}:)?Transaction\s*>")
_CLOSERS = re.compile(rb"(?:\s|<!--.*?-->|</[^<>]{1,200}>)*", re.DOTALL)


class FoundTransaction(msgspec.Struct, frozen=True):
    """A whole transaction; its element is emptied when the next one is asked for."""

    element: Element
    line: int


class BrokenPiece(msgspec.Struct, frozen=True):
    """A part of the file that is no XML, or is beyond the bounds."""

    raw: bytes
    line: int
    path: str
    """The elements that were open: `POSLog/Transaction/RetailTransaction`."""
    reason: str


class _Fault(msgspec.Struct, frozen=True):
    """Where reading stopped."""

    line: int
    path: str
    reason: str
    started: int
    """Transactions whose beginning was read since reading (re)started."""
    inside: bool
    """Whether the last of them was still open."""


class Journal:
    """One POSLog file, in memory as bytes."""

    def __init__(self, content: bytes) -> None:
        """Raises FileRejected when it is no XML at all or carries a DTD."""
        if b"<" not in content:
            raise FileRejected("The file is no XML")
        self._content = content
        first = next(_starts(content, 0), None)
        self._head = content[: min(_HEAD, len(content) if first is None else first)]
        if b"<!DOCTYPE" in content[:first]:
            raise FileRejected("The file carries a DTD (DOCTYPE), which is never read; send it without")
        declared = _ENCODING.search(self._head)
        self._declared = "utf-8" if declared is None else declared[1].decode("ascii")
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in content[:4]
        self._bytewise = not wide
        """Whether places can be found in the bytes as ASCII."""
        self.misdeclared = not wide and self._declared.lower() in ("utf-8", "utf8") and not _is_utf8(content)
        """Called UTF-8 and is not; it is then read as ISO-8859-1, since what counts in it is ASCII."""

    def pieces(self) -> Iterator[FoundTransaction | BrokenPiece]:
        """Everything in the file, in order; raises FileRejected, as the first thing, when there is nothing."""
        fault = yield from self._pull(0, resumed=False)
        offset, breaks, resumed = 0, 0, False
        while fault is not None:
            breaks += 1
            broken, following = self._after(offset, fault, resumed=resumed)
            if broken is not None:
                if following is not None and breaks >= MAX_BREAKS:
                    reason = f"More than {MAX_BREAKS} places cannot be read; the rest is left unread"
                    broken = BrokenPiece(self._content[offset:], broken.line, broken.path, reason)
                    following = None
                yield broken
            if following is None:
                return
            offset, resumed = following, True
            fault = yield from self._pull(offset, resumed=True)

    def opening(self) -> bytes:
        """A root element's beginning with all namespaces that the file's own beginning declares."""
        if not self._bytewise:
            return b"<POSLog>"
        declared = dict.fromkeys(match[0] for match in _NAMESPACE.finditer(self._head))
        by_name = {each.partition(b"=")[0].strip(): each for each in declared}
        return b"<" + b" ".join([self.root, *by_name.values()]) + b">"

    @property
    def root(self) -> bytes:
        """The root element's name."""
        match = _ROOT.search(self._head) if self._bytewise else None
        name = b"POSLog" if match is None else match[1]
        return b"POSLog" if name.rpartition(b":")[2] == b"Transaction" else name

    def _pull(self, offset: int, *, resumed: bool) -> Iterator[FoundTransaction | BrokenPiece]:  # type: ignore[misc]
        ...
