"""A found account of which names and email are others is perhaps somebody else's; one that is refused stays refused."""

from datetime import timedelta
from typing import Any

import pytest

from .manual_edits import account
from .site import TEST, Site

SAVE = {"learner": "*/users/student", "staff": "*/api/v1/users"}


def known(site: Site, kind: str = "learner") -> dict[str, int]:
    """What `status` says is known of a kind."""
    return {one["lifecycle"]: one["count"] for one in site.status()["known"] if one["kind"] == kind}


def in_use(site: Site, kind: str = "learner") -> None:
    """Something is known: the state is not taken for a lost one."""
    table = site.students if kind == "learner" else site.employees
    table.add("1000")
    feeds = site.config["feeds"]
    site.only(kind)
    site.settled()
    site.config["feeds"] = feeds


@pytest.fixture
def stranger(site: Site) -> Site:
    """A new student's login that is another person's in Inspera; a second new one of whom nothing is wrong."""
    in_use(site)
    site.seat(TEST, "1001", "1002")
    row = site.students.rows[1]
    site.sandbox.edit(
        student=account(row, firstName="Fremmed", lastName="Konto", email="fremmed@example.edu")
    )
    return site


def test_somebody_elses_account_is_held_and_never_overwritten(stranger: Site) -> None:
    before = stranger.people()["s1001"]
    for _ in range(2):
        ran = stranger.apply()
        assert ran.status == 3
        assert "the account in Inspera has other names and another email" in ran.out
        assert stranger.people()["s1001"] == before
        assert set(stranger.seats()) == {"s1002"}
    assert known(stranger) == {"active": 2}


def test_only_the_command_that_decides_shows_both(stranger: Site) -> None:
    said = (
        stranger.apply().said
        + stranger.plan().said
        + stranger.run("status").said
        + str(stranger.status())
    )
    assert "Fremmed" not in said + stranger.state.read_bytes().decode("latin-1")
    shown = stranger.adopt("learner", "1001", "--show")
    assert shown.status == 0
    assert "source: first name 'Bjørn', last name" in shown.out
    assert (
        "Inspera: first name 'Fremmed', last name 'Konto', email 'fremmed@example.edu'" in shown.out
    )
    assert known(stranger) == {"active": 2}


def test_many_are_not_taken_in_at_once_and_the_one_that_is_named_is(stranger: Site) -> None:
    assert stranger.apply().status == 3
    for many in ((), ("--held",)):
        ran = stranger.adopt(*many)
        assert ran.status == 3, ran.said
        assert "doubtful: learner 1001: the account in Inspera has other names" in ran.out
        assert "Fremmed" not in ran.said
    assert stranger.adopt("learner", "1001").status == 0
    stranger.settled()
    assert stranger.people()["s1001"]["firstName"] == "Bjørn"
    assert "s1001" in stranger.seats()


def test_correcting_the_source_helps(stranger: Site) -> None:
    assert stranger.apply().status == 3
    stranger.students.set("1001", feide="s1001b")
    stranger.settled()
    assert stranger.people()["s1001"]["firstName"] == "Fremmed"
    assert set(stranger.seats()) == {"s1001b", "s1002"}


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
def test_what_counts_as_somebody_else(site: Site, other: dict[str, str], held: bool) -> None:
    in_use(site)
    site.only("learner")
    site.students.add("1001", family="Prøvesen")
    site.sandbox.edit(student=account(site.students.rows[1], **other))
    ran = site.apply()
    assert ran.status == (3 if held else 0), ran.said
    assert bool(site.writes()) is not held


def test_it_is_the_same_for_staff(site: Site) -> None:
    site.also("staff")
    site.only("staff")
    in_use(site, "staff")
    site.employees.add("7001", "7002")
    site.sandbox.edit(
        staff=account(
            site.employees.rows[1], firstName="Fremmed", lastName="Konto", email="x@y.edu"
        )
    )
    before = site.staff()["t7001"]
    assert site.apply().status == 3
    assert site.staff()["t7001"] == before
    assert site.adopt("staff", "7001").status == 0
    site.settled()
    assert site.staff()["t7001"]["firstName"] != "Fremmed"


@pytest.mark.parametrize("kind", ["learner", "staff"])
@pytest.mark.parametrize("other", [{}, {"lastName": "Gift"}])
def test_a_found_account_whose_save_is_refused_stays_refused_until_it_is_taken(
    site: Site, kind: str, other: dict[str, Any]
) -> None:
    site.also("staff")
    site.only(kind)
    in_use(site, kind)
    table = site.students if kind == "learner" else site.employees
    table.add("1001", "1002")
    site.sandbox.edit(
        **{"student" if kind == "learner" else "staff": account(table.rows[1], **other)}
    )
    site.fail(
        method="POST", path=SAVE[kind], status=409, body={"error": "the username exists"}, times=1
    )
    site.config["inspera"]["workers"] = 1
    assert site.apply().status == 1
    for _ in range(2):
        assert known(site, kind) == {"active": 2, "refused": 1}
        assert [one["key"] for one in site.status()["refused"]] == [["1001"]]
        ran = site.apply()
        assert (ran.status, site.writes()) == (1, [])
        assert "Nothing to do" not in ran.out
    site.time += timedelta(minutes=20)
    site.settled()
    assert known(site, kind) == {"active": 3}
    assert site.status()["refused"] == []
    site.settled()
    assert site.writes() == []


def test_adopting_an_account_whose_save_is_refused_does_not_make_it_pass_for_a_learner(
    site: Site,
) -> None:
    in_use(site)
    site.seat(TEST, "1000")
    site.settled()
    site.students.add("1001")
    site.sandbox.edit(
        staff=account(site.students.rows[1])
    )  # one account can't be both: the save is refused
    assert site.apply().status == 1
    ran = site.adopt("learner", "1001")
    assert "stays refused until one is taken" in ran.out
    assert known(site) == {"active": 1, "refused": 1}
    for _ in range(2):
        assert site.apply().status == 1
        assert [one["key"] for one in site.status()["refused"]] == [["1001"]]
    site.sandbox.edit(staff={"username": "s1001", "removed": True})
    assert site.apply("--retry-refused").status == 0
    assert "s1001" in site.people()
    assert known(site) == {"active": 2}


def test_a_learner_whose_save_is_refused_gets_their_seat_all_the_same(site: Site) -> None:
    in_use(site)
    site.seat(TEST, "1001", "1002")
    site.sandbox.edit(student=account(site.students.rows[1], lastName="Gift"))
    site.fail(method="POST", path=SAVE["learner"], status=409, body={"error": "no"}, times=1)
    site.config["inspera"]["workers"] = 1
    assert site.apply().status == 1
    assert site.people()["s1001"]["lastName"] == "Gift"
    assert set(site.seats()) == {"s1001", "s1002"}
