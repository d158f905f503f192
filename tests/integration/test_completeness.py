"""Proofs that a source is whole: each trips once, and once just does not. Additions go on; removals never."""

from dataclasses import replace
from typing import Any

import pytest

from ..support.university import TEST, CommandResult, University, numbers

CLASS = numbers(1001, 40)


@pytest.fixture
def university(university: University) -> University:
    """40 learners on a test. The rules of their files are for the stories to set."""
    university.config["limits"] = {"kind": {"at_least": 40}, "test": {"at_least": 40}}
    university.register(TEST, *CLASS)
    university.apply_once()
    return university


def rule(university: University, source: str, **rules: Any) -> None:
    university.config["sources"][source].setdefault("completeness", {}).update(rules)


def leave(university: University, *learners: str) -> None:
    university.registrations.drop(*(f"{TEST} {learner}" for learner in learners))


def deferred(university: University, ran: CommandResult, because: str) -> None:
    """The source is unhealthy and said to be so once; a new seat was taken all the same, and none was lost."""
    assert ran.status == 4
    assert ran.out.count(because) == 1
    assert "nothing that rests on it is removed" in ran.out
    assert "s1099" in university.candidates()
    assert {f"s{learner}" for learner in CLASS} <= set(university.candidates())


def test_a_source_that_names_eleven_of_forty_no_more_takes_nobody_off_until_a_person_says_so(
    university: University,
) -> None:
    leave(university, *CLASS[:11])
    university.register(TEST, "1099")
    why = (
        "registrations.csv: no longer names 11 of the 40 known candidates that it named, more than max(10, 10%) = 10; "
        "nothing that rests on it is removed; if that is right, run `apply --accept-shrink registrations`"
    )
    deferred(university, university.apply(), why)
    absent = [
        change for change in university.plan_json()["changes"] if change["action"] == "remove"
    ]
    assert {(change["verdict"], change["reason"]) for change in absent} == {
        (
            "held",
            "registrations.csv has become shorter or is cut off; if that is right, "
            "run `apply --accept-shrink registrations`, else deliver it whole",
        )
    }
    assert university.apply("--accept-shrink", "students").status == 4
    assert university.apply("--accept-shrink", "registrations").status == 0
    assert len(university.candidates()) == 30
    university.apply_cleanly()


def test_ten_fewer_are_no_shrinkage(university: University) -> None:
    leave(university, *CLASS[:10])
    assert university.apply().status == 0
    assert len(university.candidates()) == 30


def test_the_share_and_the_number_can_be_set(university: University) -> None:
    rule(university, "registrations", shrink={"at_least": 2, "percent": 5})
    leave(university, *CLASS[:3])
    assert "more than max(2, 5%) = 2" in university.plan().out
    rule(university, "registrations", shrink={"at_least": 2, "percent": 7.5})
    assert university.apply().status == 0
    assert len(university.candidates()) == 37


def test_what_the_guard_holds_is_not_accepted_for_the_next_run(
    university: University,
) -> None:
    university.config["limits"] = {}
    leave(university, *CLASS[:20])
    assert university.apply("--accept-shrink", "registrations").status == 3
    assert len(university.candidates()) == 40
    assert university.apply().status == 4  # a wrong file must not become the measure


def test_a_small_source_next_to_a_large_one_is_judged_by_what_it_named_itself(
    university: University,
) -> None:
    university.students.add(*numbers(2001, 200))
    university.config.setdefault("limits", {})["configuration"] = {"at_least": 20}
    university.config["sources"]["guests"] = {"type": "csv", "path": "guests.csv"}
    university.config["feeds"].insert(1, {**university.feed("learner"), "source": "guests"})
    guests = replace(university.students, path=university.folder / "guests.csv", rows=[])
    guests.add(*numbers(9001, 20))
    guests.write()
    university.apply_cleanly()
    university.apply_cleanly()  # from the second run on it is known which source named whom
    guests.drop(*numbers(9001, 11))
    guests.write()
    ran = university.apply()
    assert ran.status == 4
    assert "guests.csv: no longer names 11 of the 20 known learners" in ran.out
    assert "students.csv" not in ran.out
    guests.add("9001")
    guests.write()
    assert university.apply().status == 0


def test_who_has_sat_the_exam_may_leave_the_registrations_in_any_number(
    university: University,
) -> None:
    university.at("2027-01-15 08:00")
    leave(university, *CLASS)
    university.feed("candidate")["allow_empty"] = True
    assert university.apply().status == 0


@pytest.mark.parametrize(("least", "well"), [(40, True), (41, False)])
def test_minimum_rows(university: University, least: int, well: bool) -> None:
    rule(university, "registrations", minimum_rows=least)
    leave(university, "1001")
    university.register(TEST, "1099")
    ran = university.apply()
    if well:
        assert ran.status == 0
        assert "s1001" not in university.candidates()
    else:
        deferred(university, ran, "registrations.csv: has 40 rows, fewer than minimum_rows (41)")


@pytest.mark.parametrize(("canary", "well"), [("1040", True), ("1041", False)])
def test_canary(university: University, canary: str, well: bool) -> None:
    rule(university, "registrations", canary={"student_no": ["1039", canary]})
    leave(university, "1001")
    university.register(TEST, "1099")
    ran = university.apply()
    if well:
        assert ran.status == 0
        assert "s1001" not in university.candidates()
    else:
        deferred(
            university,
            ran,
            "registrations.csv: lacks '1041' in column 'student_no', which the canary says must be",
        )


@pytest.mark.parametrize("well", [True, False])
def test_no_group_may_vanish(university: University, well: bool) -> None:
    rule(university, "registrations", group="number")  # any column will do
    for learner in CLASS:
        university.registrations.set(f"{TEST} {learner}", number="")
    university.registrations.set(f"{TEST} 1001", number="A1")
    university.registrations.set(f"{TEST} 1002", number="B2")
    university.apply_cleanly()
    leave(university, "1003")
    university.register(TEST, "1099")
    university.registrations.set(f"{TEST} 1099", number="C3")
    if well:
        university.apply_cleanly()
        assert "s1003" not in university.candidates()
        return
    leave(university, "1001")
    ran = university.apply()
    deferred(
        university,
        ran,
        "registrations.csv: has no row any more with 'A1' in column 'number', of 2 such groups before",
    )
    assert university.apply("--accept-shrink", "registrations").status == 0
    university.apply_cleanly()


@pytest.mark.parametrize(("hours", "well"), [(25, True), (27, False)])
def test_a_file_of_some_age(university: University, hours: int, well: bool) -> None:
    rule(university, "registrations", max_age="26h")
    leave(university, "1001")
    university.register(TEST, "1099")
    university.registrations.hours_old = hours
    ran = university.apply()
    if well:
        assert ran.status == 0
        assert "s1001" not in university.candidates()
    else:
        deferred(university, ran, "max_age (26h)")


@pytest.mark.parametrize(("counted", "well"), [(40, True), (41, False)])
def test_a_trailer_that_counts(university: University, counted: int, well: bool) -> None:
    rule(university, "registrations", trailer=r"EOF;(?P<rows>\d+)")
    leave(university, "1001")
    university.register(TEST, "1099")
    university.registrations.raw = f"{university.registrations.text()}EOF;{counted}\n".encode()
    ran = university.apply()
    if well:
        assert ran.status == 0
        assert "s1001" not in university.candidates()
    else:
        deferred(university, ran, "registrations.csv: its last line counts 41 rows")


def test_a_trailer_that_is_missing_is_a_file_that_may_be_cut_off(university: University) -> None:
    rule(university, "registrations", trailer=r"EOF;(?P<rows>\d+)")
    leave(university, "1001")
    university.register(TEST, "1099")
    deferred(
        university,
        university.apply(),
        "registrations.csv: its last line does not match 'trailer', so it may be cut off",
    )


def test_all_that_fails_is_said_at_once_and_in_check_too(university: University) -> None:
    rule(university, "registrations", minimum_rows=50, canary={"student_no": "1077"})
    ran = university.run("check")
    assert ran.status == 4
    assert (
        "has 40 rows, fewer than minimum_rows (50); lacks '1077' in column 'student_no'" in ran.out
    )


def test_a_rule_about_a_column_that_is_not_there_is_said_as_such(university: University) -> None:
    rule(university, "registrations", canary={"studnr": "1"})
    ran = university.apply()
    assert ran.status == 4
    assert "registrations.csv: column 'studnr' is missing" in ran.out


def test_a_source_that_no_one_has_cannot_be_accepted(university: University) -> None:
    ran = university.apply("--accept-shrink", "registration")
    assert ran.status == 2
    assert "unknown source; the sources are exams, registrations, students" in ran.output


def test_a_source_under_another_name_is_not_a_new_one(university: University) -> None:
    leave(university, *CLASS[:11])
    university.config["sources"]["regs"] = university.config["sources"].pop("registrations")
    university.feed("candidate")["source"] = "regs"
    university.registrations.write()
    ran = university.apply()
    assert ran.status == 4
    assert "registrations.csv: no longer names 11 of the 40 known candidates" in ran.out
    assert len(university.candidates()) == 40


def test_a_feed_that_was_taken_out_removes_nobody_until_a_person_says_so(
    university: University,
) -> None:
    university.students.add(*numbers(2001, 3))
    late = replace(university.registrations, path=university.folder / "late.csv", rows=[])
    late.add(*(f"{TEST} {learner}" for learner in numbers(2001, 3)))
    late.write()
    university.config["sources"]["late"] = {"type": "csv", "path": "late.csv"}
    university.config["feeds"].append({**university.feed("candidate"), "source": "late"})
    university.apply_cleanly()
    university.apply_cleanly()
    university.config["feeds"].pop()
    university.config["sources"].pop("late")
    ran = university.apply()
    assert ran.status == 3
    assert {change["verdict"] for change in university.plan_json()["changes"]} == {"held"}
    assert "the source 'late', which named it, does not feed this kind any more" in ran.out
    assert len(university.candidates()) == 43
    assert university.apply("--accept-shrink", "registrations").status == 0
    assert len(university.candidates()) == 40


def test_what_is_deferred_for_another_reason_is_still_counted_when_that_is_gone(
    university: University,
) -> None:
    university.registrations.add(f"{TEST} 1001", student_no="", number="")  # whose row is this?
    for first in (1, 11, 21):
        leave(university, *CLASS[first : first + 10])
        university.apply()
        assert len(university.candidates()) == 40
    university.registrations.rows = [
        row for row in university.registrations.rows if row["student_no"]
    ]
    ran = university.apply()
    assert ran.status == 4
    assert len(university.candidates()) == 40


def test_of_two_sources_the_one_that_is_shorter_is_accepted(university: University) -> None:
    late = replace(university.registrations, path=university.folder / "late.csv", rows=[])
    university.students.add(*numbers(2001, 15))
    late.add(*(f"{TEST} {learner}" for learner in numbers(2001, 15)))
    late.write()
    university.config.setdefault("limits", {})["configuration"] = {"at_least": 15}
    university.config["sources"]["late"] = {"type": "csv", "path": "late.csv"}
    university.config["feeds"].append({**university.feed("candidate"), "source": "late"})
    university.apply_cleanly()
    university.apply_cleanly()
    leave(university, *CLASS[:11])
    assert university.apply("--accept-shrink", "late").status == 4
    assert university.apply("--accept-shrink", "registrations").status == 0
    assert len(university.candidates()) == 44


def test_a_test_that_has_ended_is_retired_whatever_its_source_is_called_now(
    university: University,
) -> None:
    university.exams.add("NEW1000-V27", start="01.06.2027 09:00", end="01.06.2027 13:00")
    university.apply_cleanly()
    university.at("2027-01-15 08:00")
    university.config["sources"]["exams_v27"] = university.config["sources"].pop("exams")
    university.feed("test")["source"] = "exams_v27"
    university.exams.drop(TEST)
    university.exams.write()
    university.registrations.drop(*(f"{TEST} {learner}" for learner in CLASS))
    university.feed("candidate")["allow_empty"] = True
    ran = university.apply()
    assert ran.status == 0
    assert "which named it, has no feed" not in ran.out
