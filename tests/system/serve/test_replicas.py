"""Two services on one PostgreSQL: one leads, the other stands by and takes over; a deposed one sends nothing more."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from ...support.process_university import Sent
from ...support.servers.postgres import Postgres, postgres
from .served_university import ServedUniversity, ServiceProcess

TAKEOVER = 15.0


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        server.execute("CREATE ROLE inspera_sync LOGIN")
        yield server


class Replicated(ServedUniversity):
    """A university whose state is on PostgreSQL."""

    def __init__(self, folder: Path, today: date, url: str) -> None:
        super().__init__(folder, today)
        self.url = url
        self._replicas = 0

    def configuration(self) -> Path:
        """Writes the files; gives the configuration's."""
        config = super().configuration()
        config.write_text(
            config.read_text("utf-8").replace("sqlite:///state.db", self.url), "utf-8"
        )
        return config

    def replica(self) -> ServiceProcess:
        """Starts one more service; gives it once its loop turns."""
        config = self.configuration()
        self._replicas += 1
        here = config.parent / f"replica{self._replicas}"
        here.mkdir()
        for file in config.parent.iterdir():
            if file.is_file():
                (here / file.name).symlink_to(file)
        one = self.watched(ServiceProcess(here / config.name, "serve"))
        self.until(lambda: bool(one.events("service started")), one)
        return one

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Asks the state."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def unknown(self) -> set[Sent]:
        """Every record of which the state has an intent without an outcome."""
        rows = self.ask("SELECT kind, action, k1, k2 FROM intent WHERE outcome IS NULL")
        return {self._sent_as(*map(str, row)) for row in rows}


@pytest.fixture
def university(tmp_path: Path, today: date, server: Postgres) -> Iterator[Replicated]:
    """A university of which Inspera knows nothing yet, with a state sorted by Norwegian rules."""
    name = f"state_{tmp_path.name}".replace("-", "_").lower()[:60]
    server.create_database(name, icu="nb-NO")
    server.execute(f'ALTER DATABASE "{name}" OWNER TO inspera_sync')
    university = Replicated(
        tmp_path, today, f"postgresql://inspera_sync@127.0.0.1:{server.port}/{name}"
    )
    yield university
    university.close()


def in_the_middle(university: Replicated) -> tuple[ServiceProcess, ServiceProcess]:
    """A leader in the middle of its first run, and another replica that stands by."""
    university.jobs = "often: {every: 15s}"  # not so often that it is due again before it is done
    university.slow(1)  # so that it is not done before the other one stands by
    leader = university.replica()
    university.until(lambda: bool(leader.events("took the lead")), leader)
    standby = university.replica()
    university.until(lambda: university.writes("POST", "/users/student") >= 8, leader)
    assert not standby.events("took the lead")
    return leader, standby


def test_the_other_takes_over_from_a_leader_that_was_killed_settles_and_finishes(
    university: Replicated,
) -> None:
    leader, standby = in_the_middle(university)
    leader.kill()
    killed = time.monotonic()
    university.until(lambda: bool(standby.events("took the lead")), standby, TAKEOVER)
    before, unknown = university.sent(), university.unknown()
    university.mark()
    university.until(lambda: bool(standby.events("run started")), standby, TAKEOVER)
    assert time.monotonic() - killed < TAKEOVER
    university.heal()
    university.settled(standby)
    assert before & university.sent() <= unknown
    university.until(lambda: "done" in standby.ran("often"), standby)
    assert university.unknown() == set()


def test_a_leader_whose_locks_are_cut_sends_nothing_more_and_nothing_unsafe_is_repeated(
    university: Replicated, server: Postgres
) -> None:
    leader, standby = in_the_middle(university)
    locks = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
    server.execute(
        f"SELECT pg_terminate_backend(pid) FROM ({locks}) held",
        database=university.url.rpartition("/")[2],
    )
    sent = intents(university)
    university.until(lambda: bool(leader.events("run failed")), leader)
    assert leader.events("run failed")[0]["error"].endswith("; this run stops")
    university.heal()
    one = leader if leader.events("took the lead")[1:] else standby
    university.settled(one, 60)
    assert (
        intents(university) - sent <= 16
    )  # what was on its way to the state already, and no more of the first run
    templates = {row[-1] for row in university.contents()["tests"].values()}
    assert templates == {1}  # no test was made twice
    assert university.contents() == university.rows.expected()


def intents(university: Replicated) -> int:
    """How much the first run has been about to send."""
    ((number,),) = university.ask(
        "SELECT count(*) FROM intent WHERE run_id = (SELECT min(id) FROM run)"
    )
    return int(str(number))


def test_a_standby_follows_when_the_leader_is_stopped_in_order(university: Replicated) -> None:
    import signal

    university.jobs = 'seldom: {cron: "15 2 29 2 *", zone: Europe/Oslo}'
    leader = university.replica()
    university.until(lambda: bool(leader.events("took the lead")), leader)
    standby = university.replica()
    leader.signal(signal.SIGTERM)
    assert leader.wait() == 0
    university.until(lambda: bool(standby.events("took the lead")), standby, TAKEOVER)
