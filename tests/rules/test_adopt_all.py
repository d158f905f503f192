"""A tenant that was in use before us is taken in without one new account, and what is not ours in it stays."""

from typing import Any

import pytest

from .manual_edits import (
    account,
    linked,
    make_committee,
    make_people,
    make_test,
    put_candidate,
    put_contributor,
)
from .site import TEST, Site, names, numbers

LINKED, BY_LOGIN, BY_EMAIL = numbers(1001, 441), numbers(1442, 30), numbers(1472, 8)
RENAMED, STRANGE = "1480", "7020"
STAFF = numbers(7001, 19)
HAND_MADE = numbers(1401, 10)


@pytest.fixture
def used(site: Site) -> Site:
    """500 people who were made by hand, of whom two are doubtful; a test with committees, contributors and seats."""
    site.also("staff", "contributor")
    site.config["existing"] = {"match_email": True}
    site.students.add(*LINKED, *BY_LOGIN, *BY_EMAIL, RENAMED)
    site.employees.add(*STAFF, STRANGE)
    site.seat(TEST, *numbers(1001, 40))
    site.hire(TEST, *numbers(7001, 4), committees="A", duties="evaluate")
    make_people(site, without=[*BY_LOGIN, *BY_EMAIL, RENAMED, STRANGE])
    rows = {row["student_no"]: row for row in site.students.rows}
    for number in BY_LOGIN:
        site.sandbox.edit(student=account(rows[number], externalIds=[]))
    for number in BY_EMAIL:
        site.sandbox.edit(student=account(rows[number], username=f"old{number}", externalIds=[]))
    site.sandbox.edit(student=account(rows[RENAMED], username="another-login"))
    row = site.employees.rows[-1]
    site.sandbox.edit(staff=account(row, externalIds=linked("somebody-else")))
    _make_exam(site)
    return site


def _make_exam(site: Site) -> None:
    make_test(site)
    make_committee(site, "A")
    for number in numbers(7001, 3):
        put_contributor(site, number, roles=["evaluate"], committees=["A"])
    for number in [*numbers(1001, 30), *HAND_MADE]:
        put_candidate(site, number)


def accounts(site: Site) -> dict[int, dict[str, Any]]:
    """Everybody in Inspera by user id."""
    return {one["userId"]: one for one in (*site.people().values(), *site.staff().values())}


def test_500_people_are_taken_in_without_one_new_account_and_the_doubtful_are_held(
    used: Site,
) -> None:
    before = accounts(used)
    assert len(before) == 500
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
    assert {f"old{number}" for number in BY_EMAIL} <= set(used.people())
    assert set(used.contributors()) == {f"t{number}" for number in numbers(7001, 4)}
    assert set(used.seats()) == names([*numbers(1001, 40), *HAND_MADE])
    assert used.planned() == [f"create learner {RENAMED}", f"create staff {STRANGE}"]


def test_ten_hand_made_candidates_survive_every_later_run(site: Site) -> None:
    site.students.add(*HAND_MADE, *numbers(1001, 20))
    site.seat(TEST, *numbers(1001, 12))
    make_people(site)
    make_test(site)
    for number in HAND_MADE:
        put_candidate(site, number, extraTimeMins=15)
    assert site.adopt().status == 0
    site.settled()
    hand_made = {number: site.seats()[f"s{number}"] for number in HAND_MADE}
    site.registrations.add(*(f"{TEST} {number}" for number in HAND_MADE[:5]))
    site.settled()
    site.registrations.drop(f"{TEST} 1001", *(f"{TEST} {number}" for number in HAND_MADE[:5]))
    site.settled()
    site.students.drop(*HAND_MADE[3:7])
    site.settled()
    put_candidate(site, "1002", extraTimeMins=45)
    put_candidate(site, "1003", removed=True)
    assert site.reconcile().status == 3
    assert site.reconcile("--repair").status == 0
    site.exams.set(TEST, name="Muntlig prøve")
    site.settled()
    assert {number: site.seats()[f"s{number}"] for number in HAND_MADE} == hand_made
    assert set(site.seats()) == names([*numbers(1002, 11), *HAND_MADE])


@pytest.fixture
def moved(site: Site) -> Site:
    """Three learners, of whom the second has another login and no external id in Inspera; all are to sit a test."""
    site.seat(TEST, *numbers(1001, 3))
    make_people(site, without=["1002"])
    site.sandbox.edit(student=account(site.students.rows[1], username="old1002", externalIds=[]))
    make_test(site)
    return site


def test_an_address_proves_nothing_unless_the_configuration_says_so(moved: Site) -> None:
    ran = moved.adopt()
    assert ran.status == 0
    assert "not there: learner 1002" in ran.out
    moved.settled()
    assert set(moved.people()) == {"old1002", "s1001", "s1002", "s1003"}


def test_whoever_is_matched_by_address_keeps_insperas_username_and_no_identity_change_follows(
    moved: Site,
) -> None:
    moved.config["existing"] = {"match_email": True}
    assert moved.adopt().status == 0
    moved.settled()
    assert moved.people()["old1002"]["externalIds"] == linked("s1002")
    assert set(moved.seats()) == {"s1001", "old1002", "s1003"}
    moved.students.set("1002", family="Nyfamilie")
    assert moved.planned() == ["update learner 1002"]
    moved.settled()
    assert set(moved.people()) == {"s1001", "old1002", "s1003"}
    assert moved.people()["old1002"]["lastName"] == "Nyfamilie"
    moved.students.set("1002", feide="s1002-new")
    assert moved.planned("held") == ["identity change learner 1002"]


def test_an_address_that_several_accounts_have_is_doubtful(moved: Site) -> None:
    moved.config["existing"] = {"match_email": True}
    moved.sandbox.edit(
        student=account(moved.students.rows[1], username="older1002", externalIds=[])
    )
    ran = moved.adopt()
    assert ran.status == 3
    assert "doubtful: learner 1002: several accounts in Inspera have this email address" in ran.out
    assert moved.writes() == []


def test_roles_given_by_hand_before_us_are_doubtful_and_held_until_they_are_adopted(
    site: Site,
) -> None:
    site.also("staff", "contributor")
    site.seat(TEST, "1001")
    site.hire(TEST, "7001", "7002")
    make_people(site)
    make_test(site)
    put_contributor(site, "7001", roles=["evaluate", "plan"])
    put_contributor(site, "7002", roles=["evaluate"])
    ran = site.adopt()
    assert ran.status == 3
    assert (
        f"doubtful: contributor {TEST} / 7001: Inspera has further roles (plan) than the source"
        in ran.out
    )
    assert site.apply().status == 3
    assert sorted(site.contributors()["t7001"]["roles"]) == ["evaluate", "plan"]
    assert site.adopt("contributor", TEST, "7001").status == 0
    assert "roles evaluate, plan → evaluate" in site.plan().out
    site.settled()
    assert site.contributors()["t7001"]["roles"] == ["evaluate"]
