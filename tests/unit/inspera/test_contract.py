"""The contract: every call, against the sandbox and, with the same tests, against a second server.

The second one is written in these tests from the contract page alone and shares no code with the
sandbox. Where one of the two is wrong about the vendor, they do not agree, and a test fails.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs
from sync.contract import CALLS, StaffBody, Stage
from sync.inspera.connection import Connection
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Action, Cause, Change, Outcome, Result
from sync.records.remote import Member, RemotePerson
from sync.sandbox import Sandbox

from .http_tenant import KEY, HttpTenant, serving
from .made_up import (
    LEARNER,
    STAFF,
    THERE,
    committee,
    contributor,
    creating,
    make_seat,
    new_staff,
    option,
    results_of,
    staff,
    updating,
)
from .waiting import NOON, Time, target_at

EXERCISED: dict[str, tuple[str, ...]] = {}
DONE = Outcome(Result.DONE)


def exercises(
    *names: str,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Name the calls that a test is about; the target's fixture checks that they were sent."""

    def note(test: Callable[..., None]) -> Callable[..., None]:
        EXERCISED[test.__name__] = names
        return test

    return note


class Server:
    """One of the two servers, and how a test changes its behaviour."""

    def __init__(self, server: Sandbox | HttpTenant, url: str) -> None:
        self._server, self.url, self._test = server, url, str(THERE["external_test_id"])
        if isinstance(server, Sandbox):
            server.control(unknown_fields=True)  # the other one always has them

    def refuse_existing(self, *, on: bool) -> None:
        """Let the server refuse a username that exists, or update its account."""
        if isinstance(self._server, Sandbox):
            self._server.control(refuse_existing=on)
        else:
            self._server.people.refuses_existing = on

    def add_second_account(self, username: str) -> None:
        """Add another account of one username, as old tenants may have it."""
        if isinstance(self._server, Sandbox):
            self._server.edit(student={"username": username, "second": True})
        else:
            self._server.people.second.append({"userId": 1, "username": username})

    def archive(self) -> None:
        """Archive the test `THERE`."""
        if isinstance(self._server, Sandbox):
            self._server.edit(test=self._test, archived=True)
        else:
            self._server.archived.add(self._number(self._server))

    def make_parent(self) -> None:
        """Make the test `THERE` a parent of others."""
        if isinstance(self._server, Sandbox):
            self._server.edit(test=self._test, isAssessmentPath=True)
        else:
            self._server.parents.add(self._test)

    def start(self, username: str) -> None:
        """Let a candidate of the test `THERE` start."""
        if isinstance(self._server, Sandbox):
            candidate = {"test": self._test, "username": username, "started": True}
            self._server.edit(candidate=candidate)
        else:
            seats = self._server.seats[self._number(self._server)]
            seats["FEIDE", f"{username}@example.edu"]["started"] = True

    def _number(self, tenant: HttpTenant) -> str:
        return str(tenant.tests[self._test]["assessmentRunId"])


@pytest.fixture(params=["the sandbox", "a second server"])
def server(request: pytest.FixtureRequest, time: Time) -> Iterator[Server]:
    with ExitStack() as open_:
        if request.param == "the sandbox":
            sandbox = Sandbox(client_id="made-up", api_key=KEY, clock=time.clock)
            open_.enter_context(sandbox)
            yield Server(sandbox, sandbox.url)
        else:
            tenant = HttpTenant()
            yield Server(tenant, open_.enter_context(serving(tenant)))


@pytest.fixture
def staff_body() -> StaffBody:
    return "flat"


@pytest.fixture
def target(
    request: pytest.FixtureRequest, server: Server, time: Time, staff_body: StaffBody
) -> Iterator[InsperaTarget]:
    settings = getattr(request, "param", {})
    with ExitStack() as open_:
        connection = Connection(
            server.url,
            "made-up",
            lambda: KEY,
            calls_per_second=1e7,
            attempts=3,
            staff_body=staff_body,
            **settings,
        )
        logs = open_.enter_context(capture_logs())
        yield open_.enter_context(target_at(connection, time))
        sent = {entry["call"] for entry in logs if entry["event"] == "call"}
        assert set(EXERCISED.get(request.function.__name__, ())) <= sent


def _exam(target: InsperaTarget) -> str:
    return str(target.create_test(creating(template=None)).remote_id)


def _learner(target: InsperaTarget, username: str = "aaseb", **after: Any) -> Change:
    fields = {
        **LEARNER.after,
        "username": username,
        "external_id": f"{username}@example.edu",
        "email": "",
        **after,
    }
    change = Change(Action.CREATE, Kind.LEARNER, (username,), after=fields)
    assert target.save_learner(change, None).result is Result.DONE
    return change


def _person(target: InsperaTarget, external_id: str) -> RemotePerson:
    (person,) = target.find_person("FEIDE", external_id)
    return person


def test_every_call_of_the_table_is_exercised() -> None:
    assert {name for names in EXERCISED.values() for name in names} == set(CALLS)


@exercises("test.search", "test.read", "candidate.list", "person.by_external_id", "person.search")
def test_a_probe_shows_the_forms_of_answers_and_no_value(target: InsperaTarget) -> None:
    _exam(target)
    report = target.probe_forms()
    refused = {one.call.name for one in report.calls if one.failed}
    assert refused <= {"test.search", "person.by_external_id"}  # there may be no page 0
    assert all(one.form for one in report.calls if one.call.reads)
    shown = str([one.form for one in report.calls])
    assert "results[].externalId" in shown
    assert "INF101" not in shown


@exercises("token.fetch", "test.search")
def test_a_first_look_fetches_a_token_and_reads_one_page(target: InsperaTarget) -> None:
    _exam(target)
    seen = target.probe()
    assert seen.status == "test.search answered 200"
    assert seen.hits is not None
    assert seen.date is not None
    assert seen.date.tzinfo is not None


@exercises(
    "learner.create", "learner.update", "person.by_external_id", "person.read", "person.search"
)
def test_a_learner_is_made_changed_found_and_read(target: InsperaTarget) -> None:
    change = _learner(target, email="aaseb@example.edu")
    after = {**change.after, "last_name": "Berg", "email": "Aase@example.edu"}
    updated = replace(change, action=Action.UPDATE, after=after)
    assert target.save_learner(updated, None).result is Result.DONE
    person = _person(target, "aaseb@example.edu")
    assert (person.username, person.last_name) == ("aaseb", "Berg")
    assert target.read_person(str(person.remote_id)) == person
    assert target.find_person_by_login("aaseb") == [person]
    assert target.find_person_by_login("aase") == []
    assert target.find_person_by_email("aase@EXAMPLE.edu") == [person]
    assert target.find_person("FEIDE", "nobody@example.edu") == []
    assert target.read_person("1") is None


def test_an_existing_username_is_refused_or_updated_as_the_tenant_does(
    target: InsperaTarget, server: Server
) -> None:
    change = _learner(target)
    other = replace(
        change, action=Action.UPDATE, key=("b",), after={**change.after, "last_name": "Berg"}
    )
    server.refuse_existing(on=True)
    created = target.save_learner(change, None)
    assert (created.result, created.cause) == (Result.REFUSED, Cause.TAKEN)
    updated = [target.save_learner(other, None) for _ in range(2)]
    assert [(one.result, one.cause) for one in updated] == [(Result.DEFERRED, Cause.UPDATES)] * 2
    assert _person(target, "aaseb@example.edu").last_name == change.after["last_name"]


def test_a_tenant_that_took_an_update_refuses_only_the_person(
    target: InsperaTarget, server: Server
) -> None:
    change = replace(_learner(target), action=Action.UPDATE)
    assert target.save_learner(change, None).result is Result.DONE
    server.refuse_existing(on=True)
    outcome = target.save_learner(change, None)
    assert (outcome.result, outcome.cause) == (Result.REFUSED, Cause.NONE)


def test_two_accounts_of_one_username_are_both_found(target: InsperaTarget, server: Server) -> None:
    _learner(target)
    server.add_second_account("aaseb")
    found = target.find_person_by_login("aaseb")
    assert len({person.remote_id for person in found}) == 2


@pytest.mark.parametrize("staff_body", ["flat", "nested"])
def test_staff_are_saved_and_read_back_in_either_shape(
    target: InsperaTarget, staff_body: StaffBody
) -> None:
    assert target.save_staff(new_staff(), None).result is Result.DONE
    person = _person(target, str(STAFF["external_id"]))
    assert person.external_ids == (("FEIDE", str(STAFF["external_id"])),)
    assert (person.username, person.status) == ("kariv", "active")


@exercises("staff.create", "staff.update", "staff.disable", "staff.enable", "person.by_external_id")
def test_staff_are_made_once_changed_disabled_and_enabled(target: InsperaTarget) -> None:
    assert target.save_staff(new_staff(), "made-up-Password-1").result is Result.DONE
    first = _person(target, str(STAFF["external_id"])).remote_id
    assert target.save_staff(new_staff(), "made-up-Password-1").result is Result.DONE
    assert _person(target, str(STAFF["external_id"])).remote_id == first
    assert (
        target.save_staff(staff(Action.UPDATE, last_name="Rettleder"), None).result is Result.DONE
    )
    person = _person(target, str(STAFF["external_id"]))
    assert (person.username, person.last_name, person.status) == ("kariv", "Rettleder", "active")
    assert target.save_staff(staff(Action.DISABLE), None).result is Result.DONE
    assert _person(target, str(STAFF["external_id"])).status == "disabled"
    assert target.save_staff(staff(Action.ENABLE), None).result is Result.DONE
    assert _person(target, str(STAFF["external_id"])).status == "active"


@exercises("staff.delete")
def test_staff_are_deleted_and_nobody_is_deleted_twice(target: InsperaTarget) -> None:
    target.save_staff(new_staff(), None)
    user = str(_person(target, str(STAFF["external_id"])).remote_id)
    assert target.save_staff(staff(Action.DELETE), None) == DONE
    assert target.read_person(user) is None
    assert target.save_staff(staff(Action.DELETE), None) == Outcome(Result.DONE, "was not there")


@exercises("export.order", "export.status")
def test_all_people_of_one_kind_are_exported(target: InsperaTarget) -> None:
    for number in range(120):
        _learner(target, f"learner{number}")
    target.save_staff(new_staff(), None)
    learners, members = (
        list(target.export_people(Kind.LEARNER)),
        list(target.export_people(Kind.STAFF)),
    )
    assert {person.username for person in learners} == {f"learner{number}" for number in range(120)}
    owner, member = members
    assert owner.username == "administrator"  # whose key it is
    shown = target.read_person(str(member.remote_id))
    assert shown is not None
    assert shown.external_ids == (("FEIDE", "kariv@example.edu"),)
    # The file has no external ids, so it only proves which logins there are.
    assert member == replace(shown, external_ids=(), email=None, status=None)


@exercises("test.create", "test.update", "test.search", "test.read")
def test_a_test_is_made_once_changed_found_and_read(target: InsperaTarget) -> None:
    outcome = target.create_test(creating(template=None))
    number = str(outcome.remote_id)
    assert outcome.result is Result.DONE
    assert target.create_test(creating(template=None)).result is Result.FOUND
    assert (
        target.update_test(updating(title="Et nytt navn", end="2030-05-10T12:00:00Z")).result
        is Result.DONE
    )
    (found,) = target.find_test(str(THERE["external_test_id"]))
    assert (found.remote_id, found.title, found.end) == (
        number,
        "Et nytt navn",
        "2030-05-10T12:00:00Z",
    )
    read = target.read_test(number)
    assert read
    assert read.title == "Et nytt navn"
    assert target.read_test("1") is None
    assert target.settle_test("no such test", NOON).result is Result.NOT_SENT


@exercises("option.set")
def test_options_are_set_again_and_again(target: InsperaTarget) -> None:
    number = _exam(target)
    entries = [
        option("LOCKDOWN_BROWSER", "true"),
        option("SEB_SETTINGS_PINCODE", "mAde7up", type_="pin"),
        option("EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED", "false", "explanation"),
    ]
    for _ in range(2):
        assert target.assign(number, entries, Kind.OPTION) == [DONE] * 3


@exercises("committee.create", "committee.remove", "test.read")
def test_committees_are_made_read_and_removed(target: InsperaTarget) -> None:
    number = _exam(target)
    entries = [committee("A"), committee("B", "REASSESSMENT")]
    assert results_of(target.assign(number, entries, Kind.COMMITTEE)) == [Result.DONE] * 2
    seats = target.members(number, Kind.COMMITTEE)
    assert (seats.readable, set(seats.there)) == (True, {("", "A"), ("", "B")})
    assert target.remove(number, [committee("A")], Kind.COMMITTEE) == [DONE]
    assert set(target.members(number, Kind.COMMITTEE).there) == {("", "B")}


@exercises("committee.create")
def test_an_existing_committee_is_done_and_not_made_again(target: InsperaTarget) -> None:
    number = _exam(target)
    for _ in range(2):
        assert (
            results_of(target.assign(number, [committee("A"), committee("B")], Kind.COMMITTEE))
            == [Result.DONE] * 2
        )
    assert len(target.members(number, Kind.COMMITTEE).there) == 2


@exercises("test.activate", "test.search")
def test_a_test_is_activated_once_it_has_what_inspera_asks_for(target: InsperaTarget) -> None:
    number = _exam(target)
    change = creating(template=None)
    refused = target.activate_test(change, number)
    assert refused.result is Result.REFUSED
    assert "no candidate" in refused.message
    _learner(target, "aaseb")
    target.assign(number, [committee("A")], Kind.COMMITTEE)
    target.assign(number, [make_seat("aaseb@example.edu")])
    (before,) = target.find_test(str(change.after["external_test_id"]))
    assert before.stage is not Stage.ACTIVATED
    for _ in range(2):  # a second activation is answered in the same way
        assert target.activate_test(change, number).result is Result.DONE
    (after,) = target.find_test(str(change.after["external_test_id"]))
    assert after.stage is Stage.ACTIVATED


@exercises("contributor.assign", "contributor.remove", "test.read")
def test_contributors_are_put_on_a_test_read_changed_and_removed(target: InsperaTarget) -> None:
    number = _exam(target)
    target.save_staff(new_staff(), None)
    target.assign(number, [committee("A")], Kind.COMMITTEE)
    kari = str(STAFF["external_id"])
    wanted = {"first_name": "Kari", "last_name": "Veileder", "room": "R1", "building": "H"}
    entry = contributor(kari, roles="evaluate\nmonitor", committees="A", **wanted)
    assert target.assign(number, [entry], Kind.CONTRIBUTOR) == [DONE]
    seat = target.members(number, Kind.CONTRIBUTOR).there["FEIDE", kari]
    assert (seat.roles, seat.committees) == ("evaluate\nmonitor", "A")
    assert target.assign(
        number, [contributor(kari, roles="monitor", **wanted)], Kind.CONTRIBUTOR
    ) == [DONE]
    assert target.members(number, Kind.CONTRIBUTOR).there["FEIDE", kari].roles == "monitor"
    assert target.remove(number, [contributor(kari)], Kind.CONTRIBUTOR) == [DONE]
    assert target.members(number, Kind.CONTRIBUTOR).there == {}


@exercises("contributor.assign")
def test_a_contributor_of_a_committee_that_is_not_there_is_refused(target: InsperaTarget) -> None:
    number = _exam(target)
    target.save_staff(new_staff(), None)
    names = {"first_name": "Kari", "last_name": "Veileder", "room": "", "building": ""}
    entry = contributor(str(STAFF["external_id"]), committees="B", **names)
    (outcome,) = target.assign(number, [entry], Kind.CONTRIBUTOR)
    assert outcome.result is Result.REFUSED
    assert "Committee B does not exist" in outcome.message


@exercises("candidate.assign", "candidate.list", "candidate.remove")
def test_candidates_are_put_on_a_test_read_changed_and_removed(target: InsperaTarget) -> None:
    number = _exam(target)
    _learner(target, "aaseb")
    _learner(target, "bjorn")
    target.assign(number, [committee("A")], Kind.COMMITTEE)
    entries = [
        make_seat("aaseb@example.edu", candidate_id="17", extra_time=30, room="R1", committees="A"),
        make_seat("bjorn@example.edu", candidate_id="18"),
    ]
    assert target.assign(number, entries) == [DONE] * 2
    seats = target.members(number)
    seat = seats.there["FEIDE", "aaseb@example.edu"]
    assert (seat.candidate_id, seat.extra_time, seats.taken) == ("17", 30, 2)
    assert target.remove(number, entries[:1]) == [DONE]
    assert list(target.members(number).there) == [("FEIDE", "bjorn@example.edu")]


@exercises("candidate.list")
def test_nothing_is_on_a_new_test_and_nothing_can_be_told_of_one_that_does_not_exist(
    target: InsperaTarget,
) -> None:
    number = _exam(target)
    for kind in (Kind.CANDIDATE, Kind.CONTRIBUTOR, Kind.COMMITTEE):
        seats = target.members(number, kind)
        assert (seats.readable, dict[tuple[str, str], Member](seats.there)) == (True, {})
        assert not target.members("1", kind).readable


@exercises("candidate.remove")
def test_a_candidate_who_has_started_stays_and_the_others_go(
    target: InsperaTarget, server: Server
) -> None:
    number = _exam(target)
    for username in ("aaseb", "bjorn", "cecil"):
        _learner(target, username)
    entries = [make_seat(f"{name}@example.edu") for name in ("aaseb", "bjorn", "cecil")]
    target.assign(number, entries)
    server.start("bjorn")
    outcomes = target.remove(number, entries)
    assert results_of(outcomes) == [Result.DONE, Result.REFUSED, Result.DONE]
    assert outcomes[1].cause is Cause.STARTED
    assert list(target.members(number).there) == [("FEIDE", "bjorn@example.edu")]


@exercises("candidate.assign")
def test_an_archived_test_takes_no_candidates_and_costs_one_call(
    target: InsperaTarget, server: Server
) -> None:
    number = _exam(target)
    people = [f"s{each}" for each in range(4)]
    for username in people:
        _learner(target, username)
    entries = [make_seat(f"{name}@example.edu") for name in people]
    target.assign(number, entries[:1])
    server.archive()
    for change in (target.assign, target.remove):
        with capture_logs() as logs:
            outcomes = change(number, entries)
        assert {(one.result, one.cause) for one in outcomes} == {(Result.DEFERRED, Cause.ARCHIVED)}
        assert "archived" in outcomes[0].message
        assert len([entry for entry in logs if entry["event"] == "call"]) == 1


@exercises("test.activate")
def test_an_archived_test_is_not_activated(target: InsperaTarget, server: Server) -> None:
    number = _exam(target)
    _learner(target, "aaseb")
    target.assign(number, [committee("A")], Kind.COMMITTEE)
    target.assign(number, [make_seat("aaseb@example.edu")])
    server.archive()
    outcome = target.activate_test(creating(template=None), number)
    assert (outcome.result, outcome.cause) == (Result.DEFERRED, Cause.ARCHIVED)
    (test,) = target.find_test(str(THERE["external_test_id"]))
    assert test.stage is not Stage.ACTIVATED


@exercises("test.search")
def test_a_test_in_the_past_that_nobody_activated_is_not_shown_as_activated(
    target: InsperaTarget,
) -> None:
    _exam(target)
    (test,) = target.find_test(str(THERE["external_test_id"]))
    assert test.stage is not Stage.ACTIVATED


@exercises("test.search")
def test_a_parent_of_other_tests_is_recognised(target: InsperaTarget, server: Server) -> None:
    _exam(target)
    external_id = str(THERE["external_test_id"])
    assert [test.is_parent for test in target.find_test(external_id)] == [False]
    server.make_parent()
    assert [test.is_parent for test in target.find_test(external_id)] == [True]
    assert target.update_test(updating(title="Samlet prøve")).is_parent
    assert target.create_test(creating(template=None, title="Samlet prøve")).is_parent


@exercises("test.create", "test.search", "candidate.assign", "person.by_external_id")
def test_ids_with_a_slash_work_from_end_to_end(target: InsperaTarget) -> None:
    """Tests are named by Inspera's number in paths, and people's ids are escaped there."""
    external_id = "INF/1000/H30"
    number = str(target.create_test(creating(external_test_id=external_id)).remote_id)
    (found,) = target.find_test(external_id)
    assert (found.remote_id, found.external_test_id) == (number, external_id)
    _learner(target, "aaseb", external_id="no/aaseb b?")
    assert _person(target, "no/aaseb b?").username == "aaseb"
    assert target.assign(number, [make_seat("no/aaseb b?")]) == [DONE]
    assert list(target.members(number).there) == [("FEIDE", "no/aaseb b?")]
    assert target.remove(number, [make_seat("no/aaseb b?")]) == [DONE]


@pytest.mark.parametrize("target", [{"external_system": "LTI"}], indirect=True)
@exercises("test.create", "test.update")
def test_tests_of_another_integration_are_found_by_its_name_alone(
    target: InsperaTarget, server: Server, time: Time
) -> None:
    number = _exam(target)
    external_id = str(THERE["external_test_id"])
    assert [test.remote_id for test in target.find_test(external_id)] == [number]
    assert target.update_test(updating(title="Et nytt navn")).result is Result.DONE
    usual = Connection(server.url, "made-up", lambda: KEY, calls_per_second=1e7)
    with target_at(usual, time) as other:
        assert other.find_test(external_id) == []


def test_paths_name_tests_by_inspera_s_number_and_external_ids_only_in_a_save() -> None:
    external = {name for name, call in CALLS.items() if "isExternal" in call.path}
    assert external == {"test.create", "test.update"}
    assert all("{" not in CALLS[name].path for name in external)
