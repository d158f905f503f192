"""Free candidate numbers as the plan sees them, on both databases."""

from collections.abc import Sequence

import pytest
from sync.records.base import Kind, RowError
from sync.records.candidate import Candidate
from sync.records.changes import PlannedChange, Verdict
from sync.records.kinds import Record
from sync.records.learner import Learner

from .test_reasons import TEST, UNDER_WAY, describe, knowing, planned
from .worlds import Identity

pytestmark = pytest.mark.usefixtures("database")


def learner(key: str) -> Learner:
    mail = f"l{key}@example.edu"
    return Learner(key, mail, mail, "FEIDE", "Åse", f"Prøvesen {key}", mail)


PEOPLE = tuple(learner(str(n)) for n in range(1, 6))


def seat(n: int, number: str | None, **more: str) -> Candidate:
    return Candidate("T", str(n), number, **more)  # type: ignore[arg-type]  # texts alone


def plan(
    *rows: Record | RowError, known: Sequence[Candidate], test: Record = TEST
) -> dict[Identity, PlannedChange]:
    return planned([*PEOPLE, test, *rows], knowing(*PEOPLE, test, *known))


def why(plan: dict[Identity, PlannedChange], n: int) -> str:
    _, verdict, reason = describe(plan, Kind.CANDIDATE, "T", str(n))
    assert verdict is Verdict.DEFERRED
    return reason


def order(plan: dict[Identity, PlannedChange]) -> list[tuple[str, str]]:
    passing = sorted(
        (line for line in plan.values() if line.verdict is Verdict.PASS), key=lambda line: line.seq
    )
    return [(line.change.action, line.change.key[-1]) for line in passing]


def test_the_removal_that_frees_a_number_goes_first_and_others_last() -> None:
    found = plan(seat(3, "1"), seat(4, "4"), known=[seat(1, "1"), seat(2, "2"), seat(4, "4")])
    assert order(found) == [("remove", "1"), ("create", "3"), ("remove", "2")]


@pytest.mark.parametrize(
    ("rows", "test", "reason"),
    [
        ((seat(1, None, room="B"), seat(3, "1")), TEST, "their row gives them no other number"),
        ((seat(1, None), seat(3, "1")), TEST, "their row gives them no other number"),
        ((seat(3, "1"),), UNDER_WAY, "the test has begun: its candidates stay"),
        (
            (
                seat(3, "1"),
                RowError(
                    "candidate.csv line 9",
                    "room",
                    "is bad",
                    "correct it",
                    Kind.CANDIDATE,
                    ("T", "1"),
                ),
            ),
            TEST,
            "their row has an error",
        ),
        ((seat(1, ""), seat(3, "1")), TEST, "their row gives them no other number"),
    ],
)
def test_a_number_of_somebody_who_stays_is_not_given(
    rows: tuple[Record | RowError, ...], test: Record, reason: str
) -> None:
    found = plan(*rows, known=[seat(1, "1"), seat(2, "2")], test=test)
    assert why(found, 3) == f"number 1 is still 1's, who stays: {reason}"


def test_somebody_who_was_there_before_us_keeps_the_number() -> None:
    known = knowing(*PEOPLE, TEST, seat(2, "2")) | knowing(seat(1, "1"), managed=False)
    found = planned([*PEOPLE, TEST, seat(2, "2"), seat(3, "1")], known)
    assert why(found, 3).startswith("number 1 is still 1's, who stays: put there by hand")


def test_a_row_of_changes_waits_as_a_whole_when_its_end_stays() -> None:
    known = [seat(1, "1"), seat(2, "2"), seat(3, "3")]
    found = plan(seat(1, "2"), seat(2, "3"), seat(3, None), known=known)
    assert why(found, 2) == "number 3 is still 3's, who stays: their row gives them no other number"
    assert (
        why(found, 1) == "number 2 is still 2's, who stays: their own new number is not free either"
    )
    assert order(plan(seat(1, "2"), seat(2, "3"), seat(3, "4"), known=known)) == [
        ("update", n) for n in "123"
    ]


def test_a_circle_passes_and_so_does_who_follows_it() -> None:
    known = [seat(1, "1"), seat(2, "2"), seat(3, "3"), seat(4, "4")]
    assert (
        len(order(plan(seat(1, "2"), seat(2, "1"), seat(3, "3"), seat(4, "4"), known=known))) == 2
    )
