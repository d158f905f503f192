"""Absence is not departure: what a missing row takes away, and on whose word. Every refusal has its control."""

import pytest

from .site import OTHER, TEST, Site, names, numbers

CLASS = numbers(1001, 27)


@pytest.fixture
def full(site: Site) -> Site:
    """27 learners who sit one test, all in Inspera."""
    site.seat(TEST, *CLASS)
    site.settled()
    return site


def test_a_registration_that_is_absent_from_a_sound_file_is_removed_and_no_other(
    full: Site,
) -> None:
    full.registrations.drop(f"{TEST} 1002")
    assert full.planned() == [f"remove candidate {TEST}/1002"]
    full.settled()
    assert set(full.seats()) == names(CLASS) - {"s1002"}


def test_a_removed_registration_can_come_back(full: Site) -> None:
    full.registrations.drop(f"{TEST} 1002")
    full.settled()
    full.registrations.add(f"{TEST} 1002")
    assert full.planned() == [f"create candidate {TEST}/1002"]
    full.settled()
    assert set(full.seats()) == names(CLASS)


def test_one_unusable_row_of_27_is_a_row_error_with_its_line_and_keeps_its_candidate_while_an_absent_one_goes(
    full: Site,
) -> None:
    full.registrations.set(f"{TEST} 1005", extra="a lot")
    full.registrations.drop(f"{TEST} 1010")
    plan = full.plan_json()
    line = full.registrations.line(f"{TEST} 1005")
    assert [row_error["where"] for row_error in plan["row_errors"]] == [
        f"registrations.csv line {line}"
    ]
    ran = full.apply()
    assert ran.status == 1
    assert f"registrations.csv line {line}: extra_time:" in ran.out
    assert set(full.seats()) == names(CLASS) - {"s1010"}


def test_a_learner_with_a_bad_email_is_a_row_error_and_keeps_account_and_seats_while_an_absent_seat_goes(
    full: Site,
) -> None:
    before = full.people()["s1003"]
    full.students.set("1003", mail="no email at all")
    full.registrations.drop(f"{TEST} 1004")
    ran = full.apply()
    assert ran.status == 1
    assert f"students.csv line {full.students.line('1003')}: email:" in ran.out
    assert full.people()["s1003"] == before
    assert set(full.seats()) == names(CLASS) - {"s1004"}


def test_an_emptied_file_exits_4_and_removes_nothing_until_it_is_whole_again(full: Site) -> None:
    full.registrations.raw = b""
    ran = full.apply()
    assert ran.status == 4
    assert "registrations.csv: is empty" in ran.out
    assert full.writes() == []
    full.registrations.raw = None
    full.registrations.drop(f"{TEST} 1001")
    full.settled()
    assert set(full.seats()) == names(CLASS) - {"s1001"}


def test_a_file_with_only_a_header_counts_as_unhealthy(full: Site) -> None:
    full.registrations.rows.clear()
    ran = full.apply()
    assert ran.status == 4
    assert "registrations.csv: no row is left" in ran.out
    assert len(full.seats()) == len(CLASS)


def test_a_file_cut_inside_a_quoted_field_exits_4_with_the_line_and_removes_nothing(
    full: Site,
) -> None:
    whole = full.registrations.text()
    full.registrations.raw = (whole.rsplit("\n", 4)[0] + f'\n{TEST.replace("-", ",")},"10').encode()
    ran = full.apply()
    assert ran.status == 4
    assert f"registrations.csv line {whole.count(chr(10)) - 2}:" in ran.out
    assert len(full.seats()) == len(CLASS)
    full.registrations.raw = None
    full.registrations.drop(f"{TEST} 1027")
    full.settled()
    assert set(full.seats()) == names(CLASS) - {"s1027"}


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
    full: Site, spoil: object
) -> None:
    assert callable(spoil)
    full.registrations.drop(f"{TEST} 1002")
    full.registrations.raw = spoil(full.registrations.text()).encode()
    ran = full.apply()
    assert ran.status == 4
    assert full.writes() == []
    assert len(full.seats()) == len(CLASS)


def test_bytes_in_another_encoding_are_refused_with_their_line(full: Site) -> None:
    full.students.raw = full.students.text().encode("cp1252", errors="replace")
    ran = full.apply()
    assert ran.status == 4
    assert "students.csv line 2: byte 0x" in ran.out
    assert len(full.seats()) == len(CLASS)


def test_a_row_whose_key_cannot_be_read_withholds_all_removals_of_its_kind_and_says_so(
    full: Site,
) -> None:
    full.registrations.add(f"{TEST} 1099", course="")
    full.registrations.drop(f"{TEST} 1002")
    changes = full.plan_json()["changes"]
    assert [(change["action"], change["verdict"]) for change in changes] == [("remove", "deferred")]
    assert (
        f"the key in registrations.csv line {len(CLASS) + 1} can't be read" in changes[0]["reason"]
    )
    assert full.apply().status == 1
    assert len(full.seats()) == len(CLASS)
    full.registrations.rows.pop()
    full.settled()
    assert set(full.seats()) == names(CLASS) - {"s1002"}


def test_a_row_that_names_only_its_test_withholds_the_removals_of_that_test_alone(
    full: Site,
) -> None:
    full.seat(OTHER, *CLASS[:5])
    full.settled()
    full.registrations.add(f"{TEST} 1001", student_no="")
    full.registrations.drop(f"{TEST} 1002", f"{OTHER} 1002")
    assert full.apply().status == 1
    assert len(full.seats(TEST)) == len(CLASS)
    assert set(full.seats(OTHER)) == names(["1001", "1003", "1004", "1005"])


def test_removals_rest_on_every_feed_of_their_kind(full: Site) -> None:
    late = full.folder / "late.csv"
    full.config["sources"]["late"] = {"type": "csv", "path": "late.csv"}
    full.config["feeds"].append({**full.feed("candidate"), "source": "late", "allow_empty": True})
    full.registrations.drop(f"{TEST} 1002")
    ran = full.apply()
    assert ran.status == 4
    assert "late.csv: is not there" in ran.out
    assert len(full.seats()) == len(CLASS)
    late.write_text("course,term,student_no,number,extra\n")
    full.settled()
    assert set(full.seats()) == names(CLASS) - {"s1002"}


def test_an_unread_file_of_one_kind_does_not_stop_the_removals_of_another(full: Site) -> None:
    full.exams.raw = b""
    full.registrations.drop(f"{TEST} 1002")
    assert full.apply().status == 4
    assert set(full.seats()) == names(CLASS) - {"s1002"}


def test_emptiness_is_judged_after_where_and_a_feed_can_say_that_it_allow_empty(
    full: Site,
) -> None:
    full.feed("candidate")["where"] = {"term": "V27"}
    full.config["limits"] = {
        "kind": {"percent": 100, "at_least": 99},
        "test": {"percent": 100, "at_least": 99},
    }
    ran = full.apply()
    assert ran.status == 4
    assert f"no row is left after `where` ({len(CLASS)} read)" in ran.out
    full.feed("candidate")["allow_empty"] = True
    ran = full.apply("--accept-shrink", "registrations")
    assert ran.status == 3
    assert "27 of 27 known: none would remain" in ran.out
    assert len(full.seats()) == len(CLASS)


def test_kinds_that_the_configuration_does_not_read_have_no_removals(full: Site) -> None:
    full.config["feeds"] = [full.feed("learner")]
    full.students.drop("1001")
    ran = full.plan()
    assert "remove" not in ran.out.split("Deferred")[0]
    assert full.apply().status == 0
    assert full.writes() == []
    assert len(full.seats()) == len(CLASS)


def test_a_kind_whose_absence_means_keep_is_left_alone(full: Site) -> None:
    full.config["on_absence"] = {"candidate": "keep"}
    full.registrations.drop(f"{TEST} 1002")
    full.settled()
    assert len(full.seats()) == len(CLASS)
    full.config["on_absence"] = {"candidate": "remove"}
    full.settled()
    assert set(full.seats()) == names(CLASS) - {"s1002"}
