"""Candidates on a test: batches, what was lost, and reading them."""

import threading
from typing import Any

import pytest
from sync.errors import Stop
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Cause, Outcome, Result

from .conftest import MakeTarget
from .http_tenant import HttpTenant
from .made_up import make_seat, make_seats, path_of, results_of, sizes
from .waiting import Time


def test_seats_are_sent_with_their_fields_in_the_vendors_words(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    seat = make_seat("åse@example.edu", candidate_id="17", extra_time=0, room="A1", building=None)
    assert target.assign(exam, [seat]) == [Outcome(Result.DONE)]
    assert tenant.calls("POST", path_of(exam))[0].body == {
        "authenticationSystem": "FEIDE",
        "candidates": [
            {
                "externalId": "åse@example.edu",
                "candidateId": "17",
                "extraTimeMins": 0,
                "roomName": "A1",
            }
        ],
    }


def test_nothing_to_do_makes_no_call(target: InsperaTarget, tenant: HttpTenant, exam: str) -> None:
    assert target.assign(exam, []) == target.remove(exam, []) == []
    assert tenant.seen == []


def test_seats_go_in_batches_of_one_auth_system_each(
    make_target: MakeTarget, tenant: HttpTenant, exam: str
) -> None:
    seats = [make_seat(f"id{number}", ("FEIDE", "LTI")[number % 2]) for number in range(10)]
    assert results_of(make_target(batch_size=3).assign(exam, seats)) == [Result.DONE] * 10
    sent = [
        (seen.body["authenticationSystem"], len(seen.body["candidates"]))
        for seen in tenant.calls("POST", path_of(exam))
    ]
    assert sent == [("FEIDE", 3), ("FEIDE", 2), ("LTI", 3), ("LTI", 2)]
    assert len(tenant.seats[exam]) == 10


def test_a_404_refuses_all_that_is_left_of_the_test(
    make_target: MakeTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", path_of(exam), 200, body={"success": True})
    tenant.once("POST", path_of(exam), 404)
    outcomes = make_target(batch_size=2).assign(exam, make_seats(6))
    assert results_of(outcomes) == [Result.DONE] * 2 + [Result.REFUSED] * 4
    assert len(tenant.calls("POST")) == 2


def test_three_existing_tests_with_a_404_stop_the_call_and_say_what_to_do(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    numbers = [tenant.add_test(f"T{number}") for number in range(4)]
    for number in numbers:
        tenant.every("POST", path_of(number), 404)
    results = [target.assign(number, make_seats(1))[0] for number in numbers]
    assert [outcome.result for outcome in results] == [Result.REFUSED] * 3 + [Result.NOT_SENT]
    assert "does not seem to have the call candidate.assign" in results[3].message
    assert "`inspera-sync doctor`" in results[3].message
    assert len(tenant.calls("POST")) == 3


def test_tests_that_do_not_exist_never_stop_the_call(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    assert target.read_test(exam) is not None
    gone = [target.assign(str(number), make_seats(1))[0].result for number in range(5)]
    assert gone == [Result.REFUSED] * 5
    assert target.assign(exam, make_seats(1))[0].result is Result.DONE


def test_a_call_that_has_worked_is_never_taken_for_missing(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    assert target.assign(exam, make_seats(1))[0].result is Result.DONE
    for number in [tenant.add_test(f"T{number}") for number in range(4)]:
        tenant.every("POST", path_of(number), 404)
        assert target.assign(number, make_seats(1))[0].result is Result.REFUSED


def test_a_lost_assignment_that_was_carried_out_is_reported_by_reading_and_not_sent_again(
    target: InsperaTarget, tenant: HttpTenant, exam: str, time: Time
) -> None:
    tenant.once("POST", path_of(exam), 500, carried_out=True)
    assert results_of(target.assign(exam, make_seats(5))) == [Result.DONE] * 5
    assert sizes(tenant, "POST", exam) == [5]
    assert time.waits.count(10.0) == 1


def test_after_a_lost_assignment_only_what_is_not_there_as_wanted_is_sent_again(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.seats[exam] = {
        ("FEIDE", "id0"): {"candidateId": "0"},
        ("FEIDE", "id1"): {"candidateId": "another number"},
        ("LTI", "id2"): {"candidateId": "2"},
    }
    tenant.once("POST", path_of(exam), lost=True)
    assert results_of(target.assign(exam, make_seats(3))) == [Result.DONE] * 3
    again = tenant.calls("POST", path_of(exam))[1].body["candidates"]
    assert [candidate["externalId"] for candidate in again] == ["id1", "id2"]


def test_what_a_reading_does_not_show_is_not_proven_and_is_sent_again(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", path_of(exam), 500, carried_out=True)
    assert results_of(target.assign(exam, [make_seat("id0", room="A1")])) == [Result.DONE]
    assert len(tenant.calls("POST", path_of(exam))) == 2


def test_a_lost_assignment_is_repeated_where_seats_cannot_be_read(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.readable_seats = False
    tenant.once("POST", path_of(exam), 500)
    assert results_of(target.assign(exam, make_seats(3))) == [Result.DONE] * 3
    assert sizes(tenant, "POST", exam) == [3, 3]


def test_a_lost_assignment_stays_unknown_when_it_is_not_taken_afterwards(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.readable_seats = False
    tenant.once("POST", path_of(exam), 500)
    tenant.once("POST", path_of(exam), 429, times=3)
    assert results_of(target.assign(exam, make_seats(2))) == [Result.UNKNOWN] * 2


def test_a_lost_assignment_that_a_reading_disproves_was_not_sent(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", path_of(exam), 500)
    tenant.once("POST", path_of(exam), 429, times=3)
    assert results_of(target.assign(exam, make_seats(2))) == [Result.NOT_SENT] * 2


def test_a_candidate_without_a_readable_id_could_be_anybody(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.every("GET", path_of(exam), 200, {"candidates": [{"userId": 1}]})
    tenant.once("POST", path_of(exam), 500)
    tenant.once("POST", path_of(exam), 429, times=3)
    assert results_of(target.assign(exam, make_seats(1))) == [Result.UNKNOWN]


def test_a_lost_assignment_stays_unknown_when_the_run_is_ended_during_the_delay(
    make_target: MakeTarget, tenant: HttpTenant, exam: str, time: Time, stop: threading.Event
) -> None:
    tenant.once("POST", path_of(exam), 500)
    time.while_waiting = stop.set
    outcomes = make_target(batch_size=2).assign(exam, make_seats(4))
    assert results_of(outcomes) == [Result.UNKNOWN] * 2 + [Result.NOT_SENT] * 2
    assert len(tenant.calls()) == 1


def test_a_stop_at_the_first_batch_comes_through(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.every("POST", path_of(exam), 401)
    with pytest.raises(Stop):
        target.assign(exam, make_seats(2))


def test_a_stop_after_some_outcomes_keeps_them_and_the_next_call_raises_it(
    make_target: MakeTarget, tenant: HttpTenant, exam: str
) -> None:
    target = make_target(batch_size=2)
    tenant.once("POST", path_of(exam), 200, body={"success": True})
    tenant.every("POST", path_of(exam), 401)
    outcomes = target.assign(exam, make_seats(4))
    assert results_of(outcomes) == [Result.DONE] * 2 + [Result.NOT_SENT] * 2
    assert outcomes[3].message == target.stopped
    with pytest.raises(Stop):
        target.assign(exam, make_seats(1))


@pytest.mark.parametrize("method", ["assign", "remove"])
def test_a_stop_after_a_lost_call_leaves_its_seats_unknown(
    make_target: MakeTarget, tenant: HttpTenant, exam: str, method: str
) -> None:
    verb = {"assign": "POST", "remove": "DELETE"}[method]
    target = make_target(batch_size=2)
    tenant.readable_seats = False
    tenant.once(verb, path_of(exam), 200, body={"success": True})
    tenant.once(verb, path_of(exam), 500)
    tenant.every(verb, path_of(exam), 401)
    outcomes = getattr(target, method)(exam, make_seats(6))
    assert results_of(outcomes) == [Result.DONE] * 2 + [Result.UNKNOWN] * 2 + [Result.NOT_SENT] * 2


def test_seats_are_read_by_auth_system_and_external_id(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    row: dict[str, Any] = {"userId": 7000000001, "candidateId": 17, "extraTimeMins": "30"}
    ids = [
        {"authType": "FEIDE", "externalUserId": "aaseb"},
        {"authType": "LTI", "externalUserId": 4711},
    ]
    content = {"result": {"candidates": [{**row, "externalUserIds": ids}]}}
    tenant.once("GET", path_of(exam), 200, body=content)
    seats = target.members(exam)
    assert set(seats.there) == {("FEIDE", "aaseb"), ("LTI", "4711")}
    seat = seats.there["FEIDE", "aaseb"]
    assert (seat.remote_user_id, seat.candidate_id, seat.extra_time) == ("7000000001", "17", 30)
    assert seats.lack("FEIDE", "somebody else")


@pytest.mark.parametrize("status", [404, 405, 501])
def test_seats_that_the_tenant_does_not_show_are_not_readable(
    target: InsperaTarget, tenant: HttpTenant, exam: str, status: int
) -> None:
    tenant.every("GET", path_of(exam), status)
    seats = target.members(exam)
    assert not seats.readable
    assert "this tenant does not seem to have it" in seats.message
    assert not seats.lack("FEIDE", "id0")


@pytest.mark.parametrize("change", ["assign", "remove"])
def test_a_batch_that_does_not_hold_any_more_is_not_sent_and_neither_is_the_rest(
    make_target: MakeTarget, tenant: HttpTenant, exam: str, change: str
) -> None:
    target, answers = make_target(batch_size=2), iter([True, False])
    target.assign(exam, make_seats(6))
    sent = len(tenant.calls())
    outcomes = getattr(target, change)(
        exam, make_seats(6), Kind.CANDIDATE, lambda: next(answers, False)
    )
    assert [(one.result, one.cause) for one in outcomes] == [
        *[(Result.DONE, Cause.NONE)] * 2,
        *[(Result.NOT_SENT, Cause.OUTDATED)] * 4,
    ]
    assert len(tenant.calls()) == sent + 1


def test_an_attempt_that_inspera_put_off_is_judged_again(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", path_of(exam), 429)
    (outcome,) = target.assign(exam, make_seats(1), Kind.CANDIDATE, lambda: not tenant.calls())
    assert outcome.cause is Cause.OUTDATED
    assert len(tenant.calls()) == 1
