"""Pure: which code pages a file may be in, and its bytes as they can be cut into lines.

Lines are cut before they are decoded, so that one bad byte costs one line. That needs a code page in which a
line end is one byte of its own; UTF-16, as spreadsheets export it, is turned into UTF-8 first.
"""

import codecs
import re
from typing import NamedTuple

_KNOWN = re.compile(
    r"ascii|cp\d+|utf-8|utf-8-sig|utf-16|utf-16-le|utf-16-be|iso8859-\d+|koi8-[rut]|mac-\w+|hp-roman8|ptcp154|"
    r"big5|big5hkscs|gbk|gb2312|gb18030|shift_jis|shift_jis_2004|euc_jp|euc_kr|johab|tis-620|kz1048"
)
_EBCDIC = re.compile(r"cp(037|273|424|500|875|1026|1140)")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class EncodedText(NamedTuple):
    """Text whose lines may be cut at its bytes."""

    content: bytes
    encoding: str
    start: int
    """Where the text begins, behind a byte order mark."""


def code_page(name: str) -> str:
    """The code page of that name as Python calls it; ValueError says that it is none of those we read."""
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):  # a NUL in the name is a ValueError
        known = ""
    if not _KNOWN.fullmatch(known) or _EBCDIC.fullmatch(known):
        raise ValueError(
            f"{name!r} is no code page that can be read; utf-8, cp1252, cp850 and cp437 are frequent"
        )
    return known


def readable(content: bytes, encoding: str) -> EncodedText:
    """The text of a file; ValueError when it is UTF-16 and broken. A byte order mark outranks `encoding`."""
    start = 0
    for mark, marked in _MARKS:
        if content.startswith(mark):
            start, encoding = len(mark), marked
            break
    if encoding.startswith("utf-16"):
        try:
            return EncodedText(content[start:].decode(encoding).encode("utf-8"), "utf-8", 0)
        except UnicodeError as error:
            raise ValueError(f"The file is no {encoding}: {error}; see the profile's encoding") from None
    return EncodedText(content, "utf-8" if encoding == "utf-8-sig" else encoding, start)
