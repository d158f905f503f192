"""The same on PostgreSQL: one tenant, older copies, what is kept and who stays. What a dump brings back is noticed."""

import json
import subprocess
from collections.abc import Iterator
from itertools import count

import pytest
from sync.app import App
from sync.records.changes import Cause
from sync.state.service_figures import read_figures

from ..support.manual_edits import put_candidate
from ..support.receivers import webhook
from ..support.servers.needed import need
from ..support.servers.postgres import BINARIES, SUPERUSER, Postgres, postgres
from ..support.university import OTHER, TEST, University, names, numbers

_NUMBERS = count(1)


pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


class OnServer:
    """A university whose state is in a database of a server."""

    def __init__(self, university: University, server: Postgres) -> None:
        self.university, self.server, self.name = university, server, f"state{next(_NUMBERS)}"
        server.create_database(self.name, icu="nb-NO")
        self.use(self.name)

    def use(self, name: str, user: str = SUPERUSER) -> None:
        """Has the configuration name this database."""
        self.university.config["state"] = self.server.url(name).replace("://", f"://{user}@")

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
def on_server(university: University, server: Postgres) -> OnServer:
    """Three learners on one test, sent from a state on PostgreSQL."""
    on_server = OnServer(university, server)
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    return on_server


def test_every_command_refuses_a_state_of_another_tenant_until_it_is_moved(
    university: University, on_server: OnServer
) -> None:
    university.config["inspera"]["client_id"] = "another"
    for words in (
        ("plan",),
        ("apply",),
        ("status",),
        ("adopt",),
        ("reconcile",),
        ("check",),
        ("resume",),
    ):
        ran = university.run(*words)
        assert (words, ran.status) == (words, 2), ran.output
        assert "this state belongs to " in ran.err
    assert university.run("pause").status == 0
    university.config["inspera"]["client_id"] = "example"
    assert university.run("resume").status == 0
    university.config["inspera"]["url"] = university.sandbox.url.replace("127.0.0.1", "localhost")
    assert university.run("state", "rebind").status == 2
    assert university.run("state", "rebind", "--renamed").status == 0
    university.apply_cleanly()


def test_what_a_target_was_notified_of_is_kept_in_the_database(
    university: University, on_server: OnServer
) -> None:
    with webhook() as hook:
        (university.folder / "hook").write_text(hook.url)
        university.config["notifications"] = {"targets": {"team": {"url": "${file:hook}"}}}
        university.registrations.rows[0]["student_no"] = ""
        assert university.apply().status == 1
        university.apply()
        assert len(hook.bodies) == 1, hook.bodies
    state = App.open(university.write(), lambda _line: None).state
    assert list(state.notified()) == ["team"]
    assert state.notified()["team"].concerns


def test_a_dump_that_was_restored_is_held_until_it_is_reconciled(
    university: University, on_server: OnServer
) -> None:
    dump = on_server.dump()
    university.at("2026-09-02T08:00")
    university.registrations.drop(f"{TEST} 1001")
    university.register(TEST, "1004")
    university.apply_cleanly()
    on_server.restore(dump)
    for ran in (university.plan(), university.apply(), university.apply(), university.plan()):
        assert ran.status == 3
        assert "its tables were restored from a dump" in ran.out
        assert university.calls() == []
    assert "this state may be older" in university.run("status").out
    assert university.reconcile().status == 3
    assert university.adopt("--managed").status == 0
    assert "Recovered" in university.reconcile().out
    university.apply_cleanly()
    assert set(university.candidates()) == names(["1002", "1003", "1004"])
    university.registrations.drop(f"{TEST} 1004")
    university.apply_cleanly()
    assert set(university.candidates()) == names(["1002", "1003"])


def test_tables_that_were_put_back_without_the_mark_are_noticed(
    university: University, on_server: OnServer
) -> None:
    university.at("2026-09-02T08:00")
    university.register(TEST, "1004")
    university.apply_cleanly()
    newest = "(SELECT max(id) FROM run)"
    on_server.server.execute(
        f"DELETE FROM finding WHERE run_id = {newest}",
        f"DELETE FROM intent WHERE run_id = {newest}",
        f"DELETE FROM source_reading WHERE run_id = {newest}",
        f"DELETE FROM run WHERE id = {newest}",
        "DELETE FROM known_candidate WHERE learner = '1004'",
        database=on_server.name,
    )
    ran = university.apply()
    assert ran.status == 3
    assert (
        "its newest run is 1 of 2026-09-01T08:00:00Z, but run 2 of 2026-09-02T08:00:00Z was made here"
        in ran.out
    )
    university.adopt("--managed")
    assert "Recovered" in university.reconcile().out
    university.apply_cleanly()
    university.registrations.drop(f"{TEST} 1004")
    university.apply_cleanly()
    assert "s1004" not in university.candidates()


def test_a_reader_plans_and_is_reported_as_well(
    university: University, on_server: OnServer
) -> None:
    on_server.server.execute(
        "CREATE ROLE looker LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker",
        database=on_server.name,
    )
    on_server.use(on_server.name, "looker")
    assert university.plan().status == 0
    on_server.server.execute("UPDATE high_water SET run = run + 1", database=on_server.name)
    assert "this state may be older" in university.plan().out
    university.config["inspera"]["client_id"] = "another"
    assert university.plan().status == 2


def test_a_reader_reports_a_plan_a_run_and_what_is_held(
    university: University, on_server: OnServer
) -> None:
    university.allow_shrinkage()
    university.registrations.drop(f"{TEST} 1001", f"{TEST} 1002", f"{TEST} 1003")
    university.register(TEST, *numbers(2001, 3))
    university.students.set("1002", family="Nyfamilie")
    assert university.apply("--allow", "0" * 12).status == 2
    on_server.server.execute(
        "DO $$ BEGIN CREATE ROLE reporter LOGIN; EXCEPTION WHEN duplicate_object THEN END $$",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reporter",
        database=on_server.name,
    )
    on_server.use(on_server.name, "reporter")
    for words in ((), ("--pseudonymise",)):
        ran = university.run("report", *words, "--json", "-")
        assert ran.status == 0, ran.output
        document = json.loads(ran.out)
        assert document["totals"] == {
            "held": 3,
            "errors": 0,
            "waiting": 0,
            "deferred": 0,
            "changes": 7,
        }
        assert ("Nyfamilie" in ran.out) is not bool(words)
    (held,) = document["sections"][0]["groups"]
    assert len(held["items"]) == 3
    assert university.run("report", "held", "--html", "-").status == 0
    assert '"changes": 7' in university.run("report", "run", "1", "--json", "-").out


def test_kept_values_agreement_and_who_stays_are_the_same(
    university: University, on_server: OnServer
) -> None:
    university.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    university.sandbox.edit(candidate={"test": TEST, "username": "s1002", "extraTimeMins": 15})
    university.students.add("1009")
    put_candidate_of(university, "1009")
    university.registrations.set(f"{TEST} 1001", extra="45")
    university.registrations.set(f"{TEST} 1002", extra="15")
    ran = university.apply()
    assert ran.status == 3
    assert "Inspera had it so already: taken as known, and nothing was sent" in ran.out
    assert university.adopt("--held", "--keep").status == 0
    university.registrations.drop(f"{TEST} 1009")
    assert (
        f"Stays: 1 candidate stays, put there by hand, although no source names them any more: {TEST}"
        in (university.apply_cleanly().out)
    )
    assert university.candidates()["s1001"]["extraTimeMins"] == 60
    university.registrations.set(f"{TEST} 1001", extra="20")
    university.apply_cleanly()
    assert university.candidates()["s1001"]["extraTimeMins"] == 20
    assert "Stays: 1 candidate" in university.run("status").out


def put_candidate_of(university: University, number: str) -> None:
    """Somebody who was seated by hand before the source names them, and is named by it now."""
    university.apply_once()
    put_candidate(university, number)
    university.registrations.add(f"{TEST} {number}")
    university.apply_cleanly()


def test_a_record_is_explained_from_a_state_on_postgresql(on_server: OnServer) -> None:
    university = on_server.university
    out = university.run("explain", "candidate", TEST, "1001").out
    assert "what is known in Inspera is what the sources want (rules 27)" in out
    assert "put there by run 1 (apply)" in out
    assert university.run("explain", "learner", "10010").status == 1


def test_the_figures_of_the_service_are_read_from_a_state_on_postgresql(
    university: University, on_server: OnServer
) -> None:
    university.at("2026-11-30T12:00")
    university.students.set("1002", feide="other")
    university.apply()
    app = App.open(university.write(), lambda _line: None)
    with app.state.open_to_read() as connection:
        figures = read_figures(connection, university.now())
    assert figures.held == {Cause.IDENTITY_CHANGE: 1}
    assert figures.exams == 1
    assert {(one.source, one.rows) for one in figures.sources} >= {("students", 3)}


def test_a_changed_mapping_is_held_with_a_plan_in_another_session(
    university: University, on_server: OnServer
) -> None:
    university.register(TEST, *numbers(1004, 9))
    university.apply_cleanly()
    university.feed("learner")["map"] |= {"first_name": "family", "last_name": "given"}
    held = university.apply()
    assert held.status == 3
    assert "it updates 12 learners; 12 changes of 12 known learners is more than" in held.out
    assert university.plan().allow_hash == held.allow_hash
    assert university.apply("--allow", held.allow_hash).status == 0
    assert "onfiguration" not in university.apply_cleanly().out


def test_a_part_a_pilot_and_the_grace_are_the_same(
    university: University, on_server: OnServer
) -> None:
    university.config["grace"] = {"readings": 2, "age": "0s"}
    university.registrations.drop(f"{TEST} 1002")
    assert "absent in 1 of 2 readings" in university.apply("--test", TEST).out
    university.config["only"] = [{"person": "1001"}]
    university.config["protect"] = [{"person": "1009", "why": "a guest", "until": "2026-12-31"}]
    university.register(TEST, "1009")
    assert "Left alone:\n  3 changes: outside the pilot group" in university.run("plan").out
    del university.config["only"]
    assert university.apply("--person", "100[29]").status == 0
    assert set(university.candidates()) == names(["1001", "1003", "1009"])


def test_clashes_are_found_there_as_well(university: University, on_server: OnServer) -> None:
    university.feed("candidate")["map"] |= {"room": "room"}
    university.config["rooms"] = {"A": 1}
    university.config["freeze"] = {"before": "3d"}
    university.add_feeds("staff", "contributor")
    university.assign_staff(TEST, "501", duties="plan")
    university.exams.add(OTHER, start="01.12.2026 12:00", end="01.12.2026 16:00")
    university.register(OTHER, *numbers(1002, 3))
    for learner in ("1001", "1002"):
        university.registrations.set(f"{TEST} {learner}", room="A")
    university.registrations.drop(f"{TEST} 1003")
    university.at("2026-11-28T12:00")
    found = [(one["type"], one["test"], one["count"]) for one in university.plan_json()["clashes"]]
    # 1003 stays on the first test, which is frozen
    assert found == [("overlap", TEST, 2), ("room", TEST, 2), ("no grader", OTHER, 0)]


def test_a_hold_is_approved_in_part_next_to_a_run_and_sent_by_the_next_one(
    university: University, on_server: OnServer
) -> None:
    university.allow_shrinkage()
    university.config["limits"] = {"test": {"at_least": 0, "percent": 0}}
    university.register(TEST, "1004")
    university.registrations.drop(*(f"{TEST} {learner}" for learner in numbers(1001, 3)))
    assert university.apply().status == 3
    (hold,) = json.loads(university.run("held", "--json").out)["holds"]
    decided = ("--why", "ok", "--by", "ann", "--only")
    state = App.open(university.write(), lambda _: None).state
    with state.open_to_write("job nightly"):
        assert university.run("approve", hold["id"], *decided, "1001").status == 0
        assert university.run("reject", hold["id"], *decided, "1002").status == 0
    assert state.approvals_wait(university.now())
    assert university.apply().status == 3
    assert set(university.candidates()) == names(numbers(1002, 3))
    assert not state.approvals_wait(university.now())
    (left,) = json.loads(university.run("held", "--json").out)["holds"]
    assert [one["key"] for one in left["changes"]] == [[TEST, "1003"]]


def test_a_run_is_undone_and_held_and_a_reviewed_plan_is_carried_out(
    university: University, on_server: OnServer
) -> None:
    university.allow_shrinkage()
    university.registrations.drop(f"{TEST} 1001")
    university.registrations.set(f"{TEST} 1002", extra="30")
    university.apply_cleanly()
    undone = university.run("undo", "2", "--why", "wrong", "--by", "Kari")
    assert undone.status == 0, undone.output
    assert set(university.candidates()) == names(numbers(1001, 3))
    held = university.apply()
    assert held.status == 3
    assert held.out.count("undone by Kari on") >= 2
    assert university.run("undo", "3", "--why", "it was right").status == 0
    university.apply_cleanly()
    assert not university.sent()
    file = university.folder / "plan"
    university.register(TEST, "1009")
    assert university.plan("--out", str(file)).status == 0
    university.students.set("1009", given="Ny")
    assert "1 change is different (learner 1009)" in university.apply(str(file)).err
    assert university.plan("--out", str(file)).status == 0
    assert university.apply(str(file)).status == 0
    assert "s1009" in university.candidates()


def test_a_refused_activation_is_stored_and_one_that_passes_is_remembered(
    on_server: OnServer,
) -> None:
    university = on_server.university
    university.add_feeds("staff", "contributor", "committee", "option")
    university.feed("test")["activate"] = {"before": "24h"}
    university.register(TEST, "1001")
    university.panels.add(f"{TEST} A")
    university.settings.add(f"{TEST} LOCKDOWN_BROWSER", value="true")
    university.assign_staff(TEST, "501", committees="A")
    university.at("2026-11-30T09:00")
    university.fail(method="POST", path="*/activate", status=400, body={"error": "no scale"})
    assert university.apply().status == 1
    assert university.planned() == [f"activate test {TEST}"]
    university.stop_failing()
    assert university.apply("--retry-refused", "--test", TEST).status == 0
    assert university.tests()[TEST]["activated"]
    assert university.planned() == []


def test_committees_are_ensured_and_roles_for_the_tenant_are_named(on_server: OnServer) -> None:
    university = on_server.university
    university.add_feeds("staff", "contributor")
    university.feed("staff")["map"]["accesses"] = {"constant": "monitor"}
    university.feed("candidate")["map"]["room"] = "room"
    university.register(TEST, "1001")
    university.registrations.set(f"{TEST} 1001", room="U-37")
    university.assign_staff(TEST, "501", duties="evaluate;monitor")
    university.config["committees"] = {"ensure": "A"}
    ran = university.apply_cleanly()
    assert "Roles: 501 becomes grader of the tenant (role evaluate)" in ran.out
    assert "monitor of the tenant" not in ran.out
    assert university.committees() == {"A": "GRADING"}
    university.registrations.set(f"{TEST} 1001", room="")
    assert university.planned() == [f"update candidate {TEST}/1001"]
    feeds = list(university.config["feeds"])
    university.config |= {"committees": {}, "on_absence": {"committee": "remove"}}
    assert "the test could not be graded without it" in university.apply_cleanly().out
    assert set(university.committees()) == {"A"}
    university.add_feeds("committee")
    university.panels.add(f"{TEST} P")
    university.apply_cleanly()
    university.apply_cleanly()
    assert set(university.committees()) == {"P"}
    university.config["feeds"] = feeds
    university.graders.set(f"{TEST} 501", committees="K")
    university.apply()
    assert university.apply().status == 3
    assert set(university.committees()) == {"K", "P"}
