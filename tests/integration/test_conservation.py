"""Whatever is edited when, each record that is wanted or known has one fate, and the plan names it."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from ..support.university import OTHER, TEST, University, numbers

CLASS = numbers(1001, 8)
Identity = tuple[str, tuple[str, ...]]
STARTS = ("01.12.2026 09:00", "03.12.2026 09:00", "05.03.2027 09:00")
SILENT = ("released", "retired", "withdrawn")


class Days:
    """A university in which something happens each day, from before its tests to after them."""

    def __init__(self, university: University, chance: random.Random) -> None:
        self.university, self.chance = university, chance
        university.config["grace"] = {"readings": 2, "age": "1h"}
        university.config["limits"] = {"test": {"at_least": 1, "percent": 20}}
        university.config["protect"] = [
            {"person": CLASS[0], "why": "a guest", "until": "2027-12-31"}
        ]
        university.allow_shrinkage()
        university.register(TEST, *CLASS[:6])
        university.register(OTHER, *CLASS[2:5])
        university.at("2026-11-28T08:00")
        university.apply_once()

    def pass_by(self) -> None:
        """A day goes by: rows change, somebody decides, and the next `apply` runs."""
        for _ in range(self.chance.randint(1, 3)):
            self.chance.choice((self.seat, self.leave, self.rename, self.move, self.break_row))()
        self.check()
        self.university.apply()
        self.check()
        self.university.time += timedelta(hours=self.chance.choice((2, 11, 23)))

    def seat(self) -> None:
        taken = {(row["course"], row["student_no"]) for row in self.rows()}
        test, learner = self.chance.choice((TEST, OTHER)), self.chance.choice(CLASS)
        if (test.partition("-")[0], learner) not in taken:
            self.university.register(test, learner)

    def leave(self) -> None:
        if rows := self.rows():
            rows.remove(self.chance.choice(rows))

    def rename(self) -> None:
        self.chance.choice(self.university.students.rows)["given"] = self.chance.choice("ABC")

    def move(self) -> None:
        exam = self.chance.choice(self.university.exams.rows)
        exam["start"] = self.chance.choice(STARTS)
        exam["end"] = exam["start"].replace("09:00", "13:00")

    def break_row(self) -> None:
        if rows := self.rows():
            self.chance.choice(rows)["extra"] = self.chance.choice(("", "30", "half an hour"))

    def rows(self) -> list[dict[str, str]]:
        return self.university.registrations.rows

    def check(self) -> None:
        """Each record has just one fate; without a line of the plan, nothing is to be done."""
        plan = self.university.plan_json()
        lines = Counter(_identity(one) for one in plan["changes"])
        assert set(lines.values()) <= {1}
        stopped = [one for one in plan["changes"] if one["verdict"] != "pass"]
        assert all(one["reason"] and one["rule"] for one in stopped), stopped
        errors = {_identity(one) for one in plan["row_errors"] if one["key"]}
        wanted, known = dict(self.wanted()), self.known()
        for record in (wanted.keys() | known.keys()) - lines.keys() - errors:
            self.check_unchanged(record, wanted.get(record), known.get(record))

    def check_unchanged(
        self, record: Identity, wanted: dict[str, str] | None, known: dict[str, Any] | None
    ) -> None:
        over = record[0] != "learner" and self.is_over(record[1][0])
        if wanted is None:
            assert known is not None
            seated = record[0] == "learner" and known["seats"]
            assert seated or over or known["lifecycle"] in SILENT, (record, known)
        elif known is None:
            assert over, (record, "wanted, and named nowhere")
        else:
            same = {name: str(known[name] or "") for name in wanted if wanted[name]}
            left = {name: value for name, value in wanted.items() if value}
            assert same == left or over, (record, wanted, known)

    def is_over(self, test: str) -> bool:
        """Whether a test had ended before it was sent, or is retired: its rows are counted alone."""
        tests = {one[1][0]: one for one in self.known() if one[0] == "test"}
        if test not in tests:
            return True
        return bool(self.known()[tests[test]]["lifecycle"] == "retired")

    def wanted(self) -> Iterator[tuple[Identity, dict[str, str]]]:
        for row in self.university.students.rows:
            yield ("learner", (row["student_no"],)), {"first_name": row["given"]}
        for row in self.university.exams.rows:
            key = f"{row['course']}-{row['term']}"
            yield ("test", (key,)), {"title": f"{row['course']} {row['name']}"}
        for row in self.rows():
            key = f"{row['course']}-{row['term']}"
            yield ("candidate", (key, row["student_no"])), {"extra_time": row.get("extra", "")}

    def known(self) -> dict[Identity, dict[str, Any]]:
        with closing(sqlite3.connect(self.university.state)) as state:
            state.row_factory = sqlite3.Row
            rows: dict[Identity, dict[str, Any]] = {
                ("learner", (row["key"],)): dict(row)
                for row in state.execute(
                    "SELECT *, (SELECT count(*) FROM known_candidate c WHERE c.learner = l.key"
                    " AND c.lifecycle = 'active') AS seats FROM known_learner l"
                )
            }
            for row in state.execute("SELECT * FROM known_test"):
                rows["test", (row["key"],)] = dict(row)
            for row in state.execute("SELECT * FROM known_candidate"):
                rows["candidate", (row["test"], row["learner"])] = dict(row)
        return rows


def _identity(one: dict[str, Any]) -> Identity:
    return one["kind"], tuple(one["key"])


@pytest.mark.parametrize("seed", range(3))
def test_each_record_that_is_wanted_or_known_has_one_fate(
    university: University, seed: int
) -> None:
    days = Days(university, random.Random(seed))
    for _ in range(5):
        days.pass_by()
