"""Zones whose clocks do unusual things, and the instants at which some of them change, for tests to aim at."""

from datetime import UTC, datetime


def _at(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts]


CHANGES = {
    "America/New_York": _at("2026-03-08T07:00", "2026-11-01T06:00", "2007-03-11T07:00"),
    "Europe/Berlin": _at("2026-03-29T01:00", "2026-10-25T01:00"),
    "Australia/Lord_Howe": _at("2026-10-03T15:30", "2026-04-04T15:00"),
    "Africa/Casablanca": _at("2026-02-15T02:00", "2026-03-22T02:00", "2018-10-28T02:00"),
    "Africa/Cairo": _at("2026-04-23T22:00", "2026-10-29T21:00"),
    "America/Sao_Paulo": _at("2017-10-15T03:00", "2018-02-18T02:00"),
    "Asia/Beirut": _at("2026-03-28T22:00", "2026-10-24T21:00"),
    "Pacific/Apia": _at("2011-12-30T10:00", "2011-09-24T14:00", "2012-03-31T14:00"),
    "Asia/Kathmandu": _at("2026-01-01T00:00"),
    "America/Caracas": _at("2007-12-09T07:00", "2016-05-01T07:00"),
    "UTC": _at("2016-12-31T23:59"),
}
ZONES = sorted(CHANGES)
