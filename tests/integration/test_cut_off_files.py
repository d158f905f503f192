"""A file that was cut off at its end: nobody is removed by it, and no value that was cut is sent."""

import pytest

from ..support.university import TEST, University, numbers

CLASS = numbers(1001, 40)


@pytest.fixture
def university(university: University) -> University:
    """40 learners on a test, who may all leave it as far as the limits are concerned."""
    university.config["limits"] = {"kind": {"at_least": 90}, "test": {"at_least": 90}}
    university.allow_shrinkage()
    for source in university.config["sources"].values():
        del source["completeness"]["tail"]  # as it is where nobody says anything
    university.register(TEST, *CLASS)
    university.apply_once()
    return university


def seated(university: University) -> set[str]:
    return {name.removeprefix("s") for name in university.candidates()}


def leave(university: University, *learners: str) -> None:
    university.registrations.drop(*(f"{TEST} {learner}" for learner in learners))


@pytest.mark.parametrize("count", [3, 12, 39])
def test_the_last_rows_of_before_are_missed(university: University, count: int) -> None:
    leave(university, *CLASS[-count:])
    university.registrations.rows.insert(
        0, {"course": "INF1000", "term": "H26", "student_no": "1099"}
    )
    university.students.add("1099")
    ran = university.apply()
    assert ran.status == 4
    assert (
        f"registrations.csv: the last {count} candidates of the delivery before are all missing"
        in ran.out
    )
    assert "it may be cut off; nothing that rests on it is removed" in ran.out
    assert "`apply --accept-shrink registrations`" in ran.out
    assert seated(university) == {*CLASS, "1099"}
    assert university.apply().status == 4  # and it stays so
    assert university.plan("--accept-shrink", "registrations").status == 0
    assert university.apply("--accept-shrink", "registrations").status == 0
    assert seated(university) == {*CLASS[:-count], "1099"}
    university.apply_cleanly()


def test_a_cut_on_a_day_on_which_others_leave_too_is_seen(university: University) -> None:
    leave(university, *CLASS[5:9], *CLASS[-6:])
    assert university.apply().status == 4
    assert seated(university) == set(CLASS)


@pytest.mark.parametrize("leaving", [CLASS[-2:], CLASS[:12], CLASS[10:30], CLASS[-9:-1]])
def test_others_may_leave(university: University, leaving: list[str]) -> None:
    leave(university, *leaving)
    university.apply_cleanly()
    assert seated(university) == set(CLASS).difference(leaving)


def test_the_same_rows_in_another_order_are_no_cut(university: University) -> None:
    university.registrations.rows.reverse()
    university.apply_cleanly()
    leave(university, *CLASS[-5:])
    university.apply_cleanly()
    leave(university, *CLASS[:3])
    assert university.apply().status == 4


def test_rows_that_are_there_but_not_selected_or_invalid_are_no_cut(university: University) -> None:
    university.feed("candidate")["where"] = {"extra": ["", "30"]}
    university.apply_cleanly()
    for learner in CLASS[-5:-1]:
        university.registrations.set(f"{TEST} {learner}", extra="10")
    university.registrations.set(f"{TEST} {CLASS[-1]}", number="1\u200b2")
    assert university.apply().status == 1
    assert "cut off" not in university.plan().out


@pytest.mark.parametrize("tail", [0, 6])
def test_the_number_can_be_set(university: University, tail: int) -> None:
    university.config["sources"]["registrations"]["completeness"]["tail"] = tail
    leave(university, *CLASS[-5:])
    university.apply_cleanly()
    leave(university, *CLASS[-15:-5])
    assert university.apply().status == (4 if tail else 0)


def test_learners_and_tests_of_a_file_that_is_cut_off_stay_too(university: University) -> None:
    university.exams.add("AAA1-H26", "BBB1-H26", "CCC1-H26", "DDD1-H26")
    university.apply_cleanly()
    university.exams.drop("BBB1-H26", "CCC1-H26", "DDD1-H26")
    assert (
        "exams.csv: the last 3 tests of the delivery before are all missing"
        in university.apply().out
    )
    assert university.apply().status == 4


def test_what_has_ended_may_leave_the_end_of_its_file(university: University) -> None:
    university.at("2027-01-15 08:00")
    leave(university, *CLASS[3:])
    university.apply_cleanly()


def cut(university: University, characters: int) -> None:
    university.registrations.raw = university.registrations.text().encode()[:-characters]


@pytest.fixture
def timed(university: University) -> University:
    """The last candidate has 30 minutes more; the file ends with them."""
    university.registrations.columns = ("course", "term", "student_no", "number", "extra")
    university.registrations.set(f"{TEST} {CLASS[-1]}", extra="30")
    university.apply_once()
    return university


@pytest.mark.parametrize("characters", [1, 2])
def test_a_value_that_was_cut_is_not_sent(timed: University, characters: int) -> None:
    leave(timed, CLASS[0])
    cut(timed, characters)
    ran = timed.apply()
    assert ran.status == 4
    assert "its last line has no line end" in ran.out
    assert (
        f"registrations.csv line {len(CLASS)}: row: may be cut off, as no line end follows"
        in ran.out
    )
    assert seated(timed) == set(CLASS)
    assert timed.candidates()[f"s{CLASS[-1]}"]["extraTimeMins"] == 30
    assert timed.apply().status == 4
    timed.registrations.raw = None
    timed.apply_cleanly()
    assert seated(timed) == set(CLASS[1:])


def test_an_export_that_has_changed_is_taken_by_a_person_s_word(timed: University) -> None:
    cut(timed, 1)
    leave(timed, CLASS[0])
    cut(timed, 1)
    assert timed.apply().status == 4
    assert timed.apply("--accept-shrink", "registrations").status == 0
    assert seated(timed) == set(CLASS[1:])
    timed.apply_cleanly()  # from now on it ends so


def test_a_file_that_never_ended_in_a_line_end_is_no_cut(timed: University) -> None:
    cut(timed, 1)
    timed.apply("--accept-shrink", "registrations")
    timed.registrations.set(f"{TEST} {CLASS[-1]}", extra="45")
    cut(timed, 1)
    timed.apply_cleanly()
    assert timed.candidates()[f"s{CLASS[-1]}"]["extraTimeMins"] == 45
    timed.registrations.raw = None
    timed.apply_cleanly()
    cut(timed, 2)  # it has ended in one since
    assert timed.apply().status == 4


def test_a_joined_file_that_is_cut_off_gives_no_cut_value(university: University) -> None:
    university.config["sources"]["needs"] = {"type": "csv", "path": "needs.csv"}
    university.feed("candidate")["join"] = {"needs": {"by": {"student_no": "no"}}}
    university.feed("candidate")["map"]["extra_time"] = "needs.more"
    needs = university.folder / "needs.csv"
    needs.write_text("no,more\n1001,15\n1002,30\n")
    university.apply_cleanly()
    needs.write_text("no,more\n1001,15\n1002,3")
    assert university.apply().status == 4
    assert university.candidates()["s1002"]["extraTimeMins"] == 30
