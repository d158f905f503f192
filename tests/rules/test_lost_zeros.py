"""Leading zeros that a spreadsheet takes away: the usual accident, in numbers and in keys."""

import re

import pytest

from .site import DURING, TEST, Site, numbers

LEARNERS = numbers(1001, 20)


def give(site: Site, learner: str, number: str) -> None:
    site.registrations.set(f"{TEST} {learner}", number=number)


def given(site: Site) -> dict[str, str]:
    """Every candidate's number in Inspera by student number."""
    return {name.removeprefix("s"): one["candidateId"] for name, one in site.seats(TEST).items()}


@pytest.fixture
def numbered(site: Site) -> Site:
    """20 candidates of one test with the numbers 0101 to 0120."""
    site.may_shrink()
    site.seat(TEST, *LEARNERS)
    for at, learner in enumerate(LEARNERS):
        give(site, learner, f"0{101 + at}")
    site.settled()
    return site


def test_a_number_that_only_lost_its_zeros_is_held_with_a_remedy_that_works(numbered: Site) -> None:
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
def test_a_column_without_zeros_is_one_line_with_one_hash(numbered: Site, many: int) -> None:
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


def test_the_corrected_file_is_not_held(numbered: Site) -> None:
    for learner, number in (("1001", "101"), ("1002", "102")):
        give(numbered, learner, number)
    held = numbered.plan_json()["summary"]["held_scopes"]
    assert numbered.apply("--allow", held[0]["hash"]).status == 0
    give(numbered, "1001", "0101")
    give(numbered, "1002", "0102")
    numbered.settled()
    assert given(numbered)["1002"] == "0102"


def test_a_number_as_a_decimal_is_held_as_well(numbered: Site) -> None:
    give(numbered, "1001", "101.0")
    assert "0101 → 101.0 differs only by a trailing .0 and leading zeros" in numbered.apply().out
    assert given(numbered)["1001"] == "0101"


def test_another_number_is_sent(numbered: Site) -> None:
    give(numbered, "1001", "1101")
    numbered.settled()
    assert given(numbered)["1001"] == "1101"


def test_more_time_in_the_same_row_is_sent_and_the_number_stays(numbered: Site) -> None:
    numbered.registrations.set(f"{TEST} 1001", number="101", extra="30")
    numbered.apply()
    seat = numbered.seats(TEST)["s1001"]
    assert (seat["candidateId"], seat["extraTimeMins"]) == ("0101", 30)
    assert numbered.apply().status == 3


def test_during_the_test_the_freeze_comes_first_and_names_the_zeros(numbered: Site) -> None:
    numbered.at(DURING)
    give(numbered, "1001", "101")
    out = numbered.apply().out
    assert "the test is under way" in out
    assert "0101 → 101 differs only by leading zeros" in out
    assert given(numbered)["1001"] == "0101"
