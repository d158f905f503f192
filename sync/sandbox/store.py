"""The sandbox's store: one SQLite database, in memory or in a folder, with one lock.

A commit has reached the operating system when it returns, so a killed sandbox loses nothing that it
answered (a power cut may lose the last moments). Nothing here needs a SQLite newer than 3.24.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VERSION = 3  # as at the end of the schema
_FILE = "inspera.db"
LOG_FILE = "requests.jsonl"

# Ids look like a tenant's: user ids anywhere in int64, tests with nine digits.
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE people (
    user_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,  -- student or staff
    username TEXT NOT NULL,  -- old tenants may have two accounts of one
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    password_set INTEGER NOT NULL,
    status TEXT NOT NULL,
    accesses TEXT NOT NULL,  -- this and organisations: lists, as JSON
    organisations TEXT NOT NULL
);
CREATE INDEX people_username ON people (username);
CREATE TABLE external_ids (
    auth_type TEXT NOT NULL,
    external_id TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
    PRIMARY KEY (auth_type, external_id)
) WITHOUT ROWID;
CREATE INDEX external_ids_user ON external_ids (user_id);
CREATE TABLE tests (
    run_id INTEGER PRIMARY KEY AUTOINCREMENT,
    external_id TEXT NOT NULL,
    external_system TEXT NOT NULL DEFAULT 'API',
    title TEXT NOT NULL,
    start_time TEXT NOT NULL,
    end_time TEXT NOT NULL,
    duration INTEGER NOT NULL,
    template TEXT,
    templates_sent INTEGER NOT NULL,
    activated INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0,
    is_path INTEGER NOT NULL DEFAULT 0,  -- whether it is a parent of other tests
    parent_id INTEGER REFERENCES tests,
    UNIQUE (external_id, external_system)
);
CREATE TABLE options (
    run_id INTEGER NOT NULL REFERENCES tests,
    option_group TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,  -- JSON; of a secret only its digest
    PRIMARY KEY (run_id, option_group, name)
) WITHOUT ROWID;
CREATE TABLE committees (
    run_id INTEGER NOT NULL REFERENCES tests,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (run_id, name)
) WITHOUT ROWID;
CREATE TABLE candidates (
    run_id INTEGER NOT NULL REFERENCES tests,
    user_id INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
    candidate_id TEXT,
    extra_time INTEGER NOT NULL,
    room TEXT,
    building TEXT,
    started INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, user_id)
) WITHOUT ROWID;
CREATE INDEX candidates_user ON candidates (user_id);
CREATE TABLE contributors (
    run_id INTEGER NOT NULL REFERENCES tests,
    user_id INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
    roles TEXT NOT NULL,  -- a list, as JSON
    room TEXT,
    building TEXT,
    notified INTEGER NOT NULL,
    PRIMARY KEY (run_id, user_id)
) WITHOUT ROWID;
CREATE INDEX contributors_user ON contributors (user_id);
CREATE TABLE members (
    run_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
    committee TEXT NOT NULL,
    PRIMARY KEY (run_id, user_id, committee),
    FOREIGN KEY (run_id, committee) REFERENCES committees ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX members_committee ON members (run_id, committee);
CREATE INDEX members_user ON members (user_id);
CREATE TABLE tokens (token TEXT PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE requests (seq INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL);
INSERT INTO sqlite_sequence (name, seq) VALUES ('people', 10482300), ('tests', 284424087);
PRAGMA user_version = 3;
COMMIT;
"""


class SandboxStore:
    """The database of one sandbox; give no folder to keep it in memory.

    Only their owner can read the files in a folder: a rehearsal may use real people.

    `lock` is held by every transaction, and may be held for longer.

    Raises:
        OSError: the folder or the database in it can't be used, or another sandbox has it open.
    """

    def __init__(self, folder: Path | None) -> None:
        self.lock = threading.RLock()
        if folder is not None:
            _make_room(folder)
        place = ":memory:" if folder is None else str(folder / _FILE)
        self._db = sqlite3.connect(
            place, isolation_level=None, check_same_thread=False, timeout=0.5
        )
        self._db.row_factory = sqlite3.Row
        try:
            self._prepare(place)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise OSError(f"{place}: {_remedy(error)}") from error
        except OSError:
            self._db.close()
            raise

    def _prepare(self, place: str) -> None:
        # Held while the sandbox runs; the system releases it when the sandbox is killed.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(_SCHEMA)
        elif version != _VERSION:
            raise OSError(
                f"{place}: was created by another version of the sandbox; "
                "choose another folder or delete it"
            )
        # A first write takes the lock now, so that a second sandbox is refused here and not at its
        # first call.
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection exclusively; commit at the end, or roll back on an exception."""
        with self.lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def copy(self) -> sqlite3.Connection:
        """Return a copy in memory; inside a transaction this would wait for ever."""
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        copy.row_factory = sqlite3.Row
        with self.lock:
            self._db.backup(copy)
        copy.execute("PRAGMA foreign_keys = ON")
        return copy

    def close(self) -> None:
        """Close the database."""
        with self.lock:
            self._db.close()


def _make_room(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in (_FILE, LOG_FILE):
            os.close(os.open(folder / name, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OSError(
            f"{folder}: cannot be used as the sandbox's folder ({reason}); choose another"
        ) from error


def _remedy(error: sqlite3.DatabaseError) -> str:
    if isinstance(error, sqlite3.OperationalError):
        return (
            f"cannot be opened ({error}); is another sandbox using this folder? "
            "stop it, or choose another folder"
        )
    return "is not a sandbox's database; choose another folder, or move that file away"
