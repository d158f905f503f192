"""Putting a backup in the place of a state. It counts as an older copy until `reconcile`."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from sync.errors import Locked, OtherTenant, StateError
from sync.planning.decided import APPROVED
from sync.state import old_copy
from sync.state.backend import Backend
from sync.state.tenant import TenantIdentity, refuse_another
from sync.state.transfer.backup import BackupInfo, open_backup
from sync.state.transfer.rows import copy_rows, read_contents


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored backup, and where the state that it replaced is now; None when there was none."""

    info: BackupInfo
    aside: str | None


def restore_backup(
    backend: Backend,
    tenant: TenantIdentity,
    file: Path,
    now: datetime,
    key: bytes | None = None,
) -> Restored:
    """Replace the state by a backup: completely, or not at all.

    `key` is that of the backup's secret digests; without it the key of this place stays.

    Raises:
        UsageError: the file can't be read, or is not a backup.
        Locked: a service or a run holds the state.
        OtherTenant: the backup or the state belongs to another tenant.
        StateError: the backup is damaged, or the state can't be written.
    """
    with open_backup(file, tenant) as (source, info), without_service(backend):
        _refuse_other_state(backend, tenant)
        with backend.replace("restore", f"{now:%Y%m%dt%H%M%Sz}") as replacement:
            target = replacement.connection
            if copy_rows(source, target) != read_contents(target):
                raise StateError(f"{backend}: the rows were not stored as they are in {file}")
            # Some may have been used up since: a person decides again.
            target.execute(text(f"DELETE FROM decision WHERE verdict = '{APPROVED}'"))
            old_copy.store(target, f"it was restored from a backup of {info.at}")
            if key is not None:
                backend.store_digest_key(target, key)
    return Restored(info, replacement.aside)


@contextmanager
def without_service(backend: Backend) -> Iterator[None]:
    """Make sure that no service leads on this state, now and until the end.

    Raises:
        Locked: one does.
    """
    with backend.service() as service:
        if not service.try_lead():
            raise Locked(
                f"{backend}: a service runs on this state: {service.leader()}; stop it first"
            )
        yield


def _refuse_other_state(backend: Backend, tenant: TenantIdentity) -> None:
    """Refuse to replace another tenant's state; one that can't be read may be replaced."""
    try:
        with suppress(Locked), backend.open_to_read() as connection:
            refuse_another(connection, tenant, backend)
    except OtherTenant:
        raise
    except StateError:
        return
