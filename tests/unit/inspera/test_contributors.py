"""Contributors on a test: one auth system a call, and nobody is notified twice."""

import threading
from typing import Any

import pytest
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Result
from sync.records.remote import Member

from .conftest import MakeTarget
from .http_tenant import HttpTenant
from .made_up import LIMIT_IN_DOUBT, contributor, results_of
from .waiting import Time

CONTRIBUTOR = Kind.CONTRIBUTOR


def _path(number: str) -> str:
    return f"/v1/test/{number}/contributors"


def _sent(tenant: HttpTenant, number: str) -> list[list[str]]:
    return [
        [one["externalId"] for one in seen.body["contributors"]]
        for seen in tenant.calls("POST", _path(number))
    ]


def test_a_contributor_is_sent_with_all_roles_and_committees_and_nobody_is_reported(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.committees[exam] = {"A": "GRADING", "B": "GRADING"}
    entry = contributor(
        "kariv",
        roles="evaluate\nmonitor",
        committees="A\nB",
        first_name="Kari",
        last_name="Veileder",
        email=None,
        room="R1",
        building="H",
    )
    assert results_of(target.assign(exam, [entry], CONTRIBUTOR)) == [Result.DONE]
    assert tenant.calls("POST", _path(exam))[0].body == {
        "authenticationSystem": "FEIDE",
        "contributors": [
            {
                "externalId": "kariv",
                "firstName": "Kari",
                "lastName": "Veileder",
                "roomName": "R1",
                "buildingName": "H",
                "sendNotification": False,
                "roles": ["evaluate", "monitor"],
                "committeesName": ["A", "B"],
            }
        ],
    }


def test_a_call_holds_one_auth_system_and_those_who_are_reported_go_apart(
    make_target: MakeTarget, tenant: HttpTenant, exam: str
) -> None:
    entries = [
        contributor("a"),
        contributor("b", "LTI"),
        contributor("c", notify=1),
        contributor("d"),
        contributor("e", "LTI", notify=1),
    ]
    assert results_of(make_target().assign(exam, entries, CONTRIBUTOR)) == [Result.DONE] * 5
    bodies = [seen.body for seen in tenant.calls("POST", _path(exam))]
    assert [
        (
            body["authenticationSystem"],
            {(one["externalId"], one["sendNotification"]) for one in body["contributors"]},
        )
        for body in bodies
    ] == [
        ("FEIDE", {("a", False), ("d", False)}),
        ("LTI", {("b", False)}),
        ("FEIDE", {("c", True)}),
        ("LTI", {("e", True)}),
    ]
    assert tenant.on_tests.notified == ["c", "e"]


def test_a_committee_that_is_not_there_is_refused_in_the_vendors_words(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    outcomes = target.assign(
        exam, [contributor("a", committees="A"), contributor("b")], CONTRIBUTOR
    )
    assert results_of(outcomes) == [Result.REFUSED, Result.DONE]
    assert (
        outcomes[0].message
        == "Inspera refused contributor.assign (200): Committee A does not exist"
    )


def test_contributors_are_read_without_the_prefix_of_their_roles(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    row: dict[str, Any] = {
        "userId": 7000000002,
        "userName": "kariv",
        "roles": ["ar_monitor", "evaluate"],
        "externalUserIds": [{"authType": "FEIDE", "externalUserId": "kariv"}],
        "committees": [{"name": "B"}, {"name": "A"}],
    }
    for content in (
        {"name": "x", "contributors": [row]},
        {"result": {"name": "x", "contributors": [row]}},
    ):
        tenant.once("GET", f"/v1/test/{exam}", 200, body=content)
        seats = target.members(exam, CONTRIBUTOR)
        seat = Member("7000000002", roles="evaluate\nmonitor", committees="A\nB")
        assert (seats.readable, dict(seats.there)) == (True, {("FEIDE", "kariv"): seat})


def test_a_contributor_without_an_external_id_could_be_anybody(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    content = {"name": "x", "contributors": [{"username": "kariv", "roles": []}]}
    tenant.once("GET", f"/v1/test/{exam}", 200, body=content)
    seats = target.members(exam, CONTRIBUTOR)
    assert (seats.unnamed, seats.lack("FEIDE", "kariv")) == (1, False)


def test_contributors_that_a_reading_leaves_out_are_not_readable(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.on_tests.shows = ["committees"]
    assert not target.members(exam, CONTRIBUTOR).readable
    assert "does not show them" in target.members(exam, CONTRIBUTOR).message
    assert not target.members("999", CONTRIBUTOR).readable


def test_a_lost_assignment_that_tells_nobody_is_repeated_where_it_cannot_be_read(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.readable_tests = False
    tenant.once("POST", _path(exam), 500, carried_out=True)
    assert results_of(target.assign(exam, [contributor("a")], CONTRIBUTOR)) == [Result.DONE]
    assert _sent(tenant, exam) == [["a"], ["a"]]


@pytest.mark.parametrize("notify", [None, 1])
def test_a_lost_assignment_that_is_read_back_as_wanted_is_done_and_not_sent_again(
    target: InsperaTarget, tenant: HttpTenant, exam: str, notify: int | None
) -> None:
    tenant.once("POST", _path(exam), 500, carried_out=True)
    entry = contributor("a", roles="evaluate\nmonitor", notify=notify)
    assert results_of(target.assign(exam, [entry], CONTRIBUTOR)) == [Result.DONE]
    assert _sent(tenant, exam) == [["a"]]


@pytest.mark.parametrize("reply", LIMIT_IN_DOUBT)
def test_nobody_is_notified_twice_because_of_a_limit(
    target: InsperaTarget, tenant: HttpTenant, exam: str, reply: dict[str, Any]
) -> None:
    tenant.once("POST", _path(exam), carried_out=True, **reply)
    outcomes = target.assign(exam, [contributor("a", notify=1)], CONTRIBUTOR)
    assert results_of(outcomes) == [Result.DONE]
    assert _sent(tenant, exam) == [["a"]]


def test_of_those_who_are_reported_only_the_proven_absent_are_sent_again(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.contributors[exam] = {
        ("FEIDE", "there"): {"roles": ["evaluate"]},
        ("FEIDE", "otherwise"): {"roles": ["monitor"]},
    }
    tenant.once("POST", _path(exam), lost=True)
    entries = [contributor(name, notify=1) for name in ("there", "otherwise", "absent")]
    assert results_of(target.assign(exam, entries, CONTRIBUTOR)) == [
        Result.DONE,
        Result.UNKNOWN,
        Result.DONE,
    ]
    assert _sent(tenant, exam) == [["there", "otherwise", "absent"], ["absent"]]


def test_nobody_is_reported_twice_where_it_cannot_be_read(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.readable_tests = False
    tenant.once("POST", _path(exam), 500, carried_out=True)
    outcomes = target.assign(
        exam, [contributor("a", notify=1), contributor("b", notify=1)], CONTRIBUTOR
    )
    assert results_of(outcomes) == [Result.UNKNOWN] * 2
    assert tenant.on_tests.notified == ["a", "b"]


def test_a_room_that_a_reading_never_shows_does_not_leave_one_who_was_told_unknown(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", _path(exam), 500, carried_out=True)
    assert results_of(
        target.assign(exam, [contributor("a", notify=1, room="R1")], CONTRIBUTOR)
    ) == [Result.DONE]
    assert tenant.on_tests.notified == ["a"]


def test_a_refused_batch_that_was_done_in_part_tells_nobody_twice(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    body = {"success": False, "errors": ["one of them is unknown"]}
    tenant.once("POST", _path(exam), 200, body=body, carried_out=True)
    tenant.once("POST", _path(exam), 422, body=body)
    outcomes = target.assign(
        exam, [contributor("a", notify=1), contributor("b", notify=1)], CONTRIBUTOR
    )
    assert results_of(outcomes) == [Result.DONE] * 2
    outcomes = target.assign(
        exam, [contributor("c", notify=1), contributor("d", notify=1)], CONTRIBUTOR
    )
    assert results_of(outcomes) == [Result.DONE] * 2
    assert _sent(tenant, exam) == [["a", "b"], ["c", "d"], ["c"], ["d"]]
    assert tenant.on_tests.notified == ["a", "b", "c", "d"]


def test_one_who_is_to_be_told_stays_unknown_when_the_run_is_ended_during_the_delay(
    target: InsperaTarget, tenant: HttpTenant, exam: str, time: Time, stop: threading.Event
) -> None:
    tenant.once("POST", _path(exam), 500)
    time.while_waiting = stop.set
    assert results_of(target.assign(exam, [contributor("a", notify=1)], CONTRIBUTOR)) == [
        Result.UNKNOWN
    ]


def test_contributors_are_removed_by_id_and_a_404_is_done_when_a_reading_shows_it(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.contributors[exam] = {("FEIDE", "a"): {}, ("LTI", "b"): {}}
    entries = [contributor("a"), contributor("b", "LTI")]
    assert results_of(target.remove(exam, entries, CONTRIBUTOR)) == [Result.DONE] * 2
    assert tenant.calls("DELETE")[1].body == {
        "authenticationSystem": "LTI",
        "contributors": [{"externalId": "b"}],
    }
    tenant.once("DELETE", _path(exam), 404)
    outcomes = target.remove(exam, [contributor("a")], CONTRIBUTOR)
    assert (outcomes[0].result, outcomes[0].message) == (Result.DONE, "was not there")


def test_a_refused_removal_of_one_who_is_not_there_is_done(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.contributors[exam] = {("FEIDE", "a"): {}}
    tenant.refuse_seat = lambda _: True
    outcomes = target.remove(exam, [contributor("a"), contributor("b")], CONTRIBUTOR)
    assert results_of(outcomes) == [Result.REFUSED, Result.DONE]


@pytest.mark.parametrize("times", [1, 3])
def test_a_lost_removal_is_repeated_a_bounded_number_of_times(
    target: InsperaTarget, tenant: HttpTenant, exam: str, times: int
) -> None:
    tenant.once("DELETE", _path(exam), 500, times=times)
    result = Result.DONE if times == 1 else Result.UNKNOWN
    assert results_of(target.remove(exam, [contributor("a")], CONTRIBUTOR)) == [result]
