"""Rules 8: After a test's start, no candidate is removed from it, by no run and no approval."""

import pytest

from ..support.university import BEFORE, DAY_AFTER, DURING, OTHER, TEST, University, names, numbers


@pytest.mark.parametrize(
    "moment", [BEFORE, "2026-12-01T08:00", DURING, "2026-12-01T12:00", DAY_AFTER]
)
def test_a_missing_registration_removes_nobody_from_the_tests_start_on(
    two: University, moment: str
) -> None:
    two.at(moment)
    two.registrations.drop(f"{TEST} 1002", f"{OTHER} 1002")
    two.apply_cleanly()
    assert set(two.candidates(TEST)) == names(numbers(1001, 6)) - (
        {"s1002"} if moment == BEFORE else set()
    )
    assert set(two.candidates(OTHER)) == names(numbers(1001, 6)) - {"s1002"}


def test_while_a_test_runs_a_missing_registration_is_deferred_and_late_ones_still_go_in(
    two: University,
) -> None:
    two.at(DURING)
    two.registrations.drop(f"{TEST} 1002")
    two.register(TEST, "1009")
    changes = {
        one["key"][-1]: (one["verdict"], one["reason"]) for one in two.plan_json()["changes"]
    }
    assert changes["1002"] == ("deferred", "the test has begun: its candidates stay")
    two.apply_cleanly()
    assert set(two.candidates()) == names([*numbers(1001, 6), "1009"])


def test_no_approval_removes_candidates_of_a_begun_test(two: University) -> None:
    two.registrations.drop(*(f"{TEST} {one}" for one in numbers(1001, 5)))
    (held,) = two.plan_json()["summary"]["held_scopes"]
    two.at(DURING)
    assert two.apply("--allow", held["hash"]).status == 2
    assert set(two.candidates()) == names(numbers(1001, 6))


def test_a_test_that_its_source_drops_while_it_runs_keeps_its_candidates_and_is_retired_when_it_ends(
    two: University,
) -> None:
    two.at(DURING)
    two.exams.drop(TEST)
    two.registrations.drop(*(f"{TEST} {one}" for one in numbers(1001, 6)))
    two.apply_cleanly()
    assert two.writes() == []
    two.at(DAY_AFTER)
    assert f"retire test {TEST}" in two.planned("pass")
    two.apply_cleanly()
    assert two.writes() == []
    assert set(two.candidates(TEST)) == names(numbers(1001, 6))


def test_a_retired_test_that_comes_back_for_a_resit_takes_new_candidates_next_to_the_old(
    two: University,
) -> None:
    """It moves far, so it is held first; whoever sat it and is not registered again is left to a person."""
    two.at(DAY_AFTER)
    two.exams.drop(TEST)
    two.registrations.drop(*(f"{TEST} {one}" for one in numbers(1001, 6)))
    two.apply_cleanly()
    two.exams.add(TEST, start="15.02.2027 09:00", end="15.02.2027 13:00")
    two.register(TEST, "1001", "1009")
    (line,) = [one for one in two.plan_json()["changes"] if one["verdict"] == "held"]
    assert "its start would move by 76 days" in line["reason"]
    assert two.apply("--allow", line["reason"].rpartition(" ")[2]).status == 0
    assert two.tests()[TEST]["startTime"] == "2027-02-15T08:00:00Z"
    assert set(two.candidates(TEST)) == names([*numbers(1001, 6), "1009"])
    assert (
        two.planned()
        == two.planned("held")
        == [f"remove candidate {TEST}/{one}" for one in numbers(1002, 5)]
    )
    assert two.apply().status == 3
    assert set(two.candidates(TEST)) == names([*numbers(1001, 6), "1009"])


def test_the_longest_extra_time_counts_until_a_test_has_ended(two: University) -> None:
    two.registrations.set(f"{TEST} 1001", extra="60")
    two.apply_cleanly()
    two.exams.drop(TEST)
    for learner in numbers(1001, 6):
        two.registrations.drop(f"{TEST} {learner}")
    two.at("2026-12-01T12:59")
    assert f"retire test {TEST}" not in two.planned()
    two.at("2026-12-01T13:00")
    assert f"retire test {TEST}" in two.planned("pass")


def test_a_new_terms_files_without_the_ended_tests_remove_nothing_hold_nothing_and_retire_them(
    two: University,
) -> None:
    two.at(DAY_AFTER)
    two.exams.drop(TEST)
    two.registrations.drop(*(f"{TEST} {one}" for one in numbers(1001, 6)))
    two.registrations.drop(f"{OTHER} 1001")
    assert f"retire test {TEST}" in two.planned("pass")
    assert two.planned("held", "deferred") == []
    two.apply_cleanly()
    assert two.writes() == [f"DELETE /v1/test/{two.tests()[OTHER]['assessmentRunId']}/candidates"]
    assert set(two.candidates(TEST)) == names(numbers(1001, 6))
    assert two.planned() == []
    status = two.run("status").out
    assert "Known: 1 test retired" in status
    assert "Known: 6 candidates retired" in status


def test_registrations_that_name_a_retired_test_are_ignored_and_counted(two: University) -> None:
    two.at(DAY_AFTER)
    two.exams.drop(TEST)
    two.apply_cleanly()
    two.register(OTHER, "1010")
    two.registrations.add(f"{TEST} 1010")
    ran = two.plan()
    assert ran.status == 0
    assert "7 registrations of retired tests ignored" in ran.out
    two.apply_cleanly()
    assert "s1010" not in two.candidates(TEST)
    assert "s1010" in two.candidates(OTHER)


def test_retired_and_ended_records_do_not_count_in_the_share_of_a_limit(two: University) -> None:
    two.config["limits"] = {
        "kind": {"at_least": 1, "percent": 20},
        "test": {"at_least": 6, "percent": 100},
    }
    two.at(DAY_AFTER)
    two.registrations.drop(f"{OTHER} 1001", f"{OTHER} 1002")
    (held,) = two.plan_json()["summary"]["held_scopes"]
    assert held["why"].startswith("2 of 6 known is more than max(1, 20% up to 500) = 1.2")


def test_a_withdrawn_test_is_retired_once_it_has_ended(two: University) -> None:
    two.config["on_absence"] = {"candidate": "keep"}
    two.exams.drop(OTHER)
    two.registrations.drop(*(f"{OTHER} {one}" for one in numbers(1001, 6)))
    two.apply_cleanly()
    two.at("2027-01-05T09:00")
    two.exams.rows.clear()
    two.feed("test")["allow_empty"] = True
    assert {f"retire test {TEST}", f"retire test {OTHER}"} <= set(two.planned("pass"))


def test_a_test_that_its_source_moves_to_an_hour_ago_keeps_its_candidates(two: University) -> None:
    two.at("2026-11-30T09:00")
    two.exams.set(TEST, start="30.11.2026 09:00", end="30.11.2026 13:00")
    (line,) = [one for one in two.plan_json()["changes"] if one["verdict"] == "held"]
    two.registrations.drop(f"{TEST} 1002")
    assert two.apply().status == 3
    assert set(two.candidates(TEST)) == names(numbers(1001, 6))
    two.apply("--allow", line["reason"].rpartition(" ")[2])
    assert two.tests()[TEST]["startTime"] == "2026-11-30T08:00:00Z"
    assert set(two.candidates(TEST)) == names(numbers(1001, 6))


def test_releases_make_no_call_and_are_not_counted_by_limits(university: University) -> None:
    university.allow_shrinkage()
    university.register(TEST, "1001")
    university.students.add(*numbers(1101, 30))
    university.apply_once()
    university.students.drop(*numbers(1101, 30))
    assert len(university.planned("pass")) == 30
    university.apply_cleanly()
    assert university.writes() == []
    assert "30 learners released" in university.run("status").out
