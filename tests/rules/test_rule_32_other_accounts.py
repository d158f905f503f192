"""Rules 32: Another person's account is not overwritten. An existing account is held when neither
the names nor the email agree.
"""

from datetime import timedelta
from typing import Any

import pytest

from ..support.manual_edits import account
from ..support.university import TEST, University

SAVE = {"learner": "*/users/student", "staff": "*/api/v1/users"}


def known(university: University, kind: str = "learner") -> dict[str, int]:
    """What `status` says is known of a kind."""
    return {
        one["lifecycle"]: one["count"]
        for one in university.status()["known"]
        if one["kind"] == kind
    }


def in_use(university: University, kind: str = "learner") -> None:
    """Something is known: the state is not taken for a lost one."""
    table = university.students if kind == "learner" else university.employees
    table.add("1000")
    feeds = university.config["feeds"]
    university.keep_feeds(kind)
    university.apply_once()
    university.config["feeds"] = feeds


@pytest.fixture
def stranger(university: University) -> University:
    """A new student's login that is another person's in Inspera; a second new one of whom nothing is wrong."""
    in_use(university)
    university.register(TEST, "1001", "1002")
    row = university.students.rows[1]
    university.sandbox.edit(
        student=account(row, firstName="Fremmed", lastName="Konto", email="fremmed@example.edu")
    )
    return university


def test_somebody_elses_account_is_held_and_never_overwritten(stranger: University) -> None:
    before = stranger.learners()["s1001"]
    for _ in range(2):
        ran = stranger.apply()
        assert ran.status == 3
        assert "the account in Inspera has other names and another email" in ran.out
        assert stranger.learners()["s1001"] == before
        assert set(stranger.candidates()) == {"s1002"}
    assert known(stranger) == {"active": 2}


def test_only_the_command_that_decides_shows_both(stranger: University) -> None:
    printed = (
        stranger.apply().output
        + stranger.plan().output
        + stranger.run("status").output
        + str(stranger.status())
    )
    assert "Fremmed" not in printed + stranger.state.read_bytes().decode("latin-1")
    shown = stranger.adopt("learner", "1001", "--show")
    assert shown.status == 0
    assert "source: first name 'Bjørn', last name" in shown.out
    assert (
        "Inspera: first name 'Fremmed', last name 'Konto', email 'fremmed@example.edu'" in shown.out
    )
    assert known(stranger) == {"active": 2}


def test_many_are_not_taken_in_at_once_and_the_one_that_is_named_is(stranger: University) -> None:
    assert stranger.apply().status == 3
    for many in ((), ("--held",)):
        ran = stranger.adopt(*many)
        assert ran.status == 3, ran.output
        assert "doubtful: learner 1001: the account in Inspera has other names" in ran.out
        assert "Fremmed" not in ran.output
    assert stranger.adopt("learner", "1001").status == 0
    stranger.apply_cleanly()
    assert stranger.learners()["s1001"]["firstName"] == "Bjørn"
    assert "s1001" in stranger.candidates()


def test_correcting_the_source_helps(stranger: University) -> None:
    assert stranger.apply().status == 3
    stranger.students.set("1001", feide="s1001b")
    stranger.apply_cleanly()
    assert stranger.learners()["s1001"]["firstName"] == "Fremmed"
    assert set(stranger.candidates()) == {"s1001b", "s1002"}


@pytest.mark.parametrize(
    ("other", "held"),
    [
        ({"firstName": "Fremmed", "lastName": "Konto", "email": ""}, True),
        ({"firstName": "Fremmed", "lastName": "Konto"}, False),
        ({"email": "annen@example.edu"}, False),
        (
            {"firstName": "PRØVESEN", "lastName": " bjo\u0308rn ", "email": "annen@example.edu"},
            True,
        ),
        ({"firstName": "PRØVESEN", "lastName": " bjørn ", "email": "annen@example.edu"}, False),
        ({"firstName": "", "email": "annen@example.edu"}, False),
        ({"firstName": "", "lastName": "", "email": "annen@example.edu"}, True),
        ({"firstName": "Fremmed", "email": "S1001@Example.EDU"}, False),
        ({"firstName": "", "lastName": "", "email": ""}, False),
    ],
)
def test_what_counts_as_somebody_else(
    university: University, other: dict[str, str], held: bool
) -> None:
    in_use(university)
    university.keep_feeds("learner")
    university.students.add("1001", family="Prøvesen")
    university.sandbox.edit(student=account(university.students.rows[1], **other))
    ran = university.apply()
    assert ran.status == (3 if held else 0), ran.output
    assert bool(university.writes()) is not held


def test_it_is_the_same_for_staff(university: University) -> None:
    university.add_feeds("staff")
    university.keep_feeds("staff")
    in_use(university, "staff")
    university.employees.add("7001", "7002")
    university.sandbox.edit(
        staff=account(
            university.employees.rows[1], firstName="Fremmed", lastName="Konto", email="x@y.edu"
        )
    )
    before = university.staff()["t7001"]
    assert university.apply().status == 3
    assert university.staff()["t7001"] == before
    assert university.adopt("staff", "7001").status == 0
    university.apply_cleanly()
    assert university.staff()["t7001"]["firstName"] != "Fremmed"


@pytest.mark.parametrize("kind", ["learner", "staff"])
@pytest.mark.parametrize("other", [{}, {"lastName": "Gift"}])
def test_an_existing_account_whose_save_is_refused_stays_refused_until_it_is_taken(
    university: University, kind: str, other: dict[str, Any]
) -> None:
    university.add_feeds("staff")
    university.keep_feeds(kind)
    in_use(university, kind)
    table = university.students if kind == "learner" else university.employees
    table.add("1001", "1002")
    university.sandbox.edit(
        **{"student" if kind == "learner" else "staff": account(table.rows[1], **other)}
    )
    university.fail(
        method="POST",
        path=SAVE[kind],
        status=409,
        body={"error": "the username is too short"},
        times=1,
    )
    university.config["inspera"]["workers"] = 1
    assert university.apply().status == 1
    for _ in range(2):
        assert known(university, kind) == {"active": 2, "refused": 1}
        assert [one["key"] for one in university.status()["refused"]] == [["1001"]]
        ran = university.apply()
        assert (ran.status, university.writes()) == (1, [])
        assert "Nothing to do" not in ran.out
    university.time += timedelta(minutes=20)
    university.apply_cleanly()
    assert known(university, kind) == {"active": 3}
    assert university.status()["refused"] == []
    university.apply_cleanly()
    assert university.writes() == []


def test_adopting_an_account_whose_save_is_refused_does_not_make_it_pass_for_a_learner(
    university: University,
) -> None:
    in_use(university)
    university.register(TEST, "1000")
    university.apply_once()
    university.students.add("1001")
    university.sandbox.edit(
        staff=account(university.students.rows[1])
    )  # one account can't be both: the save is refused
    assert university.apply().status == 1
    ran = university.adopt("learner", "1001")
    assert "stays refused until one is taken" in ran.out
    assert known(university) == {"active": 1, "refused": 1}
    for _ in range(2):
        assert university.apply().status == 1
        assert [one["key"] for one in university.status()["refused"]] == [["1001"]]
    university.sandbox.edit(staff={"username": "s1001", "removed": True})
    assert university.apply("--retry-refused").status == 0
    assert "s1001" in university.learners()
    assert known(university) == {"active": 2}


def test_a_learner_whose_save_is_refused_gets_their_seat_all_the_same(
    university: University,
) -> None:
    in_use(university)
    university.register(TEST, "1001", "1002")
    university.sandbox.edit(student=account(university.students.rows[1], lastName="Gift"))
    university.fail(method="POST", path=SAVE["learner"], status=409, body={"error": "no"}, times=1)
    university.config["inspera"]["workers"] = 1
    assert university.apply().status == 1
    assert university.learners()["s1001"]["lastName"] == "Gift"
    assert set(university.candidates()) == {"s1001", "s1002"}


def test_where_an_existing_username_is_refused_the_account_is_looked_up_and_taken_in(
    university: University,
) -> None:
    """Three logins exist: of the same person, of one with another name, and of somebody else."""
    in_use(university)
    university.keep_feeds("learner")
    university.config["existing"] = {"look_up_learners": False}
    university.students.add("1001", "1002", "1003", "1004")
    same, married, other = university.students.rows[1:4]
    university.sandbox.edit(student=account(same))
    university.sandbox.edit(student=account(married, lastName="Gift"))
    university.sandbox.edit(student=account(other, firstName="X", lastName="Y", email="x@y.edu"))
    university.sandbox.control(refuse_existing=True)
    ran = university.apply()
    assert ran.status == 3
    assert "the account in Inspera has other names and another email" in ran.out
    assert "1 of them differ from the sources" in ran.out
    assert known(university) == {"active": 4}
    assert university.learners()["s1002"]["lastName"] == "Gift"
    university.students.drop("1003")
    ran = university.apply()
    assert (ran.status, len(university.writes())) == (1, 1)  # one update is tried again
    university.sandbox.control(refuse_existing=False)
    university.apply_cleanly()
    assert university.learners()["s1002"]["lastName"] != "Gift"


def test_two_accounts_of_one_username_are_held_and_both_ids_named(university: University) -> None:
    in_use(university)
    university.keep_feeds("learner")
    university.students.add("1001")
    row = university.students.rows[1]
    ids = [
        university.sandbox.edit(student=account(row, externalIds=[], **second))["userId"]
        for second in ({}, {"second": True})
    ]
    ran = university.apply()
    assert (ran.status, university.writes()) == (3, [])
    assert (
        f"several accounts in Inspera have this username (user ids {ids[0]}, {ids[1]})" in ran.out
    )
