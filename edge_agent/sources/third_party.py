"""Sources of somebody else's making, as `[[source]]` names them."""

import importlib
import re
from typing import Any

from edge_agent.errors import SettingsError
from edge_agent.sources import PosSource
from edge_agent.sources.way_in import WayIn

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


def third_party_name(index: int, raw: Any) -> str:
    """The name of one `[[source]]`; raises SettingsError."""
    name = raw.get("name") if type(raw) is dict else None
    if type(name) is not str or not _NAME.fullmatch(name):
        raise SettingsError(
            f"agent.toml, [source.{index}]: the name must be 1 to 40 small letters, digits and dashes; correct it."
        )
    return name


def third_party_source(raw: dict[str, Any], way_in: WayIn) -> PosSource:
    """The source that `use` names, made with the other keys of its table; raises SettingsError."""
    options = {key: value for key, value in raw.items() if key not in ("name", "use")}
    module, _, attribute = str(raw.get("use", "")).partition(":")
    place = f"agent.toml, [source.{way_in.name}]"
    try:
        make = getattr(importlib.import_module(module), attribute)
        source: PosSource = make(way_in, **options)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(
            f"{place}: use must be 'module:class' of an installed package ({error}); correct it or install it."
        ) from error
    except TypeError as error:
        raise SettingsError(f"{place}: the keys do not fit {raw['use']} ({error}); correct them.") from error
    return source
