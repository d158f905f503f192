"""Candidates off a test, and those who were not there."""

from sync.inspera.target import InsperaTarget
from sync.records.changes import Result

from .http_tenant import HttpTenant
from .made_up import fill, make_seats, path_of, results_of, sizes


def test_removals_name_only_the_ids(target: InsperaTarget, tenant: HttpTenant, exam: str) -> None:
    fill(tenant, exam, 2)
    assert results_of(target.remove(exam, make_seats(2))) == [Result.DONE] * 2
    body = {
        "authenticationSystem": "FEIDE",
        "candidates": [{"externalId": "id0"}, {"externalId": "id1"}],
    }
    assert tenant.calls("DELETE")[0].body == body
    assert tenant.seats[exam] == {}


def test_a_lost_removal_is_repeated(target: InsperaTarget, tenant: HttpTenant, exam: str) -> None:
    fill(tenant, exam, 2)
    tenant.once("DELETE", path_of(exam), 500, carried_out=True)
    assert results_of(target.remove(exam, make_seats(2))) == [Result.DONE] * 2
    assert sizes(tenant, "DELETE", exam) == [2, 2]


def test_a_removal_that_is_lost_to_the_end_is_unknown(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    fill(tenant, exam, 2)
    tenant.every("DELETE", path_of(exam), 500)
    assert results_of(target.remove(exam, make_seats(2))) == [Result.UNKNOWN] * 2


def test_a_404_on_a_removal_is_done_for_those_that_a_reading_shows_to_be_absent(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    fill(tenant, exam, 1)
    tenant.every("DELETE", path_of(exam), 404)
    assert results_of(target.remove(exam, make_seats(3))) == [
        Result.REFUSED,
        Result.DONE,
        Result.DONE,
    ]


def test_a_404_on_a_removal_proves_nothing_where_seats_cannot_be_read(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.readable_seats = False
    tenant.every("DELETE", path_of(exam), 404)
    assert results_of(target.remove(exam, make_seats(2))) == [Result.REFUSED] * 2


def test_a_404_on_a_removal_is_done_once_the_call_has_worked_on_this_tenant(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.readable_seats = False
    fill(tenant, exam, 2)
    assert results_of(target.remove(exam, make_seats(1))) == [Result.DONE]
    tenant.once("DELETE", path_of(exam), 404)
    assert results_of(target.remove(exam, make_seats(1))) == [Result.DONE]


def test_a_removal_from_a_test_that_is_gone_is_done_only_where_tests_can_be_read(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    assert results_of(target.remove("999", make_seats(1))) == [Result.REFUSED]
    assert target.read_test(exam) is not None
    assert results_of(target.remove("999", make_seats(1))) == [Result.DONE]


def test_three_existing_tests_with_a_404_stop_removals(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    numbers = [tenant.add_test(f"T{number}") for number in range(4)]
    for number in numbers:
        fill(tenant, number, 1)
        tenant.every("DELETE", path_of(number), 404)
    results = [target.remove(number, make_seats(1))[0].result for number in numbers]
    assert results == [Result.REFUSED] * 3 + [Result.NOT_SENT]


def test_a_refusal_that_only_says_that_somebody_is_not_there_is_done(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    fill(tenant, exam, 2)
    tenant.refuse_seat = {"id1", "id2"}.__contains__
    outcomes = target.remove(exam, make_seats(3))
    assert results_of(outcomes) == [Result.DONE, Result.REFUSED, Result.DONE]
    assert outcomes[2].message == "was not there"
