"""Rows that say that their record departs: they need no full reading, and the guard applies to them all the same."""

from dataclasses import replace

import pytest

from ..support.university import DURING, OTHER, TEST, University, numbers


@pytest.fixture
def university(university: University) -> University:
    """Five learners on a test, six on another. Rows of registrations say `gone` in `extra` when they depart."""
    university.register(TEST, *numbers(1001, 5))
    university.register(OTHER, *numbers(1001, 6))
    university.feed("candidate")["departure"] = {"extra": "gone"}
    university.apply_once()
    return university


def depart(university: University, *learners: str, test: str = TEST) -> None:
    for learner in learners:
        university.registrations.set(f"{test} {learner}", extra="gone")


def test_a_row_that_says_so_takes_its_candidate_off_the_test(university: University) -> None:
    depart(university, "1001")
    university.apply_cleanly()
    assert "s1001" not in university.candidates()
    assert "no change" in university.apply_cleanly().out


def test_it_does_so_although_the_source_is_not_whole_and_who_is_merely_absent_stays(
    university: University,
) -> None:
    university.config["sources"]["registrations"]["completeness"] = {"minimum_rows": 100}
    depart(university, "1001")
    university.registrations.drop(f"{TEST} 1002")
    assert university.apply().status == 4
    assert "s1001" not in university.candidates()
    assert "s1002" in university.candidates()


def test_a_source_that_cannot_be_read_to_its_end_departs_nobody(university: University) -> None:
    depart(university, "1001")
    university.registrations.raw = university.registrations.text().encode() + b'"cut'
    assert university.apply().status == 4
    assert "s1001" in university.candidates()


def test_the_limits_count_departures_like_absences(university: University) -> None:
    depart(university, *numbers(1001, 5))
    ran = university.apply()
    assert ran.status == 3
    assert "none would remain" in ran.out
    assert len(university.candidates()) == 5


def test_a_test_that_has_begun_keeps_them(university: University) -> None:
    university.at(DURING)
    depart(university, "1001")
    university.apply()
    assert "s1001" in university.candidates()


def test_another_row_that_wants_the_record_wins(university: University) -> None:
    university.registrations.add(f"{TEST} 1001", extra="gone")
    university.apply_cleanly()
    assert "s1001" in university.candidates()


def test_a_departure_whose_key_cannot_be_read_is_a_row_error(university: University) -> None:
    university.registrations.set(f"{TEST} 1001", extra="gone", student_no="")
    ran = university.apply()
    assert ran.status == 1
    assert "learner: is blank" in ran.out
    assert len(university.candidates()) == 5


def test_while_another_feed_of_the_kind_cannot_be_read_it_may_still_name_them(
    university: University,
) -> None:
    university.config["sources"]["late"] = {"type": "csv", "path": "late.csv"}
    university.config["feeds"].append(
        {**university.feed("candidate"), "source": "late", "allow_empty": True}
    )
    path = university.folder / "late.csv"
    path.write_text(",".join(university.registrations.columns) + "\n")
    university.apply_cleanly()
    depart(university, "1001")
    path.unlink()
    assert university.apply().status == 4
    assert "s1001" in university.candidates()
    path.write_text(",".join(university.registrations.columns) + "\n")
    university.apply_cleanly()
    assert "s1001" not in university.candidates()


def test_where_selects_whose_departures_count(university: University) -> None:
    university.feed("candidate")["where"] = {"term": "H26", "extra": ["", "15"]}
    depart(university, "1001")
    university.apply_cleanly()
    assert "s1001" not in university.candidates()


def test_nor_does_anybody_depart_while_another_feed_of_the_kind_is_not_whole(
    university: University,
) -> None:
    university.config["sources"]["late"] = {
        "type": "csv",
        "path": "late.csv",
        "completeness": {"minimum_rows": 2},
    }
    university.config["feeds"].append(
        {**university.feed("candidate"), "source": "late", "on_conflict": "skip"}
    )
    path = university.folder / "late.csv"
    late = replace(university.registrations, path=path, rows=[])
    late.add(f"{TEST} 1001", f"{TEST} 1002")
    late.write()
    university.apply_cleanly()
    depart(university, "1001")
    university.apply_cleanly()
    assert "s1001" in university.candidates()
    late.drop(f"{TEST} 1001")
    late.write()
    assert university.apply().status == 4
    assert "s1001" in university.candidates()


def test_a_word_of_departure_that_cannot_be_read_is_a_row_error(university: University) -> None:
    university.registrations.set(f"{TEST} 1001", extra="go\ane")
    ran = university.apply()
    assert ran.status == 1
    assert "extra: holds a control character" in ran.out
    assert "s1001" in university.candidates()
