"""The judge of the demo: right contents pass, and no difference gets past it."""

import copy
import json
from collections.abc import Callable
from hashlib import sha256
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
STAFF = """\
employee_no,feide,given,family,mail,status
A1,bjorg@example.edu,Bjørg,Testgård,bjorg@example.edu,active
A2,zofia@example.edu,Zofia,Próbowska,, on leave
A3,gone@example.edu,Gone,Demosen,gone@example.edu,left
"""
EXAMS = """\
course;term;name;start;end;minutes;template;lockdown;pin;explanation
DEMO1;H26;Prøve;24.10.2026 09:00;24.10.2026 14:00;200;;yes; demo1pin ;no
DEMO2;H26;Øving;26.10.2026 09:00;26.10.2026 14:00;240;1002;;;
"""
CONTRIBUTORS = """\
course,term,employee_no,role,committee,room
DEMO1,H26,A1,evaluate,Komité A,
DEMO1,H26,A1,author,Komité Ø; Komité A,
DEMO2,H26,A2,invigilate,,Sal Å
"""
REGISTRATIONS = """\
course,term,student_no,number,extra,room,committee
DEMO1,H26,1,0001,33%,Sal Å,Komité A
DEMO1,H26,2,0002,,,
DEMO2,H26,2,0001,30,"Sal 2, rad B",Komité Å
"""


def student(number: int, username: str, first: str, last: str, email: str) -> dict[str, Any]:
    ids = [{"authType": "FEIDE", "externalId": username}]
    names = {"firstName": first, "lastName": last, "email": email}
    return {"userId": number, "username": username, **names, "externalIds": ids}


def employee(number: int, username: str, first: str, last: str, email: str) -> dict[str, Any]:
    return student(number, username, first, last, email) | {"status": "ACTIVE"}


def seat(
    username: str, number: str, minutes: int, room: str | None, *committees: str
) -> dict[str, Any]:
    said = {"candidateId": number, "extraTimeMins": minutes, "roomName": room}
    return {"username": username, **said, "committees": list(committees)}


def work(
    username: str, roles: list[str], committees: list[str], room: str | None
) -> dict[str, Any]:
    said = {"roles": roles, "committees": committees, "roomName": room}
    return {"username": username, **said, "buildingName": None, "notified": 0}


def exam(
    external: str, title: str, hours: tuple[str, str], duration: int, **more: Any
) -> dict[str, Any]:
    times = {"startTime": hours[0], "endTime": hours[1], "duration": duration, "templates_sent": 1}
    return {"externalTestId": external, "title": title, **times, **more}


def grading(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "type": "GRADING"} for name in names]


LOCK, PIN, EXPLAIN = (
    "LOCKDOWN_BROWSER",
    "SEB_SETTINGS_PINCODE",
    "EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED",
)

CONTENTS: dict[str, Any] = {
    "students": [
        student(10, "ase@example.edu", "Åse", "Prøvesen", "ase.p@example.edu"),
        student(11, "duc@example.edu", "Đức", "Thửnghiệm", ""),
    ],
    "staff": [
        employee(12, "bjorg@example.edu", "Bjørg", "Testgård", "bjorg@example.edu"),
        employee(13, "zofia@example.edu", "Zofia", "Próbowska", ""),
    ],
    "tests": [
        exam(
            "DEMO1-H26",
            "DEMO1 Prøve",
            ("2026-10-24T07:00:00Z", "2026-10-24T12:00:00Z"),
            200,
            sourceTemplateId="1001",
            options={
                "securityOptions": {LOCK: True, PIN: {"sha256": sha256(b"demo1pin").hexdigest()}},
                "explanationOptions": {EXPLAIN: False},
                "generalOptions": {},
            },
            committees=grading("Komité A", "Komité Ø"),
            contributors=[
                work("bjorg@example.edu", ["evaluate", "author"], ["Komité Ø", "Komité A"], None)
            ],
            candidates=[
                seat("ase@example.edu", "0001", 66, "Sal Å", "Komité A"),
                seat("duc@example.edu", "0002", 0, None),
            ],
        ),
        exam(
            "DEMO2-H26",
            "DEMO2 Øving",
            ("2026-10-26T08:00:00Z", "2026-10-26T13:00:00Z"),
            240,
            sourceTemplateId="1002",
            options={"securityOptions": {}, "explanationOptions": {}, "generalOptions": {}},
            committees=grading("Komité Å"),
            contributors=[work("zofia@example.edu", ["invigilate"], [], "Sal Å")],
            candidates=[seat("duc@example.edu", "0001", 30, "Sal 2, rad B", "Komité Å")],
        ),
    ],
}

FILES = {
    "students.csv": STUDENTS,
    "staff.csv": STAFF,
    "exams.csv": EXAMS,
    "contributors.csv": CONTRIBUTORS,
    "registrations.csv": REGISTRATIONS,
}


def put(folder: Path, **other: str) -> Path:
    """Write the files into a folder, some of them with another text."""
    folder.mkdir(exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(other.get(name.removesuffix(".csv"), text), encoding="utf-8")
    return folder


@pytest.fixture
def judge(script: Judge, tmp_path: Path) -> Judge:
    """Return a function that compares contents with the files of a folder."""

    def run(contents: Any, folder: Path | None = None, *before: object) -> CompletedProcess[str]:
        path = tmp_path / "contents.json"
        path.write_text(json.dumps(contents), encoding="utf-8")
        return script("check_contents.py", folder or put(tmp_path / "files"), path, *before)

    return run


def test_contents_that_follow_from_the_files_pass(judge: Judge) -> None:
    ended = judge(CONTENTS)
    assert (ended.returncode, ended.stdout) == (
        0,
        "0 differences from the 2 learners, 2 staff, 2 tests, 3 options, 3 committees, 2 "
        "contributors, 3 candidates"
        " that should be there\n",
    )


BARE: dict[str, Any] = {"options": {}, "committees": [], "contributors": [], "candidates": []}
"""A test with nothing and nobody on it."""

CHANGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "a learner is missing": (
        lambda c: c["students"].pop(),
        "learner duc@example.edu: expected, and not there",
    ),
    "a learner too many": (
        lambda c: c["students"].append(student(12, "left@example.edu", "L", "D", "")),
        "learner left@example.edu: there, and not expected",
    ),
    "a second account": (
        lambda c: c["students"].append(c["students"][0]),
        "learner ase@example.edu: copies: ",
    ),
    "another first name": (
        lambda c: c["students"][0].update(firstName="Ase"),
        "ase@example.edu: first name: differs",
    ),
    "another last name": (
        lambda c: c["students"][0].update(lastName="Prøve"),
        "ase@example.edu: last name: differs",
    ),
    "another email": (
        lambda c: c["students"][0].update(email="x@example.edu"),
        "ase@example.edu: email: differs",
    ),
    "an email from nowhere": (
        lambda c: c["students"][1].update(email="x@example.edu"),
        "learner duc@example.edu: email: differs",
    ),
    "no external id": (
        lambda c: c["students"][0].update(externalIds=[]),
        "ase@example.edu: external ids: expected",
    ),
    "a test is missing": (lambda c: c["tests"].pop(), "test DEMO2-H26: expected, and not there"),
    "a test too many": (
        lambda c: c["tests"].append(c["tests"][1] | BARE | {"externalTestId": "X"}),
        "test X: there, and not expected",
    ),
    "a second test": (
        lambda c: c["tests"].append(c["tests"][1] | BARE),
        "test DEMO2-H26: copies: ",
    ),
    "a title cut short": (
        lambda c: c["tests"][0].update(title="DEMO1"),
        "test DEMO1-H26: title: expected DEMO1 Prøve",
    ),
    "a start in local time": (
        lambda c: c["tests"][0].update(startTime="2026-10-24T09:00:00Z"),
        "test DEMO1-H26: start: expected 2026-10-24T07:00:00Z, there is 2026-10-24T09:00:00Z",
    ),
    "another end": (
        lambda c: c["tests"][1].update(endTime="2026-10-26T12:00:00Z"),
        "test DEMO2-H26: end: expected",
    ),
    "another duration": (
        lambda c: c["tests"][0].update(duration=20),
        "test DEMO1-H26: duration: expected 200",
    ),
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
    "another committee": (
        lambda c: c["tests"][0]["candidates"][0].update(committees=["Komité Ø"]),
        "candidate DEMO1-H26 / ase@example.edu: committees: expected ['Komité A'], there is "
        "['Komité Ø']",
    ),
    "a committee from nowhere": (
        lambda c: c["tests"][0]["candidates"][1].update(committees=["Komité Ø"]),
        "candidate DEMO1-H26 / duc@example.edu: committees: expected ",
    ),
    "a member of staff is missing": (
        lambda c: c["staff"].pop(),
        "staff zofia@example.edu: expected, and not there",
    ),
    "somebody who had left got an account": (
        lambda c: c["staff"].append(
            employee(14, "gone@example.edu", "G", "D", "") | {"status": "DISABLED"}
        ),
        "staff gone@example.edu: there, and not expected",
    ),
    "a second account of staff": (
        lambda c: c["staff"].append(c["staff"][0]),
        "staff bjorg@example.edu: copies: ",
    ),
    "a member of staff is disabled": (
        lambda c: c["staff"][1].update(status="DISABLED"),
        "staff zofia@example.edu: status: expected ACTIVE, there is DISABLED",
    ),
    "another name of staff": (
        lambda c: c["staff"][0].update(firstName="B"),
        "bjorg@example.edu: first name: differs",
    ),
    "an option is missing": (
        lambda c: c["tests"][0]["options"]["explanationOptions"].pop(EXPLAIN),
        f"option DEMO1-H26 / {EXPLAIN}: expected, and not there",
    ),
    "an option from nowhere": (
        lambda c: c["tests"][1]["options"]["securityOptions"].update({LOCK: False}),
        f"option DEMO2-H26 / {LOCK}: there, and not expected",
    ),
    "an option is off": (
        lambda c: c["tests"][0]["options"]["securityOptions"].update({LOCK: False}),
        f"option DEMO1-H26 / {LOCK}: value: expected true, there is false",
    ),
    "an option is a word": (
        lambda c: c["tests"][0]["options"]["explanationOptions"].update({EXPLAIN: "false"}),
        f'option DEMO1-H26 / {EXPLAIN}: value: expected false, there is "false"',
    ),
    "another pin": (
        lambda c: c["tests"][0]["options"]["securityOptions"][PIN].update(
            sha256=sha256(b"demo2pin").hexdigest()
        ),
        f"option DEMO1-H26 / {PIN}: digest: differs",
    ),
    "a committee is missing": (
        lambda c: c["tests"][0]["committees"].pop(),
        "committee DEMO1-H26 / Komité Ø: expected, and not there",
    ),
    "a committee too many": (
        lambda c: c["tests"][1]["committees"].extend(grading("Komité A")),
        "committee DEMO2-H26 / Komité A: there, and not expected",
    ),
    "a committee made twice": (
        lambda c: c["tests"][1]["committees"].extend(grading("Komité Å")),
        "committee DEMO2-H26 / Komité Å: copies: ",
    ),
    "a committee of another type": (
        lambda c: c["tests"][1]["committees"][0].update(type="REASSESSMENT"),
        "committee DEMO2-H26 / Komité Å: type: expected GRADING",
    ),
    "a contributor is missing": (
        lambda c: c["tests"][1]["contributors"].pop(),
        "contributor DEMO2-H26 / zofia@example.edu: expected, and not there",
    ),
    "a contributor too many": (
        lambda c: c["tests"][1]["contributors"].append(
            work("bjorg@example.edu", ["plan"], [], None)
        ),
        "contributor DEMO2-H26 / bjorg@example.edu: there, and not expected",
    ),
    "one of two roles": (
        lambda c: c["tests"][0]["contributors"][0].update(roles=["author"]),
        "bjorg@example.edu: roles: expected ['author', 'evaluate'], there is ['author']",
    ),
    "one of two committees": (
        lambda c: c["tests"][0]["contributors"][0].update(committees=["Komité A"]),
        "contributor DEMO1-H26 / bjorg@example.edu: committees: expected ['Komité A', 'Komité Ø']",
    ),
    "a contributor in another room": (
        lambda c: c["tests"][1]["contributors"][0].update(roomName=None),
        "contributor DEMO2-H26 / zofia@example.edu: room: expected Sal Å",
    ),
    "a contributor was notified": (
        lambda c: c["tests"][1]["contributors"][0].update(notified=1),
        "contributor DEMO2-H26 / zofia@example.edu: told: expected 0, there is 1",
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
    # A test goes with a candidate, a contributor and a committee.
    lost_with_its_test = 3 if what == "a test is missing" else 0
    assert len(ended.stdout.splitlines()) - 1 == 1 + lost_with_its_test


def test_no_persons_name_or_email_and_no_pin_is_printed(judge: Judge) -> None:
    contents = copy.deepcopy(CONTENTS)
    for person in (contents["students"][0], contents["staff"][0]):
        person.update(firstName="Kåre", lastName="Eksempelås", email="other@example.edu")
    contents["tests"][0]["options"]["securityOptions"][PIN].update(sha256="0" * 64)
    printed = judge(contents).stdout
    assert printed.count(": differs\n") == 7
    people = ("Kåre", "Eksempelås", "other@", "Åse", "Prøvesen", "ase.p@", "Bjørg", "Testgård")
    digest = sha256(b"demo1pin").hexdigest()
    assert not [word for word in (*people, "demo1pin", digest, "0" * 64) if word in printed]


@pytest.fixture
def day_two(tmp_path: Path) -> tuple[Path, str, Path]:
    """Return a folder for day two, with the option that names the folder of day one."""
    two = put(
        tmp_path / "two",
        students=STUDENTS.replace("ase.p@example.edu", "ase.p at example.edu").replace(
            "Åse", "Oda"
        ),
        staff="\n".join(line for line in STAFF.splitlines() if not line.startswith("A2,")).replace(
            ",Bjørg,", ",Britt,"
        )
        + "\nA4,biera@example.edu,Biera,Testvárri,,active\n",
        exams=EXAMS.replace("26.10.2026", "27.10.2026").replace(
            "yes; demo1pin ;no", ";demo2pin;yes"
        ),
        contributors=CONTRIBUTORS.replace("author", "juggle").replace(
            "A2,invigilate,", "A4,evaluate,Komité B"
        ),
        registrations=REGISTRATIONS.replace("33%,Sal Å", "en tredel,Sal B").replace(
            "DEMO1,H26,2,0002,,,\n", ""
        )
        + "DEMO2,H26,1,0002,15,,\n",
    )
    return two, "--before", put(tmp_path / "one")


@pytest.fixture
def contents_two() -> Any:
    """Return what should be there on day two: the spoilt rows changed nothing."""
    contents = copy.deepcopy(CONTENTS)
    contents["staff"][0].update(firstName="Britt")
    contents["staff"][1].update(status="DISABLED")
    contents["staff"].append(employee(14, "biera@example.edu", "Biera", "Testvárri", ""))
    first, second = contents["tests"]
    first["options"]["securityOptions"][PIN]["sha256"] = sha256(b"demo2pin").hexdigest()
    first["options"]["explanationOptions"][EXPLAIN] = True
    first["candidates"].pop()
    second.update(startTime="2026-10-27T08:00:00Z", endTime="2026-10-27T13:00:00Z")
    second["committees"] += grading("Komité B")
    second["contributors"] = [work("biera@example.edu", ["evaluate"], ["Komité B"], "Sal Å")]
    second["candidates"].append(seat("ase@example.edu", "0002", 15, None))
    return contents


def test_on_day_two_a_row_that_cannot_be_read_keeps_what_day_one_said(
    judge: Judge, day_two: tuple[Path, str, Path], contents_two: Any
) -> None:
    ended = judge(contents_two, *day_two)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            lambda c: c["tests"][0]["candidates"].pop(0),
            "DEMO1-H26 / ase@example.edu: expected, and not there",
        ),
        (
            lambda c: c["tests"][0]["candidates"][0].update(roomName="Sal B"),
            "ase@example.edu: room: expected Sal Å",
        ),
        (lambda c: c["students"].pop(0), "learner ase@example.edu: expected, and not there"),
        (lambda c: c["students"][0].update(email=""), "learner ase@example.edu: email: differs"),
        (
            lambda c: c["students"][0].update(firstName="Oda"),
            "learner ase@example.edu: first name: differs",
        ),
        (
            lambda c: c["tests"][0]["candidates"].append(seat("duc@example.edu", "0002", 0, None)),
            "candidate DEMO1-H26 / duc@example.edu: there, and not expected",
        ),
        (
            lambda c: c["tests"][1].update(startTime="2026-10-26T08:00:00Z"),
            "DEMO2-H26: start: expected 2026-10-27",
        ),
        (
            lambda c: c["tests"][1].update(templates_sent=2),
            "test DEMO2-H26: templates sent: expected 1",
        ),
        (
            lambda c: c["tests"][1]["candidates"].pop(),
            "candidate DEMO2-H26 / ase@example.edu: expected, and not there",
        ),
        (
            lambda c: c["staff"][1].update(status="ACTIVE"),
            "staff zofia@example.edu: status: expected DISABLED",
        ),
        (lambda c: c["staff"].pop(1), "staff zofia@example.edu: expected, and not there"),
        (
            lambda c: c["tests"][0]["contributors"].pop(),
            "contributor DEMO1-H26 / bjorg@example.edu: expected, and not",
        ),
        (
            lambda c: c["tests"][0]["contributors"][0].update(
                roles=["evaluate"], committees=["Komité A"]
            ),
            "contributor DEMO1-H26 / bjorg@example.edu: roles: expected ['author', 'evaluate'], "
            "there is ['evaluate']",
        ),
        (
            lambda c: c["tests"][1]["contributors"].append(
                work("zofia@example.edu", ["invigilate"], [], "Sal Å")
            ),
            "contributor DEMO2-H26 / zofia@example.edu: there, and not expected",
        ),
        (
            lambda c: c["tests"][0]["committees"].pop(),
            "committee DEMO1-H26 / Komité Ø: expected, and not there",
        ),
        (
            lambda c: c["tests"][1]["committees"].pop(),
            "committee DEMO2-H26 / Komité B: expected, and not there",
        ),
        (
            lambda c: c["tests"][0]["options"]["securityOptions"].pop(LOCK),
            f"option DEMO1-H26 / {LOCK}: expected, and not there",
        ),
        (
            lambda c: c["tests"][0]["options"].update(CONTENTS["tests"][0]["options"]),
            f"option DEMO1-H26 / {PIN}: digest: differs",
        ),
    ],
    ids=[
        "the spoilt seat is removed",
        "the spoilt seat is changed",
        "the mistyped learner is removed",
        "the mistyped learner loses the email",
        "the mistyped row is half believed",
        "the withdrawn seat stays",
        "the exam was not moved",
        "the template went out again",
        "the late seat is missing",
        "who is not listed any more stays active",
        "who is not listed any more is deleted",
        "the spoilt contributor is removed",
        "the spoilt contributor loses the role",
        "who was replaced stays",
        "a committee that only a spoilt row names is removed",
        "the new committee is missing",
        "a blank takes an option away",
        "the options stay as they were",
    ],
)
def test_on_day_two_a_difference_is_named(
    judge: Judge,
    day_two: tuple[Path, str, Path],
    contents_two: Any,
    wrong: Callable[[Any], object],
    said: str,
) -> None:
    wrong(contents_two)
    ended = judge(contents_two, *day_two)
    assert ended.returncode == 1
    assert said in ended.stdout


def test_those_who_are_gone_from_the_files_are_still_in_inspera(
    judge: Judge, tmp_path: Path
) -> None:
    two = put(
        tmp_path / "two",
        students="\n".join(line for line in STUDENTS.splitlines() if not line.startswith("2,")),
        exams="\n".join(EXAMS.splitlines()[:2]),
        contributors="\n".join(CONTRIBUTORS.splitlines()[:3]),
        registrations="\n".join(REGISTRATIONS.splitlines()[:2]),
    )
    contents = copy.deepcopy(CONTENTS)
    contents["tests"][0]["candidates"].pop()
    contents["tests"][1].update(contributors=[], candidates=[])
    ended = judge(contents, two, "--before", put(tmp_path / "one"))
    assert ended.returncode == 0, ended.stdout
