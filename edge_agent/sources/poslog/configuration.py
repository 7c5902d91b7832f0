"""What `[poslog]` in the agent's configuration says: which profile, which store, profiles of one's own."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from edge_agent.errors import SettingsError
from edge_agent.sources.poslog.profiles import BUILT_IN, STANDARD, Profile

AUTOMATIC = "auto"
"""The profile's name when it is to be found by the namespaces in scope of each transaction."""


class PoslogTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of `[poslog]`."""

    profile: str = AUTOMATIC
    """`auto`, or the name of the profile for all files."""
    store: str = ""
    """The RetailStoreID of this store; transactions of another one are refused. Empty: any is taken."""
    profiles: dict[str, dict[str, Any]] = {}
    """`[poslog.profiles.NAME]`: fields of a Profile, and `extends`, the built-in one that it starts from."""


class PoslogRules:
    """How this agent reads POSLog."""

    def __init__(
        self, profiles: Mapping[str, Profile], chosen: str = AUTOMATIC, store: str | None = None
    ) -> None:
        """`profiles` by name, those that are asked first to the front."""
        self._profiles = profiles
        self._chosen = None if chosen == AUTOMATIC else profiles[chosen]
        self.store = store

    def profile_of(self, namespaces: Iterable[str]) -> Profile:
        """The chosen profile, or that of the vendor whose namespace is among these, else the standard's."""
        if self._chosen is not None:
            return self._chosen
        in_scope = list(namespaces)
        for profile in self._profiles.values():
            if any(address.startswith(profile.namespaces) for address in in_scope):
                return profile
        return STANDARD


BY_NAMESPACE = PoslogRules(BUILT_IN)
"""The rules of an agent whose configuration says nothing of POSLog."""


def read_rules(raw: Any) -> PoslogRules:
    """The rules that the TOML table `[poslog]` states; None is no table. Raises SettingsError that names the key."""
    if raw is None:
        return BY_NAMESPACE
    try:
        table = msgspec.convert(raw, PoslogTable)
    except msgspec.ValidationError as error:
        raise SettingsError(f"The configuration's [poslog] makes no sense ({error}); correct it.") from None
    own = {name: _own_profile(name, values) for name, values in table.profiles.items()}
    profiles = {**own, **{name: profile for name, profile in BUILT_IN.items() if name not in own}}
    if table.profile != AUTOMATIC and table.profile not in profiles:
        known = ", ".join([AUTOMATIC, *profiles])
        raise SettingsError(
            f"[poslog] names the profile {table.profile!r}, which is unknown; choose one of {known}."
        )
    return PoslogRules(profiles, table.profile, table.store or None)


def _own_profile(name: str, raw: Mapping[str, Any]) -> Profile:
    values = dict(raw)
    extended = values.pop("extends", STANDARD.name)
    if extended not in BUILT_IN:
        known = ", ".join(BUILT_IN)
        raise SettingsError(
            f"[poslog.profiles.{name}] extends {extended!r}, which is unknown; choose one of {known}."
        )
    merged = msgspec.to_builtins(BUILT_IN[extended])
    for key, value in values.items():
        inherited = merged.get(key)
        # A table adds to what it inherits; everything else replaces it.
        merged[key] = (
            {**inherited, **value} if isinstance(inherited, dict) and isinstance(value, dict) else value
        )
    merged["name"] = name
    try:
        return msgspec.convert(merged, Profile)
    except msgspec.ValidationError as error:
        raise SettingsError(f"[poslog.profiles.{name}] makes no sense ({error}); correct it.") from None
