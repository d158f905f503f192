"""The judge of day two's plan: all that was planted must be in it and in its text, and no more."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Script = Callable[..., CompletedProcess[str]]


def change(action: str, kind: str, key: list[str], where: str, **changed: Any) -> dict[str, Any]:
    more = {"verdict": "pass", "reason": "", "where": where, "changed": changed}
    return {"action": action, "kind": kind, "key": key, **more}


def row(file: str, line: int, *key: str, **more: Any) -> dict[str, Any]:
    return {"file": file, "line": line, "key": list(key), **more}


EARLY, LATE = "2026-10-01T07:00:00Z", "2026-10-02T07:00:00Z"
LOCK, PIN = "LOCKDOWN_BROWSER", "SEB_SETTINGS_PINCODE"
BOTH = ["A", "Komité Å"]


@dataclass
class Case:
    """A small day two with the plan that answers to it, all of it open to change."""

    planted: dict[str, Any] = field(
        default_factory=lambda: {
            "today": "2026-08-20",
            "new_learners": [row("students.csv", 9, "104")],
            "changed_email": [row("students.csv", 3, "101", changed={"email": None})],
            "hired": [row("staff.csv", 8, "A7")],
            "left": [row("staff.csv", 5, "A4")],
            "struck_off": [row("staff.csv", 3, "A2", day=1)],
            "moved": [row("exams.csv", 2, "DEMO1-H26", changed={"start": [EARLY, LATE]})],
            "option_changed": [
                row("exams.csv", 4, "DEMO3-H26", LOCK, changed={"value": ["false", "true"]})
            ],
            "pin_changed": [row("exams.csv", 5, "DEMO4-H26", PIN, changed={"value": None})],
            "committee_added": [row("contributors.csv", 6, "DEMO5-H26", "Komité Å")],
            "committee_joined": [
                row("contributors.csv", 6, "DEMO5-H26", "A5", changed={"committees": [["A"], BOTH]})
            ],
            "role_added": [],
            "replaced": [row("contributors.csv", 7, "DEMO6-H26", "A7")],
            "relieved": [row("contributors.csv", 7, "DEMO6-H26", "A4", day=1)],
            "late": [row("registrations.csv", 30, "DEMO1-H26", "104")],
            "withdrawn": [row("registrations.csv", 4, "DEMO2-H26", "101", day=1)],
            "bad_rows": [row("registrations.csv", 7, "DEMO1-H26", "102", field="extra_time")],
        }
    )
    changes: list[dict[str, Any]] = field(
        default_factory=lambda: [
            change("create", "learner", ["104"], "students.csv line 9"),
            change("update", "learner", ["101"], "students.csv line 3", email=None),
            change(
                "update",
                "test",
                ["DEMO1-H26"],
                "exams.csv line 2",
                start=[EARLY, LATE],
                end=["a", "b"],
            ),
            change("create", "candidate", ["DEMO1-H26", "104"], "registrations.csv line 30"),
            change("remove", "candidate", ["DEMO2-H26", "101"], ""),
            change("create", "staff", ["A7"], "staff.csv line 8"),
            change("disable", "staff", ["A4"], "staff.csv line 5"),
            change("disable", "staff", ["A2"], ""),
            change(
                "update", "option", ["DEMO3-H26", LOCK], "exams.csv line 4", value=["false", "true"]
            ),
            change("update", "option", ["DEMO4-H26", PIN], "exams.csv line 5", value=None),
            change("create", "committee", ["DEMO5-H26", "Komité Å"], "contributors.csv line 6"),
            change(
                "update",
                "contributor",
                ["DEMO5-H26", "A5"],
                "contributors.csv line 6",
                committees=[["A"], BOTH],
            ),
            change("create", "contributor", ["DEMO6-H26", "A7"], "contributors.csv line 7"),
            change("remove", "contributor", ["DEMO6-H26", "A4"], ""),
        ]
    )
    row_errors: list[dict[str, str]] = field(
        default_factory=lambda: [{"where": "registrations.csv line 7", "field": "extra_time"}]
    )
    text: list[str] = field(
        default_factory=lambda: [
            "create learner 104 (students.csv line 9)",
            "update learner 101 (students.csv line 3)",
            "update test DEMO1-H26 (exams.csv line 2)",
            "create candidate DEMO1-H26 / 104 (registrations.csv line 30)",
            "remove candidate DEMO2-H26 / 101",
            "registrations.csv line 7: extra_time: is not a number; correct it",
            "create staff A7 (staff.csv line 8)",
            "disable staff A4 (staff.csv line 5)",
            "disable staff A2 (no source names this person any more)",
            f"update option DEMO3-H26 / {LOCK}: value false → true (exams.csv line 4)",
            f"update option DEMO4-H26 / {PIN}: value changes (exams.csv line 5)",
            "create committee DEMO5-H26 / Komité Å (contributors.csv line 6)",
            "update contributor DEMO5-H26 / A5: committees A → A, Komité Å (contributors.csv line "
            "6)",
            "create contributor DEMO6-H26 / A7 (contributors.csv line 7)",
            "remove contributor DEMO6-H26 / A4",
        ]
    )


@pytest.fixture
def judge(script: Script, tmp_path: Path) -> Callable[[Case], CompletedProcess[str]]:
    """Return a function that judges a case."""

    def run(case: Case) -> CompletedProcess[str]:
        plan = {"version": 1, "changes": case.changes, "row_errors": case.row_errors, "summary": {}}
        files = {
            "day2.json": json.dumps(case.planted),
            "plan.json": json.dumps(plan),
            "plan.txt": "\n".join(case.text),
        }
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return script("check_plan.py", *(tmp_path / name for name in files))

    return run


def test_a_plan_that_names_everything_passes(
    judge: Callable[[Case], CompletedProcess[str]],
) -> None:
    ended = judge(Case())
    assert (ended.returncode, ended.stdout) == (
        0,
        "15 things were done to the files; 0 are not as they should be in the plan\n",
    )


WRONG: dict[str, tuple[Callable[[Case], object], str]] = {
    "a late registration is not in the plan": (
        lambda case: case.changes.pop(3),
        "create candidate DEMO1-H26 / 104: is not in the plan (late, registrations.csv line 30)",
    ),
    "a late registration is not in the text": (
        lambda case: case.text.pop(3),
        "create candidate DEMO1-H26 / 104: is in the plan and not in its text",
    ),
    "a late registration is said to stand elsewhere": (
        lambda case: case.changes[3].update(where="registrations.csv line 3"),
        "is said to stand in registrations.csv line 3, not in registrations.csv line 30",
    ),
    "a late registration is held": (
        lambda case: case.changes[3].update(verdict="held", reason="a limit"),
        "create candidate DEMO1-H26 / 104: is not let through but held: a limit",
    ),
    "a withdrawal is not in the plan": (
        lambda case: case.changes.pop(4),
        "remove candidate DEMO2-H26 / 101: is not in the plan (withdrawn, registrations.csv line "
        "4)",
    ),
    "a withdrawal is not in the text": (
        lambda case: case.text.pop(4),
        "remove candidate DEMO2-H26 / 101: is in the plan and not in its text",
    ),
    "the exam moves to another time": (
        lambda case: case.changes[2]["changed"].update(start=[EARLY, "2026-10-02T09:00:00Z"]),
        f"update test DEMO1-H26: does not say start {EARLY} to {LATE}",
    ),
    "the exam's start is not said to change": (
        lambda case: case.changes[2]["changed"].pop("start"),
        "update test DEMO1-H26: does not say that start changes",
    ),
    "the email is not said to change": (
        lambda case: case.changes[1]["changed"].clear(),
        "update learner 101: does not say that email changes",
    ),
    "the email is shown": (
        lambda case: case.changes[1]["changed"].update(
            email=["old@example.edu", "new@example.edu"]
        ),
        "update learner 101: shows what email was or becomes, which is nobody's business",
    ),
    "a pin is shown": (
        lambda case: case.changes[9]["changed"].update(value=["demo1pin", "demo2pin"]),
        f"update option DEMO4-H26 / {PIN}: shows what value was or becomes, which is nobody's "
        "business",
    ),
    "the new pin is not in the plan": (
        lambda case: case.changes.pop(9),
        f"update option DEMO4-H26 / {PIN}: is not in the plan (pin_changed, exams.csv line 5)",
    ),
    "the option changes to something else": (
        lambda case: case.changes[8]["changed"].update(value=["true", "false"]),
        f"update option DEMO3-H26 / {LOCK}: does not say value false to true",
    ),
    "somebody who left is deleted": (
        lambda case: case.changes[6].update(action="delete"),
        "disable staff A4: is not in the plan (left, staff.csv line 5)",
    ),
    "somebody who is not listed any more stays": (
        lambda case: case.changes.pop(7),
        "disable staff A2: is not in the plan (struck_off, staff.csv line 3)",
    ),
    "a row that is gone is said to ask for something": (
        lambda case: case.changes[13].update(where="contributors.csv line 7"),
        "remove contributor DEMO6-H26 / A4: is said to stand in contributors.csv line 7, not in "
        "no place",
    ),
    "the grader's old committee is lost": (
        lambda case: case.changes[11]["changed"].update(committees=[["A"], ["Komité Å"]]),
        "update contributor DEMO5-H26 / A5: does not say committees ['A'] to ['A', 'Komité Å']",
    ),
    "the committee is not made first": (
        lambda case: case.changes[10].update(verdict="waiting", reason="waits for its test"),
        "create committee DEMO5-H26 / Komité Å: is not let through but waiting: waits for its test",
    ),
    "the bad row is missing from the row errors": (
        lambda case: case.row_errors.clear(),
        "registrations.csv line 7: extra_time: is not among the plan's row errors",
    ),
    "the bad row is on another line": (
        lambda case: case.row_errors[0].update(where="registrations.csv line 8"),
        "registrations.csv line 7: extra_time: is not among the plan's row errors",
    ),
    "the bad row is not in the text": (
        lambda case: case.text.pop(5),
        "registrations.csv line 7: extra_time: is among the plan's row errors and not in its text",
    ),
    "the bad row's candidate is removed": (
        lambda case: case.changes.append(change("remove", "candidate", ["DEMO1-H26", "102"], "")),
        "remove candidate DEMO1-H26 / 102: is in the plan, and nothing in the files asks for it",
    ),
    "a row error that nobody planted": (
        lambda case: case.row_errors.append({"where": "exams.csv line 2", "field": "title"}),
        "exams.csv line 2: title: is a row error that nobody planted",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_plan_that_is_amiss_fails_and_says_how(
    judge: Callable[[Case], CompletedProcess[str]], what: str
) -> None:
    case = Case()
    spoil, said = WRONG[what]
    spoil(case)
    ended = judge(case)
    assert ended.returncode == 1
    assert said in ended.stdout
