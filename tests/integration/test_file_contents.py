"""What the files of real systems say: ends that are worked out, months, shares, names in parts, words of all kinds."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ..support.university import TEST, University

ZONE = {"zone": "Europe/Oslo"}


def times(university: University) -> tuple[str, str]:
    test = university.tests()[TEST]
    return test["startTime"], test["endTime"]


def test_an_end_is_worked_out_from_start_and_duration(university: University) -> None:
    university.keep_feeds("test")
    university.exams.add(TEST, minutes="90")
    university.feed("test")["map"]["end"] = {"computed": "start + duration"}
    university.apply_once()
    start, end = times(university)
    assert (start[11:16], end[11:16]) == ("08:00", "09:30")


def test_a_duration_is_worked_out_from_start_and_end(university: University) -> None:
    university.keep_feeds("test")
    university.exams.add(TEST, minutes="", end="01.12.2026 11:15")
    university.feed("test")["map"]["duration"] = {"computed": "end - start"}
    university.apply_once()
    change = next(one for one in university.sent() if one["body"].get("externalTestId") == TEST)
    assert 135 in change["body"].values() or "135" in map(str, change["body"].values())


def test_both_cant_be_worked_out_from_each_other(university: University) -> None:
    university.feed("test")["map"] |= {
        "end": {"computed": "start + duration"},
        "duration": {"computed": "end - start"},
    }
    ran = university.run("check")
    assert ran.status == 2
    assert "each computed from the other" in ran.err


@pytest.mark.parametrize("allowed", [True, False])
def test_an_end_before_the_start_is_on_the_next_day_where_the_feed_says_so(
    university: University, allowed: bool
) -> None:
    university.keep_feeds("test")
    university.exams.add(TEST, start="01.12.2026 22:00", end="01.12.2026 02:00")
    university.feed("test")["map"]["end"]["next_day"] = allowed
    ran = university.apply()
    assert ran.status == (0 if allowed else 1)
    if allowed:
        assert times(university)[1].startswith("2026-12-02T01:00")
    else:
        assert "end: the end is not after the start" in ran.out


def test_a_night_over_which_the_clock_changes_ends_at_the_time_on_the_wall(
    university: University,
) -> None:
    university.keep_feeds("test")
    university.exams.add(TEST, start="24.10.2026 22:00", end="24.10.2026 06:00")
    university.feed("test")["map"]["end"]["next_day"] = True
    university.apply_once()
    assert times(university)[1].startswith("2026-10-25T05:00")


@pytest.mark.parametrize(
    ("language", "pattern", "text"),
    [
        ("nb", "%d. %B %Y %H:%M", "3. desember 2026 09:00"),
        ("nb", "%d. %b %Y %H:%M", "3. des. 2026 09:00"),
        ("sv", "%d %B %Y kl. %H:%M", "3 december 2026 kl. 09:00"),
        ("da", "%A %d. %B %Y %H:%M", "Torsdag 3. december 2026 09:00"),
        ("de", "%d. %B %Y, %H:%M", "3. Dezember 2026, 09:00"),
        ("nl", "%a %d %b %Y %H:%M", "do 3 dec. 2026 09:00"),
        (["nb", "en"], "%d %b %Y %H:%M", "3 Dec 2026 09:00"),
    ],
)
def test_months_and_weekdays_are_read_in_the_language_of_the_source(
    university: University, language: object, pattern: str, text: str
) -> None:
    university.keep_feeds("test")
    university.exams.add(TEST, start=text, end="03.12.2026 13:00")
    university.feed("test")["map"]["start"] = {
        "column": "start",
        "format": pattern,
        "language": language,
        **ZONE,
    }
    university.apply_once()
    assert times(university)[0].startswith("2026-12-03T08:00")


@pytest.mark.parametrize(
    "text", ["3. Mrz 2026 09:00", "3. Kreszentia 2026 09:00", "3. 12 2026 09:00"]
)
def test_a_month_of_another_language_is_a_row_error_that_names_nobody(
    university: University, text: str
) -> None:
    university.keep_feeds("test")
    university.exams.add(TEST, start=text)
    university.feed("test")["map"]["start"] = {
        "column": "start",
        "format": "%d. %B %Y %H:%M",
        "language": "nb",
        **ZONE,
    }
    ran = university.run("check")
    assert ran.status == 1
    assert "exams.csv line 2: start:" in ran.out
    assert "Kreszentia" not in ran.output


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("25 %", 60), ("+25%", 60), ("33.3%", 80), ("30.0", 30), ("15 min/h", 60), ("240", 240)],
)
def test_extra_time_in_the_ways_of_real_files(
    university: University, text: str, minutes: int
) -> None:
    university.register(TEST, "1001")
    university.registrations.set(f"{TEST} 1001", extra=text)
    university.apply_once()
    assert university.candidates()["s1001"]["extraTimeMins"] == minutes


@pytest.mark.parametrize("text", ["241", "101%", "61 min/h"])
def test_extra_time_is_at_most_the_test_s_own_duration(university: University, text: str) -> None:
    university.register(TEST, "1001")
    university.registrations.set(f"{TEST} 1001", extra=text)
    ran = university.run("check")
    assert ran.status == 1
    assert "registrations.csv line 2: extra_time:" in ran.out
    assert "the test's own duration" in ran.out
    assert university.apply().status == 1
    assert "s1001" not in university.candidates()


def test_a_home_exam_of_three_days_can_have_a_day_and_more_of_extra_time(
    university: University,
) -> None:
    university.register(TEST, "1001")
    university.feed("test")["longest_duration"] = "7d"
    university.exams.set(TEST, end="04.12.2026 09:00", minutes="4320")
    university.registrations.set(f"{TEST} 1001", extra="50%")
    university.apply_once()
    assert university.candidates()["s1001"]["extraTimeMins"] == 2160


def test_a_name_of_several_columns_has_parts_that_may_be_blank(university: University) -> None:
    university.keep_feeds("learner")
    university.feed("learner")["map"]["first_name"] = "{given} {secret?}"
    university.students.add("1001", given="Kari", secret="")
    university.students.add("1002", given="Kari", secret="Midten")
    university.apply_once()
    assert {one["firstName"] for one in university.learners().values()} == {"Kari", "Kari Midten"}
    university.secrets.discard("Midten")


def test_the_first_of_several_columns_that_is_not_blank_counts(university: University) -> None:
    university.keep_feeds("learner")
    university.feed("learner")["map"]["first_name"] = {"first_of": ["secret", "given"]}
    university.students.add("1001", given="Kari", secret="")
    university.students.add("1002", given="Kari", secret="Kaja")
    university.apply_once()
    assert {one["firstName"] for one in university.learners().values()} == {"Kari", "Kaja"}


@pytest.mark.parametrize("rule", ["{given} {mail}", {"first_of": ["secret", "mail"]}])
def test_a_first_name_that_comes_to_nothing_is_a_row_error_in_check(
    university: University, rule: object
) -> None:
    university.keep_feeds("learner")
    university.feed("learner")["map"]["first_name"] = rule
    university.students.add("1001", mail="", secret="")
    ran = university.run("check")
    assert ran.status == 1
    assert "students.csv line 2: first_name: is blank" in ran.out


def test_two_blank_names_are_a_row_error_in_check_and_one_name_is_none(
    university: University,
) -> None:
    university.keep_feeds("learner")
    university.students.add("1001", given="")
    assert university.run("check").status == 0
    university.students.add("1002", given="", family="")
    ran = university.run("check")
    assert ran.status == 1
    assert "students.csv line 3: last_name: both names are blank" in ran.out


def test_rows_are_left_out_by_words_patterns_and_in_any_case(university: University) -> None:
    university.keep_feeds("learner")
    feed = university.feed("learner")
    feed["where"] = {"status": {"pattern": "act.*|EXCH.*", "ignore_case": True}}
    feed["where_not"] = {"family": {"any_of": ["testesen"], "ignore_case": True}, "given": "Prøve"}
    university.students.add("1001", status="Active")
    university.students.add("1002", status="exchange student")
    university.students.add("1003", status="left")
    university.students.add("1004", family="TESTESEN")
    university.students.add("1005", given="Prøve")
    university.apply_once()
    assert set(university.learners()) == {"s1001", "s1002"}


def test_check_lists_the_values_that_no_condition_names(university: University) -> None:
    university.keep_feeds("learner")
    university.students.add(*map(str, range(1001, 1007)), status="PERMISJON")
    university.students.add("1010", status="on-leave")
    university.students.add("1011", status="Kreszentia")
    university.students.add("1012", status="")
    university.students.add("1013")
    ran = university.run("check")
    printed = next(line for line in ran.out.splitlines() if "named by no condition" in line)
    assert printed.startswith(
        "students.csv: status: 4 values named by no condition: 'PERMISJON' (6), "
    )
    assert {"'on-leave' (1)", "'K*********' (1)", "(blank) (1)"} <= set(
        printed.split(": ")[-1].split(", ")
    )
    university.feed("learner")["where_not"] = {"status": {"pattern": ".*"}}
    assert "named by no condition" not in university.run("check").out


@pytest.mark.parametrize("mail", ["no address", "kari@@example.edu", "kari\x07@example.edu"])
def test_an_email_that_cant_be_used_is_left_out_and_the_person_is_made(
    university: University, mail: str
) -> None:
    university.register(TEST, "1001")
    university.students.set("1001", mail=mail)
    assert university.run("check").status == 1
    ran = university.apply()
    assert ran.status == 1
    assert "students.csv line 2: email: is not an email address; it is left out" in ran.out
    assert not university.learners()["s1001"]["email"]
    assert "s1001" in university.candidates()
    assert university.apply().status == 1  # said until it is right
    university.students.set("1001", mail="kari@example.edu")
    university.apply_cleanly()
    assert university.learners()["s1001"]["email"] == "kari@example.edu"
    university.students.set("1001", mail=mail, family="Nyfamilie")
    assert university.apply().status == 1
    person = university.learners()["s1001"]
    assert (person["lastName"], person["email"]) == ("Nyfamilie", "kari@example.edu")


@pytest.mark.parametrize(
    ("zone", "meant"),
    [
        ("GMT", "Europe/London"),
        ("EST", "America/New_York"),
        ("Etc/GMT-1", "Europe/Oslo"),
        ("UTC", ""),
    ],
)
def test_a_zone_without_summer_time_warns(university: University, zone: str, meant: str) -> None:
    university.register(TEST, "1001")
    university.feed("test")["map"]["start"]["zone"] = zone
    university.feed("test")["map"]["end"]["zone"] = zone
    ran = university.run("check")
    assert ran.status == 0
    assert (f"{zone} has no summer time; did you mean {meant}?" in ran.err) == bool(meant)


def test_no_zone_of_summer_time_is_refused_with_the_place_that_is_meant(
    university: University,
) -> None:
    university.feed("test")["map"]["start"]["zone"] = "BST"
    assert "did you mean 'Europe/London'?" in university.run("check").err


def test_rows_of_a_database_are_named_by_source_and_key(
    university: University, tmp_path: Path
) -> None:
    path = tmp_path / "sis.db"
    university.written_files.add(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE s (student_no, feide, given, family, mail)")
        rows = [
            ("1001", "s1001", "Kari", "Nord", "bad"),
            ("1002", "", "Kari", "Nord", ""),
            ("", "x", "K", "N", ""),
        ]
        database.executemany("INSERT INTO s VALUES (?,?,?,?,?)", rows)
        database.commit()
    university.keep_feeds("learner")
    university.feed("learner").pop("where")
    university.config["sources"]["students"] = {
        "type": "sql",
        "url": "sqlite:///sis.db",
        "query": "SELECT * FROM s",
    }
    ran = university.run("check")
    assert ran.status == 1
    assert "students (sqlite:///sis.db) key 1001: email: is not an email address" in ran.out
    assert "students (sqlite:///sis.db) row 3: key: is blank" in ran.out


def test_check_warns_of_keys_that_are_national_ids(university: University) -> None:
    university.keep_feeds("learner")
    university.students.add("15108695088", feide="a1")
    ran = university.run("check")
    assert "warning: the keys of learners look like Norwegian national identity numbers" in ran.out
    assert ran.status == 0
    assert "15108695088" not in ran.output
