"""What we only found is read back and put right like what is ours; and what can't be read is said, not guessed."""

import pytest

from ..support.manual_edits import (
    make_committee,
    make_people,
    make_test,
    put_candidate,
    put_contributor,
)
from ..support.university import TEST, University, numbers


@pytest.fixture
def taken_in(university: University) -> University:
    """A tenant that was in use before us and was taken in: nothing in it is ours."""
    university.add_feeds("staff", "contributor")
    university.register(TEST, *numbers(1001, 5))
    university.registrations.set(f"{TEST} 1001", extra="30")
    university.assign_staff(TEST, "7001", "7002", committees="A")
    make_people(university)
    make_test(university)
    make_committee(university, "A")
    for number in numbers(1001, 5):
        put_candidate(university, number, extraTimeMins=30 if number == "1001" else 0)
    for number in ("7001", "7002"):
        put_contributor(university, number, roles=["evaluate"], committees=["A"])
    assert university.adopt().status == 0
    university.apply_cleanly()
    return university


def test_a_tenant_that_was_taken_in_has_no_drift(taken_in: University) -> None:
    ran = taken_in.reconcile()
    assert ran.status == 0
    assert "Inspera is as this state knows it" in ran.out


def test_less_extra_time_and_other_roles_are_put_right(taken_in: University) -> None:
    put_candidate(taken_in, "1001", extraTimeMins=0)
    put_contributor(taken_in, "7001", roles=["plan"])
    assert taken_in.reconcile("--repair").status == 0
    assert taken_in.candidates()["s1001"]["extraTimeMins"] == 30
    assert taken_in.contributors()["t7001"]["roles"] == ["evaluate"]


def test_more_extra_time_is_put_right_once_a_person_has_asked_for_it(taken_in: University) -> None:
    put_candidate(taken_in, "1001", extraTimeMins=60)
    assert taken_in.reconcile().status == 3
    assert taken_in.reconcile("--repair").status == 0
    assert taken_in.candidates()["s1001"]["extraTimeMins"] == 30


def test_extra_time_of_an_existing_candidate_is_settled_by_adopt(taken_in: University) -> None:
    put_candidate(taken_in, "1001", extraTimeMins=60)
    taken_in.registrations.set(f"{TEST} 1001", extra="45")
    ran = taken_in.apply()
    assert ran.status == 3
    assert "drift: Inspera gives 60 minutes of extra time where 45 are wanted" in ran.out
    assert taken_in.adopt("candidate", TEST, "1001").status == 0
    taken_in.apply_cleanly()
    assert taken_in.candidates()["s1001"]["extraTimeMins"] == 45


def test_an_existing_candidate_who_was_repaired_is_still_never_removed(
    taken_in: University,
) -> None:
    put_candidate(taken_in, "1001", extraTimeMins=60)
    taken_in.reconcile("--repair")
    taken_in.registrations.drop(f"{TEST} 1001")
    taken_in.apply_cleanly()
    assert "s1001" in taken_in.candidates()


@pytest.mark.parametrize("path", ["*/candidates", "*/users/external/*"])
def test_what_cannot_be_read_is_named_and_nothing_is_taken_for_gone(
    taken_in: University, path: str
) -> None:
    taken_in.config["inspera"]["attempts"] = 1
    taken_in.fail(method="GET", path=path, status=500)
    ran = taken_in.reconcile("--repair")
    assert ran.status == 1
    assert "Could not be read:" in ran.out
    assert "Gone" not in ran.out
    assert taken_in.writes() == []


def test_a_tenant_without_the_candidate_list_is_not_taken_for_an_empty_one(
    taken_in: University,
) -> None:
    taken_in.fail(method="GET", path="*/candidates", status=404)
    ran = taken_in.reconcile("--repair")
    assert ran.status == 1
    assert "Gone" not in ran.out
    assert len(taken_in.candidates()) == 5


def test_a_search_that_finds_nothing_takes_no_test_for_gone_that_can_be_read(
    taken_in: University,
) -> None:
    taken_in.fail(
        method="GET", path="*/test/search", status=200, body={"hits": 0, "page": 0, "results": []}
    )
    ran = taken_in.reconcile("--repair")
    assert ran.status == 1
    assert f"test {TEST}: a search does not find it, but Inspera shows it by its id" in ran.out
    assert taken_in.writes() == []


def test_an_export_that_fails_takes_nobody_for_gone(taken_in: University) -> None:
    taken_in.config["reconcile"] = {"people": "export"}
    body = {"status": "failed"}
    taken_in.fail(method="GET", path="*/fileExport/status/*", status=200, body=body)
    ran = taken_in.reconcile("--repair")
    assert ran.status == 1
    assert "Gone" not in ran.out
    assert "Could not be read:" in ran.out
    assert "learner (all)" in ran.out


def test_an_export_that_is_empty_takes_nobody_for_gone(taken_in: University) -> None:
    taken_in.config["reconcile"] = {"people": "export"}
    taken_in.fail(method="GET", path="/export/*", status=200, body=[])
    ran = taken_in.reconcile("--repair")
    assert ran.status == 1
    assert "Gone" not in ran.out
    assert "staff (all)" in ran.out
    assert taken_in.planned() == []


def test_inspera_out_of_reach_ends_it_with_5_and_changes_nothing(taken_in: University) -> None:
    taken_in.config["inspera"] |= {"proxy": "http://127.0.0.1:9", "attempts": 1}
    assert taken_in.reconcile("--repair").status == 5
    assert taken_in.planned() == []
