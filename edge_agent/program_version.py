"""The version of the installed program: written once, in pyproject.toml."""

from functools import lru_cache
from importlib.metadata import version


@lru_cache(maxsize=1)
def program_version() -> str:
    """Such as `0.1.0`; sent with every request, shown by status and `--version`."""
    return version("tillsync")
