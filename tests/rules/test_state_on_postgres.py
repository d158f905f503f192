"""The same on PostgreSQL: one tenant, older copies, what is kept and who stays. What a dump brings back is noticed."""

import subprocess
from collections.abc import Iterator
from itertools import count

import pytest

from ..support.servers.needed import need
from ..support.servers.postgres import BINARIES, SUPERUSER, Postgres, postgres
from .manual_edits import put_candidate
from .site import TEST, Site, names, numbers

_NUMBERS = count(1)

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


class OnServer:
    """A university whose state is in a database of a server."""

    def __init__(self, site: Site, server: Postgres) -> None:
        self.site, self.server, self.name = site, server, f"state{next(_NUMBERS)}"
        server.create_database(self.name, icu="nb-NO")
        self.use(self.name)

    def use(self, name: str, user: str = SUPERUSER) -> None:
        """Has the configuration name this database."""
        self.site.config["state"] = self.server.url(name).replace("://", f"://{user}@")

    def dump(self) -> bytes:
        """The whole database, as `pg_dump` makes it."""
        return self._client("pg_dump", self.name)

    def restore(self, dump: bytes) -> None:
        """Puts a dump into a new database, and has the configuration name it."""
        self.name = f"state{next(_NUMBERS)}"
        self.server.create_database(self.name, icu="nb-NO")
        self._client("psql", "--quiet", "--set=ON_ERROR_STOP=1", self.name, given=dump)
        self.use(self.name)

    def _client(self, program: str, *words: str, given: bytes = b"") -> bytes:
        (path,) = (need(program, "postgresql", beside=BINARIES),)
        where = ["--host=127.0.0.1", f"--port={self.server.port}", f"--username={SUPERUSER}"]
        return subprocess.run(
            [path, *where, *words], input=given, capture_output=True, check=True
        ).stdout


@pytest.fixture
def on_server(site: Site, server: Postgres) -> OnServer:
    """Three learners on one test, sent from a state on PostgreSQL."""
    on_server = OnServer(site, server)
    site.seat(TEST, *numbers(1001, 3))
    site.settled()
    return on_server


def test_every_command_refuses_a_state_of_another_tenant_until_it_is_moved(
    site: Site, on_server: OnServer
) -> None:
    site.config["inspera"]["client_id"] = "another"
    for words in (
        ("plan",),
        ("apply",),
        ("status",),
        ("adopt",),
        ("reconcile",),
        ("check",),
        ("resume",),
    ):
        ran = site.run(*words)
        assert (words, ran.status) == (words, 2), ran.said
        assert "this state belongs to " in ran.err
    assert site.run("pause").status == 0
    site.config["inspera"]["client_id"] = "example"
    assert site.run("resume").status == 0
    site.config["inspera"]["url"] = site.sandbox.url.replace("127.0.0.1", "localhost")
    assert site.run("state", "rebind").status == 2
    assert site.run("state", "rebind", "--renamed").status == 0
    site.settled()


def test_a_dump_that_was_restored_is_held_until_it_is_reconciled(
    site: Site, on_server: OnServer
) -> None:
    dump = on_server.dump()
    site.at("2026-09-02T08:00")
    site.registrations.drop(f"{TEST} 1001")
    site.seat(TEST, "1004")
    site.settled()
    on_server.restore(dump)
    for ran in (site.plan(), site.apply(), site.apply(), site.plan()):
        assert ran.status == 3
        assert "its tables were restored from a dump" in ran.out
        assert site.calls() == []
    assert "this state may be older" in site.run("status").out
    assert site.reconcile().status == 3
    assert site.adopt("--managed").status == 0
    assert "Recovered" in site.reconcile().out
    site.settled()
    assert set(site.seats()) == names(["1002", "1003", "1004"])
    site.registrations.drop(f"{TEST} 1004")
    site.settled()
    assert set(site.seats()) == names(["1002", "1003"])


def test_tables_that_were_put_back_without_the_mark_are_noticed(
    site: Site, on_server: OnServer
) -> None:
    site.at("2026-09-02T08:00")
    site.seat(TEST, "1004")
    site.settled()
    newest = "(SELECT max(id) FROM run)"
    on_server.server.execute(
        f"DELETE FROM finding WHERE run_id = {newest}",
        f"DELETE FROM intent WHERE run_id = {newest}",
        f"DELETE FROM run WHERE id = {newest}",
        "DELETE FROM known_candidate WHERE learner = '1004'",
        database=on_server.name,
    )
    ran = site.apply()
    assert ran.status == 3
    assert (
        "its newest run is 1 of 2026-09-01T08:00:00Z, but run 2 of 2026-09-02T08:00:00Z was made here"
        in ran.out
    )
    site.adopt("--managed")
    assert "Recovered" in site.reconcile().out
    site.settled()
    site.registrations.drop(f"{TEST} 1004")
    site.settled()
    assert "s1004" not in site.seats()


def test_a_reader_plans_and_is_told_as_well(site: Site, on_server: OnServer) -> None:
    on_server.server.execute(
        "CREATE ROLE looker LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker",
        database=on_server.name,
    )
    on_server.use(on_server.name, "looker")
    assert site.plan().status == 0
    on_server.server.execute("UPDATE high_water SET run = run + 1", database=on_server.name)
    assert "this state may be older" in site.plan().out
    site.config["inspera"]["client_id"] = "another"
    assert site.plan().status == 2


def test_kept_values_agreement_and_who_stays_are_the_same(site: Site, on_server: OnServer) -> None:
    site.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    site.sandbox.edit(candidate={"test": TEST, "username": "s1002", "extraTimeMins": 15})
    site.students.add("1009")
    put_candidate_of(site, "1009")
    site.registrations.set(f"{TEST} 1001", extra="45")
    site.registrations.set(f"{TEST} 1002", extra="15")
    ran = site.apply()
    assert ran.status == 3
    assert "Inspera had it so already: taken as known, and nothing was sent" in ran.out
    assert site.adopt("--held", "--keep").status == 0
    site.registrations.drop(f"{TEST} 1009")
    assert (
        f"Stays: 1 candidate stays, put there by hand, although no source names them any more: {TEST}"
        in (site.settled().out)
    )
    assert site.seats()["s1001"]["extraTimeMins"] == 60
    site.registrations.set(f"{TEST} 1001", extra="20")
    site.settled()
    assert site.seats()["s1001"]["extraTimeMins"] == 20
    assert "Stays: 1 candidate" in site.run("status").out


def put_candidate_of(site: Site, number: str) -> None:
    """Somebody who was seated by hand before the source names them, and is named by it now."""
    site.settled()
    put_candidate(site, number)
    site.registrations.add(f"{TEST} {number}")
    site.settled()
