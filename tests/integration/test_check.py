"""`check`: is the configuration sound, can everything be read, does every mapping work on every row?"""

from ..support.university import TEST, University, numbers


def test_check_counts_what_it_read_and_sends_nothing(university: University) -> None:
    university.register(TEST, *numbers(1001, 3))
    university.students.add("1004", status="left")
    ran = university.run("check")
    assert ran.status == 0
    assert "Configuration: 3 sources, 3 feeds, sound." in ran.out
    assert "students.csv: 4 rows, 3 valid learners" in ran.out
    assert ran.out.splitlines()[-1] == "Check: no row errors; exit status 0."
    assert university.calls() == []


def test_check_tells_every_row_error_at_once_even_of_rows_that_did_not_change(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 4))
    university.apply_once()
    university.students.set("1001", mail="no email at all")
    university.students.set("1002", given="Å\u0001se")
    university.registrations.set(f"{TEST} 1003", extra="much")
    university.exams.set(TEST, minutes="many")
    ran = university.run("check")
    assert ran.status == 1
    assert ran.out.splitlines()[-1].startswith("Check: 4 row errors; exit status 1:")
    places = (
        "students.csv line 2: email:",
        "students.csv line 3: first_name:",
        "exams.csv line 2: duration:",
    )
    assert all(place in ran.out for place in (*places, "registrations.csv line 4: extra_time:"))


def test_check_says_which_column_is_missing_and_how_many_there_are(university: University) -> None:
    university.register(TEST, "1001")
    university.feed("learner")["map"]["email"] = "epost"
    ran = university.run("check")
    assert ran.status == 4
    assert (
        "students.csv: column 'epost' is missing (it has 7 columns); correct the source or the"
        in ran.out
    )
