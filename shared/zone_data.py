"""The zone data that the product ships (PyPI `tzdata`), never the operating system's.

A till's business date must not depend on which patches a store PC has, and HQ must compute the same date.
"""

import zoneinfo
from functools import lru_cache
from importlib.metadata import version


def use_own_zone_data() -> None:
    """Makes `zoneinfo` read the bundled data alone; both programs call it first thing."""
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()


@lru_cache(maxsize=1)
def zone_data_version() -> str:
    """The bundled data's version, such as `2026.6`; every batch names it."""
    return version("tzdata")


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """The IANA zone `name`; raises ValueError, with what to do, for a name that the data does not know."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA timezone; use a name such as Europe/Berlin") from error
