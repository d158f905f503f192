"""A service whose state is locked or whose disk is full, or whose log can't be written: it lives on, and recovers."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from ...support.disks import small_disk
from ...support.servers.needed import free_port
from ...unit.service.fakes import page
from ...unit.state.databases import empty_file
from .served_university import ServedUniversity, ServiceProcess

AGAIN = "the state can be used again"

LONG = 100.0
"""Seconds for which something is waited for here: on a busy machine each step takes its time."""

HASTY = """
import sys
from sync.service import leadership as standing
from sync.state.sqlite import open as database
database.PATIENCE = database.FIRST_PATIENCE = 0.3
standing._PAUSES, standing._RUN_PAUSES = (0.2, 0.4), (0.2, 0.4, 0.8)
from sync.cli import run
sys.exit(run(sys.argv[1:]))
"""
"""The command, which waits less long than a real one, so that a minute passes in seconds."""


class Hasty(ServiceProcess):
    """A service that waits less long."""

    program = ("-c", HASTY)


class Troubled(ServedUniversity):
    """A university whose service listens on a port."""

    def __init__(self, folder: Path, today: date) -> None:
        super().__init__(folder, today, "often: {every: 1s}")
        self.port = free_port()
        self.more = self.more.replace(
            "shutdown_timeout: 20s", f'shutdown_timeout: 20s, listen: "127.0.0.1:{self.port}"'
        )
        self.at = ""

    def configuration(self) -> Path:
        """Writes the files, with the state in its own place where it has one; gives the configuration's."""
        config = super().configuration()
        if self.at:
            text = config.read_text("utf-8").replace("sqlite:///state.db", f"sqlite:///{self.at}")
            config.write_text(text, "utf-8")
        return config

    def hasty(self) -> ServiceProcess:
        """Starts a service that waits less long than a real one, on a state that is as after its first start."""
        state = Path(self.at) if self.at else self.rows.folder / "state.db"
        if not state.exists():
            shutil.copy(empty_file(), state)
        return self.watched(Hasty(self.configuration(), "serve"))

    def ready(self) -> tuple[int, str]:
        """The status and the words of /readyz."""
        return page(self.port, "/readyz")


@pytest.fixture
def university(tmp_path: Path, today: date) -> Iterator[Troubled]:
    """A university of which Inspera knows nothing yet."""
    university = Troubled(tmp_path, today)
    yield university
    university.close()


def lives_through(
    university: Troubled, serving: ServiceProcess, words: str, end: Callable[[], object]
) -> None:
    """The trouble is said once in the log and shown by /readyz; after its end all is done, which is said once."""
    university.until(
        lambda: university.ready()[0] == 503 and words in university.ready()[1], serving, LONG
    )
    university.rows.correct_names()
    university.write_rows()
    sent = len(university.calls())
    assert page(university.port, "/healthz")[0] == 200
    end()
    university.settled(serving, LONG)
    university.until(lambda: bool(serving.events(AGAIN)), serving, LONG)
    university.until(lambda: university.ready()[0] == 200, serving, LONG)
    assert len(university.calls()) > sent
    troubles = [one["error"] for one in serving.log if words in str(one.get("error", ""))]
    assert len(troubles) == len(set(troubles)) <= 2, troubles
    assert len(serving.events(AGAIN)) == 1
    assert "Traceback" not in serving.output
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0


def test_a_state_that_another_program_holds_for_a_minute_is_survived(
    university: Troubled,
) -> None:
    serving = university.hasty()
    university.settled(serving, LONG)
    with closing(
        sqlite3.connect(university.rows.folder / "state.db", isolation_level=None, timeout=20)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        lives_through(
            university, serving, "another program holds it", lambda: other.execute("ROLLBACK")
        )


def test_a_disk_that_is_full_and_freed_is_survived(university: Troubled) -> None:
    with small_disk(university.rows.folder / "disk", "8m") as disk:
        university.at = str(disk.folder / "state.db")
        serving = university.hasty()
        university.settled(serving, LONG)
        disk.fill()
        lives_through(university, serving, "the disk is full", disk.free)


def test_a_disk_that_is_full_at_the_start_keeps_no_service_from_starting(
    university: Troubled,
) -> None:
    with small_disk(university.rows.folder / "disk", "8m") as disk:
        university.at = str(disk.folder / "state.db")
        shutil.copy(empty_file(), university.at)
        disk.fill()
        serving = university.hasty()
        university.until(lambda: bool(serving.events("service started")), serving, LONG)
        lives_through(university, serving, "the disk is full", disk.free)


def test_a_service_goes_on_when_its_log_can_be_written_no_more(university: Troubled) -> None:
    config = university.configuration()
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "sync", "-c", str(config), "serve"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer
    ) as serving:
        try:
            os.close(writer)
            first = os.read(reader, 1)
            os.close(reader)  # whoever read it has gone
            assert first == b"{"
            done = _Watched(serving)
            university.settled(done, LONG)
            university.rows.correct_names()
            university.write_rows()
            university.settled(done, LONG)
            serving.send_signal(signal.SIGTERM)
            assert serving.wait(30) == 0
        finally:
            serving.kill()


class _Watched(ServiceProcess):
    """A process that was started elsewhere, whose words nobody has."""

    said = ""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
