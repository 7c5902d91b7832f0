"""Whom the embedded PostgreSQL runs as, and that this account reaches its folders.

PostgreSQL refuses to run as root. Started by root (a container, a trial on a fresh machine) the cluster
gets a system account of its own; started by anybody else it runs as that person.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sync_server.errors import EmbeddedPostgresFailed

ACCOUNT_NAME = "tillsync-postgres"
MAX_SOCKET_PATH = 107
"""Characters of a Unix socket's path that the kernel takes."""


@dataclass(frozen=True, slots=True)
class PostgresAccount:
    """The account to switch to, or none where PostgreSQL runs as whoever starts it."""

    user: int | None = None
    group: int | None = None

    @property
    def extra_groups(self) -> tuple[int, ...] | None:
        """No further group follows to another account."""
        return None if self.user is None else ()

    def make_folder(self, folder: Path) -> None:
        """Creates `folder` for this account alone; refuses one that somebody else made in a shared place."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid not in (os.geteuid(), self.user):
            raise EmbeddedPostgresFailed(f"{folder} belongs to another user; remove it and start again.")
        self._own(folder)
        folder.chmod(0o700)

    def write_file(self, path: Path, text: str) -> None:
        """Replaces the content of `path`, readable by this account alone."""
        path.touch(mode=0o600)
        path.write_text(text)
        self._own(path)

    def _own(self, path: Path) -> None:
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def account_for_postgres(data_dir: Path, programs: Path, announce: Callable[[str], None]) -> PostgresAccount:
    """The account that runs PostgreSQL here; folders are made reachable for one that is not ours."""
    if os.geteuid() != 0:
        return PostgresAccount()
    entry = _system_account()
    for folder in _closed_folders((data_dir, programs)):
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
        announce(
            f"{folder} may now be passed through by other accounts, since {ACCOUNT_NAME} must reach its files"
        )
    return PostgresAccount(user=entry.pw_uid, group=entry.pw_gid)


def socket_folder(data_dir: Path) -> Path:
    """The folder of the cluster's socket: in the data folder, else a short one derived from it."""
    near = data_dir / "postgres-socket"
    if len(os.fsencode(near / ".s.PGSQL.5432.lock")) <= MAX_SOCKET_PATH:
        return near
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tillsync-{digest}"


def _system_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        pass
    useradd = shutil.which("useradd")
    if useradd is None:
        raise EmbeddedPostgresFailed(
            f"PostgreSQL does not run as root; there is no account {ACCOUNT_NAME} and no useradd to make it. "
            "Start the server as an ordinary user, or name a PostgreSQL in SYNC_SERVER_DATABASE_URL."
        )
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT_NAME]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        raise EmbeddedPostgresFailed(
            f"PostgreSQL does not run as root, and its account {ACCOUNT_NAME} could not be made: "
            f"{done.stderr.strip()}. Start the server as an ordinary user instead."
        ) from None


def _closed_folders(targets: Iterable[Path]) -> Iterable[Path]:
    """Every folder on the way to `targets` that other accounts may not pass through."""
    folders = {folder for target in targets for folder in (target, *target.parents)}
    return sorted(folder for folder in folders if not folder.stat().st_mode & stat.S_IXOTH)
