"""When a change of the configuration changes too much."""

import pytest
from sync.planning.configuration import ConfigurationImpact
from sync.planning.limits import Limit
from sync.records.base import Kind
from sync.records.changes import Action

COUNTS = {
    (Kind.LEARNER, Action.UPDATE): 11_802,
    (Kind.TEST, Action.CREATE): 4,
    (Kind.STAFF, Action.DISABLE): 1,
    (Kind.CANDIDATE, Action.REMOVE): 31,
}


def impact(
    counts: dict[tuple[Kind, Action], int], known: dict[Kind, int], limit: Limit = Limit(10, 10)
) -> ConfigurationImpact:
    return ConfigurationImpact("feeds[1].map: changed", (), counts, known, limit)


def test_the_effect_counts_by_kind_and_action() -> None:
    assert impact(COUNTS, {}).effect() == (
        "updates 11,802 learners, creates 4 tests, disables 1 staff, removes 31 candidates"
    )
    assert impact({}, {}).effect() == "changes nothing that is sent"


@pytest.mark.parametrize(
    ("known", "changed", "held"),
    [(50, 10, False), (50, 11, True), (300, 30, False), (300, 31, True)],
)
def test_ten_changes_or_a_tenth_of_a_kind_pass(known: int, changed: int, held: bool) -> None:
    halves = {
        (Kind.CANDIDATE, Action.CREATE): changed // 2,
        (Kind.CANDIDATE, Action.REMOVE): changed - changed // 2,
    }
    assert bool(impact(halves, {Kind.CANDIDATE: known}).excess()) is held


def test_a_kind_of_which_nothing_is_known_is_a_first_load() -> None:
    first = impact({(Kind.STAFF, Action.CREATE): 5_000}, {Kind.STAFF: 0})
    assert (first.excess(), first.first_loads) == ("", {Kind.STAFF})


def test_each_kind_that_is_over_the_limit_shows_its_numbers() -> None:
    over = impact(COUNTS, {Kind.LEARNER: 20_000, Kind.TEST: 40, Kind.STAFF: 9, Kind.CANDIDATE: 99})
    assert over.excess() == (
        "11,802 changes of 20,000 known learners is more than max(10, 10%) = 2000 and "
        "31 changes of 99 known candidates is more than max(10, 10%) = 10"
    )


def test_an_upper_bound_is_part_of_the_arithmetic() -> None:
    bounded = impact(COUNTS, {Kind.LEARNER: 200_000}, Limit(10, 10, 500))
    assert "is more than max(10, 10% up to 500) = 500" in bounded.excess()
