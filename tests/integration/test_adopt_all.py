"""A tenant that was in use before us is taken in without one new account, and what is not ours in it stays."""

from typing import Any

import pytest

from ..support.manual_edits import (
    account,
    linked,
    make_committee,
    make_people,
    make_test,
    put_candidate,
    put_contributor,
)
from ..support.university import TEST, University, names, numbers

LINKED, BY_LOGIN, BY_EMAIL = numbers(1001, 100), numbers(1442, 30), numbers(1472, 8)


RENAMED, STRANGE = "1480", "7020"


STAFF = numbers(7001, 19)


HAND_MADE = numbers(1081, 10)


@pytest.fixture
def used(university: University) -> University:
    """159 people who were made by hand, of whom two are doubtful; a test with committees, contributors and seats."""
    university.add_feeds("staff", "contributor")
    university.config["existing"] = {"match_email": True}
    university.students.add(*LINKED, *BY_LOGIN, *BY_EMAIL, RENAMED)
    university.employees.add(*STAFF, STRANGE)
    university.register(TEST, *numbers(1001, 40))
    university.assign_staff(TEST, *numbers(7001, 4), committees="A", duties="evaluate")
    make_people(university, without=[*BY_LOGIN, *BY_EMAIL, RENAMED, STRANGE])
    rows = {row["student_no"]: row for row in university.students.rows}
    for number in BY_LOGIN:
        university.sandbox.edit(student=account(rows[number], externalIds=[]))
    for number in BY_EMAIL:
        university.sandbox.edit(
            student=account(rows[number], username=f"old{number}", externalIds=[])
        )
    university.sandbox.edit(student=account(rows[RENAMED], username="another-login"))
    row = university.employees.rows[-1]
    university.sandbox.edit(staff=account(row, externalIds=linked("somebody-else")))
    _make_exam(university)
    return university


def _make_exam(university: University) -> None:
    make_test(university)
    make_committee(university, "A")
    for number in numbers(7001, 3):
        put_contributor(university, number, roles=["evaluate"], committees=["A"])
    for number in [*numbers(1001, 30), *HAND_MADE]:
        put_candidate(university, number)


def accounts(university: University) -> dict[int, dict[str, Any]]:
    """Everybody in Inspera by user id."""
    return {
        one["userId"]: one
        for one in (*university.learners().values(), *university.staff().values())
    }


def test_people_are_taken_in_without_one_new_account_and_the_doubtful_are_held(
    used: University,
) -> None:
    before = accounts(used)
    assert len(before) == 159
    assert used.adopt("--show", "--all").status == 3
    assert not used.state.exists()
    ran = used.adopt("--all")
    assert ran.status == 3
    assert (
        f"doubtful: learner {RENAMED}: the account with this external id has another username"
        in ran.out
    )
    assert (
        f"doubtful: staff {STRANGE}: the account with this username has another external id"
        in ran.out
    )
    assert ran.out.count("doubtful: ") == 2
    assert used.writes() == []
    assert accounts(used) == before
    ran = used.apply()
    assert ran.status == 3
    assert f"held: learner {RENAMED}" in ran.out
    assert f"held: staff {STRANGE}" in ran.out
    assert set(accounts(used)) == set(before)
    assert {f"old{number}" for number in BY_EMAIL} <= set(used.learners())
    assert set(used.contributors()) == {f"t{number}" for number in numbers(7001, 4)}
    assert set(used.candidates()) == names([*numbers(1001, 40), *HAND_MADE])
    assert used.planned() == [f"create learner {RENAMED}", f"create staff {STRANGE}"]


def test_ten_hand_made_candidates_survive_every_later_run(university: University) -> None:
    university.students.add(*HAND_MADE, *numbers(1001, 20))
    university.register(TEST, *numbers(1001, 12))
    make_people(university)
    make_test(university)
    for number in HAND_MADE:
        put_candidate(university, number, extraTimeMins=15)
    assert university.adopt().status == 0
    university.apply_cleanly()
    hand_made = {number: university.candidates()[f"s{number}"] for number in HAND_MADE}
    university.registrations.add(*(f"{TEST} {number}" for number in HAND_MADE[:5]))
    university.apply_cleanly()
    university.registrations.drop(f"{TEST} 1001", *(f"{TEST} {number}" for number in HAND_MADE[:5]))
    university.apply_cleanly()
    university.students.drop(*HAND_MADE[3:7])
    university.apply_cleanly()
    put_candidate(university, "1002", extraTimeMins=45)
    put_candidate(university, "1003", removed=True)
    assert university.reconcile().status == 3
    assert university.reconcile("--repair").status == 0
    university.exams.set(TEST, name="Muntlig prøve")
    university.apply_cleanly()
    assert {number: university.candidates()[f"s{number}"] for number in HAND_MADE} == hand_made
    assert set(university.candidates()) == names([*numbers(1002, 11), *HAND_MADE])


@pytest.fixture
def moved(university: University) -> University:
    """Three learners, of whom the second has another login and no external id in Inspera; all are to sit a test."""
    university.register(TEST, *numbers(1001, 3))
    make_people(university, without=["1002"])
    university.sandbox.edit(
        student=account(university.students.rows[1], username="old1002", externalIds=[])
    )
    make_test(university)
    return university


def test_an_address_proves_nothing_unless_the_configuration_says_so(moved: University) -> None:
    ran = moved.adopt()
    assert ran.status == 0
    assert "not there: learner 1002" in ran.out
    moved.apply_cleanly()
    assert set(moved.learners()) == {"old1002", "s1001", "s1002", "s1003"}


def test_anyone_who_is_matched_by_address_keeps_insperas_username_and_no_identity_change_follows(
    moved: University,
) -> None:
    moved.config["existing"] = {"match_email": True}
    assert moved.adopt().status == 0
    moved.apply_cleanly()
    assert moved.learners()["old1002"]["externalIds"] == linked("s1002")
    assert set(moved.candidates()) == {"s1001", "old1002", "s1003"}
    moved.students.set("1002", family="Nyfamilie")
    assert moved.planned() == ["update learner 1002"]
    moved.apply_cleanly()
    assert set(moved.learners()) == {"s1001", "old1002", "s1003"}
    assert moved.learners()["old1002"]["lastName"] == "Nyfamilie"
    moved.students.set("1002", feide="s1002-new")
    assert moved.planned("held") == ["identity change learner 1002"]


def test_an_address_that_several_accounts_have_is_doubtful(moved: University) -> None:
    moved.config["existing"] = {"match_email": True}
    moved.sandbox.edit(
        student=account(moved.students.rows[1], username="older1002", externalIds=[])
    )
    ran = moved.adopt()
    assert ran.status == 3
    assert "doubtful: learner 1002: several accounts in Inspera have this email address" in ran.out
    assert moved.writes() == []


def test_roles_given_by_hand_before_us_are_doubtful_and_held_until_they_are_adopted(
    university: University,
) -> None:
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001")
    university.assign_staff(TEST, "7001", "7002")
    make_people(university)
    make_test(university)
    put_contributor(university, "7001", roles=["evaluate", "plan"])
    put_contributor(university, "7002", roles=["evaluate"])
    ran = university.adopt()
    assert ran.status == 3
    assert (
        f"doubtful: contributor {TEST} / 7001: Inspera has further roles (plan) than the source"
        in ran.out
    )
    assert university.apply().status == 3
    assert sorted(university.contributors()["t7001"]["roles"]) == ["evaluate", "plan"]
    assert university.adopt("contributor", TEST, "7001").status == 0
    assert "roles evaluate, plan → evaluate" in university.plan().out
    university.apply_cleanly()
    assert university.contributors()["t7001"]["roles"] == ["evaluate"]
