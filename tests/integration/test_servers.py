"""A server that dies in the middle of what it says: nothing is used, nothing removed; the next run goes on."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ..support.servers.between import Between, between
from ..support.servers.mariadb import MariaDb, mariadb
from ..support.servers.postgres import Postgres, postgres
from ..support.servers.slapd import Slapd, person
from ..support.university import TEST, University, numbers

PADDING = 50_000
"""Characters of nothing in each registration, so that the server is long in saying them all."""


CLASS = numbers(1001, 30)


HALF = PADDING * len(CLASS) // 2


COURSE, TERM = TEST.split("-")


@dataclass
class Running:
    """A server that runs, its port, and what a power cut does to it."""

    port: int
    kill: Callable[[], None]


Start = Callable[[Path, Sequence[str]], AbstractContextManager[Running]]


@contextmanager
def postgresql(_folder: Path, learners: Sequence[str]) -> Iterator[Running]:
    with postgres() as server:
        _fill(server, server.create_database("sis", icu="nb-NO").rpartition("/")[2], learners)
        yield Running(server.port, server.kill)


@contextmanager
def maria(_folder: Path, learners: Sequence[str]) -> Iterator[Running]:
    with mariadb() as server:
        server.create_database("sis")
        _fill(server, "sis", learners)
        yield Running(server.port, server.kill)


def _fill(server: Postgres | MariaDb, database: str, learners: Sequence[str]) -> None:
    """The registrations; somebody who is in no longer is a row of the table that the query leaves out."""
    server.execute(
        "CREATE TABLE registration (course TEXT, term TEXT, student_no TEXT, padding TEXT)",
        database=database,
    )
    for learner in learners:
        row = f"('{COURSE}', '{TERM}', '{learner}', repeat('x', {PADDING}))"
        server.execute(f"INSERT INTO registration VALUES {row}", database=database)


@contextmanager
def openldap(folder: Path, learners: Sequence[str]) -> Iterator[Running]:
    entries = [
        person(learner, departmentNumber=COURSE, employeeType=TERM, description="x" * PADDING)
        for learner in learners
    ]
    server = Slapd(folder / f"slapd{len(learners)}", entries)
    with server.running():
        yield Running(server.port, server.kill)


def _sql(scheme: str, user: str) -> Callable[[int], dict[str, Any]]:
    return lambda port: {
        "type": "sql",
        "url": f"{scheme}://127.0.0.1:{port}/sis",
        "user": user,
        "query": "SELECT * FROM registration",
    }


def _ldap(port: int) -> dict[str, Any]:
    return {
        "type": "ldap",
        "servers": f"ldap://127.0.0.1:{port}",
        "base": "ou=people,dc=example,dc=edu",
        "page_size": 4,
        "attributes": {
            "course": "departmentNumber",
            "term": "employeeType",
            "student_no": "uid",
            "padding": "description",
        },
    }


SERVERS: dict[str, tuple[Start, Callable[[int], dict[str, Any]]]] = {
    "PostgreSQL": (postgresql, _sql("postgresql", "postgres")),
    "MariaDB": (maria, _sql("mariadb", "root")),
    "OpenLDAP": (openldap, _ldap),
}


@pytest.fixture
def way() -> Iterator[Between]:
    with between() as one:
        yield one


@pytest.mark.server
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_killed_in_the_middle_removes_nobody_and_the_truly_absent_go_with_a_whole_reading(
    university: University, way: Between, tmp_path: Path, name: str
) -> None:
    start, source = SERVERS[name]
    university.students.add(*CLASS)
    university.exams.add(TEST)
    university.config["sources"]["registrations"] = source(way.port)
    candidates = university.feed("candidate")
    candidates["map"] = {
        "test": "{course}-{term}",
        "learner": "student_no",
        "room": {"constant": "U-37"},
    }
    candidates["where"] = {"course": COURSE}
    with start(tmp_path, CLASS) as running:
        way.to = running.port
        university.apply_cleanly()
        assert len(university.candidates()) == len(CLASS)
        state = university.state.read_bytes()
        way.after, way.killed = HALF, running.kill
        ran = university.plan()
        assert (ran.status, way.cuts) == (4, 1)
        assert university.state.read_bytes() == state
    with start(tmp_path / "again", CLASS) as running:
        way.to, way.after, way.killed = running.port, HALF, running.kill
        ran = university.apply()
        assert (ran.status, way.cuts) == (4, 2)
        assert (
            "nothing of it is used in this run, and nothing that rests on it is removed" in ran.out
        )
        assert university.writes() == []
        assert len(university.candidates()) == len(CLASS)
    with start(tmp_path / "less", CLASS[1:]) as running:
        way.to = running.port
        university.apply_cleanly()
        assert set(university.candidates()) == {f"s{learner}" for learner in CLASS[1:]}
