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


def test_check_lists_every_word_that_a_lookup_lacks_with_its_number(university: University) -> None:
    lookup = {"digital": "1001"}
    university.feed("test")["map"]["template"] = {"column": "template", "lookup": lookup}
    for number, word in enumerate(("paper", "oral", "digital", "paper", "take-home")):
        university.exams.add(f"INF{number}-H26", template=word)
    ran = university.run("check")
    words = "3 values not in its lookup: 'paper' (2), 'oral' (1), 'take-home' (1)"
    assert f"exams.csv: template: {words}; correct the source, or add them" in ran.out


def test_a_mistyped_setting_is_one_error_and_the_last_line_is_the_verdict(
    university: University,
) -> None:
    learners = university.feed("learner")
    learners["auth_sytem"] = learners.pop("auth_system")
    for command in ("check", "doctor"):
        ran = university.run(command)
        assert ran.err.count("feeds[1]") == 1
        assert "did you mean 'auth_system'?" in ran.err
        verdict = f"{command.title()}: not finished; exit status {ran.status}: "
        assert (ran.status, ran.out.splitlines()[-1].startswith(verdict)) == (2, True)


def test_the_verdict_names_the_sources_that_cannot_be_used(university: University) -> None:
    university.register(TEST, "1001")
    university.config["sources"]["exams"]["path"] = "missing.csv"
    verdicts = {
        "check": "Check: 1 source can't be used, no row errors; exit status 4: ",
        "doctor": "Doctor: 1 wrong, ",
    }
    for command, verdict in verdicts.items():
        last = university.run(command).out.splitlines()[-1]
        assert last.startswith(verdict)
        assert "exit status 4: " in last
