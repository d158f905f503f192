"""Files next to the state that only their owner may read."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes, owner: os.stat_result | None = None) -> None:
    """Write a file with mode 0600.

    It is written under another name first, so that a killed process leaves no half of it. It
    belongs to `owner`'s user and group, when one is given.

    Raises:
        OSError: it can't be written.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if owner:
        os.chown(fresh, owner.st_uid, owner.st_gid)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # The new name must survive a power cut too.
    finally:
        os.close(folder)
