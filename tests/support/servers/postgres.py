"""A PostgreSQL server of its own for tests: on loopback, on a free port, stopped by its own process id."""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .needed import free_port, need

BINARIES = "usr/lib/postgresql/*/bin"
SUPERUSER = "postgres"
_MOST_SECONDS = 10
_SHARED = "TESTS_POSTGRES_DATA"
"""The variable that names the folder of `share_data`, for the workers of the tests."""


@dataclass(frozen=True)
class Postgres:
    """A server that runs. Everybody on loopback is let in without a password, but for those who were given one."""

    folder: Path
    port: int

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return int(self._pid_file.read_text().splitlines()[0])

    def url(self, database: str = "postgres") -> str:
        """Where a database is, without a user, as it would stand in the configuration."""
        return f"postgresql://127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Runs statements as the superuser, each on its own; gives the rows of the last one, if it has any."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, dbname=database, autocommit=True
        ) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def copy(self, into: str, rows: Iterable[Sequence[object]], database: str) -> None:
        """Fills a table, named with its columns."""
        import psycopg

        with (
            psycopg.connect(
                host="127.0.0.1", port=self.port, user=SUPERUSER, dbname=database
            ) as connection,
            connection.cursor().copy(f"COPY {into} FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def terminate_all(self, database: str) -> None:
        """Ends every connection to a database, as its administrator would."""
        self.execute(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'"
        )

    def create_database(self, name: str, icu: str = "") -> str:
        """Makes an empty database, sorted by the rules of an ICU locale such as `nb-NO`, and gives its URL."""
        how = f" LOCALE_PROVIDER icu ICU_LOCALE '{icu}'" if icu else ""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE template0{how}')
        return self.url(name)

    def create_user(self, name: str, password: str) -> None:
        """Makes a user who has to give a password, and may read everything."""
        self.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE pg_read_all_data")
        rules = self.folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all {name} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        self.execute("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """What a power cut does: the postmaster is gone at once, and its children follow."""
        key_and_memory = self._pid_file.read_text().splitlines()[6].split()
        self._end(signal.SIGKILL)
        # A few bytes that outlive a killed server, by which the next one on the same data would know of it.
        subprocess.run(["ipcrm", "-m", key_and_memory[1]], check=False, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        """Ends it at once, if it still runs."""
        if self._pid_file.exists():
            self._end(signal.SIGQUIT)

    @property
    def _pid_file(self) -> Path:
        return self.folder / "data" / "postmaster.pid"

    def _end(self, how: signal.Signals) -> None:
        pid, ends = self.pid, time.monotonic() + _MOST_SECONDS
        os.kill(pid, how)
        while _runs(pid) and time.monotonic() < ends:
            time.sleep(0.01)
        self._pid_file.unlink(missing_ok=True)  # the number may soon be another process's


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A new, empty server, which is stopped at the end. Skips the test where PostgreSQL is not installed."""
    initdb, pg_ctl = (need(name, "postgresql", beside=BINARIES) for name in ("initdb", "pg_ctl"))
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = Postgres(folder, free_port())
    try:
        folder.chmod(0o755)
        as_user = _as_server_user(folder)
        _make_data(folder / "data", as_user, initdb)
        server = _started(server, as_user, pg_ctl)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def share_data(folder: Path) -> None:
    """Has all servers of this run of the tests, in whichever process, begin with one copy of data in this folder."""
    os.environ[_SHARED] = str(folder)


def _make_data(data: Path, as_user: list[str], initdb: str) -> None:
    """Fills the folder of a new server. What `initdb` makes is copied, as it takes seconds of a core each time."""
    shared = os.environ.get(_SHARED)
    original = Path(shared) / "data" if shared else data
    if shared:
        original.parent.chmod(0o755)
        _as_server_user(original.parent)
    with (original.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not original.exists():
            how = (
                "-U",
                SUPERUSER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--wal-segsize=1",
            )
            _run(as_user, initdb, "-D", str(original), *how)
    if original != data:
        _run(as_user, "cp", "-a", str(original), str(data))


def _started(server: Postgres, as_user: list[str], pg_ctl: str) -> Postgres:
    """The same, running; on another port where somebody has taken its own meanwhile."""
    for attempt in range(5):
        options = (
            f"-h 127.0.0.1 -p {server.port} -k {server.folder} -c fsync=off -c max_connections=40"
        )
        # In its folder, so that nothing stays behind when it is killed.
        options += " -c dynamic_shared_memory_type=mmap"
        files = ("-D", str(server.folder / "data"), "-w", "-l", str(server.folder / "log"))
        try:
            _run(as_user, pg_ctl, *files, "-o", options, "start")
        except RuntimeError:
            if attempt == 4:
                raise
            server = Postgres(server.folder, free_port())
        else:
            break
    return server


def _as_server_user(folder: Path) -> list[str]:
    """How to run a program as a user that PostgreSQL accepts: it refuses root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _run(as_user: list[str], *command: str) -> None:
    done = subprocess.run(
        [*as_user, *command],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with status {done.returncode}: {done.stderr}")
