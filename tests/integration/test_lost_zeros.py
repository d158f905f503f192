"""Leading zeros that a spreadsheet takes away: the usual accident, in numbers and in keys."""

import re

import pytest

from ..support.university import DURING, TEST, University, numbers

LEARNERS = numbers(1001, 20)


def give(university: University, learner: str, number: str) -> None:
    university.registrations.set(f"{TEST} {learner}", number=number)


def given(university: University) -> dict[str, str]:
    """Every candidate's number in Inspera by student number."""
    return {
        name.removeprefix("s"): one["candidateId"]
        for name, one in university.candidates(TEST).items()
    }


@pytest.fixture
def numbered(university: University) -> University:
    """20 candidates of one test with the numbers 0101 to 0120."""
    university.allow_shrinkage()
    university.register(TEST, *LEARNERS)
    for at, learner in enumerate(LEARNERS):
        give(university, learner, f"0{101 + at}")
    university.apply_cleanly()
    return university


def test_a_number_that_only_lost_its_zeros_is_held_with_a_remedy_that_works(
    numbered: University,
) -> None:
    give(numbered, "1001", "101")
    ran = numbered.apply()
    assert (ran.status, given(numbered)["1001"]) == (3, "0101")
    (hash_,) = re.findall(
        "candidate_id 0101 → 101 differs only by leading zeros; in a spreadsheet make the column "
        "text; if that is right: apply --allow ([0-9a-f]+)",
        ran.out,
    )
    assert numbered.apply("--allow", hash_).status == 0
    assert given(numbered)["1001"] == "101"


@pytest.mark.parametrize("many", [2, 9, 20])
def test_a_column_without_zeros_is_one_line_with_one_hash(numbered: University, many: int) -> None:
    for at, learner in enumerate(LEARNERS[:many]):
        give(numbered, learner, str(101 + at))
    ran = numbered.run("plan")
    why = (
        f"{many} such as candidate_id 0101 → 101 differs only by leading zeros; in a "
        "spreadsheet make the column text"
    )
    hashes = re.findall(f"{why}; if it is right.? apply --allow ([0-9a-f]+)", ran.out)
    assert ran.status == 3
    assert f"update {many} candidates: {why}" in ran.out
    assert len(set(hashes)) == 1
    assert "Over a limit" not in ran.out
    assert numbered.apply().status == 3
    assert numbered.writes() == []
    assert numbered.apply("--allow", hashes[0]).status == 0
    assert given(numbered)["1001"] == "101"


def test_the_corrected_file_is_not_held(numbered: University) -> None:
    for learner, number in (("1001", "101"), ("1002", "102")):
        give(numbered, learner, number)
    held = numbered.plan_json()["summary"]["held_scopes"]
    assert numbered.apply("--allow", held[0]["hash"]).status == 0
    give(numbered, "1001", "0101")
    give(numbered, "1002", "0102")
    numbered.apply_cleanly()
    assert given(numbered)["1002"] == "0102"


def test_a_number_as_a_decimal_is_held_as_well(numbered: University) -> None:
    give(numbered, "1001", "101.0")
    assert "0101 → 101.0 differs only by a trailing .0 and leading zeros" in numbered.apply().out
    assert given(numbered)["1001"] == "0101"


def test_another_number_is_sent(numbered: University) -> None:
    give(numbered, "1001", "1101")
    numbered.apply_cleanly()
    assert given(numbered)["1001"] == "1101"


def test_more_time_in_the_same_row_is_sent_and_the_number_stays(numbered: University) -> None:
    numbered.registrations.set(f"{TEST} 1001", number="101", extra="30")
    numbered.apply()
    seat = numbered.candidates(TEST)["s1001"]
    assert (seat["candidateId"], seat["extraTimeMins"]) == ("0101", 30)
    assert numbered.apply().status == 3


def test_during_the_test_the_freeze_comes_first_and_names_the_zeros(numbered: University) -> None:
    numbered.at(DURING)
    give(numbered, "1001", "101")
    out = numbered.apply().out
    assert "the test is under way" in out
    assert "0101 → 101 differs only by leading zeros" in out
    assert given(numbered)["1001"] == "0101"


def unzeroed(university: University) -> None:
    """Both files have been through a spreadsheet: 001001 is 1001."""
    for row in (*university.students.rows, *university.registrations.rows):
        row["student_no"] = row["student_no"].lstrip("0")


@pytest.fixture
def zeroed(university: University) -> University:
    """20 learners with the keys 001001 to 001020 on one test."""
    university.allow_shrinkage()
    university.register(TEST, *(f"00{one}" for one in LEARNERS))
    university.apply_cleanly()
    return university


LOST = (
    "Leading zeros are lost: students.csv line 2 and 19 more rows: the key of learner 1001 differs "
    "only by leading zeros from the known 001001; correct the source; in a spreadsheet make the "
    "column text"
)


def test_keys_without_zeros_in_both_files_are_one_line(zeroed: University) -> None:
    unzeroed(zeroed)
    for command in ("check", "plan", "apply"):
        ran = zeroed.run(command)
        assert ran.status == 3
        assert ran.out.count(LOST) == 1
        assert "adopt" not in ran.out
    assert zeroed.run("plan").out.startswith(LOST)
    assert zeroed.writes() == []


def test_other_logins_in_the_same_file_make_no_difference(zeroed: University) -> None:
    unzeroed(zeroed)
    for row in zeroed.students.rows:
        row["feide"] = f"n{row['student_no']}"
    assert zeroed.run("plan").out.startswith(LOST)
    assert zeroed.apply().status == 3
    assert zeroed.writes() == []


def test_adopt_held_does_not_give_the_shortened_keys(zeroed: University) -> None:
    unzeroed(zeroed)
    zeroed.apply()
    ran = zeroed.adopt("--held")
    assert ran.out.startswith(LOST)
    assert "nothing to take in" in ran.out
    for row in (*zeroed.students.rows, *zeroed.registrations.rows):
        row["student_no"] = row["student_no"].zfill(6)
    zeroed.apply_cleanly()
    assert zeroed.writes() == []


def test_one_key_that_has_really_changed_can_be_adopted(zeroed: University) -> None:
    zeroed.students.set("001001", student_no="1001")
    zeroed.registrations.set(f"{TEST} 001001", student_no="1001")
    assert zeroed.adopt("learner", "1001").status == 0
    zeroed.apply_cleanly()
    assert zeroed.writes() == []


def test_an_external_id_without_zeros_is_not_another_account(university: University) -> None:
    university.feed("learner")["map"]["external_id"] = "secret"
    university.register(TEST, "1001", "1002")
    for row, number in zip(university.students.rows, ("07", "08"), strict=True):
        row["secret"] = number
    university.apply_cleanly()
    for row in university.students.rows:
        row["secret"] = row["secret"].lstrip("0")
    ran = university.run("apply")
    assert "identity change 2 learners: identity change: external_id differs only by" in ran.out
    assert "nothing to take in" in university.adopt("--held").out
    assert university.writes() == []


def test_tests_and_staff_lose_their_zeros_as_well(university: University) -> None:
    university.allow_shrinkage()
    university.add_feeds("staff", "contributor")
    university.register(TEST, "2001")
    university.assign_staff("0100-H26", "00501", "00502")
    university.assign_staff("INF2000-H26", "00501")
    university.apply_cleanly()
    for row in university.exams.rows:
        row["course"] = row["course"].lstrip("0")
    for row in university.graders.rows:
        row["course"] = row["course"].lstrip("0")
    for row in (*university.employees.rows, *university.graders.rows):
        row["employee_no"] = row["employee_no"].lstrip("0")
    ran = university.apply()
    assert ran.status == 3
    assert "the key of staff 501 differs only by leading zeros from the known 00501" in ran.out
    assert "the key of test 100-H26 differs only by leading zeros" in ran.out
    assert university.writes() == []
