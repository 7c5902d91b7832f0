"""The loopback door as both sides of it see it: the running agent and the command line."""

from pathlib import Path

from edge_agent.errors import SettingsError

LOOPBACK = "127.0.0.1"
"""The agent is reached from its own PC alone; there is no setting for another address."""

LIGHT_PATH = "/v1/light"
STATUS_PATH = "/v1/status"
EVENTS_PATH = "/v1/events"
FILES_PATH = "/v1/files"
DAY_DIGESTS_PATH = "/v1/day-digests"
DOCTOR_PATH = "/v1/doctor"
RESYNC_PATH = "/v1/resync"
UNDELIVERABLE_PATH = "/v1/undeliverable"
UNDELIVERABLE_SHOW_PATH = f"{UNDELIVERABLE_PATH}/show"
UNDELIVERABLE_RETRY_PATH = f"{UNDELIVERABLE_PATH}/retry"
UNDELIVERABLE_DISCARD_PATH = f"{UNDELIVERABLE_PATH}/discard"
EXPORTS_PATH = "/v1/exports"
IMPORTS_PATH = "/v1/imports"


def read_token(path: str) -> str | None:
    """The content of the token file; None when none is configured. Raises SettingsError."""
    if not path:
        return None
    try:
        token = Path(path).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The token file {path} cannot be read ({error}); correct token_file.") from error
    if not token:
        raise SettingsError(f"The token file {path} is empty; write a long random text into it.")
    return token
