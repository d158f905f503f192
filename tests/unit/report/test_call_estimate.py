"""About how many calls a plan takes, by formula."""

from math import ceil

from sync.planning.export_need import NewPeople
from sync.planning.plan_size import PlanPart, PlanSize
from sync.records.base import Kind
from sync.records.changes import Action
from sync.report.call_estimate import CallRules, estimate_calls

LEARNERS, TESTS, CANDIDATES = 10_000, 100, 30_000
BATCHES = TESTS * ceil(CANDIDATES / TESTS / 100)
FIRST_LOAD = PlanSize(
    [
        PlanPart(Kind.LEARNER, Action.CREATE, LEARNERS),
        PlanPart(Kind.TEST, Action.CREATE, TESTS),
        PlanPart(Kind.CANDIDATE, Action.CREATE, CANDIDATES, TESTS, BATCHES),
    ],
    {Kind.LEARNER: NewPeople(0, LEARNERS)},
)


def total(size: PlanSize, **rules: object) -> int:
    return estimate_calls(size, CallRules(calls_per_second=5, **rules)).total  # type: ignore[arg-type]


def test_a_first_load_costs_one_call_a_learner_two_a_test_and_the_candidates_batches() -> None:
    export, token = 2 * 4, 1
    least = LEARNERS + export + 2 * TESTS + TESTS + BATCHES + token
    assert total(FIRST_LOAD, export_above=500) == least
    assert total(FIRST_LOAD, look_up_learners=False) == least - export
    assert total(FIRST_LOAD, export_above=0) == least - export + 2 * LEARNERS + token
    assert total(FIRST_LOAD, export_above=LEARNERS) == total(FIRST_LOAD)


def test_time_is_calls_at_the_configured_rate_with_a_token_an_hour() -> None:
    estimate = estimate_calls(FIRST_LOAD, CallRules(calls_per_second=1))
    assert estimate.seconds == estimate.total
    assert estimate.by_name["token.fetch"] == ceil(estimate.total / 3600)


def test_few_people_for_near_tests_do_not_wait_for_an_export() -> None:
    assert NewPeople(600, 500).proven(500) == 0
    assert NewPeople(600, 501).proven(500) == 501
    assert NewPeople(200, 3000).proven(0) == 0


def test_a_plan_without_changes_takes_no_call() -> None:
    assert total(PlanSize([], blank=True), verify="all") == 0
