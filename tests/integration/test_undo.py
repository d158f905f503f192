"""`undo RUN`: what it takes back, what it names, and that it holds against the next run."""

import json
import re
from typing import Any

import pytest

from ..support.university import BEFORE, DURING, NEXT_DAY, OTHER, TEST, University, names, numbers

WHY = ("--why", "wrong export", "--by", "Kari")


@pytest.fixture
def full(university: University) -> University:
    """Staff, graders, panels and registrations of one test and, for another, none."""
    university.add_feeds("staff", "contributor", "committee", "option")
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 9))
    university.exams.add(OTHER)
    university.panels.add(f"{TEST} Sensur 1")
    university.assign_staff(TEST, "7001", "7002")
    university.settings.add(f"{TEST} LOCKDOWN_BROWSER", value="true")
    university.apply_once()
    return university


def contents(university: University) -> dict[str, Any]:
    """Return what the sandbox holds."""
    found: dict[str, Any] = json.loads(json.dumps(university.sandbox.contents()))
    return found


def changing_run(university: University) -> str:
    """Return the number of the newest run that has changed something."""
    (first, *_) = re.findall(r"^  (\d+) ", university.run("undo").out, re.MULTILINE)
    return str(first)


def undo(university: University, *words: str, status: int = 0) -> str:
    """Undo the newest run that has changed something."""
    result = university.run("undo", changing_run(university), *WHY, *words)
    assert result.status == status, result.output
    return result.out


def test_each_change_is_taken_back(full: University) -> None:
    before = contents(full)
    full.students.set("1001", given="Ny", mail="ny@example.edu")
    full.exams.set(TEST, name="Ny tittel")
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.register(TEST, "1003")
    full.registrations.add(f"{OTHER} 1001")
    full.registrations.drop(f"{TEST} 1004")
    full.panels.add(f"{OTHER} Sensur 2")
    full.assign_staff(OTHER, "7001")
    full.graders.drop(f"{TEST} 7002")
    full.employees.drop("7002")
    full.settings.set(f"{TEST} LOCKDOWN_BROWSER", value="false")
    full.apply_cleanly()
    assert contents(full) != before
    assert full.run("undo", changing_run(full), "--show").status == 0
    undo(full)
    assert contents(full) == before


def test_what_cannot_be_undone_is_named_with_its_reason(full: University) -> None:
    full.feed("contributor")["notify"] = True
    full.register("FYS1000-H26", "1099")
    full.settings.add(f"{OTHER} LOCKDOWN_BROWSER", value="true")
    full.assign_staff(OTHER, "7003")
    full.apply_cleanly()
    out = undo(full, "--all", status=1)
    for line in (
        "create learner 1099: Inspera has no call that deletes a learner",
        "create test FYS1000-H26: Inspera has no call that deletes a test",
        f"create option {OTHER} / LOCKDOWN_BROWSER: its former value in Inspera is not known",
        f"create contributor {OTHER} / 7003: Inspera was asked to notify them",
    ):
        assert line in out
    assert full.staff()["t7003"]["status"] == "DISABLED", "a new account is disabled"
    assert not full.contributors(OTHER)
    assert "4 not undone" in out


def test_the_next_runs_hold_what_was_undone_until_the_source_says_something_else(
    full: University,
) -> None:
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.registrations.drop(f"{TEST} 1004")
    full.students.set("1001", given="Ny")
    full.apply_cleanly()
    undo(full)
    result = full.apply()
    assert result.status == 3
    assert not full.sent()
    why = "3 undone by Kari on 2026-09-01 (run 2): wrong export; to send all of them again"
    assert f"undone changes of run 2: {why}: apply --allow" in result.out
    assert len(full.planned("held")) == 3
    full.students.set("1001", given="Åse")  # as it was before the run
    full.registrations.set(f"{TEST} 1002", extra="45")
    full.apply()
    assert full.candidates()["s1002"]["extraTimeMins"] == 45
    assert full.planned() == [f"remove candidate {TEST}/1004"]
    full.registrations.add(f"{TEST} 1004")
    full.apply_cleanly()
    full.registrations.drop(f"{TEST} 1004")  # now it is another decision of the source
    assert full.planned("pass") == [f"remove candidate {TEST}/1004"]


def test_what_was_undone_stays_so_when_a_feed_maps_one_more_field(full: University) -> None:
    full.register(TEST, "1010", "1011")
    full.apply_cleanly()
    undo(full, status=1)  # nobody can delete the two learners
    full.at(NEXT_DAY)
    full.feed("candidate")["map"]["room"] = "room"
    for learner in ("1010", "1011"):
        full.registrations.set(f"{TEST} {learner}", room="A")
    for _ in range(2):  # also once a run has stored what it read
        assert full.apply().status == 3
    assert not {"s1010", "s1011"} & set(full.candidates())
    full.registrations.drop(f"{TEST} 1010", f"{TEST} 1011")
    full.apply_cleanly()


def test_an_undone_change_is_sent_again_by_its_hash(full: University) -> None:
    full.registrations.drop(f"{TEST} 1004")
    full.apply_cleanly()
    undo(full)
    assert full.apply("--allow", full.plan().allow_hash).status == 0
    assert "s1004" not in full.candidates()
    full.registrations.add(f"{TEST} 1004")
    full.apply_cleanly()
    assert not full.planned()


def test_all_that_was_undone_of_a_run_is_sent_again_by_one_hash(full: University) -> None:
    full.registrations.drop(f"{TEST} 1004")
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.apply_cleanly()
    after = contents(full)
    undo(full)
    assert full.apply("--allow", full.plan().allow_hash).status == 0
    assert contents(full) == after
    full.apply_cleanly()
    assert not full.sent()


def test_an_undone_change_can_be_approved_and_is_explained(full: University) -> None:
    full.registrations.drop(f"{TEST} 1004")
    full.apply_cleanly()
    undo(full)
    assert full.apply().status == 3
    assert "undone by Kari" in full.run("held").out
    explained = full.run("explain", "candidate", TEST, "1004").out
    assert "undone by Kari" in explained
    assert "rules 11" in explained
    digest = full.plan().allow_hash
    assert full.run("approve", digest, "--why", "it was right").status == 0
    assert "s1004" not in full.candidates()
    full.registrations.add(f"{TEST} 1004")
    full.apply_cleanly()
    full.registrations.drop(f"{TEST} 1004")
    assert full.planned("pass") == [f"remove candidate {TEST}/1004"]


def test_an_undo_of_an_undo_brings_everything_back(full: University) -> None:
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.registrations.drop(f"{TEST} 1004")
    full.registrations.add(f"{OTHER} 1001")
    full.assign_staff(OTHER, "7003")
    full.apply_cleanly()
    after = contents(full)
    undo(full)
    assert contents(full) != after
    undo(full)
    assert contents(full) == after
    assert full.apply_cleanly()
    assert not full.sent()


def test_a_change_that_a_later_run_has_changed_again_is_skipped(full: University) -> None:
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.registrations.set(f"{TEST} 1003", extra="30")
    full.apply_cleanly()
    full.registrations.set(f"{TEST} 1002", extra="45")
    full.apply_cleanly()
    result = full.run("undo", "2", *WHY)
    assert result.status == 1
    assert f"update candidate {TEST} / 1002: run 3 has changed it again" in result.out
    minutes = {name: one["extraTimeMins"] for name, one in full.candidates().items()}
    assert (minutes["s1002"], minutes["s1003"]) == (45, 0)


def test_the_guard_judges_an_undo_as_any_run(full: University) -> None:
    full.register(OTHER, *numbers(1101, 20))
    full.apply_cleanly()
    result = full.run("undo", "2", *WHY)
    assert result.status == 3
    assert len(full.candidates(OTHER)) == 20
    whole = r"all held removals: .*undo 2 --allow (\w+)$"
    (digest,) = re.findall(whole, result.out, re.MULTILINE)
    assert "apply --allow" not in result.out
    assert "apply --allow" not in json.dumps(full.status())
    assert full.run("undo", "2", *WHY, "--allow", "nothing").status == 2
    full.run("undo", "2", *WHY, "--allow", digest)
    assert not full.candidates(OTHER)
    again = full.run("undo", "2", *WHY)
    assert again.out.startswith("Nothing to undo.")
    assert "create candidate" not in again.out


def test_what_is_protected_stays_as_it_is(full: University) -> None:
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.registrations.set(f"{TEST} 1003", extra="30")
    full.apply_cleanly()
    full.config["protect"] = [{"person": "1002", "why": "appeal", "until": "2027-01-01"}]
    assert "appeal" in undo(full, status=1)
    minutes = {name: one["extraTimeMins"] for name, one in full.candidates().items()}
    assert (minutes["s1002"], minutes["s1003"]) == (30, 0)


def test_nothing_is_taken_off_a_test_that_has_begun(full: University) -> None:
    full.registrations.add(f"{OTHER} 1001")
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.apply_cleanly()
    full.at(DURING)
    out = undo(full, status=1)
    assert not full.sent()
    assert "the test has begun: its candidates stay" in out
    assert "it would take extra time away" in out
    assert "Not undone yet: 2 deferred or waiting; run `undo 2` again" in out


def test_candidate_numbers_change_back_in_order(full: University) -> None:
    full.registrations.set(f"{TEST} 1001", number="1")
    full.registrations.set(f"{TEST} 1002", number="2")
    full.apply_cleanly()
    before = contents(full)
    full.registrations.set(f"{TEST} 1001", number="2")
    full.registrations.drop(f"{TEST} 1002")
    full.registrations.set(f"{TEST} 1003", number="1")
    full.apply_cleanly()
    # A number that is only cleared is free in the next run (rules 36).
    assert "run `undo 3` again" in undo(full, status=1)
    assert full.run("undo", "3", *WHY).status == 0
    assert contents(full) == before


def test_an_undo_that_failed_leaves_nothing_behind_that_a_run_would_hold(full: University) -> None:
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.apply_cleanly()
    full.fail(path="*/candidates", status=503, times=99)
    full.run("undo", "2", *WHY)
    full.stop_failing()
    full.apply_cleanly()
    assert full.candidates()["s1002"]["extraTimeMins"] == 30


def test_undo_names_itself_and_refuses_what_it_cannot_do(full: University) -> None:
    assert "--why TEXT is missing" in full.run("undo", "1").err
    assert "undo 99: unknown run" in full.run("undo", "99", *WHY).err
    full.run("pause")
    assert full.run("undo", "1", *WHY).status == 3
    full.run("resume")
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.apply_cleanly()
    undo(full)
    assert full.status()["runs"][0]["command"] == "undo 2"
    assert full.run("undo").out.splitlines()[1:4] == [
        f"  3 undo 2 {BEFORE}:00Z: 1 change",
        f"  2 apply {BEFORE}:00Z: 1 change",
        f"  1 apply {BEFORE}:00Z: 26 changes",
    ]


def test_show_changes_nothing(full: University) -> None:
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.at(NEXT_DAY)
    full.apply_cleanly()
    state, before = full.state.read_bytes(), contents(full)
    out = full.run("undo", "2", "--show").out
    assert "Would undo:" in out
    assert f"update candidate {TEST} / 1002: extra_time 30 → 0" in out
    assert not full.calls()
    assert (full.state.read_bytes(), contents(full)) == (state, before)
    assert names(["1002"]) <= set(full.candidates())


TESTS = [f"KURS{number}-H26" for number in range(6)]


@pytest.fixture
def large(university: University) -> University:
    """280 learners, 100 on each of six tests, 30 staff, of whom five grade each test."""
    university.add_feeds("staff", "contributor", "committee", "option")
    university.allow_shrinkage()
    university.config |= {"verify": "none", "existing": {"look_up_learners": False}}
    university.students.add(*numbers(1000, 280))
    university.employees.add(*numbers(7000, 30))
    for number, test in enumerate(TESTS):
        university.exams.add(test)
        university.registrations.add(*(f"{test} {n}" for n in numbers(1000 + 20 * number, 100)))
        university.panels.add(f"{test} Sensur 1")
        staff = numbers(7000 + 5 * number, 5)
        university.graders.add(*(f"{test} {n}" for n in staff), committees="Sensur 1")
        university.settings.add(f"{test} LOCKDOWN_BROWSER", value="true")
    university.apply_once()
    return university


def change_a_thousand(university: University) -> None:
    """Change about 1,000 records of all kinds, in all ways that can be undone, and add two."""
    for key in numbers(1000, 40):
        university.students.set(key, family="Ny")
    for number, test in enumerate(TESTS):
        first, more = 1000 + 20 * number, numbers(1205, 75)
        for learner in numbers(first, 65):
            university.registrations.set(f"{test} {learner}", extra="15")
        university.registrations.drop(*(f"{test} {learner}" for learner in numbers(first + 70, 20)))
        university.registrations.add(*(f"{test} {learner}" for learner in more))
        staff = numbers(7000 + 5 * number, 5)
        university.graders.set(f"{test} {staff[0]}", duties="plan")
        university.graders.drop(f"{test} {staff[1]}")
        university.employees.drop(staff[1])
        university.panels.add(f"{test} Sensur 2")
        university.employees.set(staff[2], family="Ny")
        university.graders.set(f"{test} {staff[3]}", committees="Sensur 2")
        university.exams.set(test, name="Ny tittel")
        university.settings.set(f"{test} LOCKDOWN_BROWSER", value="false")
    university.students.add("1999")
    university.register(TESTS[0], "1999")
    university.exams.add("NY1000-H26")


def allowed(output: str) -> list[str]:
    """Return `--allow` with every hash that a plan names."""
    digests = sorted(set(re.findall(r"--allow (\w+)", output)))
    return [word for digest in digests for word in ("--allow", digest)]


def test_the_undo_of_a_thousand_changes_restores_all_but_what_it_names(large: University) -> None:
    before = contents(large)
    change_a_thousand(large)
    ran = large.run("apply", *allowed(large.plan().out))
    assert ran.status == 0, ran.output
    shown = large.run("undo", "2", "--show", "--all")
    result = large.run("undo", "2", *WHY, "--all", *allowed(shown.out))
    assert result.status == 1, result.output[-2000:]
    after = contents(large)
    named = re.findall(r"^  create (\w+) (\S+): Inspera has no call", result.out, re.MULTILINE)
    assert named == [("learner", "1999"), ("test", "NY1000-H26")]
    after["students"] = [one for one in after["students"] if one["username"] != "s1999"]
    after["tests"] = [one for one in after["tests"] if one["externalTestId"] != "NY1000-H26"]
    assert after == before
    changes = large.run("undo").out.splitlines()
    assert changes[1].endswith("changes")
    assert int(re.sub(r"\D", "", changes[2].rpartition(":")[2])) >= 1000
    held = large.apply()
    assert held.status == 3
    assert not large.sent()


def test_the_hash_of_what_was_undone_opens_nothing_else(full: University) -> None:
    full.register(TEST, *numbers(1001, 12))
    full.allow_shrinkage()
    full.apply_cleanly()
    full.registrations.drop(f"{TEST} 1012")
    full.apply_cleanly()
    (last,) = re.findall(r"newest first:\n  (\d+) apply", full.run("undo").out)
    assert full.run("undo", last, *WHY).status == 0
    (digest,) = re.findall(r"undone by .*apply --allow (\w+)", full.apply().out)
    full.config["protect"] = [{"test": TEST, "why": "under review", "until": "2026-12-31"}]
    assert full.apply("--allow", digest).status == 2
    del full.config["protect"]
    full.registrations.raw = b""
    assert full.apply("--allow", digest).status == 2
    assert "s1012" in full.candidates()


def test_a_feed_that_maps_one_more_field_releases_nothing_that_was_undone(
    full: University,
) -> None:
    full.registrations.set(f"{TEST} 1002", extra="30")
    full.register(TEST, "1050")
    full.apply_cleanly()
    undo(full, status=1)  # the learner stays
    full.feed("candidate")["map"]["building"] = {"constant": "Hus 1"}
    held = full.planned("held")
    assert f"create candidate {TEST}/1050" in held
    assert f"update candidate {TEST}/1002" in held
    full.apply()
    assert "s1050" not in full.candidates()
    assert full.candidates()["s1002"]["extraTimeMins"] == 0
    full.registrations.set(f"{TEST} 1002", extra="45")  # the source says something else
    full.apply()
    assert full.candidates()["s1002"]["extraTimeMins"] == 45
