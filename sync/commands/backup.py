"""`backup` and `restore`: a copy of the state in one file, and the way back."""

from dataclasses import dataclass
from pathlib import Path

import structlog

from sync.app import App, Say, now
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.report.wording import plural
from sync.state.secret_digest import KEY_BYTES
from sync.state.sqlite.private_files import write_private
from sync.state.transfer.backup import BackupInfo, write_backup
from sync.state.transfer.restore import restore_backup

_log = structlog.get_logger("backup")


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """What is written: the backup, and the key of the secret digests, if a file is given for it."""

    file: Path
    key: Path | None = None
    force: bool = False


def backup(app: App, options: BackupOptions, say: Say) -> Exit:
    """Write the state into a file, also while a run writes it.

    Raises:
        UsageError: a file can't be written there.
        StateError: the state can't be read.
    """
    file = options.file
    _refuse_files_of_state(app, file, options.key)
    if options.key is not None:
        _write_key(app, options.key, force=options.force)
    info = write_backup(app.state.place, app.tenant, file, now(), force=options.force)
    _log.info("backup written", file=str(file), rows=info.rows)
    say(f"Backup written and verified: {file}: {_counts(info)}.")
    return Exit.OK


def restore(app: App, file: Path, say: Say, *, key: Path | None = None) -> Exit:
    """Replace the state by a backup.

    Raises:
        UsageError: the file can't be read, or is not a backup.
        Locked: a service or a run holds the state.
        StateError: the backup is damaged, or the state can't be written.
    """
    digest_key = _read_key(key) if key is not None else None
    restored = restore_backup(app.state.place, app.tenant, file, now(), digest_key)
    _log.info("restored", file=str(file), rows=restored.info.rows)
    say(f"Restored: {app.state} from the backup of {restored.info.at}: {_counts(restored.info)}.")
    if restored.aside is not None:
        say(f"The state that it replaces is kept: {restored.aside}. Delete it when all is well.")
    say(
        "Nothing is sent until the state was compared with Inspera: run `adopt --managed`, then "
        "`reconcile`. `inspera-sync help backup` explains it."
    )
    return Exit.OK


def _counts(info: BackupInfo) -> str:
    filled = sum(table.rows > 0 for table in info.contents.values())
    return f"{plural(info.rows, 'row')} in {plural(filled, 'table')}, schema {info.version}"


def _refuse_files_of_state(app: App, *files: Path | None) -> None:
    """Refuse to write over the state itself, or over what belongs to it."""
    state = Path(str(app.state.place)).resolve()
    for file in files:
        if file is None:
            continue
        there = file.resolve()
        if there.parent == state.parent and there.name.startswith(state.name):
            raise UsageError(
                f"{file}: this name belongs to the state itself; name another file or folder"
            )


def _write_key(app: App, file: Path, *, force: bool) -> None:
    if file.exists() and not force:
        raise UsageError(f"{file}: the file exists; name another one, or replace it with --force")
    try:
        write_private(file, app.state.load_digest_key(write=False))
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be written ({error.strerror}); let this user write there, or name "
            "another file"
        ) from None


def _read_key(file: Path) -> bytes:
    try:
        key = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file}: cannot be read ({error.strerror}); check its name, and let this user read it"
        ) from None
    if len(key) != KEY_BYTES:
        raise UsageError(
            f"{file}: this is not a key of secret digests, which has {KEY_BYTES} bytes; name the "
            "file that `backup --key` wrote"
        )
    return key
