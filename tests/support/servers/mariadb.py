"""A MariaDB server of its own for tests: on loopback, on a free port, stopped by its own process id."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from .needed import free_port, need

SUPERUSER = "root"
_MOST_SECONDS = 30
_ENOUGH = 512 * 1024 * 1024


@dataclass(frozen=True)
class MariaDb:
    """A server that runs. Its superuser needs no password."""

    process: "subprocess.Popen[str]"
    port: int

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.process.pid

    def url(self, database: str) -> str:
        """Where a database is, without a user, as it would stand in the configuration."""
        return f"mariadb://127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str, database: str = "") -> list[tuple[object, ...]]:
        """Runs statements as the superuser, each on its own; gives the rows of the last one."""
        with closing(self._connect(database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()
            return list(cursor.fetchall())

    def _connect(self, database: str) -> Any:
        import pymysql  # type: ignore[import-untyped]

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, database=database or None
        )

    def insert(self, into: str, rows: Iterable[Sequence[object]], database: str) -> None:
        """Fills a table, named with its columns."""
        with closing(self._connect(database)) as connection, connection.cursor() as cursor:
            for chunk in _chunks(rows):
                marks = ", ".join(["%s"] * len(chunk[0]))
                cursor.executemany(f"INSERT INTO {into} VALUES ({marks})", chunk)
            connection.commit()

    def terminate_all(self, database: str) -> None:
        """Ends every connection to a database, as its administrator would."""
        for (number,) in self.execute(
            f"SELECT id FROM information_schema.processlist WHERE db = '{database}'"
        ):
            self.execute(f"KILL {number}")

    def create_database(self, name: str) -> str:
        """Makes an empty database, and gives its URL."""
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        return self.url(name)

    def create_user(self, name: str, password: str) -> None:
        """Makes a user who has to give a password, and may read everything."""
        self.execute(
            f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{password}'",
            f"GRANT SELECT ON *.* TO '{name}'@'127.0.0.1'",
        )

    def kill(self) -> None:
        """What a power cut does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ends it, if it still runs. Nothing that it holds is needed any more."""
        if self.process.poll() is None:
            self.kill()


@contextmanager
def mariadb() -> Iterator[MariaDb]:
    """A new server without databases, stopped at the end. Skips the test where MariaDB is not installed."""
    daemon = need("mariadbd", "mariadb-server", beside="usr/sbin")
    install = need("mariadb-install-db", "mariadb-server")
    folder = Path(tempfile.mkdtemp(prefix="mariadb-", dir=_fast_place()))
    server = None
    try:
        user = _own(folder)
        data = f"--datadir={folder / 'data'}"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        small = ["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M"]
        login = "--auth-root-authentication-method=normal"
        prepare = [install, "--no-defaults", data, user, login, "--skip-test-db", *small]
        subprocess.run(prepare, check=True, **quiet)  # type: ignore[call-overload]
        port = free_port()
        where = [
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={folder / 'socket'}",
            "--skip-name-resolve",
        ]
        command = [
            daemon,
            "--no-defaults",
            data,
            user,
            *where,
            *small,
            "--innodb-flush-log-at-trx-commit=0",
        ]
        server = MariaDb(subprocess.Popen(command, encoding="utf-8", **quiet), port)  # type: ignore[call-overload]
        _wait(server)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _fast_place() -> str | None:
    """Memory, where there is enough: the server insists on writing to the disk, which takes most of the time."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > _ENOUGH else None


def _own(folder: Path) -> str:
    """Under which user the server is to run: it refuses root. The folder is given to that user."""
    if os.geteuid() != 0:
        return f"--user={pwd.getpwuid(os.geteuid()).pw_name}"
    user = pwd.getpwnam("mysql")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return "--user=mysql"


def _chunks(rows: Iterable[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    source = iter(rows)
    while chunk := list(islice(source, 10_000)):
        yield chunk


def _wait(server: MariaDb) -> None:
    import pymysql

    ends = time.monotonic() + _MOST_SECONDS
    while True:
        try:
            server.execute("SELECT 1")
        except pymysql.err.OperationalError:
            if server.process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("MariaDB did not start") from None
            time.sleep(0.05)
        else:
            return
