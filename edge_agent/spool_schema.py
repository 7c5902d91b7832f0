"""The spool's file: its tables, how it is opened, and the proof that it is as durable as the agent promises.

**Why one connection.** SQLite 3.7.0 to 3.51.2 (except 3.44.6 and 3.50.7 of their series) can corrupt a
database in WAL mode when one connection resets the log while another one reads or checkpoints. Many store PCs
carry such a version, Debian 12 among them. It needs two connections; the agent has one. The folder's lock
keeps a second agent out, `locking_mode=EXCLUSIVE` keeps everybody else out of the file and the WAL index in
this process's own memory (there is no `-shm` file to share), and the command line talks to the agent instead
of opening the file. Any version from MINIMUM_SQLITE on is therefore safe by construction. See docs/decisions.

**Why WAL and synchronous=FULL.** A till is answered after COMMIT, and a committed transaction must survive
the plug being pulled: FULL syncs the log at every commit, NORMAL would not. Both are read back, since SQLite
answers a pragma that it cannot follow with the old value and no error.
"""

import sqlite3
from pathlib import Path

from edge_agent.errors import SpoolDamaged, SpoolFault, SpoolFull, SpoolUnsafe

MINIMUM_SQLITE = (3, 35, 0)
"""The oldest version whose SQL (`RETURNING`) the spool uses."""

SCHEMA_VERSION = 4
APPLICATION_ID = 0x54534541
"""'TSEA' in the file's header, so that `file` and people recognise it."""

CACHE_KIB = 2048
"""Pages held in memory; the index's upper levels fit even with a million buffered events."""

CHECKPOINT_PAGES = 256
"""Pages (1 MiB) after which the log is brought into the file and begun again. A short log is soon one that is
overwritten and not lengthened, and syncing it then costs a third less: the file system has no size to record."""

_SCHEMA = """
-- One numbered sequence of events. A reinstalled, restored or repaired agent starts a new one; the sequence
-- of an event is its position − first_position + 1, so it is given by the very insert and can have no gap.
CREATE TABLE stream (
  stream_no      INTEGER PRIMARY KEY,
  stream_id      TEXT NOT NULL UNIQUE,
  first_position INTEGER NOT NULL UNIQUE,
  started_at     TEXT NOT NULL
);
-- Every accepted event, in the order of acceptance; how it lies in `body` says packed_event.py.
CREATE TABLE event (
  position     INTEGER PRIMARY KEY,
  key_high     INTEGER NOT NULL, -- the 16-byte event key in two halves: only the first is in the index,
  key_low      INTEGER NOT NULL, -- which halves it; the second is compared in the row
  content_hash BLOB NOT NULL,
  business_day INTEGER NOT NULL, -- the stamped business date, as a day number
  lines_after  INTEGER NOT NULL, -- lines of the same group that follow; a batch may end only at 0
  body         BLOB NOT NULL
);
-- The index of keys, written a thousand events at a time (see event_keys.py).
CREATE TABLE event_key (
  key_high INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (key_high, position)
) WITHOUT ROWID;
-- How far things have come: where batching goes on (everything from there on was never in a batch), and up to
-- where the keys are in the index.
CREATE TABLE batching (
  only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
  next_position INTEGER NOT NULL,
  keys_through  INTEGER NOT NULL
);
-- Batches on their way. Membership and heading are kept, so that a retry sends the very same bytes. A receipt
-- deletes the row: what is in no batch, not to be sent again and before `next_position` is acknowledged.
CREATE TABLE batch (
  batch_no       INTEGER PRIMARY KEY,
  batch_id       TEXT NOT NULL UNIQUE,
  posted_at      TEXT NOT NULL,
  timezone_data  TEXT NOT NULL,
  first_position INTEGER NOT NULL,
  last_position  INTEGER NOT NULL,
  suspect        INTEGER NOT NULL DEFAULT 0 -- refused alone, no reason named; judged again after a success
);
-- Acknowledged once, missing at the server now: to be sent again.
CREATE TABLE resend (
  first_position INTEGER PRIMARY KEY,
  last_position  INTEGER NOT NULL
);
-- What the server refused for good; uploaded raw, and kept until a person has dealt with it.
CREATE TABLE undeliverable (
  position     INTEGER PRIMARY KEY,
  reason       TEXT NOT NULL,
  set_aside_at TEXT NOT NULL,
  uploaded_at  TEXT
);
-- Per stream and business date: which positions hold its events, and whether HQ has proven to hold the same.
CREATE TABLE stream_day (
  stream_no      INTEGER NOT NULL,
  business_day   INTEGER NOT NULL,
  first_position INTEGER NOT NULL,
  last_position  INTEGER NOT NULL,
  events         INTEGER NOT NULL,
  state          TEXT NOT NULL, -- CHANGED, DIFFERS or PROVEN; GIVEN_UP where headquarters has another past
  PRIMARY KEY (stream_no, business_day)
) WITHOUT ROWID;
CREATE INDEX stream_day_unproven ON stream_day (state) WHERE state <> 'PROVEN';
"""

_SCHEMA_2 = """
-- Why a stream was begun, where it was not the first (see generation.py).
ALTER TABLE stream ADD COLUMN reason TEXT;
-- Events of a former stream that wait to be taken over into the current one, as events of their own.
CREATE TABLE takeover (
  first_position INTEGER PRIMARY KEY,
  last_position  INTEGER NOT NULL
);
-- How often the file was opened by a running agent; a second file remembers it too (see generation.py).
CREATE TABLE generation (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  counter  INTEGER NOT NULL
);
INSERT INTO generation VALUES (1, 0);
-- Damaged files that were set aside, and how far what can be read of them has been taken over (see salvage.py).
CREATE TABLE salvage (
  file        TEXT PRIMARY KEY,
  set_aside   TEXT NOT NULL,
  reason      TEXT NOT NULL,
  acknowledged INTEGER NOT NULL,            -- headquarters surely has what stands up to here
  through     INTEGER NOT NULL DEFAULT 0, -- positions of that file up to here are done
  recovered   INTEGER NOT NULL DEFAULT 0,
  unreadable  INTEGER NOT NULL DEFAULT 0,
  finished_at TEXT
);
-- What is left of pruned events: the content hashes that digests of their days are made of, 32 bytes each.
CREATE TABLE pruned (
  first_position INTEGER PRIMARY KEY,
  stream_no      INTEGER NOT NULL,
  business_day   INTEGER NOT NULL,
  hashes         BLOB NOT NULL
);
CREATE INDEX pruned_day ON pruned (stream_no, business_day);
"""

_SCHEMA_3 = """
-- From here on events are stored packed (see packed_event.py); those that are there already stay as they are.
-- What somebody in the store has given up and headquarters is still to be told of.
CREATE TABLE given_up (
  position     INTEGER PRIMARY KEY,
  content_hash BLOB NOT NULL,
  reason       TEXT NOT NULL
);
"""

_SCHEMA_4 = """
-- What of former streams was, or will be, taken over: it is not sent under its old sequences any more.
CREATE TABLE moved (
  first_position INTEGER PRIMARY KEY,
  last_position  INTEGER NOT NULL
);
"""

_STEPS = (_SCHEMA, _SCHEMA_2, _SCHEMA_3, _SCHEMA_4)
"""What makes each version out of the one before."""


def open_spool_file(path: Path) -> sqlite3.Connection:
    """The one connection to the spool, made if need be, in autocommit mode; transactions are spelled out.

    Raises SpoolUnsafe when the file cannot give the guarantees, SpoolFull or SpoolFault when it cannot be
    opened.
    """
    if sqlite3.sqlite_version_info < MINIMUM_SQLITE:
        raise SpoolUnsafe(
            f"SQLite {sqlite3.sqlite_version} is too old for the spool; install Python with 3.35 or newer."
        )
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2)
    except sqlite3.Error as error:
        raise fault(error, path) from error
    try:
        _demand_guarantees(connection, path)
        _bring_up_to_date(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise fault(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _demand_guarantees(connection: sqlite3.Connection, path: Path) -> None:
    # The locking mode comes first: entered before the first access in WAL mode, it keeps the WAL index on the
    # heap.
    required = {"locking_mode": "exclusive", "journal_mode": "wal", "synchronous": 2}
    for pragma, wanted in required.items():
        connection.execute(f"PRAGMA {pragma} = {wanted}").fetchall()
    for pragma in ("fullfsync", "checkpoint_fullfsync"):  # macOS: fsync alone stops at the drive's cache
        connection.execute(f"PRAGMA {pragma} = 1")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("BEGIN EXCLUSIVE")  # takes the file's lock now, and in this locking mode keeps it
    connection.execute("COMMIT")
    for pragma, wanted in required.items():
        found = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        if found != wanted:
            raise SpoolUnsafe(
                f"The spool {path} has {pragma} {found!r} instead of {wanted!r}, so an accepted sale might "
                "not survive a power cut; put the data folder on a local disk (not on a network share)."
            )


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise SpoolUnsafe(
            f"The spool {path} was written by a newer agent (schema {version}); install that version again."
        )
    if version == SCHEMA_VERSION:
        return
    steps = "".join(_STEPS[version:])
    connection.executescript(
        f"BEGIN;{steps}PRAGMA application_id = {APPLICATION_ID};PRAGMA user_version = {SCHEMA_VERSION};COMMIT;"
    )


_OUT_OF_SPACE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE}
"""A write that the disk refuses: no space (FULL), or a quota or file size limit (the others)."""
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BAD_SECTORS = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}


def fault(error: sqlite3.Error, path: Path) -> SpoolFull | SpoolFault:
    """SQLite's error in the agent's own words."""
    code = getattr(error, "sqlite_errorcode", None)
    if code in _OUT_OF_SPACE:
        return SpoolFull(
            f"The disk under {path.parent} is full or refuses to grow the spool; nothing was accepted. "
            "Free some space."
        )
    if code is not None and code & 0xFF == sqlite3.SQLITE_BUSY:
        return SpoolFault(
            f"Another program has the spool {path} open; close it, only the running agent may open it."
        )
    kind = SpoolFault
    if code is not None and (code & 0xFF in _DAMAGE or code in _BAD_SECTORS):
        kind = SpoolDamaged
    return kind(f"The spool {path} cannot be read or written ({error}); check the disk, then call support.")
