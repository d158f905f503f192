"""Rules 5: Absence is not departure. A record counts as gone only when *every* feed of its kind,
and every source that these join, was read in full in this run and is healthy.
"""

import pytest

from ..support.university import TEST, University, names, numbers

CLASS = numbers(1001, 27)


@pytest.fixture
def full(university: University) -> University:
    """27 learners who sit one test, all in Inspera."""
    university.register(TEST, *CLASS)
    university.apply_once()
    return university


def test_a_registration_that_is_absent_from_a_sound_file_is_removed_and_no_other(
    full: University,
) -> None:
    full.registrations.drop(f"{TEST} 1002")
    assert full.planned() == [f"remove candidate {TEST}/1002"]
    full.apply_cleanly()
    assert set(full.candidates()) == names(CLASS) - {"s1002"}


def test_a_removed_registration_can_come_back(full: University) -> None:
    full.registrations.drop(f"{TEST} 1002")
    full.apply_cleanly()
    full.registrations.add(f"{TEST} 1002")
    assert full.planned() == [f"create candidate {TEST}/1002"]
    full.apply_cleanly()
    assert set(full.candidates()) == names(CLASS)


def test_an_emptied_file_exits_4_and_removes_nothing_until_it_is_whole_again(
    full: University,
) -> None:
    full.registrations.raw = b""
    ran = full.apply()
    assert ran.status == 4
    assert "registrations.csv: is empty" in ran.out
    assert full.writes() == []
    full.registrations.raw = None
    full.registrations.drop(f"{TEST} 1001")
    full.apply_cleanly()
    assert set(full.candidates()) == names(CLASS) - {"s1001"}


def test_what_a_bad_source_blocks_is_not_said_to_clear_by_itself(full: University) -> None:
    full.registrations.raw = b""
    for show in ((), ("--all",)):
        plan = full.plan(*show).out
        assert "(clears by itself)" not in plan
        blocked = "Not sent until the cause is fixed (it does not clear by itself):\n"
        assert plan.split(blocked)[1].startswith(f"  remove {len(CLASS)} candidates: ")


def test_a_file_with_only_a_header_counts_as_unhealthy(full: University) -> None:
    full.registrations.rows.clear()
    ran = full.apply()
    assert ran.status == 4
    assert "registrations.csv: no row; " in ran.out
    assert "`where`" not in ran.out  # there is none
    assert len(full.candidates()) == len(CLASS)


def test_a_file_cut_inside_a_quoted_field_exits_4_with_the_line_and_removes_nothing(
    full: University,
) -> None:
    whole = full.registrations.text()
    full.registrations.raw = (whole.rsplit("\n", 4)[0] + f'\n{TEST.replace("-", ",")},"10').encode()
    ran = full.apply()
    assert ran.status == 4
    assert f"registrations.csv line {whole.count(chr(10)) - 2}:" in ran.out
    assert len(full.candidates()) == len(CLASS)
    full.registrations.raw = None
    full.registrations.drop(f"{TEST} 1027")
    full.apply_cleanly()
    assert set(full.candidates()) == names(CLASS) - {"s1027"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + "INF1000\n",
        lambda text: text.replace("student_no", "student"),
        lambda text: text.replace("1001", "10\x0001"),
    ],
    ids=["ragged", "without a column", "with a NUL"],
)
def test_a_file_that_is_not_sound_adds_nothing_and_removes_nothing(
    full: University, spoil: object
) -> None:
    assert callable(spoil)
    full.registrations.drop(f"{TEST} 1002")
    full.registrations.raw = spoil(full.registrations.text()).encode()
    ran = full.apply()
    assert ran.status == 4
    assert full.writes() == []
    assert len(full.candidates()) == len(CLASS)


def test_bytes_in_another_encoding_are_refused_with_their_line(full: University) -> None:
    full.students.raw = full.students.text().encode("cp1252", errors="replace")
    ran = full.apply()
    assert ran.status == 4
    assert "students.csv line 2: byte 0x" in ran.out
    assert len(full.candidates()) == len(CLASS)


def test_removals_rest_on_every_feed_of_their_kind(full: University) -> None:
    late = full.folder / "late.csv"
    full.config["sources"]["late"] = {"type": "csv", "path": "late.csv"}
    full.config["feeds"].append({**full.feed("candidate"), "source": "late", "allow_empty": True})
    full.registrations.drop(f"{TEST} 1002")
    ran = full.apply()
    assert ran.status == 4
    assert "late.csv: is not there" in ran.out
    assert len(full.candidates()) == len(CLASS)
    late.write_text("course,term,student_no,number,extra\n")
    full.apply_cleanly()
    assert set(full.candidates()) == names(CLASS) - {"s1002"}


def test_an_unread_file_of_one_kind_does_not_stop_the_removals_of_another(full: University) -> None:
    full.exams.raw = b""
    full.registrations.drop(f"{TEST} 1002")
    assert full.apply().status == 4
    assert set(full.candidates()) == names(CLASS) - {"s1002"}


def test_emptiness_is_judged_after_where_and_a_feed_can_say_that_it_allow_empty(
    full: University,
) -> None:
    full.feed("candidate")["where"] = {"term": "V27"}
    full.config["limits"] = {
        "kind": {"percent": 100, "at_least": 99},
        "test": {"percent": 100, "at_least": 99},
        "configuration": {"percent": 100},
    }
    ran = full.apply()
    assert ran.status == 4
    assert f"no row is left after `where` ({len(CLASS)} read)" in ran.out
    full.feed("candidate")["allow_empty"] = True
    ran = full.apply("--accept-shrink", "registrations")
    assert ran.status == 3
    assert "27 of 27 known: none would remain" in ran.out
    assert len(full.candidates()) == len(CLASS)


def test_kinds_that_the_configuration_does_not_read_have_no_removals(full: University) -> None:
    full.config["feeds"] = [full.feed("learner")]
    full.students.drop("1001")
    ran = full.plan()
    assert "  remove" not in ran.out.split("Not sent")[0]
    assert full.apply().status == 0
    assert full.writes() == []
    assert len(full.candidates()) == len(CLASS)


def test_a_kind_whose_absence_means_keep_is_left_alone(full: University) -> None:
    full.config["on_absence"] = {"candidate": "keep"}
    full.registrations.drop(f"{TEST} 1002")
    full.apply_cleanly()
    assert len(full.candidates()) == len(CLASS)
    full.config["on_absence"] = {"candidate": "remove"}
    full.apply_cleanly()
    assert set(full.candidates()) == names(CLASS) - {"s1002"}
