"""A PgBouncer of its own before a PostgreSQL of tests: on loopback, on a free port, stopped by its own process id."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .needed import free_port, need
from .postgres import Postgres

_MOST_SECONDS = 10


@contextmanager
def pgbouncer(server: Postgres, pool_mode: str, user: str) -> Iterator[int]:
    """Its port. It lets this user in without a password. Skips the test where PgBouncer is not installed."""
    program = need("pgbouncer", "pgbouncer", beside="usr/sbin")
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    process = None
    try:
        port = free_port()
        (folder / "users").write_text(f'"{user}" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
            f"auth_file = {folder}/users\npool_mode = {pool_mode}\nlogfile = {folder}/log\n"
        )
        command = [*_as_server_user(folder), program, "--quiet", str(folder / "pgbouncer.ini")]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
        )
        _await(port, process)
        yield port
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _as_server_user(folder: Path) -> list[str]:
    """How to run it as a user that it accepts: it refuses root. The process stays ours to end."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    for path in (folder, *folder.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"pgbouncer did not start (status {process.poll()})")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(_MOST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
