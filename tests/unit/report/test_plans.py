"""Plans for people and programs: capped with counts, streamed, without names, numbers masked."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.planning.limits import HeldScope, Scope
from sync.planning.limits import Limit as GuardLimit
from sync.records.base import Kind, RowError
from sync.records.changes import Action, Change, Fields, PlannedChange, Verdict
from sync.report.lines import Line, capped
from sync.report.plan_json import plan_json
from sync.report.plan_text import plan_text, row_errors_text, scopes_text, summary_text
from sync.report.run_text import figures_text, finding_row, outcomes_text
from sync.state.compare.plan_reader import ScopeGroup
from sync.state.history import PastFinding

STOPPED = (Verdict.WAITING, Verdict.DEFERRED, Verdict.HELD)

NUMBERS = ("01019912345", "010199-1234", "0101991234", "19990101-1234", "010199-123A")
"""Shapes of national identity numbers; none is anybody's."""
PERSON = {"first_name": "Åse", "last_name": "Prøvesen", "email": "ase.provesen@example.edu"}


def a_line(change: Change, verdict: Verdict = Verdict.PASS, reason: str = "") -> PlannedChange:
    return PlannedChange(1, change, verdict, reason, "", "0", 1, None, "a-password")


def learner(number: str = "1001", verdict: Verdict = Verdict.PASS) -> PlannedChange:
    before = {
        "first_name": "Ola",
        "last_name": "Øvelsesen",
        "email": "ola@example.edu",
        "username": "old",
    }
    after = {**PERSON, "username": number}
    change = Change(
        Action.UPDATE, Kind.LEARNER, (number,), before, after, tuple(after), "students.csv line 2"
    )
    return a_line(change, verdict, f"waits for learner {number}")


def a_group(*lines: PlannedChange) -> ScopeGroup:
    return ScopeGroup(lines[0].reason, len(lines), lines)


def a_row_error(number: str) -> RowError:
    return RowError(
        f"{number}.csv line 3", "email", f"{number} is bad", "correct it", Kind.LEARNER, (number,)
    )


def texts(number: str) -> str:
    row_errors = [a_row_error(number)]
    finding = PastFinding(
        "refused", Kind.LEARNER, (number,), f"{number}.csv line 3", f"Inspera said no to {number}"
    )
    lines = [
        *plan_text(
            [learner(number)],
            {verdict: [a_group(learner(number, verdict))] for verdict in STOPPED},
            None,
        ),
        *row_errors_text(row_errors, None),
        *outcomes_text([finding], None),
        finding_row(finding),
    ]
    return "\n".join(lines)


def as_json(number: str) -> str:
    return "".join(plan_json([learner(number)], [a_row_error(number)], {"changes": 1}))


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("told", [texts, as_json])
def test_national_identity_numbers_are_masked_wherever_they_stand(number: str, told: Any) -> None:
    assert number not in told(number)
    hidden = number[:4] + re.sub(r"\w", "*", number[4:])  # what stands between its groups is kept
    assert hidden in told(number)
    assert "100123" in told("100123")


@pytest.mark.parametrize("told", [texts, as_json])
def test_nobodys_name_or_address_is_reported_only_that_it_changes(told: Any) -> None:
    printed = told("1001")
    for secret in (*PERSON.values(), "Ola", "Øvelsesen", "ola@example.edu", "a-password"):
        assert secret not in printed
    for name in PERSON:
        assert name in printed


def test_what_is_nobodys_secret_is_shown_old_and_new() -> None:
    before: Fields = {"title": "Øving", "duration": None}
    after: Fields = {"title": "Prøve", "duration": 60}
    change = Change(
        Action.UPDATE,
        Kind.TEST,
        ("INF1000",),
        before,
        after,
        ("title", "duration"),
        "exams.csv line 2",
    )
    (_, _, text) = plan_text([a_line(change)], {})
    assert (
        text
        == "  update test INF1000: title Øving → Prøve, duration (nothing) → 60 (exams.csv line 2)"
    )


@given(st.integers(0, 30), st.integers(1, 30))
def test_a_long_list_is_cut_and_says_how_many_are_left(length: int, most: int) -> None:
    lines = list(capped((Line(str(n)) for n in range(length)), most))
    assert lines[:most] == [str(n) for n in range(min(length, most))]
    assert lines[most:] == (
        [f"  … and {length - most} more (--all shows them)"] if length > most else []
    )
    assert list(capped((Line(str(n)) for n in range(length)), None)) == [
        str(n) for n in range(length)
    ]


def test_each_verdict_has_a_list_of_its_own_and_only_what_does_not_pass_gives_reasons() -> None:
    groups = {verdict: [a_group(*[learner(verdict=verdict)] * 3)] for verdict in STOPPED}
    text: list[str] = list(plan_text([learner()] * 3, groups, 2))
    assert [line for line in text if line.endswith(":")] == [
        "Would do:",
        "Waiting for something else first:",
        "Deferred (clears by itself):",
        "Held for a person to decide:",
    ]
    assert text.count("  … and 1 more (--all shows them)") == 1
    assert text.count("  update 3 learners: waits for learner 1001; 1001, 1001, 1001") == 3


def test_changes_of_one_cause_are_one_line_and_all_shows_each() -> None:
    lines = [learner(str(number), Verdict.WAITING) for number in range(1001, 1006)]
    group = ScopeGroup("waits for learner …", 262, lines)
    assert list(plan_text([], {Verdict.WAITING: [group]}))[2:] == [
        "  update 262 learners: waits for learner …; first 1001, 1002, 1003 (--all shows all)"
    ]
    every = list(plan_text([], {Verdict.WAITING: [a_group(*lines)]}, None))
    assert every[2] == "  update 5 learners: waits for learner 1001"
    assert [line[:24] for line in every[3:]] == [
        f"    update learner {n}:" for n in range(1001, 1006)
    ]


def test_a_group_of_several_kinds_names_the_kind_of_each() -> None:
    other = replace(learner("7"), change=replace(learner("7").change, kind=Kind.STAFF))
    group = ScopeGroup("why", 2, [learner("1001"), other], alike=False)
    assert list(plan_text([], {Verdict.HELD: [group]}))[2:] == [
        "  2 changes: why; learner 1001, staff 7"
    ]


def test_row_errors_that_differ_only_in_quoted_values_are_one_line() -> None:
    def row_error(line: int, value: str) -> RowError:
        reason = f"{value!r} is not a whole number of minutes"
        return RowError(f"r.csv line {line}", "extra_time", reason, "correct it", Kind.CANDIDATE)

    several = [row_error(2, "half"), a_row_error("1001"), row_error(4, "a lot"), row_error(5, "x")]
    assert list(row_errors_text(several))[2:] == [
        "  r.csv line 2 and 2 more rows: extra_time: 'half' is not a whole number of minutes; "
        "correct it",
        "  1001.csv line 3: email: 1001 is bad; correct it",
    ]
    assert len(list(row_errors_text(several, None))) == 2 + 4
    assert list(row_errors_text(several, 1))[-1] == "  … and 1 more (--all shows them)"


def test_findings_of_one_cause_are_one_line_and_all_shows_each() -> None:
    found = [
        PastFinding("waiting", Kind.CANDIDATE, ("T", str(n)), "", f"waits for learner {n} (held)")
        for n in range(1, 6)
    ]
    assert list(outcomes_text(found, 50))[2:] == [
        "  waiting: 5 candidates: waits for learner … (held); "
        "first T / 1, T / 2, T / 3 (--all shows all)"
    ]
    assert len(list(outcomes_text(found, None))) == 2 + 5


def test_a_reason_that_one_change_has_stands_behind_it_and_many_reasons_are_cut() -> None:
    groups = [a_group(learner(str(number), Verdict.HELD)) for number in range(1001, 1005)]
    text = list(plan_text([], {Verdict.HELD: groups}, 2))
    assert [line.split(": ")[-1] for line in text[2:4]] == [
        "waits for learner 1001",
        "waits for learner 1002",
    ]
    assert text[4:] == ["  … and more (--all shows them)"]
    assert len(list(plan_text([], {Verdict.HELD: groups}, None))) == 6


def test_an_empty_plan_says_that_there_is_nothing_to_do() -> None:
    assert list(plan_text([], {Verdict.HELD: []})) == [
        "Nothing to do: as far as this state knows, Inspera matches the sources."
    ]
    (told,) = plan_text([], {Verdict.HELD: []}, sound=False)
    assert "matches the sources" not in told
    assert list(row_errors_text([])) == []
    assert list(scopes_text([])) == []


def test_a_held_scope_gives_its_arithmetic_and_its_hash_or_says_that_it_is_allowed() -> None:
    scope = Scope("removals of candidate", 9, 9, GuardLimit(3, 25))
    held, allowed = (HeldScope(scope, scope.excess(), "abc123", said) for said in (False, True))
    lines = list(scopes_text([held, allowed]))
    assert lines[2] == (
        "  removals of candidate: 9 of 9 known: none would remain; if it is right: apply --allow "
        "abc123"
    )
    assert lines[3].endswith("; allowed for this run")


def test_of_many_held_scopes_the_first_are_shown() -> None:
    scopes = [
        HeldScope(
            Scope(f"removals on test FAG{n}", 9, 9, GuardLimit(3, 25)), "too many", f"{n}", False
        )
        for n in range(60)
    ]
    lines = list(scopes_text(scopes, 50))
    assert lines[-1] == "  … and 10 more (--all shows them)"
    assert sum("apply --allow" in line for line in lines) == 50


def test_the_summary_counts_everything_in_one_line() -> None:
    tally = {
        (Kind.LEARNER, Action.CREATE, Verdict.PASS): 1_200,
        (Kind.TEST, Action.CREATE, Verdict.PASS): 1,
        (Kind.CANDIDATE, Action.REMOVE, Verdict.HELD): 9,
        (Kind.CANDIDATE, Action.CREATE, Verdict.WAITING): 2,
    }
    assert summary_text(tally, 1, 3) == (
        "Summary: create 1,200 learners, create 1 test; 2 waiting; 9 held; 1 row error; "
        "3 registrations of retired tests ignored."
    )
    assert summary_text({}, 0, 0) == "Summary: no change; 0 row errors."


words = st.text(max_size=20)


@given(st.lists(st.tuples(words, words), max_size=4), st.lists(words, max_size=3))
def test_the_json_is_one_valid_object_whatever_it_holds(
    lines: list[tuple[str, str]], row_errors: list[str]
) -> None:
    planned = [
        a_line(
            Change(
                Action.UPDATE, Kind.TEST, (key,), {"title": None}, {"title": title}, ("title",), key
            )
        )
        for key, title in lines
    ]
    told = json.loads(
        "".join(plan_json(planned, map(a_row_error, row_errors), {"changes": len(lines)}))
    )
    assert list(told) == ["version", "changes", "row_errors", "clashes", "summary"]
    assert [len(told["changes"]), len(told["row_errors"])] == [len(lines), len(row_errors)]
    assert told["summary"] == {"changes": len(lines)}
    assert all(
        change["action"] == "update" and change["kind"] == "test" for change in told["changes"]
    )


def test_the_json_holds_old_and_new_values_by_field() -> None:
    change = Change(
        Action.UPDATE,
        Kind.TEST,
        ("Ø-1",),
        {"title": "a"},
        {"title": "b"},
        ("title",),
        "exams.csv line 2",
    )
    (told,) = json.loads("".join(plan_json([a_line(change)], [], {})))["changes"]
    assert told["changed"] == {"title": ["a", "b"]}
    assert (told["key"], told["where"]) == (["Ø-1"], "exams.csv line 2")
    (hidden,) = json.loads(as_json("1001"))["changes"]
    assert hidden["changed"] | dict.fromkeys(PERSON) == hidden["changed"]


def test_the_json_is_written_as_it_is_read() -> None:
    read = []

    def planned() -> Iterator[PlannedChange]:
        for number in range(3):
            read.append(number)
            yield learner(str(number))

    pieces = plan_json(planned(), [], {})
    assert read == []
    next(pieces)
    next(pieces)
    assert read == [0]
    assert len(list(pieces)) >= 2
    assert read == [0, 1, 2]


def test_a_runs_report_names_what_was_not_carried_out_and_counts_what_it_cuts() -> None:
    found = [
        PastFinding(type_, Kind.TEST, ("INF1000",), "", f"is {type_}")
        for type_ in ("refused", "unknown")
    ]
    assert list(outcomes_text([], None)) == []
    assert list(outcomes_text(found, 1)) == [
        "",
        "Not carried out, or not as planned:",
        "  refused: test INF1000: is refused",
        "  … and 1 more (--all shows them)",
    ]


def test_a_run_that_was_stopped_before_its_plan_does_not_say_that_there_is_nothing_to_do() -> None:
    assert figures_text({"not sent": 0}, complete=True) == "nothing to do"
    assert figures_text({}, complete=False) == "nothing was sent"
