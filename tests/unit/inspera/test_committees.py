"""Committees of a test: never created twice, and a reported error is checked by a read."""

import threading
from typing import Any

import pytest
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Outcome, Result
from sync.records.remote import Member

from .http_tenant import HttpTenant
from .made_up import LIMIT_IN_DOUBT, committee, results_of
from .waiting import Time

COMMITTEE = Kind.COMMITTEE
WRONG_TYPE: dict[str, Any] = {"success": False, "errors": ["Wrong committee type"]}


def _path(number: str) -> str:
    return f"/v1/test/{number}/committees"


def _sent(tenant: HttpTenant, number: str) -> list[list[str]]:
    return [
        [one["name"] for one in seen.body["committees"]]
        for seen in tenant.calls("POST", _path(number))
    ]


def test_committees_are_sent_with_name_and_type_in_one_call(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    entries = [committee("A"), committee("B", "REASSESSMENT"), committee("C", None)]
    assert target.assign(exam, entries, COMMITTEE) == [Outcome(Result.DONE)] * 3
    assert tenant.calls("POST", _path(exam))[0].body == {
        "committees": [
            {"name": "A", "type": "GRADING"},
            {"name": "B", "type": "REASSESSMENT"},
            {"name": "C"},
        ]
    }


@pytest.mark.parametrize(
    "shown", [["A", {"name": "B", "type": "GRADING"}], [{"name": "A"}, {"name": "B"}]]
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_committees_are_read_as_names_or_objects_with_or_without_the_wrapper(
    target: InsperaTarget, tenant: HttpTenant, exam: str, shown: list[Any], wrapped: bool
) -> None:
    content = {"name": "x", "committees": shown}
    tenant.once("GET", f"/v1/test/{exam}", 200, body={"result": content} if wrapped else content)
    seats = target.members(exam, COMMITTEE)
    assert set(seats.there) == {("", "A"), ("", "B")}
    assert seats.there["", "A"] == Member()
    assert seats.lack("", "C")


@pytest.mark.parametrize("content", [{"name": "x"}, {"name": "x", "contributors": []}])
def test_committees_that_a_reading_leaves_out_are_not_readable(
    target: InsperaTarget, tenant: HttpTenant, exam: str, content: Any
) -> None:
    tenant.once("GET", f"/v1/test/{exam}", 200, body=content)
    assert not target.members(exam, COMMITTEE).readable


def test_a_reported_error_on_a_committee_that_was_made_all_the_same_is_done(
    target: InsperaTarget, tenant: HttpTenant, exam: str, time: Time
) -> None:
    tenant.once("POST", _path(exam), 200, body=WRONG_TYPE, carried_out=True)
    assert (
        target.assign(exam, [committee("A"), committee("B")], COMMITTEE)
        == [Outcome(Result.DONE)] * 2
    )
    assert _sent(tenant, exam) == [["A", "B"]]
    assert time.waits == [10.0], "a write may take seconds to be readable"


def test_a_reported_error_on_a_committee_that_was_not_made_is_refused_in_the_vendors_words(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", _path(exam), 400, body=WRONG_TYPE)
    outcomes = target.assign(exam, [committee("A")], COMMITTEE)
    assert outcomes == [
        Outcome(Result.REFUSED, "Inspera refused committee.create (400): Wrong committee type")
    ]
    assert tenant.committees[exam] == {}


def test_a_refused_batch_is_narrowed_to_those_that_a_reading_shows_absent(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.committees[exam] = {"B": "GRADING"}
    outcomes = target.assign(exam, [committee(name) for name in "ABC"], COMMITTEE)
    assert results_of(outcomes) == [Result.DONE] * 3
    assert set(tenant.committees[exam]) == {"A", "B", "C"}
    assert [name for names in _sent(tenant, exam) for name in names].count("B") == 1


def test_a_refusal_of_an_existing_name_is_settled_by_reading(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.committees[exam] = {"A": "GRADING"}
    assert target.assign(exam, [committee("A")], COMMITTEE) == [Outcome(Result.DONE)]


def test_a_reported_error_that_cannot_be_checked_is_unknown_and_nothing_is_sent_again(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.readable_tests = False
    tenant.once("POST", _path(exam), 200, body=WRONG_TYPE)
    outcomes = target.assign(exam, [committee("A"), committee("B")], COMMITTEE)
    assert results_of(outcomes) == [Result.UNKNOWN] * 2
    assert (
        "Wrong committee type; it is not known whether it was carried out all the same"
        in outcomes[0].message
    )
    assert len(_sent(tenant, exam)) == 1


def test_a_refusal_that_is_not_about_a_committee_is_not_checked(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", _path(exam), 403, body={"message": "not yours"})
    assert results_of(target.assign(exam, [committee("A")], COMMITTEE)) == [Result.REFUSED]
    assert tenant.calls("GET") == []


LOST: list[dict[str, Any]] = [
    {"status": 500},
    {"lost": True},
    {"body": b"<html>"},
    *LIMIT_IN_DOUBT,
]


@pytest.mark.parametrize("reply", LOST)
def test_a_lost_create_that_is_there_is_done_and_sent_once(
    target: InsperaTarget, tenant: HttpTenant, exam: str, reply: dict[str, Any]
) -> None:
    tenant.once("POST", _path(exam), carried_out=True, **reply)
    assert results_of(target.assign(exam, [committee("A")], COMMITTEE)) == [Result.DONE]
    assert _sent(tenant, exam) == [["A"]]


@pytest.mark.parametrize("reply", LOST)
def test_a_lost_create_is_sent_again_only_for_what_a_reading_shows_absent(
    target: InsperaTarget, tenant: HttpTenant, exam: str, reply: dict[str, Any]
) -> None:
    tenant.committees[exam] = {"A": "GRADING"}
    tenant.once("POST", _path(exam), **reply)
    assert (
        results_of(target.assign(exam, [committee("A"), committee("B")], COMMITTEE))
        == [Result.DONE] * 2
    )
    assert _sent(tenant, exam) == [["A", "B"], ["B"]]


def test_a_lost_create_that_cannot_be_read_is_unknown_and_sent_once(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.readable_tests = False
    tenant.once("POST", _path(exam), 500)
    assert results_of(target.assign(exam, [committee("A")], COMMITTEE)) == [Result.UNKNOWN]
    assert _sent(tenant, exam) == [["A"]]


def test_a_create_is_lost_a_bounded_number_of_times(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.every("POST", _path(exam), 500)
    assert results_of(target.assign(exam, [committee("A")], COMMITTEE)) == [Result.UNKNOWN]
    assert len(_sent(tenant, exam)) == 3


def test_a_reported_error_stays_unknown_when_the_run_is_ended_before_it_is_checked(
    target: InsperaTarget, tenant: HttpTenant, exam: str, time: Time, stop: threading.Event
) -> None:
    tenant.once("POST", _path(exam), 200, body=WRONG_TYPE)
    time.while_waiting = stop.set
    assert results_of(target.assign(exam, [committee("A")], COMMITTEE)) == [Result.UNKNOWN]


def test_a_stop_while_an_error_is_checked_leaves_it_unknown(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", _path(exam), 200, body=WRONG_TYPE)
    tenant.every("GET", f"/v1/test/{exam}", 401)
    assert results_of(target.assign(exam, [committee("A")], COMMITTEE)) == [Result.UNKNOWN]


def test_committees_are_removed_by_name_and_not_there_is_done_once_proven(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.committees[exam] = {"A": "GRADING", "B": "GRADING"}
    assert results_of(target.remove(exam, [committee("A")], COMMITTEE)) == [Result.DONE]
    assert tenant.calls("DELETE")[0].body == {"committees": [{"name": "A"}]}
    tenant.every("DELETE", _path(exam), 404)
    outcomes = target.remove(exam, [committee("A"), committee("B")], COMMITTEE)
    assert results_of(outcomes) == [Result.DONE, Result.REFUSED]
    assert outcomes[0].message == "was not there"


def test_three_existing_tests_with_a_404_stop_that_call_and_no_other(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    numbers = [tenant.add_test(f"T{number}") for number in range(4)]
    for number in numbers:
        tenant.every("POST", _path(number), 404)
    results = [target.assign(number, [committee("A")], COMMITTEE)[0] for number in numbers]
    assert results_of(results) == [Result.REFUSED] * 3 + [Result.NOT_SENT]
    assert "committee.create" in results[3].message
    assert results_of(target.remove(numbers[0], [committee("A")], COMMITTEE)) == [Result.DONE]
