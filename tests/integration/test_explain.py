"""`explain` for prepared people: each has another reason, and each output names it with its rule."""

import pytest

from ..support.manual_edits import account
from ..support.university import TEST, University, numbers

FULL, HAND, MIXED = "MAT1000-H26", "PHY1000-H26", "BIO1000-H26"
LATER = {"start": "20.12.2026 09:00", "end": "20.12.2026 13:00"}
SAVE = "*/users/student"


@pytest.fixture
def prepared(university: University) -> University:
    """People in every condition, as a run has left them; the files have changed since."""
    university.allow_shrinkage()
    university.exams.add(FULL, HAND, MIXED, **LATER)
    university.students.add(*numbers(3001, 8), *numbers(2001, 1), "2003", "2006")
    university.students.add(*numbers(2010, 5), *numbers(2020, 5))
    university.register(TEST, "2005")
    university.registrations.set(f"{TEST} 2005", room="A")
    university.feed("candidate")["map"]["room"] = "room"
    university.apply_cleanly()
    university.sandbox.edit(candidate={"test": HAND, "username": "s2012"})
    university.register(FULL, *numbers(3001, 8))
    university.register(HAND, "2011", "2012", *numbers(2021, 4))
    university.apply_cleanly()
    university.at("2026-12-01T06:30")
    _refuse_and_hold(university)
    _change_files(university)
    return university


def _refuse_and_hold(university: University) -> None:
    """Apply with a name that Inspera refuses, and a new student whose login is another person's."""
    university.fail(method="POST", path=SAVE, status=400, body={"error": "the name is not taken"})
    university.students.set("2006", family="Nyfamilie")
    university.students.add("2007")
    university.sandbox.edit(
        student=account(
            university.students.rows[-1],
            firstName="Fremmed",
            lastName="Konto",
            email="fremmed@example.edu",
        )
    )
    assert university.apply().status == 3
    university.stop_failing()


def _change_files(university: University) -> None:
    """Change the files after the last run, so that each of the others has a reason of its own."""
    university.students.add("2002", status="gone")
    university.students.set("2003", feide="s2003x")
    university.registrations.set(f"{TEST} 2005", room="B")
    university.registrations.drop(*(f"{FULL} {key}" for key in numbers(3001, 5)))
    university.registrations.drop(f"{HAND} 2011", f"{HAND} 2012")
    university.registrations.add(*(f"{MIXED} {key}" for key in ("2003", "9999", "2014")))
    university.registrations.add(f"{MIXED} 2001", extra="half")
    university.registrations.add(f"{MIXED} 2010", f"{MIXED} 2020", number="7")


TRUE_REASONS = {
    ("candidate", MIXED, "2001"): ("'half' is not a whole number of minutes", 13),
    ("learner", "2002"): ("where status: 'gone' is not one of its values", 5),
    ("candidate", MIXED, "2003"): ("waits for learner 2003 (held as an identity change)", 9),
    ("candidate", FULL, "3001"): ("5 of 8", 15),
    ("candidate", TEST, "2005"): ("the test starts within 2 h", 16),
    ("learner", "2006"): ("the name is not taken", 22),
    ("learner", "2007"): ("the account in Inspera has other names and another email", 32),
    ("learner", "2003"): ("username and external_id changed on a known key", 2),
    ("candidate", MIXED, "9999"): ("no feed makes the learner '9999'", 30),
    ("candidate", MIXED, "2010"): ("candidate_id: ", 13),
    ("candidate", HAND, "2011"): ("no source names this candidate any more", 5),
    ("candidate", HAND, "2012"): ("it was in Inspera before us, so it stays there", 10),
    ("learner", "2013"): ("what is known in Inspera is what the sources want", 27),
}


def test_each_of_the_prepared_people_gets_the_true_reason_and_its_rule(
    prepared: University,
) -> None:
    wrong = {}
    for words, (reason, rule) in TRUE_REASONS.items():
        ran = prepared.run("explain", *words)
        lines = [line for line in ran.out.splitlines() if reason in line]
        if ran.status or not lines or f"(rules {rule})" not in ran.out:
            wrong[words] = ran.output
    assert not wrong, "\n\n".join(wrong.values())
