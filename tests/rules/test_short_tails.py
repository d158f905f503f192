"""A file that was cut off at its end: nobody is removed by it, and no value that was cut is sent."""

import pytest

from .site import TEST, Site, numbers

CLASS = numbers(1001, 40)


@pytest.fixture
def site(site: Site) -> Site:
    """40 learners on a test, who may all leave it as far as the limits are concerned."""
    site.config["limits"] = {"kind": {"at_least": 90}, "test": {"at_least": 90}}
    site.may_shrink()
    for source in site.config["sources"].values():
        del source["completeness"]["tail"]  # as it is where nobody says anything
    site.seat(TEST, *CLASS)
    site.settled()
    return site


def seated(site: Site) -> set[str]:
    return {name.removeprefix("s") for name in site.seats()}


def leave(site: Site, *learners: str) -> None:
    site.registrations.drop(*(f"{TEST} {learner}" for learner in learners))


@pytest.mark.parametrize("count", [3, 12, 39])
def test_the_last_rows_of_before_are_missed(site: Site, count: int) -> None:
    leave(site, *CLASS[-count:])
    site.registrations.rows.insert(0, {"course": "INF1000", "term": "H26", "student_no": "1099"})
    site.students.add("1099")
    ran = site.apply()
    assert ran.status == 4
    assert (
        f"registrations.csv: the last {count} candidates of the delivery before are all missing"
        in ran.out
    )
    assert "it may be cut off; nothing that rests on it is removed" in ran.out
    assert "`apply --accept-shrink registrations`" in ran.out
    assert seated(site) == {*CLASS, "1099"}
    assert site.apply().status == 4  # and it stays so
    assert site.plan("--accept-shrink", "registrations").status == 0
    assert site.apply("--accept-shrink", "registrations").status == 0
    assert seated(site) == {*CLASS[:-count], "1099"}
    site.settled()


def test_a_cut_on_a_day_on_which_others_leave_too_is_seen(site: Site) -> None:
    leave(site, *CLASS[5:9], *CLASS[-6:])
    assert site.apply().status == 4
    assert seated(site) == set(CLASS)


@pytest.mark.parametrize("leaving", [CLASS[-2:], CLASS[:12], CLASS[10:30], CLASS[-9:-1]])
def test_others_may_leave(site: Site, leaving: list[str]) -> None:
    leave(site, *leaving)
    site.settled()
    assert seated(site) == set(CLASS).difference(leaving)


def test_the_same_rows_in_another_order_are_no_cut(site: Site) -> None:
    site.registrations.rows.reverse()
    site.settled()
    leave(site, *CLASS[-5:])
    site.settled()
    leave(site, *CLASS[:3])
    assert site.apply().status == 4


def test_rows_that_are_there_but_not_selected_or_invalid_are_no_cut(site: Site) -> None:
    site.feed("candidate")["where"] = {"extra": ["", "30"]}
    site.settled()
    for learner in CLASS[-5:-1]:
        site.registrations.set(f"{TEST} {learner}", extra="10")
    site.registrations.set(f"{TEST} {CLASS[-1]}", number="1\u200b2")
    assert site.apply().status == 1
    assert "cut off" not in site.plan().out


@pytest.mark.parametrize("tail", [0, 6])
def test_the_number_can_be_set(site: Site, tail: int) -> None:
    site.config["sources"]["registrations"]["completeness"]["tail"] = tail
    leave(site, *CLASS[-5:])
    site.settled()
    leave(site, *CLASS[-15:-5])
    assert site.apply().status == (4 if tail else 0)


def test_learners_and_tests_of_a_file_that_is_cut_off_stay_too(site: Site) -> None:
    site.exams.add("AAA1-H26", "BBB1-H26", "CCC1-H26", "DDD1-H26")
    site.settled()
    site.exams.drop("BBB1-H26", "CCC1-H26", "DDD1-H26")
    assert "exams.csv: the last 3 tests of the delivery before are all missing" in site.apply().out
    assert site.apply().status == 4


def test_what_has_ended_may_leave_the_end_of_its_file(site: Site) -> None:
    site.at("2027-01-15 08:00")
    leave(site, *CLASS[3:])
    site.settled()


def cut(site: Site, characters: int) -> None:
    site.registrations.raw = site.registrations.text().encode()[:-characters]


@pytest.fixture
def timed(site: Site) -> Site:
    """The last candidate has 30 minutes more; the file ends with them."""
    site.registrations.columns = ("course", "term", "student_no", "number", "extra")
    site.registrations.set(f"{TEST} {CLASS[-1]}", extra="30")
    site.settled()
    return site


@pytest.mark.parametrize("characters", [1, 2])
def test_a_value_that_was_cut_is_not_sent(timed: Site, characters: int) -> None:
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
    assert timed.seats()[f"s{CLASS[-1]}"]["extraTimeMins"] == 30
    assert timed.apply().status == 4
    timed.registrations.raw = None
    timed.settled()
    assert seated(timed) == set(CLASS[1:])


def test_an_export_that_has_changed_is_taken_by_a_person_s_word(timed: Site) -> None:
    cut(timed, 1)
    leave(timed, CLASS[0])
    cut(timed, 1)
    assert timed.apply().status == 4
    assert timed.apply("--accept-shrink", "registrations").status == 0
    assert seated(timed) == set(CLASS[1:])
    timed.settled()  # from now on it ends so


def test_a_file_that_never_ended_in_a_line_end_is_no_cut(timed: Site) -> None:
    cut(timed, 1)
    timed.apply("--accept-shrink", "registrations")
    timed.registrations.set(f"{TEST} {CLASS[-1]}", extra="45")
    cut(timed, 1)
    timed.settled()
    assert timed.seats()[f"s{CLASS[-1]}"]["extraTimeMins"] == 45
    timed.registrations.raw = None
    timed.settled()
    cut(timed, 2)  # it has ended in one since
    assert timed.apply().status == 4


def test_a_joined_file_that_is_cut_off_gives_no_cut_value(site: Site) -> None:
    site.config["sources"]["needs"] = {"type": "csv", "path": "needs.csv"}
    site.feed("candidate")["join"] = {"needs": {"by": {"student_no": "no"}}}
    site.feed("candidate")["map"]["extra_time"] = "needs.more"
    needs = site.folder / "needs.csv"
    needs.write_text("no,more\n1001,15\n1002,30\n")
    site.settled()
    needs.write_text("no,more\n1001,15\n1002,3")
    assert site.apply().status == 4
    assert site.seats()["s1002"]["extraTimeMins"] == 30
