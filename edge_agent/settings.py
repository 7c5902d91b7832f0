"""Every setting of the agent, declared once: name, default, unit, sentence, bounds.

Read from the TOML file in the data folder, then from the environment (`EDGE_AGENT_…`), then from flags; the
later wins. `docs/settings.md` is held against this file by a test.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from edge_agent.data_folder import default_data_dir
from edge_agent.errors import SettingsError

ENVIRONMENT_PREFIX = "EDGE_AGENT_"
SOURCE_TABLES = frozenset({"csv", "database", "poslog", "source"})
"""Tables of the file that describe sources; each source reads its own and names what is wrong in it."""


def _setting(
    default: Any, unit: str, sentence: str, *, least: float | None = None, most: float | None = None
) -> Any:
    return field(default=default, metadata={"unit": unit, "sentence": sentence, "least": least, "most": most})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The values in force."""

    data_dir: Path = _setting(
        Path(), "folder", "Where the agent keeps everything; default: the account's data folder."
    )
    server_url: str = _setting(
        "", "URL", "Headquarters' address; empty means the one that the agent was enrolled with."
    )
    port: int = _setting(
        9013,
        "TCP port",
        "Where tills reach the agent, on 127.0.0.1 only; 0 takes a free one.",
        least=0,
        most=65535,
    )
    token_file: str = _setting(
        "", "file", "When named, tills must send this file's content as a Bearer token; empty asks for none."
    )
    ca_file: str = _setting(
        "",
        "file",
        "PEM file with the certificate authority of a server that the public ones do not vouch for.",
    )
    log_level: str = _setting("INFO", "level", "How much is logged: DEBUG, INFO, WARNING or ERROR.")
    batch_max_events: int = _setting(
        500,
        "events",
        "Events in one batch, groups never cut; the server's own limit holds as well.",
        least=1,
        most=10000,
    )
    batch_max_bytes: int = _setting(
        1_048_576,
        "bytes",
        "Bytes of one batch before compression; the server's own limit holds as well.",
        least=1024,
        most=16_777_216,
    )
    connect_timeout: float = _setting(
        10.0, "seconds", "How long a connection to the server may take.", least=0.1, most=300
    )
    answer_timeout: float = _setting(
        60.0, "seconds", "How long the server may take to answer a request.", least=0.1, most=3600
    )
    retry_first: float = _setting(
        1.0,
        "seconds",
        "Upper bound of the first pause after a failed try; it doubles with every further one.",
        least=0.01,
        most=3600,
    )
    retry_cap: float = _setting(
        60.0,
        "seconds",
        "Upper bound of every pause between tries; each is drawn at random below its bound.",
        least=0.01,
        most=86400,
    )
    retry_after_cap: float = _setting(
        900.0, "seconds", "The longest pause that a server's Retry-After is granted.", least=1, most=86400
    )
    heartbeat_interval: float = _setting(
        60.0,
        "seconds",
        "How often the agent says how it is and compares sequences with the server.",
        least=0.1,
        most=86400,
    )
    profile_interval: float = _setting(
        3600.0, "seconds", "How often the store's profile is fetched.", least=0.1, most=604800
    )
    day_close_interval: float = _setting(
        60.0,
        "seconds",
        "How often digests of finished business days are sent until they are proven.",
        least=0.1,
        most=86400,
    )
    file_drop_interval: float = _setting(
        1.0, "seconds", "How often spool/in is looked through.", least=0.05, most=3600
    )
    file_drop_settle: float = _setting(
        1.0,
        "seconds",
        "How long a dropped file must not have changed before it is taken.",
        least=0,
        most=3600,
    )
    call_support_after: float = _setting(
        86400.0,
        "seconds",
        "How long sales may wait for headquarters before the store's page says to call support.",
        least=1,
        most=31_536_000,
    )
    undeliverable_max_bytes: int = _setting(
        67_108_864,
        "bytes",
        "What the agent refused is kept raw up to this size; the oldest goes first.",
        least=65536,
        most=10_737_418_240,
    )
    retention_days: int = _setting(
        90,
        "days",
        "How long events that headquarters has acknowledged are kept, so that they can be sent again.",
        least=1,
        most=3650,
    )
    disk_warning_bytes: int = _setting(
        536_870_912,
        "bytes",
        "Below this much free space an alarm is raised; everything still works.",
        least=0,
        most=1_099_511_627_776,
    )
    disk_reserve_bytes: int = _setting(
        16_777_216,
        "bytes",
        "Kept free for the agent itself: with less than half of it left beside, tills are refused.",
        least=65536,
        most=1_073_741_824,
    )
    disk_check_interval: float = _setting(
        5.0, "seconds", "How often the disk is looked at.", least=0.05, most=3600
    )


def described() -> list[tuple[str, Any, str, str]]:
    """(name, default, unit, sentence) of every setting, in the order of declaration."""
    return [(f.name, f.default, f.metadata["unit"], f.metadata["sentence"]) for f in fields(Settings)]


def read_settings(
    flags: Mapping[str, Any], environment: Mapping[str, str], configuration: Path | None = None
) -> Settings:
    """The settings in force; raises SettingsError that names the setting and where its value came from.

    `flags` holds the values given on the command line (None: not given). The TOML file is `configuration`, or
    `agent.toml` in the data folder.
    """
    given = _from_environment(environment)
    given.update(
        {name: (value, f"--{name.replace('_', '-')}") for name, value in flags.items() if value is not None}
    )
    data_dir = Path(given["data_dir"][0]) if "data_dir" in given else default_data_dir()
    file = configuration or data_dir / "agent.toml"
    values = {**_from_file(file), **given}
    values.pop("data_dir", None)
    read = {name: _read(name, value, origin) for name, (value, origin) in values.items()}
    return Settings(data_dir=data_dir.absolute(), **read)


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    names = {f"{ENVIRONMENT_PREFIX}{f.name.upper()}": f.name for f in fields(Settings)}
    return {names[key]: (value, key) for key, value in environment.items() if key in names}


def read_source_table(path: Path, name: str) -> Any:
    """What the TOML file says under one of SOURCE_TABLES; None when it says nothing. Raises SettingsError."""
    return _load(path).get(name)


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"The configuration {path} cannot be read ({error}); correct it or remove it."
        ) from error


def _from_file(path: Path) -> dict[str, tuple[Any, str]]:
    values = _load(path)
    values = {name: value for name, value in values.items() if name not in SOURCE_TABLES}
    known = {f.name for f in fields(Settings)} - {"data_dir"}
    if unknown := sorted(set(values) - known):
        raise SettingsError(
            f"The configuration {path} names {unknown[0]!r}, which is no setting; correct its name."
        )
    return {name: (value, str(path)) for name, value in values.items()}


_DECLARED = {f.name: f for f in fields(Settings)}


def _read(name: str, value: Any, origin: str) -> Any:
    """One value in its declared type and within its bounds."""
    declared = _DECLARED[name]
    kind: type[Any] = type(declared.default)
    try:
        if type(value) is bool or not isinstance(value, str | int | float):
            raise ValueError
        read = kind(value)
        if kind is int and str(read) != str(value).strip():
            raise ValueError
    except ValueError:
        wanted = {int: "a whole number", float: "a number"}.get(kind, "a text")
        raise SettingsError(f"{origin}: {name} must be {wanted}, not {value!r}; correct it.") from None
    least, most = declared.metadata["least"], declared.metadata["most"]
    if (least is not None and not read >= least) or (most is not None and not read <= most):
        raise SettingsError(
            f"{origin}: {name} must be between {least:g} and {most:g}, not {value!r}; correct it."
        )
    if name == "log_level" and read not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingsError(
            f"{origin}: log_level must be DEBUG, INFO, WARNING or ERROR, not {value!r}; correct it."
        )
    return read


def configuration_template(chosen: Mapping[str, Any]) -> str:
    """The file that `init` writes: every setting with its sentence, at its default unless `chosen`."""
    lines = ["# Configuration of the TillSync edge agent. Uncomment a line to change it.", ""]
    for name, default, unit, sentence in described():
        if name == "data_dir":
            continue
        value = chosen.get(name, default)
        shown = f'"{value}"' if isinstance(value, str) else value
        lines += [f"# {sentence} ({unit})", f"{'' if name in chosen else '# '}{name} = {shown}", ""]
    return "\n".join(lines)
