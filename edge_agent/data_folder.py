"""Where everything of one agent lies: a single folder, so that it can be found, backed up and handed over."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from edge_agent.errors import SettingsError


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The paths below one data folder; nothing is created until `create` is called."""

    root: Path

    @property
    def configuration(self) -> Path:
        """The TOML file that `init` writes."""
        return self.root / "agent.toml"

    @property
    def lock(self) -> Path:
        """Held by the process that owns the folder; names its pid."""
        return self.root / "agent.lock"

    @property
    def device(self) -> Path:
        """The id that this agent gave itself before it ever spoke to a server."""
        return self.root / "device.json"

    @property
    def enrolment(self) -> Path:
        """Which store and which server the agent belongs to."""
        return self.root / "enrolment.json"

    @property
    def credential(self) -> Path:
        """The device's secret, readable by the service's own account alone."""
        return self.root / "credential"

    @property
    def signing_key(self) -> Path:
        """The private half of the device's Ed25519 key, readable by the service's own account alone."""
        return self.root / "signing-key"

    @property
    def profile(self) -> Path:
        """The store's profile as last heard, so that a start needs no line."""
        return self.root / "profile.json"

    @property
    def spool_file(self) -> Path:
        """The durable queue; only the running agent opens it."""
        return self.root / "spool" / "spool.sqlite3"

    @property
    def drop_in(self) -> Path:
        """Where files with events are dropped."""
        return self.root / "spool" / "in"

    @property
    def drop_done(self) -> Path:
        """Where files go whose events are durable."""
        return self.root / "spool" / "done"

    @property
    def drop_rejected(self) -> Path:
        """Where goes what could not be understood, each with an `.error.json` beside it."""
        return self.root / "spool" / "rejected"

    @property
    def positions(self) -> Path:
        """How far each source that walks through somebody else's records has come."""
        return self.root / "positions"

    @property
    def undeliverable(self) -> Path:
        """What the agent itself refused, raw and bounded."""
        return self.root / "undeliverable"

    @property
    def given_up(self) -> Path:
        """What somebody discarded of the undeliverable, one line each, with the reason."""
        return self.undeliverable / "discarded.ndjson"

    @property
    def commands(self) -> Path:
        """What headquarters asked for, and what came of it."""
        return self.root / "commands"

    @property
    def exports(self) -> Path:
        """Where the running agent writes what is to be carried to headquarters by hand."""
        return self.root / "exports"

    @property
    def log(self) -> Path:
        """The agent's own log files, bounded."""
        return self.root / "log"

    def create(self) -> None:
        """Makes the folder and those below it; folders that exist stay as they are."""
        try:
            folders = (
                self.drop_in,
                self.drop_done,
                self.drop_rejected,
                self.undeliverable,
                self.positions,
                self.commands,
                self.exports,
                self.log,
            )
            for path in folders:
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"The data folder {self.root} cannot be made ({error.strerror}); "
                "choose another with --data-dir or give this account the right to write there."
            ) from error


def default_data_dir() -> Path:
    """The folder that is used when nobody names one: the machine's on Windows, the account's elsewhere."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "TillSync" / "edge-agent"
    return Path.home() / ".tillsync" / "edge-agent"


def write_durably(path: Path, content: bytes, *, secret: bool = False) -> None:
    """Replaces `path` with `content` in one step that survives a power cut; `secret` makes it 0600."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if secret else 0o644)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        fresh.unlink(missing_ok=True)  # on a full disk the half of it would be in the way
        raise
    move_durably(fresh, path)


def move_durably(source: Path, target: Path) -> None:
    """Renames within one file system, so that after a power cut the file lies at one of the two places."""
    source.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Brings a folder's entries to the disk; Windows keeps them safe without being asked."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
