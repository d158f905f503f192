"""Proofs that a source is whole: each trips once, and once just does not. Additions go on; removals never."""

from dataclasses import replace
from typing import Any

import pytest

from .site import TEST, Ran, Site, numbers

CLASS = numbers(1001, 40)


@pytest.fixture
def site(site: Site) -> Site:
    """40 learners on a test. The rules of their files are for the stories to set."""
    site.config["limits"] = {"kind": {"at_least": 40}, "test": {"at_least": 40}}
    site.seat(TEST, *CLASS)
    site.settled()
    return site


def rule(site: Site, source: str, **rules: Any) -> None:
    site.config["sources"][source].setdefault("completeness", {}).update(rules)


def leave(site: Site, *learners: str) -> None:
    site.registrations.drop(*(f"{TEST} {learner}" for learner in learners))


def deferred(site: Site, ran: Ran, because: str) -> None:
    """The source is unhealthy and said to be so once; a new seat was taken all the same, and none was lost."""
    assert ran.status == 4
    assert ran.out.count(because) == 1
    assert "nothing that rests on it is removed" in ran.out
    assert "s1099" in site.seats()
    assert {f"s{learner}" for learner in CLASS} <= set(site.seats())


def test_a_source_that_names_eleven_of_forty_no_more_takes_nobody_off_until_a_person_says_so(
    site: Site,
) -> None:
    leave(site, *CLASS[:11])
    site.seat(TEST, "1099")
    why = (
        "registrations.csv: no longer names 11 of the 40 known candidates that it named, more than max(10, 10%) = 10; "
        "nothing that rests on it is removed; if that is right, run `apply --accept-shrink registrations`"
    )
    deferred(site, site.apply(), why)
    absent = [change for change in site.plan_json()["changes"] if change["action"] == "remove"]
    assert {(change["verdict"], change["reason"]) for change in absent} == {
        (
            "held",
            "registrations.csv has become shorter or is cut off; if that is right, "
            "run `apply --accept-shrink registrations`, else deliver it whole",
        )
    }
    assert site.apply("--accept-shrink", "students").status == 4
    assert site.apply("--accept-shrink", "registrations").status == 0
    assert len(site.seats()) == 30
    site.settled()


def test_ten_fewer_are_no_shrinkage(site: Site) -> None:
    leave(site, *CLASS[:10])
    assert site.apply().status == 0
    assert len(site.seats()) == 30


def test_the_share_and_the_number_can_be_set(site: Site) -> None:
    rule(site, "registrations", shrink={"at_least": 2, "percent": 5})
    leave(site, *CLASS[:3])
    assert "more than max(2, 5%) = 2" in site.plan().out
    rule(site, "registrations", shrink={"at_least": 2, "percent": 7.5})
    assert site.apply().status == 0
    assert len(site.seats()) == 37


def test_what_is_accepted_stays_accepted_although_the_guard_holds_it(site: Site) -> None:
    site.config["limits"] = {}
    leave(site, *CLASS[:20])
    assert site.apply("--accept-shrink", "registrations").status == 3
    assert len(site.seats()) == 40
    assert site.apply().status == 3  # held, but the source is as long as it should be
    leave(site, *CLASS[20:31])
    assert site.apply().status == 4  # that is another shrinkage


def test_a_small_source_beside_a_large_one_is_judged_by_what_it_named_itself(site: Site) -> None:
    site.students.add(*numbers(2001, 200))
    site.config["sources"]["guests"] = {"type": "csv", "path": "guests.csv"}
    site.config["feeds"].insert(1, {**site.feed("learner"), "source": "guests"})
    guests = replace(site.students, path=site.folder / "guests.csv", rows=[])
    guests.add(*numbers(9001, 20))
    guests.write()
    site.settled()
    site.settled()  # from the second run on it is known which source named whom
    guests.drop(*numbers(9001, 11))
    guests.write()
    ran = site.apply()
    assert ran.status == 4
    assert "guests.csv: no longer names 11 of the 20 known learners" in ran.out
    assert "students.csv" not in ran.out
    guests.add("9001")
    guests.write()
    assert site.apply().status == 0


def test_who_has_sat_the_exam_may_leave_the_registrations_in_any_number(site: Site) -> None:
    site.at("2027-01-15 08:00")
    leave(site, *CLASS)
    site.feed("candidate")["allow_empty"] = True
    assert site.apply().status == 0


@pytest.mark.parametrize(("least", "well"), [(40, True), (41, False)])
def test_minimum_rows(site: Site, least: int, well: bool) -> None:
    rule(site, "registrations", minimum_rows=least)
    leave(site, "1001")
    site.seat(TEST, "1099")
    ran = site.apply()
    if well:
        assert ran.status == 0
        assert "s1001" not in site.seats()
    else:
        deferred(site, ran, "registrations.csv: has 40 rows, fewer than minimum_rows (41)")


@pytest.mark.parametrize(("canary", "well"), [("1040", True), ("1041", False)])
def test_canary(site: Site, canary: str, well: bool) -> None:
    rule(site, "registrations", canary={"student_no": ["1039", canary]})
    leave(site, "1001")
    site.seat(TEST, "1099")
    ran = site.apply()
    if well:
        assert ran.status == 0
        assert "s1001" not in site.seats()
    else:
        deferred(
            site,
            ran,
            "registrations.csv: lacks '1041' in column 'student_no', which the canary says must be",
        )


@pytest.mark.parametrize("well", [True, False])
def test_no_group_may_vanish(site: Site, well: bool) -> None:
    rule(site, "registrations", group="number")  # any column will do
    for learner in CLASS:
        site.registrations.set(f"{TEST} {learner}", number="")
    site.registrations.set(f"{TEST} 1001", number="A1")
    site.registrations.set(f"{TEST} 1002", number="B2")
    site.settled()
    leave(site, "1003")
    site.seat(TEST, "1099")
    site.registrations.set(f"{TEST} 1099", number="C3")
    if well:
        site.settled()
        assert "s1003" not in site.seats()
        return
    leave(site, "1001")
    ran = site.apply()
    deferred(
        site,
        ran,
        "registrations.csv: has no row any more with 'A1' in column 'number', of 2 such groups before",
    )
    assert site.apply("--accept-shrink", "registrations").status == 0
    site.settled()


@pytest.mark.parametrize(("hours", "well"), [(25, True), (27, False)])
def test_a_file_of_some_age(site: Site, hours: int, well: bool) -> None:
    rule(site, "registrations", max_age="26h")
    leave(site, "1001")
    site.seat(TEST, "1099")
    site.registrations.hours_old = hours
    ran = site.apply()
    if well:
        assert ran.status == 0
        assert "s1001" not in site.seats()
    else:
        deferred(site, ran, "max_age (26h)")


@pytest.mark.parametrize(("counted", "well"), [(40, True), (41, False)])
def test_a_trailer_that_counts(site: Site, counted: int, well: bool) -> None:
    rule(site, "registrations", trailer=r"EOF;(?P<rows>\d+)")
    leave(site, "1001")
    site.seat(TEST, "1099")
    site.registrations.raw = f"{site.registrations.text()}EOF;{counted}\n".encode()
    ran = site.apply()
    if well:
        assert ran.status == 0
        assert "s1001" not in site.seats()
    else:
        deferred(site, ran, "registrations.csv: its last line counts 41 rows")


def test_a_trailer_that_is_missing_is_a_file_that_may_be_cut_off(site: Site) -> None:
    rule(site, "registrations", trailer=r"EOF;(?P<rows>\d+)")
    leave(site, "1001")
    site.seat(TEST, "1099")
    deferred(
        site,
        site.apply(),
        "registrations.csv: its last line does not match 'trailer', so it may be cut off",
    )


def test_all_that_fails_is_said_at_once_and_in_check_too(site: Site) -> None:
    rule(site, "registrations", minimum_rows=50, canary={"student_no": "1077"})
    ran = site.run("check")
    assert ran.status == 4
    assert (
        "has 40 rows, fewer than minimum_rows (50); lacks '1077' in column 'student_no'" in ran.out
    )


def test_a_rule_about_a_column_that_is_not_there_is_said_as_such(site: Site) -> None:
    rule(site, "registrations", canary={"studnr": "1"})
    ran = site.apply()
    assert ran.status == 4
    assert "registrations.csv: column 'studnr' is missing" in ran.out


def test_a_source_that_no_one_has_cannot_be_accepted(site: Site) -> None:
    ran = site.apply("--accept-shrink", "registration")
    assert ran.status == 2
    assert "unknown source; the sources are exams, registrations, students" in ran.said


def test_a_source_under_another_name_is_not_a_new_one(site: Site) -> None:
    leave(site, *CLASS[:11])
    site.config["sources"]["regs"] = site.config["sources"].pop("registrations")
    site.feed("candidate")["source"] = "regs"
    site.registrations.write()
    ran = site.apply()
    assert ran.status == 4
    assert "registrations.csv: no longer names 11 of the 40 known candidates" in ran.out
    assert len(site.seats()) == 40


def test_a_feed_that_was_taken_out_removes_nobody_until_a_person_says_so(site: Site) -> None:
    site.students.add(*numbers(2001, 3))
    late = replace(site.registrations, path=site.folder / "late.csv", rows=[])
    late.add(*(f"{TEST} {learner}" for learner in numbers(2001, 3)))
    late.write()
    site.config["sources"]["late"] = {"type": "csv", "path": "late.csv"}
    site.config["feeds"].append({**site.feed("candidate"), "source": "late"})
    site.settled()
    site.settled()
    site.config["feeds"].pop()
    site.config["sources"].pop("late")
    ran = site.apply()
    assert ran.status == 3
    assert {change["verdict"] for change in site.plan_json()["changes"]} == {"held"}
    assert "the source 'late', which named it, does not feed this kind any more" in ran.out
    assert len(site.seats()) == 43
    assert site.apply("--accept-shrink", "registrations").status == 0
    assert len(site.seats()) == 40


def test_what_is_deferred_for_another_reason_is_still_counted_when_that_is_gone(site: Site) -> None:
    site.registrations.add(f"{TEST} 1001", student_no="", number="")  # whose row is this?
    for first in (1, 11, 21):
        leave(site, *CLASS[first : first + 10])
        site.apply()
        assert len(site.seats()) == 40
    site.registrations.rows = [row for row in site.registrations.rows if row["student_no"]]
    ran = site.apply()
    assert ran.status == 4
    assert len(site.seats()) == 40


def test_of_two_sources_the_one_that_is_shorter_is_accepted(site: Site) -> None:
    late = replace(site.registrations, path=site.folder / "late.csv", rows=[])
    site.students.add(*numbers(2001, 15))
    late.add(*(f"{TEST} {learner}" for learner in numbers(2001, 15)))
    late.write()
    site.config["sources"]["late"] = {"type": "csv", "path": "late.csv"}
    site.config["feeds"].append({**site.feed("candidate"), "source": "late"})
    site.settled()
    site.settled()
    leave(site, *CLASS[:11])
    assert site.apply("--accept-shrink", "late").status == 4
    assert site.apply("--accept-shrink", "registrations").status == 0
    assert len(site.seats()) == 44


def test_a_test_that_has_ended_is_retired_whatever_its_source_is_called_now(site: Site) -> None:
    site.exams.add("NEW1000-V27", start="01.06.2027 09:00", end="01.06.2027 13:00")
    site.settled()
    site.at("2027-01-15 08:00")
    site.config["sources"]["exams_v27"] = site.config["sources"].pop("exams")
    site.feed("test")["source"] = "exams_v27"
    site.exams.drop(TEST)
    site.exams.write()
    site.registrations.drop(*(f"{TEST} {learner}" for learner in CLASS))
    site.feed("candidate")["allow_empty"] = True
    ran = site.apply()
    assert ran.status == 0
    assert "which named it, has no feed" not in ran.out
