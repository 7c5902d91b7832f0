"""The version of the installed program: written once, in pyproject.toml."""

from functools import lru_cache
from importlib.metadata import version


@lru_cache(maxsize=1)
def program_version() -> str:
    """Such as `0.1.0`; on every answer, in every log of a start, shown by `--version`."""
    return version("tillsync")
