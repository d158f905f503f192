"""Whatever becomes of a column on its way: no seat goes that would not have gone, and no green light over a gap.

What follows from a file is worked out here from its rows alone. A removal may be held or deferred for any reason; a
removal that passes must follow from the file as it was before it was mangled.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings, target
from hypothesis import strategies as st
from sync.sandbox import Sandbox

from ..support.university import University
from .corruptions import WHOLE, Mangling, Rows, manglings

EXAMPLES = int(os.environ.get("MANGLINGS", "15"))


LEARNERS = [
    "000001",
    "000002",
    "000013",
    "000140",
    *(str(number) for number in range(100004, 100020)),
]


STAFF = ["007001", "007002", "007013", "007140", "107001", "107002", "107003", "107004"]


SEATED = {
    "INF1000-H26": LEARNERS,
    "ØKO2100-H26": [*LEARNERS[1:16:2], "000001"],
    "HIS1200-H26": LEARNERS[::3],
    "MAT1100-H26": LEARNERS[4:],
    "FYS1001-H26": LEARNERS[9:10],
}


GRADED = {
    "INF1000-H26": STAFF,
    "ØKO2100-H26": STAFF[:5],
    "HIS1200-H26": STAFF[2:6],
    "MAT1100-H26": STAFF[::2],
}


REGISTRATIONS = ("course", "term", "student_no", "number")


GRADERS = ("course", "term", "employee_no")


BLANKED = ("moved down", "moved up", "filled down")
"""How the cells of a course may move. Where they only change places with each other, what comes is a sound file.

So it is with staff, who have no number of their own on a test that would tell that rows have moved.
"""


PEOPLE = {"registrations": "student_no", "graders": "employee_no"}


SLOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def full(university: University) -> University:
    """20 learners on five tests, with a number for each seat, and eight contributors: all in Inspera."""
    for test, learners in SEATED.items():
        university.register(test, *learners)
    for number, row in enumerate(university.registrations.rows):
        row["number"] = str(100 + number)
    university.add_feeds("staff", "contributor")
    for test, staff in GRADED.items():
        university.assign_staff(test, *staff)
    for source in university.config["sources"].values():
        source.setdefault("completeness", {})["shrink"] = {
            "percent": 100
        }  # only limits and what rows say stop a removal
    university.apply_once()
    return university


def named(rows: Rows, person: str) -> set[tuple[str, str]]:
    """Whom rows name on which tests."""
    return {(f"{row['course']}-{row['term']}", row[person]) for row in rows}


def removed(university: University, kind: str) -> set[tuple[str, str]]:
    """Who would be taken off which test."""
    changes: list[dict[str, Any]] = university.plan_json()["changes"]
    passing = (one for one in changes if one["verdict"] == "pass" and one["action"] == "remove")
    return {(one["key"][0], one["key"][1]) for one in passing if one["kind"] == kind}


def later(rows: Rows, leave: int, come: int) -> Rows:
    """The rows of the next day: a few have left, and somebody has come to another test."""
    left = [row for number, row in enumerate(rows) if number % 17 != leave]
    number = f"9{rows[come].get('number', '')}"
    return [*left, {**rows[come], "course": "FYS1001", "number": number}]


@pytest.mark.hypothesis
@pytest.mark.parametrize(
    ("table", "kind"), [("registrations", "candidate"), ("graders", "contributor")]
)
def test_no_mangling_of_a_column_takes_anybody_off_a_test_who_would_have_stayed(
    full: University, table: str, kind: str
) -> None:
    one, person = full.files[table], PEOPLE[table]
    before = [dict(row) for row in one.rows]
    columns = REGISTRATIONS if kind == "candidate" else GRADERS
    drawn = manglings(
        columns, {"student_no": WHOLE, "number": WHOLE, "employee_no": ("filled down",)}, BLANKED
    )

    @SLOW
    @given(mangling=drawn, leave=st.integers(0, 20), come=st.integers(3, 20))
    def holds(mangling: Mangling, leave: int, come: int) -> None:
        sound = later(before, leave, come)
        one.rows = mangling.on(sound)
        gone = removed(full, kind)
        target(float(len(gone)))
        assert gone <= named(before, person) - named(sound, person), mangling

    holds()


@pytest.mark.hypothesis
@pytest.mark.parametrize("table", ["students", "exams", "employees"])
def test_no_mangling_of_who_and_what_there_is_takes_anybody_off_a_test(
    full: University, table: str
) -> None:
    one = full.files[table]
    before = [dict(row) for row in one.rows]

    @SLOW
    @given(mangling=manglings([name for name in one.columns if name in before[0]], {}, WHOLE))
    def holds(mangling: Mangling) -> None:
        one.rows = mangling.on(before)
        assert removed(full, "candidate") | removed(full, "contributor") == set(), mangling

    holds()


@contextmanager
def fresh(university: University) -> Iterator[None]:
    """An Inspera that has nothing yet, for a while."""
    was = university.sandbox
    with Sandbox(clock=university._tick, api_key=was.api_key) as university.sandbox:
        university.config["inspera"]["url"], university._seen = university.sandbox.url, 0
        yield
    university.sandbox, university.config["inspera"]["url"], university._seen = was, was.url, 0


def seat(row: dict[str, str]) -> tuple[str, ...]:
    """The seat that a row asks for, read as anybody reads it: by the eye."""
    course, term, learner, number = (row.get(name, "").strip() for name in REGISTRATIONS)
    return f"{course}-{term}", f"s{learner}", number


def there(university: University) -> set[tuple[str, ...]]:
    """Who is on which test in Inspera, with which number."""
    seats = (
        (test, login, one)
        for test in university.tests()
        for login, one in university.candidates(test).items()
    )
    return {(test, login, one["candidateId"] or "") for test, login, one in seats}


@pytest.mark.hypothesis
def test_no_run_ends_with_0_while_something_that_the_file_names_is_not_in_inspera(
    university: University,
) -> None:
    for test, learners in SEATED.items():
        university.register(test, *learners[:6])
    for number, row in enumerate(university.registrations.rows):
        row["number"] = str(100 + number)
    sound = [dict(row) for row in university.registrations.rows]

    @settings(SLOW, max_examples=max(10, EXAMPLES // 4))
    @given(mangling=manglings(REGISTRATIONS, {}, WHOLE))
    @example(Mangling("spaces around", "student_no"))
    def holds(mangling: Mangling) -> None:
        university.state.unlink(missing_ok=True)
        university.registrations.rows = mangling.on(sound)
        with fresh(university):
            green = [university.apply().status == 0 for _ in range(2)]
            wanted = {seat(row) for row in university.registrations.rows}
            assert not any(green) or there(university) >= wanted, mangling
        assert green[0] == green[1], "the second run sees the same"

    holds()
