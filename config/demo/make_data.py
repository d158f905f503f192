"""Makes the demo's CSV files: 1,200 learners, 60 tests and 3,600 candidates, every one of them made up.

    python make_data.py FOLDER --day 1 --today 2026-08-20

The same date always gives the same files. Day two is day one with things done to it that a student registry does in
a night, and `day2.json` beside the files lists each of them with its file and line. `--today` is day one's date on
both days, because the dates of the tests are counted from it. Needs nothing but Python.
"""

import argparse
import csv
import json
import random
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

LEARNERS, TESTS, SEATS_EACH = 1200, 60, 3
NOT_SELECTED = 40
"""Students beyond the learners, who have left; every 31st row."""
LATE, LATE_NEW_LEARNERS, WITHDRAWN = 12, 4, 5

Values = dict[str, str]
Entry = dict[str, object]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "students.csv": ("student_no", "feide", "given", "family", "mail", "status"),
    "exams.csv": ("course", "term", "name", "start", "end", "minutes", "template"),
    "registrations.csv": ("course", "term", "student_no", "number", "extra", "room"),
}
DELIMITERS = {"exams.csv": ";"}

NAMES: Sequence[tuple[str, str]] = (
    ("Åse|Øyvind|Kåre|Bjørg|Sølvi|Pål", "Prøvesen|Øvingstad|Testgård|Eksempelås|Demosæther"),
    ("Ánne|Máret|Biera|Niillas|Čálli|Áilu", "Iskkusdemo|Geahččaleapmi|Testvárri|Prøvejávri"),
    ("Łukasz|Zofia|Błażej|Żaneta|Świętosława", "Próbowska-Demo|Testowicz|Przykładny|Ćwiczeniec"),
    ("Nguyệt|Đức|Hằng|Phượng|Thảo Vy", "Thửnghiệm|Vídụ|Mẫudemo"),
    ("سارة|عمر|ليلى|يوسف", "اختبار|مثال|تجربة"),
    ("Zoë|Jürgen|Françoise|Þóra|Søren", "Mustermann|Exempelsson|O'Example|Eksempeldóttir|Prøve, d.y."),
    ("Ελένη|Νίκος|Оксана|Тарас", "Δοκιμή|Παράδειγμα|Тестенко|Зразок"),
    ("明子|민준|ნინო|Şükrü", "試験|데모|ნიმუში|Örnek"),
)
"""Given names from many places beside family names that nobody has: the words for test, trial, sample and exercise."""

SUBJECTS = ("Prøveemne", "Iskkadeapmi", "Ćwiczenie", "Øvingsemne", "Bài thử", "Eksempelfag")
TOPICS = ("A: innføring", "B: metode", "C: påbygging", "Ð: repetisjon", "Å: avslutning")
CODES = ("DEMO", "ISKK", "OVNG", "TEST")
ROOMS = ("Aud. Åse", "Sal Ø1", "Lesesal 2, rad B", "Čáhci 3", "")
EXTRA_TIME = ("15", "30", "60", "25%", "33%", "0")
ZONE = ZoneInfo("Europe/Oslo")
LOCAL = "%d.%m.%Y %H:%M"


@dataclass
class Registry:
    """What the made-up student registry says on one day: the rows of its three files."""

    students: list[Values] = field(default_factory=list)
    exams: list[Values] = field(default_factory=list)
    registrations: list[Values] = field(default_factory=list)

    def files(self) -> Mapping[str, list[Values]]:
        """The rows by file name."""
        return {
            "students.csv": self.students,
            "exams.csv": self.exams,
            "registrations.csv": self.registrations,
        }


def row_of(file: str, *values: str) -> Values:
    """One row of a file, from its values in the order of the columns."""
    return dict(zip(COLUMNS[file], values, strict=True))


def student(rng: random.Random, number: int, status: str) -> Values:
    """One made-up person; one in fifteen has no email."""
    given, family = (names.split("|") for names in rng.choice(NAMES))
    mail = "" if rng.random() < 1 / 15 else f"student{number}@example.edu"
    login = f"demo{number}@example.edu"
    return row_of("students.csv", str(number), login, rng.choice(given), rng.choice(family), mail, status)


def exam(rng: random.Random, number: int, day: date) -> Values:
    """One test on a day, by the wall clock in Oslo; it leaves a quarter of its length to be late in."""
    minutes = rng.choice((120, 180, 240, 300))
    start = datetime.combine(day, time(rng.choice((9, 10, 13)), rng.choice((0, 15, 30))))
    end = start + timedelta(minutes=minutes * 5 // 4)
    course = f"{CODES[number % len(CODES)]}{1000 + 7 * number}"
    term = f"{'V' if day.month < 7 else 'H'}{day:%y}"
    name = f"{SUBJECTS[number % len(SUBJECTS)]} {TOPICS[number % len(TOPICS)]}"
    template = rng.choice(("1001", "1002", "1003", ""))
    return row_of("exams.csv", course, term, name, start.strftime(LOCAL), end.strftime(LOCAL), str(minutes), template)


def exam_days(today: date) -> list[date]:
    """The day of each test: six are long over, six come within a week, none is within two days, most are far off."""
    offsets = [-42, -35, -30, -28, -21, -17, 3, 4, 4, 5, 5, 6]
    offsets += [10 + 2 * step for step in range(TESTS - len(offsets))]
    return [today + timedelta(days=offset) for offset in offsets]


def registration(rng: random.Random, test: Values, student_no: str, number: int) -> Values:
    """One candidate; one in eight has extra time, in minutes or as a share of the test's length."""
    extra = rng.choice(EXTRA_TIME) if rng.random() < 1 / 8 else ""
    course, term = test["course"], test["term"]
    return row_of("registrations.csv", course, term, student_no, f"{number:04}", extra, rng.choice(ROOMS))


def first_day(today: date) -> Registry:
    """Everything on day one. Some rows are of people who have left: no feed of the demo selects those."""
    rng = random.Random(f"inspera-sync demo {today.isoformat()}")
    registry = Registry()
    for index in range(LEARNERS + NOT_SELECTED):
        gone = index % 31 == 5
        status = rng.choice(("left", "graduated")) if gone else rng.choice(("active", "active", "active", "exchange"))
        registry.students.append(student(rng, 100001 + index, status))
    registry.exams = [exam(rng, index, day) for index, day in enumerate(exam_days(today))]
    taken = [0] * TESTS
    for person in selected(registry):
        for index in rng.sample(range(TESTS), SEATS_EACH):
            taken[index] += 1
            row = registration(rng, registry.exams[index], person["student_no"], taken[index])
            registry.registrations.append(row)
    return registry


def selected(registry: Registry) -> list[Values]:
    """The students whose status the demo's learner feed selects."""
    return [row for row in registry.students if row["status"] in {"active", "exchange"}]


def key_of_test(row: Values) -> str:
    """A test's key, as the demo's configuration makes it."""
    return f"{row['course']}-{row['term']}"


def wall_clock(local: str) -> datetime:
    """A local time of the files, still without its zone."""
    return datetime.strptime(local, LOCAL)  # noqa: DTZ007  the files' times have none


def utc(local: str) -> str:
    """A local time of the files as UTC, such as `2026-10-18T07:00:00Z`."""
    return wall_clock(local).replace(tzinfo=ZONE).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def starts_in(exam_row: Values, today: date) -> int:
    """How many days from today a test starts."""
    return (wall_clock(exam_row["start"]).date() - today).days


class Night:
    """What happens between day one and day two; everything done is remembered in `planted`, in the order done.

    No row is touched twice, so that each planted thing can be told from the others.
    """

    def __init__(self, registry: Registry, today: date) -> None:
        self.registry = registry
        self.rng = random.Random(f"inspera-sync demo night {today.isoformat()}")
        self.planted: dict[str, list[Entry]] = {}
        self._touched: set[str] = set()
        self._to_come = {key_of_test(row): row for row in registry.exams if starts_in(row, today) > 0}
        self._far_off = {key for key, row in self._to_come.items() if starts_in(row, today) > 7}
        self._highest = {key_of_test(row): int(row["number"]) for row in registry.registrations}

    def plant(self, what: str, file: str, line: int, key: Sequence[str], **more: object) -> None:
        """Remembers one thing that was done, where it stands, and the key of the record that it happens to."""
        self.planted.setdefault(what, []).append({"file": file, "line": line, "key": list(key), **more})

    def pick_seat(self, usable: Callable[[Values], bool] = lambda _: True) -> int:
        """The index of a registration on a test far off, of a learner and a test not picked before."""
        while True:
            index = self.rng.randrange(len(self.registry.registrations))
            row = self.registry.registrations[index]
            fresh = {row["student_no"], key_of_test(row)}
            if key_of_test(row) in self._far_off and not fresh & self._touched and usable(row):
                self._touched |= fresh
                return index

    def withdraw(self) -> None:
        """Some registrations go: two on one test, the others on tests of their own. `line` is day one's."""
        first = self.pick_seat()
        test = key_of_test(self.registry.registrations[first])
        others = [i for i, row in enumerate(self.registry.registrations) if key_of_test(row) == test and i != first]
        gone = [first, others[0], *(self.pick_seat() for _ in range(WITHDRAWN - 2))]
        self._touched.add(self.registry.registrations[others[0]]["student_no"])
        for index in sorted(gone):
            row = self.registry.registrations[index]
            self.plant("withdrawn", "registrations.csv", index + 2, (key_of_test(row), row["student_no"]))
        for index in sorted(gone, reverse=True):
            del self.registry.registrations[index]

    def move(self) -> None:
        """One test gets a new date; its clock times stay."""
        row = self._to_come[key_of_test(self.registry.registrations[self.pick_seat()])]
        before = utc(row["start"])
        for column in ("start", "end"):
            row[column] = (wall_clock(row[column]) + timedelta(days=9)).strftime(LOCAL)
        line = self.registry.exams.index(row) + 2
        self.plant("moved", "exams.csv", line, (key_of_test(row),), start=[before, utc(row["start"])])

    def spoil_a_seat(self) -> None:
        """One candidate's extra time becomes unreadable; the row says a new room too, which must not be believed."""
        index = self.pick_seat(lambda row: row["extra"] not in {"", "0"} and row["room"] != "")
        row = self.registry.registrations[index]
        row["extra"], row["room"] = "en halv time", "Sal Ø9"
        key = (key_of_test(row), row["student_no"])
        self.plant("bad_rows", "registrations.csv", index + 2, key, field="extra_time")

    def change_emails(self) -> str:
        """One person gets another email; another's is mistyped. Returns the second one's student number."""
        lines = {row["student_no"]: line for line, row in enumerate(self.registry.students, start=2)}
        has_one = {row["student_no"] for row in self.registry.students if row["mail"]}
        seats = [self.pick_seat(lambda row: row["student_no"] in has_one) for _ in range(2)]
        changed, mistyped = (self.registry.registrations[index]["student_no"] for index in seats)
        self.registry.students[lines[changed] - 2]["mail"] = f"new.address{changed}@example.edu"
        self.registry.students[lines[mistyped] - 2]["mail"] = f"student{mistyped} at example.edu"
        self.plant("changed_email", "students.csv", lines[changed], (changed,))
        self.plant("bad_rows", "students.csv", lines[mistyped], (mistyped,), field="email")
        return mistyped

    def register_late(self, mistyped: str) -> None:
        """Late registrations: some of new people, one of the person whose email was mistyped, others of known ones."""
        highest = int(self.registry.students[-1]["student_no"])
        people = [str(highest + step) for step in range(1, LATE_NEW_LEARNERS + 1)]
        for number in people:
            self.registry.students.append(student(self.rng, int(number), "active"))
            self.plant("new_learners", "students.csv", len(self.registry.students) + 1, (number,))
        while len(people) < LATE - 1:
            people.append(self.registry.registrations[self.pick_seat()]["student_no"])
        for number in [*people, mistyped]:
            self.seat_late(number)

    def seat_late(self, student_no: str) -> None:
        """One late registration, on a test to come that the person was not on, with a number never given before."""
        rows = self.registry.registrations
        mine = {key_of_test(row) for row in rows if row["student_no"] == student_no}
        key = self.rng.choice(sorted(self._to_come.keys() - mine))
        self._highest[key] += 1
        rows.append(registration(self.rng, self._to_come[key], student_no, self._highest[key]))
        self.plant("late", "registrations.csv", len(rows) + 1, (key, student_no))


def second_day(today: date) -> tuple[Registry, dict[str, list[Entry]]]:
    """Everything on day two, and what was done to day one to get there."""
    night = Night(first_day(today), today)
    night.withdraw()  # first, because it moves the lines below it
    night.move()
    night.spoil_a_seat()
    night.register_late(night.change_emails())
    return night.registry, night.planted


def written(rows: Iterable[Values], day: int) -> Iterable[Values]:
    """The rows as a careless export writes them: some accents decomposed, some values with spaces around them.

    Other rows on day two than on day one: what only looks different must not become a change.
    """
    for index, row in enumerate(rows):
        if (index + 5 * day) % 10 == 3:
            yield {name: unicodedata.normalize("NFD", value) for name, value in row.items()}
        elif (index + day) % 25 == 7:
            yield {name: f" {value} " for name, value in row.items()}
        else:
            yield row


def write(folder: Path, day: int, today: date) -> None:
    """Writes the day's three files, and on day two `day2.json`."""
    registry, planted = (first_day(today), None) if day == 1 else second_day(today)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in registry.files().items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS[name], delimiter=DELIMITERS.get(name, ","))
            writer.writeheader()
            writer.writerows(written(rows, day))
    if planted is not None:
        text = json.dumps({"today": today.isoformat(), **planted}, indent=2, ensure_ascii=False)
        (folder / "day2.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Reads the arguments and writes the files."""
    parser = argparse.ArgumentParser(description="Makes the demo's CSV files, of made-up people.")
    parser.add_argument("folder", type=Path, help="where the files go; it is made when it is not there")
    parser.add_argument("--day", type=int, choices=(1, 2), required=True)
    parser.add_argument("--today", type=date.fromisoformat, required=True, help="day one's date, YYYY-MM-DD")
    given = parser.parse_args()
    write(given.folder, given.day, given.today)


if __name__ == "__main__":
    main()
