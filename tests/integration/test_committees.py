"""Committees are made because somebody is in them, and only ours are ever taken off a test."""

import pytest
from sync.records.base import Kind

from ..support.university import DURING, NEXT_DAY, TEST, University, numbers

COMMITTEES = "*/committees"


@pytest.fixture
def parted(university: University) -> University:
    """Four graders in the committees A, B and C, and three learners, of whom one is graded by B and one by D."""
    university.add_feeds("staff", "contributor")
    university.feed("candidate")["map"]["committees"] = "committees"
    university.registrations.columns += ("committees",)
    university.register(TEST, *numbers(1001, 3))
    university.assign_staff(TEST, *numbers(7001, 4))
    for number, committees in zip(numbers(7001, 4), ("A", "A;B", "B", "C"), strict=True):
        university.graders.set(f"{TEST} {number}", committees=committees)
    university.registrations.set(f"{TEST} 1001", committees="B")
    university.registrations.set(f"{TEST} 1002", committees="D")
    return university


def made(university: University) -> list[str]:
    """The names of the committees that the last command asked for."""
    calls = university.sent("/committees", "POST")
    return [one["name"] for call in calls for one in call["body"]["committees"]]


def members(university: University) -> dict[str, list[str]]:
    """The committees of everybody on the test, by username."""
    everybody = university.contributors() | university.candidates()
    return {username: one["committees"] for username, one in everybody.items()}


def leave(university: University) -> None:
    """The one grader of committee C leaves it for another."""
    university.graders.set(f"{TEST} 7004", committees="A")


def test_committees_that_contributors_and_candidates_name_are_made_once_and_before_them(
    parted: University,
) -> None:
    assert f"create committee {TEST}/D" in parted.planned()
    parted.apply_cleanly()
    assert parted.committees() == dict.fromkeys("ABCD", "GRADING")
    assert members(parted)["t7002"] == ["A", "B"]
    assert members(parted)["s1002"] == ["D"]
    paths = [call["path"].rsplit("/", 1)[1] for call in parted.sent()]
    assert paths.index("contributors") > max(
        n for n, path in enumerate(paths) if path == "committees"
    )
    assert parted.planned() == []


def test_a_committee_that_is_there_already_is_found_and_not_asked_for(parted: University) -> None:
    feeds = parted.config["feeds"]
    parted.keep_feeds("test")
    parted.apply_once()
    parted.sandbox.edit(committee={"test": TEST, "name": "A", "type": "REASSESSMENT"})
    parted.config["feeds"] = feeds
    ran = parted.apply_cleanly()
    assert sorted(made(parted)) == ["B", "C", "D"]
    assert "1 create found" in ran.out
    assert parted.committees()["A"] == "REASSESSMENT"


def test_a_feed_of_committees_gives_their_type(parted: University) -> None:
    parted.add_feeds("committee")
    parted.panels.add(f"{TEST} A", type="GRADING")
    parted.panels.add(f"{TEST} Klagekommisjon", type="REASSESSMENT")
    parted.apply_once()
    assert parted.committees() == dict.fromkeys("ABCD", "GRADING") | {
        "Klagekommisjon": "REASSESSMENT"
    }
    assert parted.planned() == []


def test_a_type_cannot_change_so_that_is_an_identity_change_and_held(parted: University) -> None:
    parted.add_feeds("committee")
    parted.panels.add(f"{TEST} A", type="GRADING")
    parted.apply_once()
    parted.panels.set(f"{TEST} A", type="REASSESSMENT")
    ran = parted.apply()
    assert ran.status == 3
    assert "a committee's type can't be changed in Inspera: put the old one back" in ran.out
    assert parted.writes() == []
    assert parted.committees()["A"] == "GRADING"


def test_a_committee_that_nobody_names_any_more_is_kept_by_default(parted: University) -> None:
    parted.apply_once()
    leave(parted)
    parted.apply_cleanly()
    assert members(parted)["t7004"] == ["A"]
    assert "C" in parted.committees()
    assert parted.planned() == []


def test_it_is_removed_where_the_configuration_says_so_after_its_people_have_left_it(
    parted: University,
) -> None:
    parted.apply_once()
    parted.config["on_absence"] = {"committee": "remove"}
    leave(parted)
    assert parted.planned() == [f"update contributor {TEST}/7004", f"remove committee {TEST}/C"]
    parted.apply_cleanly()
    assert set(parted.committees()) == set("ABD")
    assert [call["path"].rsplit("/", 1)[1] for call in parted.sent()] == [
        "contributors",
        "committees",
    ]
    assert parted.planned() == []


def test_a_committee_that_was_there_before_us_is_never_removed(parted: University) -> None:
    feeds = parted.config["feeds"]
    parted.keep_feeds("test")
    parted.apply_once()
    parted.sandbox.edit(committee={"test": TEST, "name": "C", "type": "GRADING"})
    parted.config["feeds"] = feeds
    parted.config["on_absence"] = {"committee": "remove"}
    parted.apply_cleanly()
    leave(parted)
    parted.apply_cleanly()
    assert "C" in parted.committees()


@pytest.mark.parametrize("row", ["registrations", "graders"])
def test_any_row_of_the_test_that_is_a_row_error_defers_the_removal(
    parted: University, row: str
) -> None:
    parted.apply_once()
    parted.config["on_absence"] = {"committee": "remove"}
    leave(parted)
    if row == "registrations":
        parted.registrations.set(f"{TEST} 1003", extra="a lot")
    else:
        parted.graders.set(f"{TEST} 7003", duties="lurking")
    assert parted.planned("deferred") == [f"remove committee {TEST}/C"]
    assert parted.apply().status == 1
    assert "C" in parted.committees()


def test_a_source_that_cannot_be_read_defers_the_removal(parted: University) -> None:
    parted.apply_once()
    parted.config["on_absence"] = {"committee": "remove"}
    leave(parted)
    parted.registrations.raw = b""
    assert parted.apply().status == 4
    assert "C" in parted.committees()


def test_nothing_is_removed_while_the_test_is_under_way(parted: University) -> None:
    parted.apply_once()
    parted.config["on_absence"] = {"committee": "remove"}
    leave(parted)
    parted.at(DURING)
    ran = parted.apply_cleanly()
    assert "it would take committees away, and the test is under way" in ran.out
    assert members(parted)["t7004"] == ["C"]
    assert "C" in parted.committees()


def test_an_error_that_lies_is_settled_by_reading(parted: University) -> None:
    body = {"success": False, "errors": ["Wrong committee type"]}
    parted.fail(method="POST", path=COMMITTEES, status=400, when="after", body=body)
    parted.apply_cleanly()
    assert set(parted.committees()) == set("ABCD")
    assert sorted(made(parted)) == list("ABCD")
    assert (parted.status()["refused"], parted.planned()) == ([], [])


def test_an_error_that_tells_the_truth_is_a_refusal_and_anyone_who_is_in_the_committee_waits(
    parted: University,
) -> None:
    parted.config["inspera"]["batch_size"] = 1
    body = {"success": False, "errors": ["Wrong committee type"]}
    parted.fail(method="POST", path=COMMITTEES, status=400, times=1, body=body)
    ran = parted.apply()
    assert ran.status == 1
    (refused,) = {"A", "B", "C", "D"} - set(parted.committees())
    assert f"refused: committee {TEST} / {refused}" in ran.out
    assert f"waits for committee {refused}, which is not in Inspera yet" in ran.out
    assert members(parted).get("t7003") == (None if refused == "B" else ["B"])
    parted.stop_failing()
    assert parted.apply("--retry-refused").status == 0
    assert members(parted)["t7004"] == ["C"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_was_lost_is_settled_by_reading_and_no_name_is_asked_for_twice(
    parted: University, when: str
) -> None:
    parted.fail(method="POST", path=COMMITTEES, status="reset", when=when, times=1)
    parted.apply_cleanly()
    assert set(parted.committees()) == set("ABCD")
    assert sorted(made(parted)) == sorted("ABCD" * (2 if when == "before" else 1))


def test_what_became_of_one_that_nobody_can_read_is_found_out_before_it_is_asked_for_again(
    parted: University,
) -> None:
    parted.config["inspera"]["attempts"] = 1
    lost = {"method": "POST", "path": COMMITTEES, "status": 500, "when": "after"}
    blind = {"method": "GET", "path": "/api/v1/test/2*", "status": 500, "skip": 1}
    parted.sandbox.control(fail=[lost, blind])
    assert parted.apply().status == 1
    parted.sandbox.control(fail=[{**blind, "skip": 0}])
    assert parted.apply().status == 1
    assert made(parted) == []
    parted.stop_failing()
    parted.apply_cleanly()
    assert made(parted) == []
    assert set(parted.committees()) == set("ABCD")
    assert parted.planned() == []


@pytest.mark.parametrize("kinds", [{Kind.COMMITTEE}, {Kind.COMMITTEE, Kind.CONTRIBUTOR}])
def test_a_job_that_does_not_read_all_who_name_committees_removes_none(
    parted: University, kinds: set[Kind]
) -> None:
    parted.add_feeds("committee")
    parted.panels.add(f"{TEST} A", type="GRADING")
    parted.config["on_absence"] = {"committee": "remove"}
    for number in (7002, 7003):  # so that nobody but a candidate names B
        parted.graders.set(f"{TEST} {number}", committees="A")
    parted.graders.set(f"{TEST} 7004", committees="E")
    parted.apply_once()
    parted.at(NEXT_DAY)
    parted.registrations.drop(f"{TEST} 1002")
    parted.graders.set(f"{TEST} 7004", committees="A")
    parted.run_job("seats", Kind.CANDIDATE)  # the last candidate leaves D
    parted.run_job("graders", Kind.CONTRIBUTOR)
    parted.registrations.add(f"{TEST} 1003")
    parted.registrations.set(f"{TEST} 1003", committees="D")
    parted.run_job("part", *kinds)
    assert parted.writes() == []
    assert set(parted.committees()) == set("ABDE")
    parted.apply_cleanly()
    assert set(parted.committees()) == set("ABD")


@pytest.mark.parametrize("last", ["GRADING", "REASSESSMENT"])
def test_the_last_grading_committee_of_a_test_goes_only_when_a_person_allows_it(
    university: University, last: str
) -> None:
    university.add_feeds("committee")
    university.register(TEST, "1001")
    university.panels.add(f"{TEST} A", type=last)
    university.panels.add(f"{TEST} Klage", type="REASSESSMENT")
    university.config["on_absence"] = {"committee": "remove"}
    university.apply_once()
    university.panels.drop(f"{TEST} A")
    ran = university.apply()
    if last == "GRADING":
        assert "the test could not be graded without it" in ran.out
        assert set(university.committees()) == {"A", "Klage"}
        ran = university.apply("--allow", ran.allow_hash)
    assert ran.status == 0
    assert set(university.committees()) == {"Klage"}


def test_check_warns_where_no_job_reads_all_who_name_committees_and_so_none_removes_any(
    parted: University,
) -> None:
    parted.config["jobs"] = {"seats": {"kinds": ["candidate"], "every": "1h"}}
    warning = "on_absence.committee: has no effect in jobs: none of them reads all feeds"
    assert warning not in parted.run("check").err
    parted.config["on_absence"] = {"committee": "remove"}
    assert warning in parted.run("check").err
    parted.config["jobs"]["all"] = {"every": "24h"}
    assert warning not in parted.run("check").err


@pytest.mark.parametrize("gone", ["committee", "contributor", "candidate"])
def test_a_feed_that_is_taken_out_of_the_configuration_removes_no_committee(
    parted: University, gone: str
) -> None:
    parted.add_feeds("committee")
    parted.panels.add(f"{TEST} P", f"{TEST} A")
    parted.registrations.set(f"{TEST} 1001", committees="A")
    parted.config["on_absence"] = {"committee": "remove"}
    parted.apply_once()
    parted.at(NEXT_DAY)
    if gone == "candidate":
        del parted.feed("candidate")["map"]["committees"]
    else:
        parted.keep_feeds(*{one["kind"] for one in parted.config["feeds"]} - {gone})
    ran = parted.apply()
    assert set(parted.committees()) == set("ABCDP")
    if gone == "committee":
        assert ran.status == 3
        assert f"committee {TEST} / P" in ran.out
        assert "panels" in ran.out
        assert parted.apply("--accept-shrink", "graders").status == 0
        assert set(parted.committees()) == set("ABCD")
