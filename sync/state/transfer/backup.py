"""A backup: one SQLite file with the state at one moment, of either database, that proves itself.

It has the tables of a state, and the table `backup_info` about itself. A state on PostgreSQL and one
in a file give the same backup, so that each can be restored into either.
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, text

from sync import __version__
from sync.errors import Locked, StateError, UsageError
from sync.planning.decided import REJECTED
from sync.records.base import utc_text
from sync.state import decisions
from sync.state.backend import Backend
from sync.state.migrations import head
from sync.state.schema import METADATA
from sync.state.sqlite.errors import make_os_error
from sync.state.sqlite.fresh import delete_state, open_fresh, sync_to_disk
from sync.state.sqlite.open import open_to_read, refuse_newer
from sync.state.tenant import TenantIdentity, read_tenant, refuse_another
from sync.state.transfer.rows import (
    PAGE,
    Contents,
    TableContents,
    copy_rows,
    digest_rows,
    read_table,
)

_MAGIC = b"SQLite format 3\0"
_APPLICATION = 0x49_53_42_4B
"""The number in SQLite's header that distinguishes a backup from other files."""

_APPLICATION_AT = slice(68, 72)

_ATTEMPTS = 3

_REMEDY = "let this user write there, or name another file"


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """What a backup contains: since when, of which schema, and its rows by table."""

    at: str
    version: str
    contents: Contents

    @property
    def rows(self) -> int:
        """Return the number of all rows."""
        return sum(table.rows for table in self.contents.values())


def write_backup(
    backend: Backend, tenant: TenantIdentity, file: Path, now: datetime, *, force: bool
) -> BackupInfo:
    """Write the state into a file, verified, complete or not at all.

    Raises:
        UsageError: the file exists, and `force` is not given.
        OtherTenant: the state belongs to another tenant.
        StateError: the state can't be read, or the file can't be written.
    """
    _refuse_place(file, force=force)
    for _ in range(_ATTEMPTS - 1):
        # A state at rest is read without locks, so that a run that begins meanwhile spoils it.
        with suppress(Locked):
            return _write_once(backend, tenant, file, now, force=force)
    return _write_once(backend, tenant, file, now, force=force)


def _write_once(
    backend: Backend, tenant: TenantIdentity, file: Path, now: datetime, *, force: bool
) -> BackupInfo:
    fresh = file.with_name(f"{file.name}.{uuid4().hex[:8]}.new")
    try:
        info = _write(backend, tenant, fresh, now)
        with open_backup(fresh, tenant):
            pass
        _name(fresh, file, force=force)
    except OSError as error:
        raise make_os_error(file, error, _REMEDY) from None
    finally:
        with suppress(OSError):
            delete_state(fresh)
    return info


def _refuse_place(file: Path, *, force: bool) -> None:
    if file.is_dir():
        raise UsageError(f"{file}: this is a folder; name a file in it")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent}: there is no such folder; create it, or name another file")
    if os.path.lexists(file) and not force:
        raise UsageError(f"{file}: the file exists; name another one, or replace it with --force")
    if force and os.path.lexists(file) and not _is_backup(file):
        raise UsageError(
            f"{file}: this file is not a backup of inspera-sync, so it is not replaced, not even "
            "with --force; name another file"
        )


def _write(backend: Backend, tenant: TenantIdentity, fresh: Path, now: datetime) -> BackupInfo:
    # Queued decisions are read first: in the other order a run could take them over in between.
    rejections = [one for one in backend.queued() if one.verdict == REJECTED]
    with backend.open_to_read() as source, open_fresh(fresh) as target:
        refuse_another(source, tenant, backend)
        if read_tenant(source) is None:
            raise StateError(
                f"{backend}: there is no state yet, or no run has begun with it, so there is "
                "nothing to back up; run `apply` first"
            )
        contents = dict(copy_rows(source, target))
        decisions.store(target, rejections)
        contents["decision"] = read_table(target, METADATA.tables["decision"])
        info = BackupInfo(utc_text(now), head(), contents)
        _store_info(target, info)
    return info


def _store_info(target: Connection, info: BackupInfo) -> None:
    contents = {name: asdict(table) for name, table in info.contents.items()}
    target.execute(text("CREATE TABLE backup_info (at TEXT, program TEXT, contents TEXT)"))
    target.execute(
        text("INSERT INTO backup_info VALUES (:at, :program, :contents)"),
        {"at": info.at, "program": __version__, "contents": json.dumps(contents)},
    )
    target.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION}")


def _name(fresh: Path, file: Path, *, force: bool) -> None:
    """Give the file its name; without `force` only if no other has it."""
    if force:
        fresh.replace(file)
    else:
        try:
            os.link(fresh, file)
        except FileExistsError:
            raise UsageError(f"{file}: another program has just made this file") from None
        except OSError:  # Some file systems have no second names.
            _refuse_place(file, force=False)
            fresh.replace(file)
    sync_to_disk(file.parent)


@contextmanager
def open_backup(file: Path, tenant: TenantIdentity) -> Iterator[tuple[Connection, BackupInfo]]:
    """Open a backup of this tenant to be read, in the schema of this version, once it is verified.

    Raises:
        UsageError: the file is missing or can't be read, or is not a backup.
        OtherTenant: it belongs to another tenant.
        StateError: it is damaged, or a newer version wrote it.
    """
    if not _is_backup(file):
        raise UsageError(
            f"{file}: this is not a backup of inspera-sync; name a file that `inspera-sync backup` "
            "wrote"
        )
    info = _verify(file)
    with open_to_read(file) as connection:
        if read_tenant(connection) is None:
            raise _damaged(file, "it names no tenant")
        refuse_another(connection, tenant, file)
        yield connection, info


def _is_backup(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            header = opened.read(100)
    except IsADirectoryError:
        raise UsageError(f"{file}: this is a folder; name a file in it") from None
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read ({error.strerror}); check its name, and let this user read it"
        ) from None
    return header.startswith(_MAGIC) and header[_APPLICATION_AT] == _APPLICATION.to_bytes(4)


def _verify(file: Path) -> BackupInfo:
    """Compare a backup with what it says about itself, whatever its version."""
    where = f"{file.resolve().as_uri()}?immutable=1"
    try:
        with closing(sqlite3.connect(where, uri=True)) as raw:
            (result,) = raw.execute("PRAGMA integrity_check(1)").fetchone()
            if result != "ok":
                raise _damaged(file, "SQLite's own check fails")
            (version,) = raw.execute("SELECT version_num FROM alembic_version").fetchone()
            refuse_newer(file, version)
            at, contents = raw.execute("SELECT at, contents FROM backup_info").fetchone()
            info = BackupInfo(
                at,
                version,
                {name: TableContents(**table) for name, table in json.loads(contents).items()},
            )
            for name, table in info.contents.items():
                if _read_table(raw, name) != table:
                    raise _damaged(file, f"the rows of the table '{name}' are not those written")
    except (sqlite3.Error, ValueError, TypeError, AttributeError) as error:
        raise _damaged(file, type(error).__name__) from None
    return info


def _read_table(raw: sqlite3.Connection, name: str) -> TableContents:
    rows = raw.execute('SELECT * FROM "{}"'.format(name.replace('"', '""')))
    return digest_rows(iter(lambda: rows.fetchmany(PAGE), []))


def _damaged(file: Path, reason: str) -> StateError:
    return StateError(f"{file}: this backup is damaged or incomplete ({reason}); use another one")
