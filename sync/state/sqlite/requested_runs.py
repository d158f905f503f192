"""The jobs that people want to run now, in private files next to a state in a file."""

import os
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sync.records.base import utc_text
from sync.state.sqlite.private_files import write_private


def write(path: Path, job: str, now: datetime) -> None:
    """Write a file with the name of a job.

    Raises:
        OSError: it can't be written.
    """
    first = utc_text(now).replace(":", "")
    file = path.with_name(f"{path.name}.requested-{first}-{uuid4().hex[:8]}")
    owner = path.parent.stat()
    by_root = os.geteuid() == 0 and owner.st_uid != 0
    write_private(file, job.encode(), owner if by_root else None)


def take(path: Path) -> list[str]:
    """Return the jobs in all files, the oldest first, and delete the files.

    Raises:
        OSError: a file can't be read or deleted.
    """
    jobs = []
    found = path.parent.glob(f"{path.name}.requested-*")
    for file in sorted(file for file in found if file.suffix != ".new"):
        jobs.append(file.read_text("utf-8", errors="replace"))
        file.unlink(missing_ok=True)
    return jobs
