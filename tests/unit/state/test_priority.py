"""The order of two runs, and what one adds because others need it, on each database."""

import pytest
from sqlalchemy import text
from sync.planning.guard import PASS, Ruling
from sync.records.base import Kind
from sync.records.changes import Action, Verdict
from sync.state.store import Store

from .test_plan_table import LEARNERS, TESTS, fill_store, make_draft

pytestmark = pytest.mark.usefixtures("database")

STARTS = (9, 2, 30, 5)
SOONEST, NEXT = "2026-12-03T08:00:00Z", "2026-12-06T08:00:00Z"


def planned(store: Store, held: Ruling = PASS) -> None:
    store.plan.draft(
        [
            make_draft(Action.REMOVE, Kind.CANDIDATE, TESTS[1], LEARNERS[0]),
            make_draft(Action.CREATE, Kind.LEARNER, LEARNERS[1]),
            make_draft(Action.CREATE, Kind.CANDIDATE, TESTS[1], LEARNERS[1], ruling=held),
            make_draft(Action.CREATE, Kind.CANDIDATE, TESTS[3], LEARNERS[1]),
        ]
    )
    store.plan.close()


@pytest.mark.parametrize(
    ("held", "soonest"), [(PASS, SOONEST), (Ruling(Verdict.HELD, "why"), NEXT)]
)
def test_the_soonest_test_is_that_of_an_addition_that_passes(held: Ruling, soonest: str) -> None:
    for store in fill_store(STARTS, [(1, 1), (3, 1)]):
        planned(store, held)
        assert store.plan.soonest() == soonest
        last = max(line.seq for line in store.plan.read())
        assert store.plan.soonest(last) == ""


def test_what_the_jobs_last_run_could_not_add_does_not_count_but_for_that_job() -> None:
    for store in fill_store(STARTS, [(1, 1), (3, 1)]):
        planned(store)
        values = {"k1": TESTS[1], "k2": LEARNERS[1]}
        store.plan._connection.execute(
            text(
                "INSERT INTO run (id, command, started, ended, status, counts, reason) VALUES"
                " (1, 'job exam_day', '2026-12-01T07:00:00Z', '2026-12-01T07:01:00Z', 'done', "
                "'{}', '')"
            )
        )
        store.plan._connection.execute(
            text(
                "INSERT INTO finding (run_id, type, kind, k1, k2, place, text)"
                " VALUES (1, 'held', 'candidate', :k1, :k2, '', '')"
            ),
            values,
        )
        assert store.plan.soonest(command="job exam_day") == NEXT
        assert store.plan.soonest(command="job nightly") == SOONEST


def test_of_learners_and_tests_a_run_for_candidates_keeps_what_these_need_and_no_change_or_removal() -> (
    None
):
    for store in fill_store(STARTS, [(1, 1)]):
        store.plan.draft(
            [
                make_draft(Action.CREATE, Kind.LEARNER, LEARNERS[1]),
                make_draft(Action.CREATE, Kind.LEARNER, LEARNERS[2]),
                make_draft(Action.UPDATE, Kind.LEARNER, LEARNERS[1]),
                make_draft(Action.RELEASE, Kind.LEARNER, LEARNERS[3]),
                make_draft(Action.CREATE, Kind.TEST, TESTS[1]),
                make_draft(Action.CREATE, Kind.TEST, TESTS[2]),
            ]
        )
        store.plan.keep_needed(Kind.LEARNER, [Kind.CANDIDATE])
        store.plan.keep_needed(Kind.TEST, [Kind.CANDIDATE])
        store.plan.close()
        left = {(line.change.action, line.change.key[0]) for line in store.plan.read()}
    assert left == {(Action.CREATE, LEARNERS[1]), (Action.CREATE, TESTS[1])}
