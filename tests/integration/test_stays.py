"""Whoever has left the source and was put there by hand stays, and that is said: in plan, apply, status, reconcile."""

import pytest

from ..support.manual_edits import account, put_candidate, put_contributor
from ..support.university import TEST, University, numbers

SAID = (
    f"Stays: 1 candidate stays, put there by hand, although no source names them any more: {TEST} / 1009; if they are "
    "to go, remove them in Inspera, or run `adopt candidate TEST LEARNER --managed` for one that this tool put there"
)


@pytest.fixture
def by_hand(university: University) -> University:
    """A candidate and a contributor who were there before us, and whom the source names as well."""
    university.add_feeds("staff", "contributor")
    university.register(TEST, *numbers(1001, 3))
    university.students.add("1009")
    university.employees.add("7009")
    university.assign_staff(TEST, "7001")
    university.apply_once()
    put_candidate(university, "1009")
    put_contributor(university, "7009", roles=["evaluate"])
    university.registrations.add(f"{TEST} 1009")
    university.assign_staff(TEST, "7009")
    university.apply_cleanly()
    return university


def test_whoever_stays_is_said_by_every_command_and_it_is_no_trouble(by_hand: University) -> None:
    by_hand.registrations.drop(f"{TEST} 1009")
    for ran in (
        by_hand.plan(),
        by_hand.apply(),
        by_hand.run("status"),
        by_hand.reconcile(),
        by_hand.plan(),
    ):
        assert ran.status == 0
        assert SAID in ran.out
    assert by_hand.plan_json()["summary"]["stays"] == [
        {"kind": "candidate", "count": 1, "keys": [[TEST, "1009"]]}
    ]
    assert by_hand.status()["stays"] == [
        {"kind": "candidate", "count": 1, "keys": [[TEST, "1009"]]}
    ]
    assert "1 stay (put there by hand)" in by_hand.apply().out
    assert "s1009" in by_hand.candidates()


def test_a_contributor_who_stays_is_said_too(by_hand: University) -> None:
    by_hand.graders.drop(f"{TEST} 7009")
    ran = by_hand.apply_cleanly()
    assert (
        f"Stays: 1 contributor stays, put there by hand, although no source names them any more: {TEST}"
        in ran.out
    )
    assert "t7009" in by_hand.contributors()


def test_a_member_of_staff_who_stays_is_said_too(university: University) -> None:
    university.allow_shrinkage()
    university.add_feeds("staff")
    university.register(TEST, "1001")
    university.employees.add("7001", "7002")
    university.apply_once()
    university.employees.add("7009")
    university.sandbox.edit(staff=account(university.employees.rows[2]))
    university.apply_cleanly()
    university.employees.drop("7009")
    ran = university.apply_cleanly()
    assert (
        "Stays: 1 staff stays, put there by hand, although no source names them any more: 7009"
        in ran.out
    )
    told = university.adopt("staff", "7009", "--managed")
    assert told.status == 0
    assert "the next `apply` is to remove it (or to disable it)" in told.out
    university.apply_cleanly()
    assert university.staff()["t7009"]["status"] == "DISABLED"


def test_the_remedy_has_them_removed(by_hand: University) -> None:
    by_hand.registrations.drop(f"{TEST} 1009")
    by_hand.apply_cleanly()
    told = by_hand.adopt("candidate", TEST, "1009", "--managed").out
    assert "no source names it, so the next `apply` is to remove it" in told
    by_hand.apply_cleanly()
    assert "s1009" not in by_hand.candidates()
    assert "Stays" not in by_hand.plan().out


def test_whoever_comes_back_to_the_source_stays_no_longer_by_hand_alone(
    by_hand: University,
) -> None:
    by_hand.registrations.drop(f"{TEST} 1009")
    by_hand.apply_cleanly()
    by_hand.registrations.add(f"{TEST} 1009")
    by_hand.apply_cleanly()
    assert "Stays" not in by_hand.run("status").out


def test_nobody_is_said_to_have_left_while_a_source_cannot_be_relied_on(
    by_hand: University,
) -> None:
    by_hand.registrations.drop(f"{TEST} 1009")
    by_hand.registrations.add(f"{TEST} 1003", student_no="")
    assert "Stays" not in by_hand.plan().out


def test_a_test_that_has_ended_names_nobody(by_hand: University) -> None:
    by_hand.registrations.drop(f"{TEST} 1009")
    by_hand.apply_cleanly()
    by_hand.at("2026-12-03T08:00")
    for ran in (by_hand.plan(), by_hand.run("status")):
        assert "Stays" not in ran.out


def test_only_the_first_are_named_unless_all_are_asked_for(university: University) -> None:
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 12))
    university.registrations.drop(*(f"{TEST} {number}" for number in numbers(1003, 10)))
    university.apply_once()
    for number in numbers(1003, 10):
        put_candidate(university, number)
    university.registrations.add(*(f"{TEST} {number}" for number in numbers(1003, 10)))
    university.apply_cleanly()
    university.registrations.drop(*(f"{TEST} {number}" for number in numbers(1003, 10)))
    told = university.run("plan").out
    assert "10 candidates stay, put there by hand" in told
    assert "and 5 more (--all shows them)" in told
    assert f"{TEST} / 1012" in university.plan().out
