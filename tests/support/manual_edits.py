"""A tenant that was in use before us: everything in it was made by hand, as the university's files say it."""

from collections.abc import Iterable
from typing import Any

from .university import TEST, University

FEIDE = "FEIDE"


def linked(external_id: str) -> list[dict[str, str]]:
    """The external ids of an account that its auth system knows."""
    return [{"authType": FEIDE, "externalId": external_id}]


def account(row: dict[str, str], **other: Any) -> dict[str, Any]:
    """The account of a person in a file, as it should be, but for what is other."""
    names = {
        "username": row["feide"],
        "firstName": row["given"],
        "lastName": row["family"],
        "email": row["mail"],
    }
    return {**names, "externalIds": linked(row["feide"]), **other}


def make_people(university: University, *, without: Iterable[str] = ()) -> None:
    """An account for everybody in the files, but for those `without`, by number."""
    left_out = set(without)
    for row in university.students.rows:
        if row["student_no"] not in left_out:
            university.sandbox.edit(student=account(row))
    for row in university.employees.rows:
        if row["employee_no"] not in left_out:
            university.sandbox.edit(staff=account(row))


def make_test(university: University, test: str = TEST, **other: Any) -> None:
    """A test as the university's file has it by default."""
    times = {"start": "2026-12-01T08:00:00Z", "end": "2026-12-01T12:00:00Z", "duration": 240}
    title = f"{test.split('-', maxsplit=1)[0]} Skriftlig prøve"
    university.sandbox.edit(test=test, **{"title": title, **times, **other})


def make_committee(
    university: University, name: str, test: str = TEST, kind: str = "GRADING"
) -> None:
    """A committee."""
    university.sandbox.edit(committee={"test": test, "name": name, "type": kind})


def put_contributor(university: University, number: str, test: str = TEST, **place: Any) -> None:
    """A member of staff on a test, or another place there."""
    university.sandbox.edit(contributor={"test": test, "username": f"t{number}", **place})


def put_candidate(university: University, number: str, test: str = TEST, **seat: Any) -> None:
    """A learner on a test, or another seat there."""
    university.sandbox.edit(candidate={"test": test, "username": f"s{number}", **seat})
