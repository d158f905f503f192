"""A service whose PostgreSQL is down, frozen, or does not let it in: it says so, lives on, and goes on afterwards."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ...support.servers.needed import free_port, need
from ...support.servers.postgres import BINARIES, Postgres, postgres
from ...unit.service.fakes import page
from .served_university import ServedUniversity, ServiceProcess

SELDOM = 'often: {cron: "15 2 29 2 *", zone: Europe/Oslo}'
GRACE = 4
LOCKS = 0x1A5E_5713
"""The first half of the keys of the advisory locks; the second is 1 for a run and 2 for the service that leads."""
RUN, SERVICE = 1, 2
USER, PASSWORD = "inspera_sync", "hemmelig-men-oppdiktet"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        server.create_user(USER, PASSWORD)
        yield server


class Replica(ServiceProcess):
    """One service with a port of its own for its health."""

    def __init__(self, config: Path, port: int) -> None:
        super().__init__(config, "serve")
        self.port = port

    def status(self, path: str = "/readyz") -> int:
        """The status of a page; 0 while nobody listens."""
        return page(self.port, path)[0]

    @property
    def ready(self) -> dict[str, Any]:
        """What /readyz says."""
        return dict(json.loads(page(self.port, "/readyz")[1] or "{}"))


class Away(ServedUniversity):
    """A university whose state is on PostgreSQL, where its user needs a password."""

    def __init__(self, folder: Path, today: date, server: Postgres, database: str) -> None:
        super().__init__(folder, today)
        self.server, self.database = server, database
        self.password = folder / "state-password"
        self.password.touch(0o600)
        self.password.write_text(PASSWORD)
        self._replicas = 0

    def configuration(self) -> Path:
        """Writes the files; gives the configuration's."""
        config = super().configuration()
        url = f"postgresql://{USER}@127.0.0.1:{self.server.port}/{self.database}"
        state = f"state: {url}\nstate_password: ${{file:state-password}}"
        config.write_text(
            config.read_text("utf-8").replace("state: sqlite:///state.db", state), "utf-8"
        )
        return config

    def replica(self) -> Replica:
        """Starts one more service, and gives it once it can be asked how it is."""
        config, port = self.configuration(), free_port()
        self._replicas += 1
        here = config.parent / f"replica{self._replicas}"
        here.mkdir()
        for file in config.parent.iterdir():
            if file.is_file() and file != config:
                (here / file.name).symlink_to(file)
        own = here / config.name
        service = f'shutdown_timeout: {GRACE}s, listen: "127.0.0.1:{port}"'
        own.write_text(config.read_text("utf-8").replace("shutdown_timeout: 20s", service), "utf-8")
        one = self.watched(Replica(own, port))
        self.until(lambda: one.status("/healthz") == 200, one)
        return one

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Asks the state, as the server's administrator."""
        return self.server.execute(query, database=self.database)

    def open_intents(self) -> int:
        """How many calls have no known outcome."""
        return int(str(self.ask("SELECT count(*) FROM intent WHERE outcome IS NULL")[0][0]))

    def cut(self, lock: int) -> None:
        """Cuts the connection that holds a lock, and no other."""
        held = f"locktype = 'advisory' AND granted AND classid = {LOCKS} AND objid = {lock}"
        cut = self.ask(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE {held}")
        assert cut == [(True,)]


@pytest.fixture
def university(tmp_path: Path, today: date, server: Postgres) -> Iterator[Away]:
    """A university of which Inspera knows nothing yet."""
    name = f"away_{tmp_path.name}".replace("-", "_").lower()[:60]
    server.create_database(name, icu="nb-NO")
    server.execute(f'ALTER DATABASE "{name}" OWNER TO {USER}')
    university = Away(tmp_path, today, server, name)
    yield university
    university.close()


def start_again(server: Postgres) -> None:
    """Starts a server that was stopped, on its port, as it was started before."""
    pg_ctl = need("pg_ctl", "postgresql", beside=BINARIES)
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    data, log = server.folder / "data", server.folder / "log"
    command = [
        *as_user,
        pg_ctl,
        "-D",
        str(data),
        "-w",
        "-l",
        str(log),
        "restart",
    ]  # which knows how it was started
    subprocess.run(
        command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )


@contextmanager
def frozen(server: Postgres) -> Iterator[None]:
    """The server does not answer any more, although its connections stand, as on a machine that hangs."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    pids = [server.pid, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def in_the_middle(university: Away) -> Replica:
    """A service in the middle of its first run."""
    university.jobs = "often: {every: 5s}"
    university.slow(0.7)
    serving = university.replica()
    university.until(lambda: university.writes("POST", "/users/student") >= 8, serving)
    return serving


def stopped(serving: Replica) -> None:
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0, serving.output[-3000:]


def test_a_state_that_is_down_at_the_start_is_waited_for(
    university: Away, server: Postgres
) -> None:
    university.configuration()
    server.stop()
    try:
        serving = university.replica()
        university.until(
            lambda: serving.status() == 503 and "reachable" not in str(serving.ready["state"]),
            serving,
        )
        said = serving.ready
        assert (said["ready"], said["alive"], said["migrations"]) == (False, True, "pending")
        assert (
            f"postgresql://127.0.0.1:{server.port}/{university.database}: the state can't be reached"
            in said["state"]
        )
        assert "check host, port and options in 'state', and that the server is up" in said["state"]
        time.sleep(1.5)  # more than one round
        assert serving.running
        assert serving.status("/healthz") == 200
        told = serving.events("the state can't be used just now; tried again")
        assert len(told) == 1  # and not once a second
        assert PASSWORD not in serving.output
    finally:
        start_again(server)
    university.until(lambda: serving.status() == 200, serving)
    university.settled(serving)
    assert serving.ready["role"] == "leader"
    stopped(serving)


def test_a_server_that_freezes_in_the_middle_of_a_run_does_not_keep_it_from_stopping(
    university: Away, server: Postgres
) -> None:
    serving = in_the_middle(university)
    with frozen(server):
        time.sleep(0.5)  # the run comes to what it wants to write
        began = time.monotonic()
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0, serving.output[-3000:]
        assert time.monotonic() - began < GRACE + 2
        sent = len(university.calls())
    assert serving.events(
        "not ended within shutdown_timeout; the next run settles their open calls", jobs=["often"]
    )
    time.sleep(0.3)
    assert len(university.calls()) == sent
    university.heal()
    following = university.replica()
    university.settled(following)
    university.until(lambda: "done" in following.ran("often"), following)
    assert university.open_intents() == 0
    assert {row[-1] for row in university.contents()["tests"].values()} == {
        1
    }  # no test was made twice
    stopped(following)


def test_a_server_that_does_not_answer_is_reported_and_the_service_goes_on_once_it_does(
    university: Away, server: Postgres
) -> None:
    serving = university.replica()
    university.settled(serving)
    university.until(lambda: serving.status() == 200, serving)
    with frozen(server):
        university.until(lambda: serving.status() == 503, serving)
        assert "does not answer" in serving.ready["state"]
        assert serving.status("/healthz") == 200
    university.until(lambda: serving.status() == 200, serving)
    university.rows.correct_names()
    university.write_rows()
    university.settled(serving)
    assert serving.ready["role"] == "leader"
    stopped(serving)


def test_a_password_that_is_gone_for_a_while_does_not_end_the_service(
    university: Away, server: Postgres
) -> None:
    serving = university.replica()
    university.settled(serving)
    university.until(lambda: "done" in serving.ran("often"), serving)
    university.password.write_text("")  # as it is for a moment when somebody writes it anew
    server.terminate_all(university.database)
    university.until(lambda: serving.status() == 503, serving)
    assert "state-password" in serving.ready["state"]
    time.sleep(2.5)  # more than one tick
    assert serving.running
    assert serving.status("/healthz") == 200
    university.rows.correct_names()
    university.write_rows()
    university.password.write_text(PASSWORD)
    university.until(lambda: serving.status() == 200, serving)
    university.settled(serving)
    assert PASSWORD not in serving.output
    stopped(serving)


def test_a_password_that_is_wrong_for_a_while_does_not_end_the_service(
    university: Away, server: Postgres
) -> None:
    university.jobs = SELDOM
    serving = university.replica()
    university.until(lambda: serving.status() == 200, serving)
    university.password.write_text("of yesterday")
    server.terminate_all(university.database)
    university.until(lambda: serving.status() == 503, serving)
    assert "refuses the login" in serving.ready["state"]
    assert "of yesterday" not in serving.output
    university.password.write_text(PASSWORD)
    university.until(lambda: serving.status() == 200, serving)
    stopped(serving)


def test_who_stands_by_is_ready_once_the_leader_has_made_the_state_ready(
    university: Away, server: Postgres
) -> None:
    university.jobs = SELDOM
    with psycopg.connect(
        server.url(university.database), user="postgres", autocommit=True
    ) as other:
        assert other.execute(
            "SELECT pg_try_advisory_lock(%s::int, %s::int)", [LOCKS, SERVICE]
        ).fetchone() == (True,)
        replicas = [university.replica(), university.replica()]
        for one in replicas:
            university.until(lambda one=one: one.ready.get("state") == "reachable", one)  # type: ignore[misc]
            assert one.status() == 503
            assert (one.ready["role"], one.ready["migrations"]) == ("standby", "pending")
    for one in replicas:
        university.until(lambda one=one: one.status() == 200, one)  # type: ignore[misc]
    university.until(
        lambda: sorted(one.ready["role"] for one in replicas) == ["leader", "standby"], replicas[0]
    )
    assert [one.ready["migrations"] for one in replicas] == ["done", "done"]
    for one in replicas:
        stopped(one)


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.timeout(120)
def test_a_run_that_loses_its_lock_alone_is_taken_up_again_and_finishes(
    university: Away, server: Postgres
) -> None:
    serving = in_the_middle(university)
    university.jobs = SELDOM  # so that it is not its next time that mends it
    text = (university.rows.folder / "replica1" / "inspera-sync.yaml").read_text("utf-8")
    (university.rows.folder / "replica1" / "inspera-sync.yaml").write_text(
        text.replace("often: {every: 5s}", SELDOM), "utf-8"
    )
    serving.signal(signal.SIGHUP)
    university.until(lambda: bool(serving.events("configuration read again")), serving)
    university.cut(RUN)
    university.until(lambda: bool(serving.events("run failed")), serving)
    university.heal()
    late = {"job": "often", "reason": "it lost the state"}
    university.until(lambda: bool(serving.events("starting a job late", **late)), serving, 45)
    (failed,), (again,) = (
        serving.events("run failed"),
        serving.events("starting a job late", **late),
    )
    stood_still = time_of(failed["timestamp"]), time_of(again["timestamp"])
    calls = [time_of(call["time"]) for call in university.calls()]
    assert not [at for at in calls if stood_still[0] < at < stood_still[1]]
    assert len(serving.events("took the lead")) == 1  # it leads all the same
    university.until(lambda: "done" in serving.ran("often"), serving)
    assert university.contents() == university.rows.expected()
    assert university.open_intents() == 0
    stopped(serving)
