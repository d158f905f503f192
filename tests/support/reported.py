"""A university in the exam period whose plan has everything that a report shows."""

from .university import TEST, University, numbers

MATHS, LAW, HEBREW = "MAT1100-H26", "JUS4211-H26", "HEB1000-H26"
LONG = (
    "Rettshistorie, rettsfilosofi og rettssosiologi – skriftlig skoleeksamen med åpen bok, "
    "ekstraordinær prøve for kandidater med lovlig forfall <script>alert('å')</script>"
)
RTL = "עברית מודרנית"


def begin(university: University) -> None:
    """Bring four tests with 28 candidates into Inspera, a week before they begin."""
    university.allow_shrinkage()
    for number, test in enumerate((TEST, MATHS, LAW, HEBREW)):
        day = f"{number + 1:02}.12.2026"
        university.exams.add(test, start=f"{day} 09:00", end=f"{day} 13:00")
    university.feed("candidate")["map"]["room"] = "room"
    for test, first, count in (
        (TEST, 1001, 12),
        (MATHS, 1005, 8),
        (LAW, 1010, 6),
        (HEBREW, 1020, 2),
    ):
        university.register(test, *numbers(first, count))
    for key in numbers(1001, 12):
        university.registrations.set(f"{TEST} {key}", number=f"9{key}", room="Sal Å")
    university.at("2026-11-24T08:00")
    university.apply_once()


def change(university: University) -> None:
    """Change the files so that the plan holds, waits, defers and has row errors."""
    university.at("2026-11-30T08:00")
    university.exams.set(LAW, name=LONG)
    university.exams.set(HEBREW, name=RTL)
    university.exams.set(MATHS, start="02.12.2027 09:00", end="02.12.2027 13:00")
    university.exams.add("FYS1000-H26", start="14.12.2026 09:00", end="14.12.2026 13:00")
    university.registrations.drop(*(f"{TEST} {key}" for key in numbers(1001, 9)))
    university.register(LAW, "2001", "2002")
    university.register("FYS1000-H26", *numbers(2001, 5))
    university.students.set("2005", given="Per & <Kari>", family="Ødegård-Ærlig", mail="per@")
    university.students.set("1010", family="Nygård")
    university.registrations.set(f"{LAW} 1010", extra="45")
    university.registrations.set(f"{LAW} 1011", room="Sal Ø <b>2</b>")
    university.registrations.add(f"{LAW} 7777")
    university.registrations.add(f"{HEBREW} 1003", extra="half an hour")
