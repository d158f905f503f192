"""The made-up university on day one: its people, its tests, and who is on them.

The same date always gives the same university. Needs nothing but Python.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LEARNERS, TESTS, SEATS_EACH = 1200, 60, 3
NOT_SELECTED = 40
"""Students beyond the learners, who have left; every 31st row."""
PLANNERS, GRADERS, INVIGILATORS, IDLE = 20, 45, 12, 3
"""Staff who work on tests, by what they mostly do, and those who have no test."""
STAFF_LEFT = 5
"""Staff beyond those, who have left; every 17th row."""

Values = dict[str, str]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "students.csv": ("student_no", "feide", "given", "family", "mail", "status"),
    "staff.csv": ("employee_no", "feide", "given", "family", "mail", "status"),
    "exams.csv": (
        *("course", "term", "name", "start", "end", "minutes", "template"),
        *("lockdown", "pin", "explanation"),
    ),
    "contributors.csv": ("course", "term", "employee_no", "role", "committee", "room"),
    "registrations.csv": ("course", "term", "student_no", "number", "extra", "room", "committee"),
}

NAMES: Sequence[tuple[str, str]] = (
    ("Åse|Øyvind|Kåre|Bjørg|Sølvi|Pål", "Prøvesen|Øvingstad|Testgård|Eksempelås|Demosæther"),
    ("Ánne|Máret|Biera|Niillas|Čálli|Áilu", "Iskkusdemo|Geahččaleapmi|Testvárri|Prøvejávri"),
    ("Łukasz|Zofia|Błażej|Żaneta|Świętosława", "Próbowska-Demo|Testowicz|Przykładny|Ćwiczeniec"),
    ("Nguyệt|Đức|Hằng|Phượng|Thảo Vy", "Thửnghiệm|Vídụ|Mẫudemo"),
    ("سارة|عمر|ليلى|يوسف", "اختبار|مثال|تجربة"),
    (
        "Zoë|Jürgen|Françoise|Þóra|Søren",
        "Mustermann|Exempelsson|O'Example|Eksempeldóttir|Prøve, d.y.",
    ),
    ("Ελένη|Νίκος|Оксана|Тарас", "Δοκιμή|Παράδειγμα|Тестенко|Зразок"),
    ("明子|민준|ნინო|Şükrü", "試験|데모|ნიმუში|Örnek"),
)
"""Given names from many places, with family names that nobody has: words for test and sample."""

SUBJECTS = ("Prøveemne", "Iskkadeapmi", "Ćwiczenie", "Øvingsemne", "Bài thử", "Eksempelfag")
TOPICS = ("A: innføring", "B: metode", "C: påbygging", "Ð: repetisjon", "Å: avslutning")
CODES = ("DEMO", "ISKK", "OVNG", "TEST")
ROOMS = ("Aud. Åse", "Sal Ø1", "Lesesal 2, rad B", "Čáhci 3", "")
COMMITTEES = ("Komité A", "Komité Ø")
"""Each test has both."""
EXTRA_TIME = ("15", "30", "60", "25%", "33%", "0")
ZONE = ZoneInfo("Europe/Oslo")
LOCAL = "%d.%m.%Y %H:%M"


@dataclass
class University:
    """What the made-up registry says on one day: the rows of its files."""

    students: list[Values] = field(default_factory=list)
    staff: list[Values] = field(default_factory=list)
    exams: list[Values] = field(default_factory=list)
    contributors: list[Values] = field(default_factory=list)
    registrations: list[Values] = field(default_factory=list)

    def files(self) -> Mapping[str, list[Values]]:
        """Return the rows by file name."""
        return {name: getattr(self, name.removesuffix(".csv")) for name in COLUMNS}


def row_of(file: str, *values: str) -> Values:
    """Return one row of a file, from its values in the order of the columns."""
    return dict(zip(COLUMNS[file], values, strict=True))


def student(rng: random.Random, number: int, status: str) -> Values:
    """Return one made-up learner."""
    return row_of("students.csv", *_person(rng, str(number), "demo", "student"), status)


def employee(rng: random.Random, number: int, status: str) -> Values:
    """Return one made-up member of staff."""
    return row_of("staff.csv", *_person(rng, f"A{number}", "work", "staff"), status)


def _person(rng: random.Random, number: str, login: str, mail: str) -> tuple[str, ...]:
    """Return a number, a login, names and an email; one in fifteen has no email."""
    given, family = (names.split("|") for names in rng.choice(NAMES))
    address = "" if rng.random() < 1 / 15 else f"{mail}{number.lower()}@example.edu"
    return (
        number,
        f"{login}{number.lower()}@example.edu",
        rng.choice(given),
        rng.choice(family),
        address,
    )


def exam(rng: random.Random, number: int, day: date, today: date) -> Values:
    """Return a test on a day, by the wall clock in Oslo, open a quarter longer than it lasts."""
    minutes = rng.choice((120, 180, 240, 300))
    start = datetime.combine(day, time(rng.choice((9, 10, 13)), rng.choice((0, 15, 30))))
    end = start + timedelta(minutes=minutes * 5 // 4)
    course = f"{CODES[number % len(CODES)]}{1000 + 7 * number}"
    term = f"{'V' if day.month < 7 else 'H'}{day:%y}"
    name = f"{SUBJECTS[number % len(SUBJECTS)]} {TOPICS[number % len(TOPICS)]}"
    template = rng.choice(("1001", "1002", "1003", ""))
    times = (start.strftime(LOCAL), end.strftime(LOCAL), str(minutes))
    return row_of(
        "exams.csv", course, term, name, *times, template, *_options(rng, number, day < today)
    )


def _options(rng: random.Random, number: int, over: bool) -> tuple[str, str, str]:
    """Return lock-down browser, pin and explanation of grades; the first two not once it is over.

    Every third test is sat in Safe Exam Browser, which asks for the pin.
    """
    explanation = rng.choice(("yes", "no"))
    if over:
        return "", "", explanation
    return (
        ("no", pin(rng), explanation)
        if number % 3 == 0
        else (rng.choice(("yes", "no")), "", explanation)
    )


def pin(rng: random.Random) -> str:
    """Return a pin as the vendor wants it: letters and digits."""
    return f"demo{rng.randrange(10**6):06}pin"


def exam_days(today: date) -> list[date]:
    """Return the day of each test: six are long over, six within a week, the others far off."""
    offsets = [-42, -35, -30, -28, -21, -17, 3, 4, 4, 5, 5, 6]
    offsets += [10 + 2 * step for step in range(TESTS - len(offsets))]
    return [today + timedelta(days=offset) for offset in offsets]


def work(test: Values, employee_no: str, role: str, committee: str = "", room: str = "") -> Values:
    """Return one role of one member of staff on a test; several roles are several rows."""
    return row_of(
        "contributors.csv", test["course"], test["term"], employee_no, role, committee, room
    )


def registration(rng: random.Random, test: Values, student_no: str, number: int) -> Values:
    """Return one candidate; one in eight has extra time, in minutes or as a share."""
    extra = rng.choice(EXTRA_TIME) if rng.random() < 1 / 8 else ""
    seat = (f"{number:04}", extra, rng.choice(ROOMS), rng.choice((*COMMITTEES, "")))
    return row_of("registrations.csv", test["course"], test["term"], student_no, *seat)


def first_day(today: date) -> University:
    """Return everything on day one. Some rows are of people who have left: they are never sent."""
    rng = random.Random("inspera-sync demo")  # the same people whatever the day
    university = University()
    for index in range(LEARNERS + NOT_SELECTED):
        gone = index % 31 == 5
        status = (
            rng.choice(("left", "graduated"))
            if gone
            else rng.choice(("active", "active", "active", "exchange"))
        )
        university.students.append(student(rng, 100001 + index, status))
    for index in range(PLANNERS + GRADERS + INVIGILATORS + IDLE + STAFF_LEFT):
        status = "left" if index % 17 == 4 else rng.choice(("active", "active", "on leave"))
        university.staff.append(employee(rng, 2001 + index, status))
    university.exams = [exam(rng, index, day, today) for index, day in enumerate(exam_days(today))]
    _put_to_work(rng, university)
    _register(rng, university)
    return university


def _put_to_work(rng: random.Random, university: University) -> None:
    """Add two graders a test, each with a committee, one also a planner; and an invigilator."""
    people = [row["employee_no"] for row in university.staff if row["status"] != "left"]
    rng.shuffle(people)
    planners, graders = people[:PLANNERS], people[PLANNERS : PLANNERS + GRADERS]
    invigilators = people[PLANNERS + GRADERS : -IDLE]
    for index, test in enumerate(university.exams):
        planner = planners[index % PLANNERS]
        university.contributors += [
            work(test, planner, "evaluate", COMMITTEES[0]),
            work(test, graders[index % GRADERS], "evaluate", COMMITTEES[1]),
            work(test, planner, "plan"),
            work(test, invigilators[index % INVIGILATORS], "invigilate", room=rng.choice(ROOMS)),
        ]


def _register(rng: random.Random, university: University) -> None:
    taken = [0] * TESTS
    for person in selected(university):
        for index in rng.sample(range(TESTS), SEATS_EACH):
            taken[index] += 1
            row = registration(rng, university.exams[index], person["student_no"], taken[index])
            university.registrations.append(row)


def selected(university: University) -> list[Values]:
    """Return the students whose status the demo's learner feed selects."""
    return [row for row in university.students if row["status"] in {"active", "exchange"}]


def key_of_test(row: Values) -> str:
    """Return a test's key, as the demo's configuration makes it."""
    return f"{row['course']}-{row['term']}"


def wall_clock(local: str) -> datetime:
    """Return a local time of the files, still without its zone."""
    return datetime.strptime(local, LOCAL)  # noqa: DTZ007  the files' times have none


def utc(local: str) -> str:
    """Return a local time of the files as UTC, such as `2026-10-18T07:00:00Z`."""
    return wall_clock(local).replace(tzinfo=ZONE).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def starts_in(exam_row: Values, today: date) -> int:
    """Return how many days from today a test starts."""
    return (wall_clock(exam_row["start"]).date() - today).days
