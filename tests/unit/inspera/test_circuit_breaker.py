"""The circuit: it opens when most calls fail, says so, and never because of a fifth of them."""

import random

import pytest
from sync.errors import Stop
from sync.inspera.circuit_breaker import LEAST, WINDOW, CircuitBreaker
from sync.records.changes import Result

from .conftest import MakeTarget
from .http_tenant import HttpTenant
from .made_up import LEARNER, SAVE_LEARNER


def _opens_after(failures: list[bool]) -> int | None:
    circuit = CircuitBreaker()
    return next(
        (number for number, failed in enumerate(failures, 1) if circuit.note(failed=failed)), None
    )


def test_it_opens_when_all_calls_fail_but_not_before_enough_were_made() -> None:
    assert _opens_after([True] * 1000) == LEAST


def test_it_opens_when_more_than_half_of_the_window_failed_and_stays_closed_at_half() -> None:
    assert _opens_after([False, True] * 1000) is None
    assert _opens_after([False] * 1000 + [True] * 1000) == 1000 + WINDOW // 2 + 1


@pytest.mark.parametrize("seed", range(20))
def test_a_fifth_of_random_row_errors_never_opens_it(seed: int) -> None:
    chance = random.Random(seed)
    assert _opens_after([chance.random() < 0.2 for _ in range(20_000)]) is None


def test_when_it_opens_everything_stops_and_the_reason_has_its_arithmetic(
    make_target: MakeTarget, tenant: HttpTenant, exam: str
) -> None:
    target = make_target(attempts=1)
    tenant.every(*SAVE_LEARNER, 500)
    results = [target.save_learner(LEARNER, None).result for _ in range(LEAST)]
    assert results == [Result.UNKNOWN] * LEAST, "the call that opens it keeps its own outcome"
    asked = len(tenant.seen)
    with pytest.raises(
        Stop, match=rf"failed on {LEAST} of the last {LEAST} calls, which is more than half"
    ):
        target.save_learner(LEARNER, None)
    with pytest.raises(Stop):
        target.read_test(exam)
    assert len(tenant.seen) == asked
    assert target.stopped


def test_a_call_that_is_being_repeated_when_it_opens_stays_unknown(
    make_target: MakeTarget, tenant: HttpTenant
) -> None:
    target = make_target(attempts=3)
    tenant.every(*SAVE_LEARNER, 500)
    results = [target.save_learner(LEARNER, None).result for _ in range(LEAST // 3 + 1)]
    assert set(results) == {Result.UNKNOWN}
    assert target.stopped


@pytest.mark.parametrize("status", [422, 429, 404])
def test_refusals_and_requests_for_fewer_calls_never_open_it(
    make_target: MakeTarget, tenant: HttpTenant, status: int
) -> None:
    target = make_target(attempts=1)
    tenant.every(*SAVE_LEARNER, status)
    for _ in range(2 * WINDOW):
        target.save_learner(LEARNER, None)
    assert target.stopped is None


def test_a_tenant_that_wants_no_call_at_all_ends_the_run_after_all(
    make_target: MakeTarget, tenant: HttpTenant
) -> None:
    target = make_target(attempts=1)
    tenant.every(*SAVE_LEARNER, 429)
    for _ in range(499):
        target.save_learner(LEARNER, None)
    assert target.stopped is None
    target.save_learner(LEARNER, None)
    assert (
        target.stopped
        == "Inspera asked for fewer calls (429) 500 times in a row, so nothing more is sent in "
        "this run; lower inspera.max_in_flight and inspera.calls_per_second, or run again later"
    )
