"""Bytes to transactions: XML that is pulled in pieces and never trusted.

No entities, no DTD, no network, bounded in depth, parts and bytes; one transaction is in memory at a time. Where the
XML breaks, the piece that cannot be read is named, and reading goes on at the next transaction: one unescaped & must
not cost a day.
"""

import codecs
import re
from collections.abc import Generator, Iterator

import msgspec

from edge_agent.sources.dropped_file import FileRejected
from edge_agent.sources.poslog.pull import DTD_REFUSED, Fault, FoundTransaction, Pull

MAX_BREAKS = 1_000
"""Broken places of one file after which the rest of it is refused in one piece."""

_CHUNK = 65_536
_HEAD = 65_536
_TAIL = 4_096
_BEGINNINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"<\x00": "utf-16-le",
    b"\x00<": "utf-16-be",
}
"""Of files that are not made of single bytes; UTF-32 first, since UTF-16's mark begins like its own."""
_ENCODING = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_NAMESPACE = re.compile(rb"(xmlns(?::[\w.-]{1,40})?)\s*=\s*(\"[^\"<]{0,300}\"|'[^'<]{0,300}')")
_ROOT = re.compile(rb"<([A-Za-z_][\w.-]{0,40}(?::[A-Za-z_][\w.-]{0,40})?)[\s/>]")
_MARK = re.compile(rb"<!--|<!\[CDATA\[|<(?:[\w.-]{1,40}:)?Transaction(?=[\s/>])")
_CLOSING_MARKS = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_END = re.compile(rb"</(?:[\w.-]{1,40}:)?Transaction\s*>")
_CLOSERS = re.compile(rb"\s*(?:</[^<>]{1,200}>\s*)+")


class BrokenPiece(msgspec.Struct, frozen=True):
    """A part of the file that is no XML, or is beyond the bounds."""

    raw: bytes
    line: int
    path: str
    """The elements that were open: `POSLog/Transaction/RetailTransaction`."""
    reason: str


Piece = FoundTransaction | BrokenPiece


class Journal:
    """One POSLog file, in memory as bytes."""

    def __init__(self, content: bytes) -> None:
        """Raises FileRejected when it is no XML at all or carries a DTD."""
        self._content, self.misdeclared = _as_utf8(content)
        if b"<" not in self._content:
            raise FileRejected("The file is no XML")
        first = next(_starts(self._content, 0), len(self._content))
        if self._content.find(b"<!DOCTYPE", 0, first) >= 0:
            raise FileRejected(DTD_REFUSED)
        self._head = self._content[: min(_HEAD, first)]
        # How far lines have been counted: (offset, line).
        self._counted = (0, 1)

    def pieces(self) -> Iterator[Piece]:
        """Everything in the file, in order; raises FileRejected, before the first one, when there is nothing."""
        offset, breaks = 0, 0
        while (fault := (yield from self._pull(offset))) is not None:
            breaks += 1
            raw, following = self._broken_part(offset, fault)
            if following is not None and breaks >= MAX_BREAKS:
                raw, following = self._content[offset:], None
                fault = msgspec.structs.replace(fault, reason=f"Broken in more than {MAX_BREAKS} places")
            if raw is not None:
                yield BrokenPiece(raw, fault.line, fault.path, fault.reason)
            if following is None:
                return
            offset = following

    def opening(self) -> bytes:
        """The beginning of a root element with the namespaces that the file's own beginning declares."""
        declared = {match[1]: match[2] for match in _NAMESPACE.finditer(self._head)}
        return b"<" + b" ".join([self.root(), *(b"=".join(each) for each in declared.items())]) + b">"

    def root(self) -> bytes:
        """The root element's name; POSLog where there is none around the transactions."""
        match = _ROOT.search(self._head)
        prefix = b"" if match is None else match[1].rpartition(b":")[0]
        # A prefix that is declared nowhere in reach would be one more thing that is wrong.
        known = match is not None and (not prefix or b"xmlns:" + prefix in self._head)
        return match[1] if match is not None and known else b"POSLog"

    def _pull(self, offset: int) -> Generator[FoundTransaction, None, Fault | None]:
        pull = Pull(self._chunks(offset), self._line_at(offset), from_the_top=offset == 0)
        yield from pull.transactions()
        return pull.fault

    def _chunks(self, offset: int) -> Iterator[bytes]:
        if offset:
            yield self.opening()
        for start in range(offset, len(self._content), _CHUNK):
            yield self._content[start : start + _CHUNK]

    def _line_at(self, offset: int) -> int:
        counted, line = self._counted
        self._counted = (offset, line + self._content.count(b"\n", counted, offset))
        return self._counted[1]

    def _broken_part(self, offset: int, fault: Fault) -> tuple[bytes | None, int | None]:
        """The bytes that the fault makes unreadable (None: nothing is lost), and where the next transaction begins."""
        starts = _starts(self._content, offset)
        begin, end = offset, offset
        if fault.started:
            begin = next((start for nth, start in enumerate(starts, 1) if nth == fault.started), offset)
        elif offset:
            next(starts, None)  # the transaction at the offset itself is the one that cannot be read
        following = next(starts, None)
        if offset == 0 and not fault.started:
            if following is None:
                raise FileRejected(f"The file is no POSLog: {fault.reason}")
            return self._content[:following], following
        limit = len(self._content) if following is None else following
        if fault.inside or not fault.started:
            ends = [match.end() for match in _END.finditer(self._content, begin, limit)]
            return self._content[begin : ends[-1] if ends else limit], following
        match = _END.search(self._content, begin, limit)
        end = limit if match is None else match.end()
        rest = self._content[end:limit]
        if offset and following is None and len(rest) <= _TAIL and _CLOSERS.fullmatch(rest):
            return None, None  # just the end of elements that were opened before the offset
        return rest, following


def _starts(content: bytes, position: int) -> Iterator[int]:
    """Where transactions begin, those in comments and CDATA left out."""
    while match := _MARK.search(content, position):
        closing = _CLOSING_MARKS.get(match[0])
        if closing is None:
            yield match.start()
            position = match.end()
            continue
        end = content.find(closing, match.end())
        if end < 0:
            return
        position = end + len(closing)


def _as_utf8(content: bytes) -> tuple[bytes, bool]:
    """The content in UTF-8, and whether it is called UTF-8 and is not (then it is read as Windows-1252)."""
    for mark, encoding in _BEGINNINGS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace").encode("utf-8", "replace"), False
    declared = _ENCODING.search(content[:_TAIL])
    encoding = "utf-8" if declared is None else declared[1].decode("ascii").lower()
    if encoding in ("utf-8", "utf8", "us-ascii", "ascii"):
        if _is_utf8(content):
            return content, False
        return content.decode("windows-1252", "replace").encode("utf-8"), True
    try:
        return content.decode(encoding, "replace").encode("utf-8", "replace"), False
    except (LookupError, UnicodeError):
        raise FileRejected(f"The file's encoding {encoding} is unknown; send it in UTF-8") from None


def _is_utf8(content: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
