"""What a killed PostgreSQL leaves behind, and when it is safe to sweep it away.

PostgreSQL refuses to start while the process named in `postmaster.pid` seems to live, be it a stranger that
got the same number or a dead one that nobody has buried. The file may only go once no process of the old
cluster is left: two of them on one folder would destroy it.
"""

import time
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")
"""Linux's view of its processes; where there is none, PostgreSQL's own check has to do."""
ORPHANS_EXIT_WITHIN_SECONDS = 30
"""Children of a killed PostgreSQL notice its death and leave; a large one takes a moment."""


def postmaster_lives(cluster: Path) -> bool:
    """Whether the process that `postmaster.pid` names is there and works in this cluster."""
    with suppress(OSError, ValueError, IndexError):
        number = (cluster / "postmaster.pid").read_text().split()[0]
        return _works_in(PROCESSES / number, cluster)
    return False


def sweep_leftovers(cluster: Path, socket_folder: Path) -> None:
    """Removes pid file and socket of a cluster that is dead beyond doubt; in doubt they stay."""
    if not (PROCESSES / "self").exists():
        return
    for _ in range(ORPHANS_EXIT_WITHIN_SECONDS * 10):
        if not _is_in_use(cluster):
            for leftover in (cluster / "postmaster.pid", *socket_folder.glob(".s.PGSQL.*")):
                leftover.unlink(missing_ok=True)
            return
        time.sleep(0.1)


def _is_in_use(cluster: Path) -> bool:
    """Whether any living process works in the cluster's folder, as every process of PostgreSQL does."""
    return any(_works_in(process, cluster) for process in PROCESSES.iterdir() if process.name.isdigit())


def _works_in(process: Path, folder: Path) -> bool:
    with suppress(OSError):
        return (process / "cwd").readlink() == folder
    return False
