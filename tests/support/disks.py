"""Small disks that can be filled, freed and made read-only: a file system in memory, where this machine allows one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


class Disk:
    """A mounted disk of few bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filling = folder / "filling"

    def fill(self) -> None:
        """Takes all the room that is left."""
        with suppress(OSError), self._filling.open("ab", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)

    def free(self) -> None:
        """Gives it back."""
        self._filling.unlink()

    def read_only(self, only: bool) -> None:
        """Makes it read-only, or writable again."""
        _mount("-o", f"remount,{'ro' if only else 'rw'}", str(self.folder))


@contextmanager
def small_disk(folder: Path, size: str = "4m") -> Iterator[Disk]:
    """A disk of this size in this folder. Skips the test where nothing may be mounted."""
    folder.mkdir()
    if (
        os.geteuid() != 0
        or shutil.which("mount") is None
        or not _mount("-t", "tmpfs", "-o", f"size={size}", "none", str(folder))
    ):
        pytest.skip("nothing may be mounted on this machine")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], check=False, stderr=subprocess.DEVNULL).returncode == 0
