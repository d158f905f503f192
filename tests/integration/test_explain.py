"""`explain` for prepared people: each has another reason, and each output names it with its rule."""

import json
import sqlite3
from typing import Any

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


def explained(university: University, *words: str) -> dict[str, Any]:
    """Return the one explanation as JSON."""
    document = json.loads(university.run("explain", *words, "--json").out)
    (record,) = document["records"]
    return dict(record)


def test_it_sends_nothing_and_leaves_the_state_as_it_is(prepared: University) -> None:
    before = prepared.state.read_bytes()
    prepared.run("explain", "learner", "2006")
    assert prepared.calls() == []
    assert prepared.state.read_bytes() == before


def test_json_has_the_way_of_each_field_the_plan_and_the_vendors_words(
    prepared: University,
) -> None:
    record = explained(prepared, "2006")
    (row,) = record["rows"]
    assert (row["place"], row["selected"]) == (
        f"students.csv line {_line_of(prepared, '2006')}",
        True,
    )
    ways = {way["field"]: way for way in row["fields"]}
    assert ways["last_name"]["cells"] == {"family": "Nyfamilie"}
    assert record["change"]["changed"] == {"last_name": ["Øvelsesen", "Nyfamilie"]}
    assert (record["change"]["verdict"], record["change"]["rule"]) == ("deferred", 22)
    assert [(call["action"], call["outcome"]) for call in record["calls"]] == [
        ("update", "refused"),
        ("create", "done"),
    ]
    assert "the name is not taken" in record["calls"][0]["message"]
    assert record["known"]["origin"] == "put there by run 1 (apply) at 2026-09-01T08:00:00Z"


def _line_of(university: University, learner: str) -> int:
    return university.students.line(learner)


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_redacted_it_names_nobody_but_keeps_the_keys(
    prepared: University, words: tuple[str, ...]
) -> None:
    prepared.fail(method="POST", path=SAVE, status=400, body={"error": "s2006 Gudrún: no"})
    prepared.apply("--retry-refused")
    for record in (("2006",), ("2003",), ("candidate", MIXED, "2003")):
        ran = prepared.run("explain", *record, "--redact", *words)
        for value in ("s2006", "s2003", "Gudrún", "Nyfamilie", "Øvelsesen", "@example.edu"):
            assert value not in ran.output
        assert record[-1] in ran.output
    assert "keys are not" in prepared.run("explain", "2006", "--redact").out


@pytest.mark.parametrize(
    ("asked", "near"), [("02013", "2013"), ("2O13", "2013"), ("20131", "2013"), ("2031", "2013")]
)
def test_an_unknown_key_names_those_that_are_nearly_it_and_the_feeds_that_were_read(
    prepared: University, asked: str, near: str
) -> None:
    ran = prepared.run("explain", "learner", asked)
    assert ran.status == 1
    assert f"{near} (students.csv line {_line_of(prepared, near)})" in ran.out
    assert "feeds[1] students.csv" in ran.out


def test_a_key_that_names_a_learner_and_staff_asks_for_the_kind(university: University) -> None:
    university.add_feeds("staff")
    university.students.add("1001")
    university.employees.add("1001")
    ran = university.run("explain", "1001")
    assert ran.status == 2
    assert "`explain learner 1001` or `explain staff 1001`" in ran.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("lerner", "1"), "'lerner' is not a kind of record"),
        (("candidate", "1"), "a candidate is named by 2 keys: explain candidate TEST LEARNER"),
    ],
)
def test_words_that_name_no_record_are_an_error_of_usage(
    university: University, words: tuple[str, ...], text: str
) -> None:
    ran = university.run("explain", *words)
    assert (ran.status, text in ran.err) == (2, True)


def test_joined_rows_are_named_and_secrets_are_hidden(university: University) -> None:
    university.config["sources"]["rooms"] = {"type": "csv", "path": "employees.csv"}
    university.employees.add("1001", given="Aud 1", secret="geheim-9")
    university.employees.write()
    university.written_files.add(university.employees.path)
    candidates = university.feed("candidate")
    candidates["join"] = {"rooms": {"by": {"student_no": "employee_no"}}}
    candidates["map"]["room"] = "rooms.given"
    university.feed("learner")["map"]["password"] = "secret"
    university.register(TEST, "1001", "1002")
    university.students.set("1001", secret="geheim-8")
    (row,) = explained(university, "candidate", TEST, "1001")["rows"]
    assert row["joined"] == {"employees.csv line 2": {"rooms.given": "Aud 1"}}
    (other,) = explained(university, "candidate", TEST, "1002")["rows"]
    assert other["joined"] == {"employees.csv: no row": {}}
    assert "geheim" not in university.run("explain", "1001").output


def test_a_key_that_comes_from_a_joined_source_is_found(university: University) -> None:
    university.config["sources"]["people"] = {"type": "csv", "path": "employees.csv"}
    university.employees.add("7", feide="1001")
    university.employees.write()
    candidates = university.feed("candidate")
    candidates["join"] = {"people": {"by": {"student_no": "employee_no"}}}
    candidates["map"]["learner"] = "people.feide"
    university.register(TEST, "1001")
    university.registrations.set(f"{TEST} 1001", student_no="7")
    (row,) = explained(university, "candidate", TEST, "1001")["rows"]
    assert (row["place"], row["outcome"]) == ("registrations.csv line 2", "a record")


def test_decisions_of_people_are_shown(seated: University) -> None:
    with sqlite3.connect(seated.state) as state:
        state.execute(
            "INSERT INTO decision (digest, kind, k1, k2, verdict, person, why, at, expires)"
            " VALUES ('abc', 'learner', '1001', '', 'approved', 'kari', 'asked',"
            " '2026-09-01T08:00:00Z', '2026-09-02T08:00:00Z')"
        )
    state.close()
    out = seated.run("explain", "1001").out
    assert "approved by kari: asked (until 2026-09-02T08:00:00Z)" in out


def test_what_a_person_has_rejected_is_named_with_its_rule(prepared: University) -> None:
    assert prepared.apply().status == 3
    (hold,) = [
        one
        for one in json.loads(prepared.run("held", "--json").out)["holds"]
        if any(change["key"] == ["2003"] for change in one["changes"])
    ]
    why = ("--why", "not theirs", "--by", "kari", "--only", "2003")
    assert prepared.run("reject", hold["id"], *why).status == 0
    out = prepared.run("explain", "learner", "2003").out
    assert "rejected by kari: not theirs" in out
    assert "(rules 11)" in out
