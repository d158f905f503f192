"""The judge of the demo: right contents pass, and no difference gets past it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Judge = Callable[..., CompletedProcess[str]]

STUDENTS = """\
student_no,feide,given,family,mail,status
1,ase@example.edu,Åse,Prøvesen, ase.p@example.edu ,active
2,duc@example.edu,Đức,Thửnghiệm,,exchange
3,left@example.edu,Left,Demosen,left@example.edu,left
"""
EXAMS = """\
course;term;name;start;end;minutes;template
DEMO1;H26;Prøve;24.10.2026 09:00;24.10.2026 14:00;200;
DEMO2;H26;Øving;26.10.2026 09:00;26.10.2026 14:00;240;1002
"""
REGISTRATIONS = """\
course,term,student_no,number,extra,room
DEMO1,H26,1,0001,33%,Sal Å
DEMO1,H26,2,0002,,
DEMO2,H26,2,0001,30,"Sal 2, rad B"
"""


def student(number: int, username: str, first: str, last: str, email: str) -> dict[str, Any]:
    ids = [{"authType": "FEIDE", "externalId": username}]
    names = {"firstName": first, "lastName": last, "email": email}
    return {"userId": number, "username": username, **names, "externalIds": ids}


def seat(username: str, number: str, minutes: int, room: str | None) -> dict[str, Any]:
    return {"username": username, "candidateId": number, "extraTimeMins": minutes, "roomName": room}


def exam(external: str, title: str, hours: tuple[str, str], duration: int, **more: Any) -> dict[str, Any]:
    times = {"startTime": hours[0], "endTime": hours[1], "duration": duration, "templates_sent": 1}
    return {"externalTestId": external, "title": title, **times, **more}


CONTENTS: dict[str, Any] = {
    "students": [
        student(10, "ase@example.edu", "Åse", "Prøvesen", "ase.p@example.edu"),
        student(11, "duc@example.edu", "Đức", "Thửnghiệm", ""),
    ],
    "tests": [
        exam(
            "DEMO1-H26", "DEMO1 Prøve", ("2026-10-24T07:00:00Z", "2026-10-24T12:00:00Z"), 200, sourceTemplateId="1001",
            candidates=[seat("ase@example.edu", "0001", 66, "Sal Å"), seat("duc@example.edu", "0002", 0, None)],
        ),
        exam(
            "DEMO2-H26", "DEMO2 Øving", ("2026-10-26T08:00:00Z", "2026-10-26T13:00:00Z"), 240, sourceTemplateId="1002",
            candidates=[seat("duc@example.edu", "0001", 30, "Sal 2, rad B")],
        ),
    ],
}  # fmt: skip


def put(folder: Path, students: str = STUDENTS, exams: str = EXAMS, registrations: str = REGISTRATIONS) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in (("students.csv", students), ("exams.csv", exams), ("registrations.csv", registrations)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def judge(script: Judge, tmp_path: Path) -> Judge:
    """Holds contents against the files of a folder."""

    def run(contents: Any, folder: Path | None = None, *before: object) -> CompletedProcess[str]:
        path = tmp_path / "contents.json"
        path.write_text(json.dumps(contents), encoding="utf-8")
        return script("expected.py", folder or put(tmp_path / "files"), path, *before)

    return run


def test_contents_that_follow_from_the_files_pass(judge: Judge) -> None:
    ended = judge(CONTENTS)
    assert (ended.returncode, ended.stdout) == (
        0,
        "0 differences from the 2 learners, 2 tests, 3 candidates that should be there\n",
    )


CHANGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "a learner is missing": (lambda c: c["students"].pop(), "learner duc@example.edu: expected, and not there"),
    "a learner too many": (
        lambda c: c["students"].append(student(12, "left@example.edu", "L", "D", "")),
        "learner left@example.edu: there, and not expected",
    ),
    "a second account": (lambda c: c["students"].append(c["students"][0]), "learner ase@example.edu: copies: "),
    "another first name": (lambda c: c["students"][0].update(firstName="Ase"), "ase@example.edu: first name: differs"),
    "another last name": (lambda c: c["students"][0].update(lastName="Prøve"), "ase@example.edu: last name: differs"),
    "another email": (lambda c: c["students"][0].update(email="x@example.edu"), "ase@example.edu: email: differs"),
    "an email from nowhere": (
        lambda c: c["students"][1].update(email="x@example.edu"),
        "learner duc@example.edu: email: differs",
    ),
    "no external id": (lambda c: c["students"][0].update(externalIds=[]), "ase@example.edu: external ids: expected"),
    "a test is missing": (lambda c: c["tests"].pop(), "test DEMO2-H26: expected, and not there"),
    "a test too many": (
        lambda c: c["tests"].append(c["tests"][1] | {"externalTestId": "X", "candidates": []}),
        "test X: there, and not expected",
    ),
    "a second test": (lambda c: c["tests"].append(c["tests"][1] | {"candidates": []}), "test DEMO2-H26: copies: "),
    "a title cut short": (lambda c: c["tests"][0].update(title="DEMO1"), "test DEMO1-H26: title: expected DEMO1 Prøve"),
    "a start in local time": (
        lambda c: c["tests"][0].update(startTime="2026-10-24T09:00:00Z"),
        "test DEMO1-H26: start: expected 2026-10-24T07:00:00Z, there is 2026-10-24T09:00:00Z",
    ),
    "another end": (lambda c: c["tests"][1].update(endTime="2026-10-26T12:00:00Z"), "test DEMO2-H26: end: expected"),
    "another duration": (lambda c: c["tests"][0].update(duration=20), "test DEMO1-H26: duration: expected 200"),
    "another template": (
        lambda c: c["tests"][0].update(sourceTemplateId="1002"),
        "test DEMO1-H26: template: expected 1001",
    ),
    "a template sent twice": (
        lambda c: c["tests"][0].update(templates_sent=2),
        "test DEMO1-H26: templates sent: expected 1, there is 2",
    ),
    "a template never sent": (
        lambda c: c["tests"][0].update(templates_sent=0),
        "test DEMO1-H26: templates sent: expected 1, there is 0",
    ),
    "a seat is missing": (
        lambda c: c["tests"][0]["candidates"].pop(),
        "candidate DEMO1-H26 / duc@example.edu: expected, and not there",
    ),
    "a seat too many": (
        lambda c: c["tests"][1]["candidates"].append(seat("ase@example.edu", "0009", 0, None)),
        "candidate DEMO2-H26 / ase@example.edu: there, and not expected",
    ),
    "another number": (
        lambda c: c["tests"][0]["candidates"][0].update(candidateId="1"),
        "candidate DEMO1-H26 / ase@example.edu: number: expected 0001",
    ),
    "a share rounded down": (
        lambda c: c["tests"][0]["candidates"][0].update(extraTimeMins=65),
        "candidate DEMO1-H26 / ase@example.edu: extra minutes: expected 66, there is 65",
    ),
    "minutes from nowhere": (
        lambda c: c["tests"][0]["candidates"][1].update(extraTimeMins=5),
        "candidate DEMO1-H26 / duc@example.edu: extra minutes: expected ",
    ),
    "another room": (
        lambda c: c["tests"][1]["candidates"][0].update(roomName="Sal 2"),
        "candidate DEMO2-H26 / duc@example.edu: room: expected Sal 2, rad B",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_difference_is_named_and_nothing_else_is(judge: Judge, what: str) -> None:
    contents = copy.deepcopy(CONTENTS)
    change, said = CHANGES[what]
    change(contents)
    ended = judge(contents)
    assert ended.returncode == 1
    assert said in ended.stdout
    lost_with_its_test = 1 if what == "a test is missing" else 0
    assert len(ended.stdout.splitlines()) - 1 == 1 + lost_with_its_test


def test_no_persons_name_or_email_is_printed(judge: Judge) -> None:
    contents = copy.deepcopy(CONTENTS)
    contents["students"][0].update(firstName="Kåre", lastName="Testgård", email="other@example.edu")
    printed = judge(contents).stdout
    assert not [word for word in ("Kåre", "Testgård", "other@", "Åse", "Prøvesen", "ase.p@") if word in printed]


@pytest.fixture
def day_two(tmp_path: Path) -> tuple[Path, str, Path]:
    """A folder for day two, with the option that names the folder of day one."""
    students = STUDENTS.replace("ase.p@example.edu", "ase.p at example.edu").replace("Åse", "Oda")
    exams = EXAMS.replace("26.10.2026 09:00", "27.10.2026 09:00").replace("26.10.2026 14:00", "27.10.2026 14:00")
    seats = REGISTRATIONS.replace("33%,Sal Å", "en tredel,Sal B").replace("DEMO1,H26,2,0002,,\n", "")
    seats += "DEMO2,H26,1,0002,15,\n"
    return put(tmp_path / "two", students, exams, seats), "--before", put(tmp_path / "one")


@pytest.fixture
def contents_two() -> Any:
    """What should be there on day two: the spoilt rows changed nothing, the withdrawn seat is gone."""
    contents = copy.deepcopy(CONTENTS)
    contents["tests"][0]["candidates"].pop()
    contents["tests"][1].update(startTime="2026-10-27T08:00:00Z", endTime="2026-10-27T13:00:00Z")
    contents["tests"][1]["candidates"].append(seat("ase@example.edu", "0002", 15, None))
    return contents


def test_on_day_two_a_row_that_cannot_be_read_keeps_what_day_one_said(
    judge: Judge, day_two: tuple[Path, str, Path], contents_two: Any
) -> None:
    ended = judge(contents_two, *day_two)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda c: c["tests"][0]["candidates"].pop(0), "DEMO1-H26 / ase@example.edu: expected, and not there"),
        (lambda c: c["tests"][0]["candidates"][0].update(roomName="Sal B"), "ase@example.edu: room: expected Sal Å"),
        (lambda c: c["students"].pop(0), "learner ase@example.edu: expected, and not there"),
        (lambda c: c["students"][0].update(email=""), "learner ase@example.edu: email: differs"),
        (lambda c: c["students"][0].update(firstName="Oda"), "learner ase@example.edu: first name: differs"),
        (
            lambda c: c["tests"][0]["candidates"].append(seat("duc@example.edu", "0002", 0, None)),
            "candidate DEMO1-H26 / duc@example.edu: there, and not expected",
        ),
        (lambda c: c["tests"][1].update(startTime="2026-10-26T08:00:00Z"), "DEMO2-H26: start: expected 2026-10-27"),
        (lambda c: c["tests"][1].update(templates_sent=2), "test DEMO2-H26: templates sent: expected 1"),
        (lambda c: c["tests"][1]["candidates"].pop(), "candidate DEMO2-H26 / ase@example.edu: expected, and not there"),
    ],
    ids=[
        "the spoilt seat is removed", "the spoilt seat is changed", "the mistyped learner is removed",
        "the mistyped learner loses the email", "the mistyped row is half believed", "the withdrawn seat stays",
        "the exam was not moved", "the template went out again", "the late seat is missing",
    ],
)  # fmt: skip
def test_on_day_two_a_difference_is_named(
    judge: Judge, day_two: tuple[Path, str, Path], contents_two: Any, wrong: Callable[[Any], object], said: str
) -> None:
    wrong(contents_two)
    ended = judge(contents_two, *day_two)
    assert ended.returncode == 1
    assert said in ended.stdout


def test_those_who_are_gone_from_the_files_are_still_in_inspera(judge: Judge, tmp_path: Path) -> None:
    two = put(
        tmp_path / "two",
        "\n".join(line for line in STUDENTS.splitlines() if not line.startswith("2,")),
        "\n".join(EXAMS.splitlines()[:2]),
        "\n".join(REGISTRATIONS.splitlines()[:2]),
    )
    contents = copy.deepcopy(CONTENTS)
    contents["tests"][0]["candidates"].pop()
    contents["tests"][1]["candidates"].pop()
    ended = judge(contents, two, "--before", put(tmp_path / "one"))
    assert ended.returncode == 0, ended.stdout
