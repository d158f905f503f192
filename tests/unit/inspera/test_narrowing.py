"""A refused batch, narrowed down to the records that cause it, if it may be about a record."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sync.inspera.target import InsperaTarget
from sync.records.changes import Result

from ...support.examples import examples
from .conftest import MakeTarget
from .http_tenant import HttpTenant
from .made_up import make_seats, path_of, results_of, sizes


@settings(
    deadline=None,
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    count=st.integers(1, 30),
    bad=st.sets(st.integers(0, 29)),
    batch=st.integers(1, 12),
    named=st.booleans(),
    removing=st.booleans(),
)
def test_for_any_bad_ids_exactly_the_good_seats_are_carried_out_and_each_bad_one_is_refused(
    make_target: MakeTarget,
    tenant: HttpTenant,
    count: int,
    bad: set[int],
    batch: int,
    named: bool,
    removing: bool,
) -> None:
    tenant.reset()
    number = tenant.add_test("INF101-V30")
    seats = make_seats(count)
    wrong = {f"id{index}" for index in bad}
    tenant.refuse_seat = wrong.__contains__
    tenant.names_the_refused = named
    everyone = {("FEIDE", seat.external_id) for seat in seats}
    if removing:
        tenant.seats[number] = {key: {} for key in everyone}
    target = make_target(batch_size=batch)
    outcomes = (target.remove if removing else target.assign)(number, seats)

    expected = [Result.REFUSED if seat.external_id in wrong else Result.DONE for seat in seats]
    assert results_of(outcomes) == expected
    good = {key for key in everyone if key[1] not in wrong}
    assert set(tenant.seats[number]) == (everyone - good if removing else good)


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refused_batch_is_narrowed_by_halves_down_to_one_record(
    target: InsperaTarget, tenant: HttpTenant, exam: str, status: int
) -> None:
    for _ in range(3):  # the whole, its first half, its first quarter
        tenant.once("POST", path_of(exam), status, body={"message": "no"})
    outcomes = target.assign(exam, make_seats(4))
    assert results_of(outcomes) == [Result.REFUSED, Result.DONE, Result.DONE, Result.DONE]
    assert sizes(tenant, "POST", exam) == [4, 2, 1, 1, 2]


def test_a_batch_is_narrowed_by_the_ids_that_the_answer_names(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.refuse_seat = {"id3", "id30"}.__contains__
    tenant.names_the_refused = True
    outcomes = target.assign(exam, make_seats(40))
    assert [
        number for number, outcome in enumerate(outcomes) if outcome.result is Result.REFUSED
    ] == [3, 30]
    assert outcomes[3].message == "Inspera refused candidate.assign (200): no such user; id3"
    assert sizes(tenant, "POST", exam) == [40, 38, 1, 1]


def test_ids_are_also_found_in_a_sentence_and_only_whole(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", path_of(exam), 422, body={"message": "User 'id30' does not exist."})
    target.assign(exam, make_seats(40))
    assert sizes(tenant, "POST", exam) == [40, 39, 1]


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (403, Result.REFUSED),
        (404, Result.REFUSED),
        (429, Result.NOT_SENT),
        (405, Result.NOT_SENT),
        (501, Result.NOT_SENT),
    ],
)
def test_a_batch_is_never_narrowed_on_an_answer_that_is_not_about_a_record(
    target: InsperaTarget, tenant: HttpTenant, exam: str, status: int, result: Result
) -> None:
    tenant.every("POST", path_of(exam), status)
    assert results_of(target.assign(exam, make_seats(8))) == [result] * 8
    assert set(sizes(tenant, "POST", exam)) == {8}


def test_a_batch_is_never_narrowed_on_a_server_error(
    target: InsperaTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.every("POST", path_of(exam), 500)
    assert results_of(target.assign(exam, make_seats(8))) == [Result.UNKNOWN] * 8
    assert sizes(tenant, "POST", exam) == [8, 8, 8]


def test_one_batch_that_is_refused_leaves_the_others_alone(
    make_target: MakeTarget, tenant: HttpTenant, exam: str
) -> None:
    tenant.once("POST", path_of(exam), 403)
    outcomes = make_target(batch_size=2).assign(exam, make_seats(4))
    assert results_of(outcomes) == [Result.REFUSED, Result.REFUSED, Result.DONE, Result.DONE]
