"""Rules 30: An unknown reference is a row error, never a removal and never ignored."""

from collections.abc import Callable

import pytest
from sync.records.base import Kind

from ..support.university import OTHER, TEST, University, numbers

ZEROS = ["000001", "000002", "000003", "000004"]


CLASS = [*ZEROS, *numbers(100004, 16)]


THIRD = "HIS1200-H26"


@pytest.fixture
def full(university: University) -> University:
    """20 learners, four of them with leading zeros, with 50 seats on three tests: all in Inspera."""
    university.register(TEST, *CLASS)
    university.register(OTHER, *CLASS)
    university.register(THIRD, *CLASS[::2])
    for number, row in enumerate(university.registrations.rows):
        row["number"] = str(101 + number)
    university.apply_once()
    return university


def held_by(university: University) -> set[tuple[str, str]]:
    """Who is on which test in Inspera."""
    return {(test, login) for test in university.tests() for login in university.candidates(test)}


def rewrite(
    university: University, change: Callable[[str], str], column: str = "student_no", test: str = ""
) -> int:
    """Changes a column of the registrations, on one test or on all. Returns how many rows that changes."""
    changed = 0
    for row in university.registrations.rows:
        if test in ("", f"{row['course']}-{row['term']}") and change(row[column]) != row[column]:
            row[column] = change(row[column])
            changed += 1
    return changed


def unzeroed(value: str) -> str:
    return value.lstrip("0")


def test_lost_leading_zeros_are_one_line_with_count_first_place_and_the_key_that_is_meant(
    full: University,
) -> None:
    assert rewrite(full, unzeroed) == 10
    ran = full.run("check")
    assert ran.status == 1
    (line,) = [line for line in ran.out.splitlines() if "000001" in line]
    assert line.strip().startswith(
        "registrations.csv line 2 and 9 more rows: learner: no feed makes the learner '1'"
    )
    assert (
        "it differs only by leading zeros from 000001; write it as in the learner's own row" in line
    )
    assert "10 row errors; exit status 1" in ran.out


def test_lost_leading_zeros_take_no_seat_and_no_run_ends_with_0(full: University) -> None:
    before = held_by(full)
    rewrite(full, unzeroed)
    assert full.planned("pass") == []
    ran = full.apply()
    assert ran.status == 1
    assert full.writes() == []
    assert held_by(full) == before
    assert full.apply().status == 1, "nor does the next one"
    rewrite(full, lambda value: value.zfill(6))
    full.apply_cleanly()
    assert full.planned() == []


def test_while_a_row_names_somebody_unknown_nobody_is_removed_from_its_test_and_others_are(
    full: University,
) -> None:
    full.registrations.set(f"{TEST} 000001", student_no="1")
    full.registrations.drop(f"{TEST} 100010", f"{OTHER} 100010")
    changes = {
        tuple(one["key"]): (one["verdict"], one["reason"]) for one in full.plan_json()["changes"]
    }
    assert changes[OTHER, "100010"][0] == "pass"
    assert changes[TEST, "100010"] == (
        "deferred",
        "registrations.csv line 2 names an unknown learner, so it may mean anybody on this test",
    )
    assert full.apply().status == 1
    assert "s100010" in full.candidates(TEST)
    assert "s100010" not in full.candidates(OTHER)


def test_not_even_a_departure_is_carried_out_on_a_test_of_which_a_row_may_mean_anybody(
    full: University,
) -> None:
    full.feed("candidate")["departure"] = {"room": "gone"}
    full.registrations.set(f"{TEST} 100010", room="gone")
    full.registrations.set(f"{TEST} 000001", student_no="1")
    assert full.planned("pass") == []
    full.registrations.rows[0]["student_no"] = "000001"
    assert full.planned("pass") == [f"remove candidate {TEST}/100010"]


@pytest.mark.parametrize(
    ("change", "printed"),
    [
        (lambda value: f"{value}.0", "it differs only by a trailing .0 from 000001"),
        (
            lambda value: f"{int(value)}.0",
            "it differs only by a trailing .0 and leading zeros from 000001",
        ),
        (lambda value: f"{int(value):.5E}", "it differs only by scientific notation from 100004"),
        (lambda value: f"{int(value):.0E}", "it is a number that a spreadsheet has shortened"),
        (lambda value: f"{value[:3]} {value[3:]}", "it differs only by spaces from 000001"),
        (
            lambda value: value[:4],
            "in this row (four digits), and this state does not know it; known keys look like",
        ),
        (lambda value: f"s{value}", "the value is a username and not a key"),
        (lambda _value: "Øvelse Prøvesen", "known keys look like 000001: six digits"),
    ],
)
def test_a_whole_column_that_a_program_has_rewritten_is_reported_by_its_cause_and_removes_nobody(
    full: University, change: Callable[[str], str], printed: str
) -> None:
    before = held_by(full)
    assert rewrite(full, change) == 50
    ran = full.run("check")
    assert ran.status in (
        1,
        4,
    )  # where no row's learner can be read at all, the source counts as shrunk, too
    assert printed in ran.out
    assert "Øvelse" not in ran.out
    assert sum("registrations.csv line" in line for line in ran.out.splitlines()) <= 3
    assert full.apply().status == ran.status
    assert held_by(full) == before


def test_a_wrong_column_of_a_first_load_is_no_status_0(university: University) -> None:
    university.register(TEST, *numbers(1001, 30))
    university.feed("candidate")["map"]["learner"] = "number"
    for number, row in enumerate(university.registrations.rows):
        row["number"] = str(number + 1)
    ran = university.run("check")
    assert ran.status == 1
    assert (
        "registrations.csv line 2 and 29 more rows: learner: no feed makes the learner" in ran.out
    )
    assert "known keys look like 1001: four digits" in ran.out
    assert university.apply().status == 1


def test_a_row_of_an_unknown_test_keeps_the_seats_of_its_learner_and_no_others(
    full: University,
) -> None:
    full.registrations.set(f"{TEST} 100010", course="INF100O")
    full.registrations.drop(f"{OTHER} 100010", f"{OTHER} 100011")
    ran = full.plan()
    assert "this learner on an unknown test, so it may mean this test" in ran.out
    assert full.planned("pass") == [f"remove candidate {OTHER}/100011"]
    assert full.apply().status == 1
    assert "s100010" in full.candidates(OTHER)
    assert "s100010" in full.candidates(TEST)


def test_swapped_columns_remove_nobody_and_are_reported(full: University) -> None:
    before = held_by(full)
    full.feed("candidate")["map"] |= {"test": "student_no", "learner": "{course}-{term}"}
    ran = full.run("check")
    assert ran.status == 4  # all that stood last in the file is missing as well
    assert "the value is the key of a test" in ran.out
    assert "are two columns swapped?" in ran.out
    assert full.apply().status == 4
    assert held_by(full) == before


def test_a_row_that_can_mean_anything_defers_every_removal(full: University) -> None:
    full.registrations.set(f"{TEST} 000001", student_no="1", course="INF")
    full.registrations.drop(f"{THIRD} 100004")
    (line,) = [one for one in full.plan_json()["changes"] if one["key"] == [THIRD, "100004"]]
    assert (line["action"], line["verdict"]) == ("remove", "deferred")
    assert "names an unknown test and an unknown learner" in line["reason"]


def test_a_row_with_another_mistake_may_mean_anybody_as_well(full: University) -> None:
    full.registrations.set(f"{TEST} 000001", student_no="1", extra="a lot")
    before = held_by(full)
    assert full.planned("pass") == []
    assert full.apply().status == 1
    assert held_by(full) == before


def test_the_table_of_staff_in_the_place_of_that_of_learners_is_reported(full: University) -> None:
    full.add_feeds("staff")
    full.employees.add("7001", "7002")
    full.registrations.add(f"{TEST} 7001")
    ran = full.run("check")
    assert ran.status == 1
    assert (
        "no feed makes the learner in this row: the value is the key of a member of staff"
        in ran.out
    )


@pytest.fixture
def graded(full: University) -> University:
    """Six contributors of one test besides, all in Inspera."""
    full.add_feeds("staff", "contributor")
    full.assign_staff(TEST, *numbers(7001, 6))
    full.apply_once()
    return full


@pytest.mark.parametrize("wrong", ["feide", "given", "number"])
def test_a_wrong_staff_column_of_contributors_takes_nobody_off_a_test(
    graded: University, wrong: str
) -> None:
    before = graded.contributors()
    values = {"feide": "t700{}", "given": "Gudrún", "number": "{}"}
    for number, row in enumerate(graded.graders.rows, 1):
        row["employee_no"] = values[wrong].format(number)
    ran = graded.apply()
    assert ran.status == 1
    assert "staff: no feed makes the member of staff" in ran.out
    assert "Gudrún" not in ran.out
    assert graded.contributors() == before
    assert graded.writes() == []


def test_an_unknown_contributor_keeps_contributors_and_lets_candidates_go(
    graded: University,
) -> None:
    graded.graders.set(f"{TEST} 7001", employee_no="7 001")
    graded.graders.drop(f"{TEST} 7002")
    graded.registrations.drop(f"{TEST} 100010")
    assert graded.planned("pass") == [f"remove candidate {TEST}/100010"]
    assert "it differs only by spaces from 7001" in graded.plan().out


@pytest.mark.parametrize("kind", ["committee", "option"])
def test_a_committee_or_an_option_of_an_unknown_test_is_a_row_error(
    full: University, kind: str
) -> None:
    full.add_feeds("staff", "contributor", kind)
    full.assign_staff(TEST, "7001")
    full.panels.add(f"{TEST} Sensur", f"{OTHER} Sensur") if kind == "committee" else None
    full.settings.add(f"{TEST} LOCKDOWN_BROWSER", value="yes") if kind == "option" else None
    full.apply_cleanly()
    (full.panels if kind == "committee" else full.settings).rows[-1]["course"] = "inf 1000"
    ran = full.apply()
    assert ran.status == 1
    assert "test: no feed makes the test" in ran.out


def test_a_learner_whose_row_departs_is_not_unknown_but_the_row_is_an_error_all_the_same(
    full: University,
) -> None:
    full.feed("learner")["departure"] = {"status": "left"}
    full.students.add("100099", status="left")
    full.registrations.add(f"{TEST} 100099")
    full.registrations.drop(f"{TEST} 100010")
    ran = full.run("check")
    assert ran.status == 1
    assert "the learner that this row names departs by its own row" in ran.out
    assert full.planned("pass") == [f"remove candidate {TEST}/100010"]


def test_candidates_of_a_source_that_cannot_be_read_wait_and_take_nobody_off(
    university: University,
) -> None:
    university.register(TEST, *CLASS)
    university.apply_once()
    university.registrations.add(f"{TEST} 100050")
    university.registrations.drop(f"{TEST} 100010")
    university.students.raw = b""
    (waits, goes) = sorted(university.plan_json()["changes"], key=lambda one: str(one["action"]))
    assert (waits["verdict"], waits["reason"]) == (
        "waiting",
        "waits for learner 100050 (its source can't be relied on in this run)",
    )
    assert (goes["action"], goes["verdict"]) == ("remove", "deferred")
    assert university.apply().status == 4
    assert "s100010" in university.candidates()


def test_a_job_for_candidates_alone_knows_what_the_feeds_next_to_it_make(full: University) -> None:
    full.register(TEST, "100050")
    full.registrations.add(f"{TEST} 51")
    full.registrations.drop(f"{TEST} 100010", f"{OTHER} 100010")
    full.run_job("exam_day", Kind.CANDIDATE)
    assert {"s100050", "s100010"} <= set(full.candidates(TEST))
    assert "s100010" not in full.candidates(OTHER)
    (found,) = [one for one in full.findings() if one["type"] == "row error"]
    assert found["place"].startswith("registrations.csv line ")


def test_a_column_whose_cells_have_moved_by_a_row_removes_nobody_and_says_so(
    full: University,
) -> None:
    learners = [row["student_no"] for row in full.registrations.rows]
    for row, learner in zip(full.registrations.rows, [learners[-1], *learners[:-1]], strict=True):
        row["student_no"] = learner
    before = held_by(full)
    ran = full.plan()
    assert ran.status == 3
    assert (
        "1 of 10 known, and 9 of the 9 who stay get another number: are the rows shifted?"
        in ran.out
    )
    full.apply()
    assert held_by(full) >= before


def test_new_numbers_for_some_let_a_seat_go_and_first_numbers_for_all_as_well(
    full: University,
) -> None:
    full.registrations.drop(f"{THIRD} 100004")
    for row in full.registrations.rows[40:44]:
        row["number"] = f"9{row['number']}"
    assert full.planned("pass")[-1] == f"remove candidate {THIRD}/100004"
    full.apply_cleanly()
    full.register("NEW1000-H26", *CLASS[:5])
    full.apply_cleanly()
    for number, row in enumerate(full.registrations.rows[-5:]):
        row["number"] = str(501 + number)
    full.registrations.drop("NEW1000-H26 000001")
    full.apply_cleanly()
