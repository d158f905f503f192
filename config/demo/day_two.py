"""The changes of the made-up university between day one and day two. Used by `make_data.py`.

Needs nothing but Python.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from university import (
    COMMITTEES,
    LOCAL,
    University,
    Values,
    employee,
    first_day,
    key_of_test,
    pin,
    registration,
    starts_in,
    student,
    utc,
    wall_clock,
)

LATE, LATE_NEW_LEARNERS, WITHDRAWN = 12, 4, 5
NEW_COMMITTEE = "Komité Å"

Entry = dict[str, object]


class DayTwo:
    """The changes between day one and day two; `planted` has all of them in their order.

    No row is touched twice and no two things are done to one test (except late registrations), so
    that each planted thing can be distinguished from the others.
    """

    def __init__(self, university: University, today: date) -> None:
        self.university = university
        self.rng = random.Random("inspera-sync demo night")
        self.planted: dict[str, list[Entry]] = {}
        self._touched: set[str] = set()
        self._to_come = {
            key_of_test(row): row for row in university.exams if starts_in(row, today) > 0
        }
        self._far_off = {key for key, row in self._to_come.items() if starts_in(row, today) > 7}
        self._highest = {key_of_test(row): int(row["number"]) for row in university.registrations}

    def plant(self, what: str, file: str, line: int, key: Sequence[str], **more: object) -> None:
        """Record one thing that was done: its place, and the key of the record.

        `changed` names the fields that change, each with its old and new value where a plan may
        show them; `day=1` says that the line is day one's, because the row is gone.
        """
        self.planted.setdefault(what, []).append(
            {"file": file, "line": line, "key": list(key), **more}
        )

    def pick(
        self, rows: Sequence[Values], usable: Callable[[Values], bool] = lambda _: True
    ) -> int:
        """Return the index of a row on a test far off, of a test and a person not picked before."""
        while True:
            index = self.rng.randrange(len(rows))
            row = rows[index]
            fresh = {key_of_test(row), row.get("student_no", ""), row.get("employee_no", "")} - {""}
            if key_of_test(row) in self._far_off and not fresh & self._touched and usable(row):
                self._touched |= fresh
                return index

    def pick_seat(self, usable: Callable[[Values], bool] = lambda _: True) -> int:
        """Return the index of a registration."""
        return self.pick(self.university.registrations, usable)

    def withdraw(self) -> None:
        """Delete some registrations: two on one test, the others on tests of their own."""
        first = self.pick_seat()
        test = key_of_test(self.university.registrations[first])
        others = [
            i
            for i, row in enumerate(self.university.registrations)
            if key_of_test(row) == test and i != first
        ]
        gone = [first, others[0], *(self.pick_seat() for _ in range(WITHDRAWN - 2))]
        self._touched.add(self.university.registrations[others[0]]["student_no"])
        for index in sorted(gone):
            row = self.university.registrations[index]
            self.plant(
                "withdrawn",
                "registrations.csv",
                index + 2,
                (key_of_test(row), row["student_no"]),
                day=1,
            )
        for index in sorted(gone, reverse=True):
            del self.university.registrations[index]

    def strike_off(self) -> None:
        """Remove a member of staff who has no test."""
        busy = {row["employee_no"] for row in self.university.contributors}
        staff = self.university.staff
        idle = [
            i
            for i, row in enumerate(staff)
            if row["status"] != "left" and row["employee_no"] not in busy
        ]
        index = self.rng.choice(idle)
        self.plant("struck_off", "staff.csv", index + 2, (staff.pop(index)["employee_no"],), day=1)

    def move(self) -> None:
        """Give one test a new date; its clock times stay."""
        index = self.pick(self.university.exams)
        row = self.university.exams[index]
        before = utc(row["start"])
        for column in ("start", "end"):
            row[column] = (wall_clock(row[column]) + timedelta(days=9)).strftime(LOCAL)
        self.plant(
            "moved",
            "exams.csv",
            index + 2,
            (key_of_test(row),),
            changed={"start": [before, utc(row["start"])]},
        )

    def change_options(self) -> None:
        """Give one test the lock-down browser and another a new pin, which no plan may show."""
        exams = self.university.exams
        locked = self.pick(exams, lambda row: row["lockdown"] == "no" and not row["pin"])
        exams[locked]["lockdown"] = "yes"
        key = (key_of_test(exams[locked]), "LOCKDOWN_BROWSER")
        self.plant(
            "option_changed", "exams.csv", locked + 2, key, changed={"value": ["false", "true"]}
        )
        renewed = self.pick(exams, lambda row: row["pin"] != "")
        exams[renewed]["pin"] = pin(self.rng)
        key = (key_of_test(exams[renewed]), "SEB_SETTINGS_PINCODE")
        self.plant("pin_changed", "exams.csv", renewed + 2, key, changed={"value": None})

    def replace_grader(self) -> None:
        """Let a grader leave the university, and hire a new one for the one test that they had."""
        tests = Counter(row["employee_no"] for row in self.university.contributors)
        index = self.pick(
            self.university.contributors,
            lambda row: row["role"] == "evaluate" and tests[row["employee_no"]] == 1,
        )
        row = self.university.contributors[index]
        test, gone, new = key_of_test(row), row["employee_no"], employee(self.rng, 2901, "active")
        line = next(
            i for i, one in enumerate(self.university.staff, start=2) if one["employee_no"] == gone
        )
        self.university.staff[line - 2]["status"] = "left"
        self.plant("left", "staff.csv", line, (gone,))
        self.university.staff.append(new)
        self.plant("hired", "staff.csv", len(self.university.staff) + 1, (new["employee_no"],))
        row["employee_no"] = new["employee_no"]
        self.plant("replaced", "contributors.csv", index + 2, (test, new["employee_no"]))
        self.plant("relieved", "contributors.csv", index + 2, (test, gone), day=1)

    def add_role(self) -> None:
        """Make a grader an author too, in a second row; both rows are one contributor."""
        rows = self.university.contributors
        index = self.pick(rows, lambda row: row["committee"] == COMMITTEES[1])
        row = rows[index]
        rows.append({**row, "role": "author", "committee": ""})
        changed = {"roles": [["evaluate"], ["author", "evaluate"]]}
        self.plant(
            "role_added",
            "contributors.csv",
            index + 2,
            (key_of_test(row), row["employee_no"]),
            changed=changed,
        )

    def add_committee(self) -> None:
        """Put a grader on a second committee, which the test has not had."""
        rows = self.university.contributors
        index = self.pick(rows, lambda row: row["committee"] == COMMITTEES[1])
        row = rows[index]
        before = row["committee"]
        row["committee"] = f"{before};{NEW_COMMITTEE}"
        self.plant(
            "committee_added", "contributors.csv", index + 2, (key_of_test(row), NEW_COMMITTEE)
        )
        changed = {"committees": [[before], sorted((before, NEW_COMMITTEE))]}
        key = (key_of_test(row), row["employee_no"])
        self.plant("committee_joined", "contributors.csv", index + 2, key, changed=changed)

    def spoil_a_role(self) -> None:
        """Spoil one of a contributor's two rows: an unknown role, a room that must not be used."""
        index = self.pick(self.university.contributors, lambda row: row["role"] == "plan")
        row = self.university.contributors[index]
        row["role"], row["room"] = "juggle", "Sal Ø9"
        key = (key_of_test(row), row["employee_no"])
        self.plant("bad_rows", "contributors.csv", index + 2, key, field="roles")

    def spoil_a_seat(self) -> None:
        """Spoil one candidate's extra time; the row has a new room too, which must not be used."""
        index = self.pick_seat(lambda row: row["extra"] not in {"", "0"} and row["room"] != "")
        row = self.university.registrations[index]
        row["extra"], row["room"] = "en halv time", "Sal Ø9"
        key = (key_of_test(row), row["student_no"])
        self.plant("bad_rows", "registrations.csv", index + 2, key, field="extra_time")

    def change_emails(self) -> str:
        """Change one person's email and mistype another's. Return the second's student number."""
        lines = {
            row["student_no"]: line for line, row in enumerate(self.university.students, start=2)
        }
        has_one = {row["student_no"] for row in self.university.students if row["mail"]}
        seats = [self.pick_seat(lambda row: row["student_no"] in has_one) for _ in range(2)]
        changed, mistyped = (self.university.registrations[index]["student_no"] for index in seats)
        self.university.students[lines[changed] - 2]["mail"] = f"new.address{changed}@example.edu"
        self.university.students[lines[mistyped] - 2]["mail"] = f"student{mistyped} at example.edu"
        self.plant(
            "changed_email", "students.csv", lines[changed], (changed,), changed={"email": None}
        )
        self.plant("bad_rows", "students.csv", lines[mistyped], (mistyped,), field="email")
        return mistyped

    def register_late(self, mistyped: str) -> None:
        """Add late registrations of new people, of the one with the wrong email, and of others."""
        highest = int(self.university.students[-1]["student_no"])
        people = [str(highest + step) for step in range(1, LATE_NEW_LEARNERS + 1)]
        for number in people:
            self.university.students.append(student(self.rng, int(number), "active"))
            self.plant("new_learners", "students.csv", len(self.university.students) + 1, (number,))
        while len(people) < LATE - 1:
            people.append(self.university.registrations[self.pick_seat()]["student_no"])
        for number in [*people, mistyped]:
            self.seat_late(number)

    def seat_late(self, student_no: str) -> None:
        """Add a registration on a test to come that the person was not on, with a new number."""
        rows = self.university.registrations
        mine = {key_of_test(row) for row in rows if row["student_no"] == student_no}
        key = self.rng.choice(sorted(self._to_come.keys() - mine))
        self._highest[key] += 1
        rows.append(registration(self.rng, self._to_come[key], student_no, self._highest[key]))
        self.plant("late", "registrations.csv", len(rows) + 1, (key, student_no))


def second_day(today: date) -> tuple[University, dict[str, list[Entry]]]:
    """Return everything on day two, and what was done to day one to get there."""
    day = DayTwo(first_day(today), today)
    day.withdraw()  # these two first, because they move the lines below
    day.strike_off()
    day.move()
    day.change_options()
    day.replace_grader()
    day.add_role()
    day.add_committee()
    day.spoil_a_role()
    day.spoil_a_seat()
    day.register_late(day.change_emails())
    return day.university, day.planted
