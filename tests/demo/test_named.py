"""The judge of day two's plan: whatever was planted must be in the plan and in its text, and nothing else."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Script = Callable[..., CompletedProcess[str]]


def change(action: str, kind: str, key: list[str], where: str, **changed: list[str]) -> dict[str, Any]:
    more = {"verdict": "pass", "reason": "", "where": where, "changed": changed}
    return {"action": action, "kind": kind, "key": key, **more}


def row(file: str, line: int, *key: str, **more: Any) -> dict[str, Any]:
    return {"file": file, "line": line, "key": list(key), **more}


@dataclass
class Case:
    """A small day two with the plan that answers to it, all of it open to change."""

    planted: dict[str, Any] = field(
        default_factory=lambda: {
            "today": "2026-08-20",
            "new_learners": [row("students.csv", 9, "104")],
            "changed_email": [row("students.csv", 3, "101")],
            "moved": [row("exams.csv", 2, "DEMO1-H26", start=["2026-10-01T07:00:00Z", "2026-10-02T07:00:00Z"])],
            "late": [row("registrations.csv", 30, "DEMO1-H26", "104")],
            "withdrawn": [row("registrations.csv", 4, "DEMO2-H26", "101")],
            "bad_rows": [row("registrations.csv", 7, "DEMO1-H26", "102", field="extra_time")],
        }
    )
    changes: list[dict[str, Any]] = field(
        default_factory=lambda: [
            change("create", "learner", ["104"], "students.csv line 9"),
            change("update", "learner", ["101"], "students.csv line 3", email=["(old)", "(new)"]),
            change(
                "update", "test", ["DEMO1-H26"], "exams.csv line 2",
                start=["2026-10-01T07:00:00Z", "2026-10-02T07:00:00Z"], end=["a", "b"],
            ),
            change("create", "candidate", ["DEMO1-H26", "104"], "registrations.csv line 30"),
            change("remove", "candidate", ["DEMO2-H26", "101"], ""),
        ]
    )  # fmt: skip
    faults: list[dict[str, str]] = field(
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
        ]
    )


@pytest.fixture
def judge(script: Script, tmp_path: Path) -> Callable[[Case], CompletedProcess[str]]:
    """Judges a case."""

    def run(case: Case) -> CompletedProcess[str]:
        plan = {"version": 1, "changes": case.changes, "faults": case.faults, "summary": {}}
        files = {"day2.json": json.dumps(case.planted), "plan.json": json.dumps(plan), "plan.txt": "\n".join(case.text)}
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return script("named.py", *(tmp_path / name for name in files))

    return run


def test_a_plan_that_names_everything_passes(judge: Callable[[Case], CompletedProcess[str]]) -> None:
    ended = judge(Case())
    assert (ended.returncode, ended.stdout) == (
        0,
        "6 things were done to the files; 0 are not as they should be in the plan\n",
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
        "remove candidate DEMO2-H26 / 101: is not in the plan (withdrawn, registrations.csv line 4)",
    ),
    "a withdrawal is not in the text": (
        lambda case: case.text.pop(4),
        "remove candidate DEMO2-H26 / 101: is in the plan and not in its text",
    ),
    "the exam moves to another time": (
        lambda case: case.changes[2]["changed"].update(start=["2026-10-01T07:00:00Z", "2026-10-02T09:00:00Z"]),
        "update test DEMO1-H26: does not say start 2026-10-01T07:00:00Z to 2026-10-02T07:00:00Z",
    ),
    "the exam's start is not said to change": (
        lambda case: case.changes[2]["changed"].pop("start"),
        "update test DEMO1-H26: does not say that start changes",
    ),
    "the email is not said to change": (
        lambda case: case.changes[1]["changed"].clear(),
        "update learner 101: does not say that email changes",
    ),
    "the bad row is no fault": (
        lambda case: case.faults.clear(),
        "registrations.csv line 7: extra_time: is not among the plan's faults",
    ),
    "the bad row is on another line": (
        lambda case: case.faults[0].update(where="registrations.csv line 8"),
        "registrations.csv line 7: extra_time: is not among the plan's faults",
    ),
    "the bad row is not in the text": (
        lambda case: case.text.pop(),
        "registrations.csv line 7: extra_time: is among the plan's faults and not in its text",
    ),
    "the bad row's candidate is removed": (
        lambda case: case.changes.append(change("remove", "candidate", ["DEMO1-H26", "102"], "")),
        "remove candidate DEMO1-H26 / 102: is in the plan, and nothing in the files asks for it",
    ),
    "a fault that nobody planted": (
        lambda case: case.faults.append({"where": "exams.csv line 2", "field": "title"}),
        "exams.csv line 2: title: is a fault that nobody planted",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_plan_that_is_amiss_fails_and_says_how(judge: Callable[[Case], CompletedProcess[str]], what: str) -> None:
    case = Case()
    spoil, said = WRONG[what]
    spoil(case)
    ended = judge(case)
    assert ended.returncode == 1
    assert said in ended.stdout
