"""Pure: how a till writes a date and time → ISO 8601, as the wire wants it.

Formats are a subset of strptime's that means the same on every machine: no names of days, no locale. A bare
local time stays bare: the store's zone is applied where the event is stamped. A time with an offset keeps it.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

Reader = Callable[[Any], str]

ISO, EPOCH, EPOCH_MILLISECONDS = "iso", "epoch", "epoch-ms"
"""Formats with a name: ISO 8601 as it stands, seconds or milliseconds since 1970 in UTC."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIGITS = {"d": ("day", 2), "m": ("month", 2), "H": ("hour", 2), "I": ("hour12", 2), "M": ("minute", 2),
           "S": ("second", 2), "y": ("short_year", 2), "Y": ("year", 4), "f": ("fraction", 9)}  # fmt: skip
_WORDS = {"b": ("month_name", "[A-Za-z]{3}"), "p": ("half", "[AaPp]\\.?[Mm]\\.?"),
          "z": ("offset", "Z|[+-][0-9]{2}:?[0-9]{2}")}  # fmt: skip
DIRECTIVES = frozenset(_DIGITS) | frozenset(_WORDS) | {"%"}
_PIVOT = 70
"""Two digits from here on are of the last century: the wire knows no year before 1970."""
_LONGEST = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def compile_format(text: str) -> re.Pattern[str]:
    """The pattern of a format; ValueError says what it must be."""
    parts: list[str] = []
    position, seen = 0, set[str]()
    while position < len(text):
        if text[position] != "%":
            parts.append(r"\s+" if text[position].isspace() else re.escape(text[position]))
            position += 1
            continue
        directive = text[position + 1 : position + 2]
        if directive not in DIRECTIVES:
            known = " ".join(f"%{name}" for name in sorted(DIRECTIVES))
            raise ValueError(f"has %{directive}, which is none of {known}")
        position += 2
        if directive != "%" and directive in seen:
            raise ValueError(f"has %{directive} twice")
        seen.add(directive)
        parts.append(_pattern(directive, adjoins=text[position : position + 1] == "%"))
    if not seen >= {"d"} or not seen & {"m", "b"} or not seen & {"y", "Y"}:
        raise ValueError("must have day, month and year, such as %d.%m.%Y %H:%M")
    if "I" in seen and "p" not in seen:
        raise ValueError("has %I without %p, which leaves open whether it is morning")
    return re.compile("".join(parts), re.ASCII)


def _pattern(directive: str, *, adjoins: bool) -> str:
    if directive == "%":
        return "%"
    if directive in _WORDS:
        name, pattern = _WORDS[directive]
        return f"(?P<{name}>{pattern})"
    name, digits = _DIGITS[directive]
    # 2026211 might be two dates; digits without anything between them come in full.
    least = digits if (adjoins or directive in "yY") and directive != "f" else 1
    return f"(?P<{name}>[0-9]{{{least},{digits}}})"


def moment_reader(text: str, *, utc: bool = False) -> Reader:
    """A reader of date-times in the format `text`; ValueError when the format makes no sense.

    `utc` says that a time without an offset is UTC, not the store's local time.
    """
    read = _moment_reader(text)
    return (lambda value: _in_utc(read(value))) if utc else read


def _in_utc(moment: str) -> str:
    return (
        moment if moment.endswith("Z") or re.search(r"[+-][0-9]{2}:?[0-9]{2}$", moment[10:]) else f"{moment}Z"
    )


def _moment_reader(text: str) -> Reader:
    if text in (ISO, EPOCH, EPOCH_MILLISECONDS):
        return lambda value: _stored_moment(value, text)
    pattern = compile_format(text)
    if {"hour", "hour12"}.isdisjoint(pattern.groupindex):
        raise ValueError("has no time of day; give %H:%M as well, or map the column to businessDate")
    return lambda value: _read(value, pattern, text)[0] if type(value) is str else _stored_moment(value, ISO)


def date_reader(text: str) -> Reader:
    """A reader of dates in the format `text`, whose time of day, if it has one, is left out."""
    if text in (EPOCH, EPOCH_MILLISECONDS):
        raise ValueError("must be a date's; an instant since 1970 has no business date of its own")
    if text == ISO:
        return _stored_date
    pattern = compile_format(text)
    return lambda value: _read(value, pattern, text)[1] if type(value) is str else _stored_date(value)


def _read(value: str, pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.fullmatch(value.strip()) if len(value) <= _LONGEST else None
    if found is None:
        raise ValueError(f"must be written as {text}")
    parts = found.groupdict()
    try:
        day = date(_year(parts), _month(parts), int(parts["day"]))
        clock = time(_hour(parts), int(parts.get("minute") or 0), int(parts.get("second") or 0))
    except ValueError as error:
        raise ValueError(f"must be a date and time that exist: {error}") from None
    fraction = f".{parts['fraction']}" if parts.get("fraction") else ""
    moment = f"{day.isoformat()}T{clock.isoformat('seconds')}{fraction}{parts.get('offset') or ''}"
    return moment, day.isoformat()


def _year(parts: dict[str, str | Any]) -> int:
    if "year" in parts:
        return int(parts["year"])
    short = int(parts["short_year"])
    return short + (1900 if short >= _PIVOT else 2000)


def _month(parts: dict[str, str | Any]) -> int:
    if "month" in parts:
        return int(parts["month"])
    name = parts["month_name"].lower()
    if name not in _MONTHS:
        raise ValueError(f"{name!r} is no English month of three letters")
    return _MONTHS.index(name) + 1


def _hour(parts: dict[str, str | Any]) -> int:
    if "hour12" not in parts:
        return int(parts.get("hour") or 0)
    hour = int(parts["hour12"])
    if not 1 <= hour <= 12:
        raise ValueError("hour must be in 1..12")
    return hour % 12 + (12 if parts["half"][0] in "Pp" else 0)


def _stored_moment(value: Any, form: str) -> str:
    """A date-time as a database driver, or SQLite, hands it over."""
    if isinstance(value, datetime):
        return value.isoformat()
    if form == ISO and type(value) is str:
        return value.strip()
    if form != ISO and type(value) is str and value.strip().isdecimal() and len(value) < 20:
        value = int(value)
    if form != ISO and type(value) is int and 0 <= value < 10**14:
        step = timedelta(seconds=value) if form == EPOCH else timedelta(milliseconds=value)
        try:
            return (_EPOCH + step).isoformat()
        except OverflowError:
            pass
    raise ValueError("must be a date and time")


def _stored_date(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if type(value) is str:
        return value.strip()[:10]
    raise ValueError("must be a date")
