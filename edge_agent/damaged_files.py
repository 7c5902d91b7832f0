"""Files that were damaged and set aside, as the spool that took their place remembers them."""

import msgspec

from edge_agent.spool import Spool


class DamagedFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that was set aside, and what came of it."""

    file: str
    set_aside: str
    reason: str
    recovered: int
    """Events that were taken over."""
    unreadable: int
    """Events that are in no page of the file any more."""
    finished_at: str | None


def damaged_files(spool: Spool) -> list[DamagedFile]:
    """Every file that was set aside, oldest first."""
    rows = spool.connection.execute(
        "SELECT file, set_aside, reason, recovered, unreadable, finished_at FROM salvage ORDER BY file"
    ).fetchall()
    names = DamagedFile.__struct_fields__
    return [DamagedFile(**dict(zip(names, row, strict=True))) for row in rows]


def forget_damaged_file(spool: Spool, name: str) -> None:
    """The file was deleted after its time."""
    with spool.transaction() as connection:
        connection.execute("DELETE FROM salvage WHERE file = ?", (name,))
