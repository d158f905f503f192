"""Whole runs of all kinds against a small Inspera: what is sent in which order, and what a run leaves for the next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sync.engine.plan import DELETE, KEEP
from sync.engine.protocols import MayGo
from sync.records.base import Kind
from sync.records.candidate import Candidate
from sync.records.changes import Action, Outcome, Result, Verdict
from sync.records.contributor import Contributor
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.option import Option
from sync.records.remote import Assignment
from sync.records.staff import Staff
from sync.records.test import Test

from ...support.tenant import StoringTenant
from .state_and_tenant import START, StateAndTenant, a_person

ALL: tuple[Record, ...] = (
    Learner("1", **a_person(1)),
    Staff("7", **a_person(7)),
    Staff("8", **a_person(8)),
    Test("T", "x1", "Øving", START, START + timedelta(hours=4), 240),
    Option("T", "LOCKDOWN_BROWSER", "true"),
    Contributor("T", "7", "evaluate", "A"),
    Contributor("T", "8", "monitor", "C"),
    Candidate("T", "1", "17", committees="B"),
)


@pytest.fixture
def synced(tmp_path: Path) -> StateAndTenant:
    return StateAndTenant(tmp_path / "state.db")


FIRST = [
    "create learner",
    "create staff",
    "create staff",
    "create test",
    "assign option",
    "assign committee",
    "assign committee",
    "assign committee",
    "assign contributor",
    "assign contributor",
    "assign candidate",
]


def test_everything_is_made_in_the_order_in_which_it_is_needed_and_the_second_run_is_silent(
    synced: StateAndTenant,
) -> None:
    assert synced.run(ALL) == FIRST
    assert synced.carried.count(Result.DONE) == len(FIRST)
    assert (synced.run(ALL), synced.planned) == ([], [])


def left(*rows: Record) -> list[Record]:
    """What stays when person 7 and the candidate leave, and these rows come."""
    return [
        *(
            row
            for row in ALL
            if row.kind in (Kind.LEARNER, Kind.TEST, Kind.OPTION) or row == ALL[2]
        ),
        *rows,
    ]


def test_what_leaves_the_sources_goes_in_reverse_and_after_all_additions(
    synced: StateAndTenant,
) -> None:
    synced.run(ALL)
    assert synced.run(
        left(Contributor("T", "8", "plan", "C"), Contributor("T", "8", "monitor"))
    ) == [
        "assign contributor",
        "remove candidate",
        "remove contributor",
        "remove committee",
        "remove committee",
        "disable staff",
    ]
    assert synced.tenant.places[Kind.CANDIDATE] == {}
    assert list(synced.tenant.places[Kind.COMMITTEE]) == [("", "C")]


def test_staff_are_deleted_only_where_that_is_said_and_let_in_again_when_they_come_back(
    synced: StateAndTenant,
) -> None:
    rows = left(Contributor("T", "8", "monitor", "C"))
    synced.run(ALL)
    assert synced.run(rows)[-1] == "disable staff"
    assert synced.run(ALL)[0] == "enable staff"
    synced.on_absence = {Kind.STAFF: DELETE}
    assert synced.run(rows)[-1] == "delete staff"
    assert synced.run(ALL)[0] == "create staff"


@pytest.mark.parametrize("kind", [Kind.STAFF, Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE])
def test_what_is_to_be_kept_stays_when_it_leaves_its_source(
    synced: StateAndTenant, kind: Kind
) -> None:
    synced.run(ALL)
    synced.on_absence = {kind: KEEP}
    synced.run(left(Contributor("T", "8", "monitor", "C")))
    assert kind not in {line[1] for line in synced.planned}


def test_a_committee_stays_while_the_removal_of_somebody_in_it_is_held(
    synced: StateAndTenant,
) -> None:
    synced.run(ALL)
    synced.on_absence = {Kind.CONTRIBUTOR: KEEP}
    calls = synced.run(left(Contributor("T", "8", "monitor", "C")))
    assert calls == ["remove candidate", "remove committee"]
    assert sorted(synced.tenant.places[Kind.COMMITTEE]) == [("", "A"), ("", "C")]


def test_a_candidate_whose_row_leaves_the_committee_blank_keeps_it(synced: StateAndTenant) -> None:
    synced.run(ALL)
    blank = [row._replace(committees=None) if isinstance(row, Candidate) else row for row in ALL]
    assert (synced.run(blank), synced.planned) == ([], [])


def test_a_contributor_of_somebody_who_was_refused_waits(synced: StateAndTenant) -> None:
    synced.tenant.outcome = Outcome(Result.REFUSED, "no")
    synced.run([row for row in ALL if row.kind is Kind.STAFF])
    synced.tenant.outcome = Outcome(Result.DONE)
    calls = synced.run(ALL)
    assert "assign contributor" not in calls
    assert (Action.CREATE, Kind.STAFF, Verdict.DEFERRED) in synced.planned
    assert (Action.CREATE, Kind.CONTRIBUTOR, Verdict.WAITING) in synced.planned


def test_one_refusal_does_not_stop_what_does_not_need_it(synced: StateAndTenant) -> None:
    synced.run([row for row in ALL if row.kind in (Kind.LEARNER, Kind.STAFF, Kind.TEST)])
    synced.tenant.outcome = Outcome(Result.REFUSED, "no such room")
    calls = synced.run(ALL)
    assert calls == ["assign option", *["assign committee"] * 3]
    assert synced.carried.count(Result.REFUSED) == 4
    assert synced.carried.count(Result.WAITING) == 3, "who is in a committee that is not there"


@dataclass
class LateTenant(StoringTenant):
    """A tenant to which candidates go out two minutes late so many times; meanwhile one gets more time."""

    late: int = 0
    minutes: int = 0

    def assign(
        self, test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo, /
    ) -> list[Outcome]:
        if kind is Kind.CANDIDATE and self.late:
            self.late -= 1
            self.now += timedelta(minutes=2)
            seats = self.places[kind]
            self.places[kind] = {
                who: replace(seat, extra_time=self.minutes) for who, seat in seats.items()
            }
        return super().assign(test, entries, kind, may_go)


@pytest.mark.parametrize(
    ("late", "minutes", "ended"),
    [(1, 60, Result.HELD), (2, 30, Result.DONE), (9, 30, Result.NOT_SENT)],
)
def test_what_was_judged_too_long_ago_is_read_again_before_it_is_sent(
    synced: StateAndTenant, late: int, minutes: int, ended: Result
) -> None:
    synced.tenant = tenant = LateTenant(minutes=minutes)
    seat = Candidate("T", "1", "17", extra_time=30)
    synced.run([*ALL[:-1], seat])
    tenant.late = late
    calls = synced.run([*ALL[:-1], seat._replace(candidate_id="18")])
    assert synced.carried.count(ended) == 1
    assert sum(synced.carried.results.values()) == 1
    assert len(calls) == (ended is Result.DONE)
