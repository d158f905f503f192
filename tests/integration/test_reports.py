"""`status`, `check` and `plan` say what is so: why a run stopped, what is valid, and one cause in one place."""

import pytest

from ..support.university import TEST, University, numbers


def reasons(university: University) -> str:
    reason: str = university.status()["runs"][0]["reason"]
    return reason


def test_a_missing_file_stays_with_the_run_that_it_stopped(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    university.config["sources"]["students"]["path"] = "no-such.csv"
    assert university.apply().status == 4
    assert "no-such.csv" in reasons(university)
    assert "    because: " in university.run("status").out
    university.config["sources"]["students"]["path"] = "students.csv"
    university.apply_cleanly()
    assert reasons(university) == ""


def test_a_refused_key_stays_with_the_run_that_it_stopped(university: University) -> None:
    university.register(TEST, "1001")
    (university.folder / "api-key").write_text("another-key\n")
    ran = university.apply()
    assert ran.status == 5
    assert "the API key is refused" in reasons(university)
    last = ran.out.splitlines()[-1]
    assert last.endswith("exit status 5: Inspera can't be reached, or refuses the key.")


def test_a_key_that_is_not_there_stays_with_the_run_that_it_stopped(university: University) -> None:
    university.register(TEST, "1001")
    university.config["inspera"]["api_key"] = "${file:no-such-key}"
    assert university.apply().status == 2
    assert "names a file that does not exist" in reasons(university)


@pytest.mark.parametrize("content", [None, ""])
def test_check_finds_a_key_file_that_is_missing_or_empty_and_reads_on(
    university: University, content: str | None
) -> None:
    university.register(TEST, "1001")
    university.config["inspera"]["api_key"] = "${file:other-key}"
    if content is not None:
        (university.folder / "other-key").write_text(content)
    ran = university.run("check")
    assert ran.status == 2
    assert "Configuration: inspera.api_key: ${file:other-key}" in ran.out
    assert "students.csv: 1 row, 1 valid learner" in ran.out
    assert ran.out.splitlines()[-1].startswith(
        "Check: 1 secret can't be read, no row errors; exit status 2:"
    )


def test_check_counts_valid_rows_apart_from_invalid_ones(university: University) -> None:
    university.register(TEST, *numbers(1001, 5))
    university.students.set("1001", feide="s\u200bx")
    university.students.set("1002", given="Å\u0001se")
    out = university.run("check").out
    assert "students.csv: 5 rows, 3 valid learners, 2 rows in error" in out
    assert "exams.csv: 1 row, 1 valid test\n" in out


def test_a_limit_says_its_arithmetic_once_for_all_that_it_holds(university: University) -> None:
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 40))
    university.apply_once()
    university.registrations.drop(*(f"{TEST} {learner}" for learner in numbers(1001, 30)))
    for command in ("plan", "status"):
        if command == "status":
            assert university.apply().status == 3
        out = university.run(command).out
        assert out.count("30 of 40 known") <= 3, out  # the reason, and each scope over its limit
        assert "remove 30 candidates: " in out or "held: 30 candidates: " in out


def test_changes_that_wait_for_one_cause_are_one_line_and_all_lists_each(
    university: University,
) -> None:
    university.register(TEST, *numbers(1001, 8))
    for learner in numbers(1001, 5):
        university.students.set(learner, feide="s\u200bx")
    why = "waits for learner … (its row has an error); first"
    plan = university.run("plan").out
    assert f"  create 5 candidates: {why} {TEST} / 1001, " in plan
    assert plan.count("its row has an error") == 1
    assert university.plan().out.count("its row has an error") == 5
    university.apply()
    assert f"  waiting: 5 candidates: {why} {TEST} / 1001, " in university.run("status").out


def test_people_alone_are_no_lost_state_and_are_taken_in_as_found(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.apply_once()
    for file in university.folder.glob(
        "state.db*"
    ):  # a new machine: what was there is somebody else's
        file.unlink()
    university.keep_feeds("learner")
    ran = university.apply()
    assert ran.status == 0, ran.output
    assert "Inspera already has 2 of the 2 people looked up: they count as found" in ran.out
    assert "adopt --managed" in ran.out
    assert "lost state: nothing" not in ran.out


def test_the_last_line_of_plan_bears_its_exit_status(university: University) -> None:
    university.register(TEST, "1001")
    assert university.run("plan").out.splitlines()[-1].endswith("0 row errors; exit status 0.")
    assert (
        university.run("plan", "--exit-code")
        .out.splitlines()[-1]
        .endswith("0 row errors; exit status 10.")
    )
    university.students.set("1001", given="Å\u0001se")
    last = university.run("plan").out.splitlines()[-1]
    assert "exit status 1: a row is in error and a change waits." in last


@pytest.mark.parametrize("trouble", ["row", "source"])
def test_where_something_could_not_be_used_no_command_says_that_inspera_is_as_the_sources_say(
    university: University, trouble: str
) -> None:
    university.register(TEST, *numbers(1001, 5))
    assert "matches the sources" in university.apply_cleanly().out + university.apply_cleanly().out
    if trouble == "row":
        university.exams.set(TEST, end="01.12.2026 24:00")
    else:
        university.students.raw = b"\xff\xfes\0"
    for words in (("plan",), ("apply",), ("apply",)):
        ran = university.run(*words)
        assert ran.status == (1 if trouble == "row" else 4), ran.output
        assert "matches the sources" not in ran.out
