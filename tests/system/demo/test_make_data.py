"""The demo's files: the same for a date, of the promised size, with all planted as listed."""

import csv
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from zoneinfo import ZoneInfo

import pytest

Make = Callable[[int, date], Path]
Row = dict[str, str]

TODAY = date(2026, 8, 20)
OSLO = ZoneInfo("Europe/Oslo")


def read(folder: Path, name: str) -> list[Row]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        raw = csv.DictReader(file, delimiter=";" if name == "exams.csv" else ",", strict=True)
        return [{k: unicodedata.normalize("NFC", v.strip()) for k, v in row.items()} for row in raw]


KEYS: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "students.csv": lambda row: (row["student_no"],),
    "staff.csv": lambda row: (row["employee_no"],),
    "exams.csv": lambda row: (name_of(row),),
    "contributors.csv": lambda row: (name_of(row), row["employee_no"]),
    "registrations.csv": lambda row: (name_of(row), row["student_no"]),
}
"""The files, and the key of each one's rows."""


def moment(local: str) -> datetime:
    return datetime.strptime(local, "%d.%m.%Y %H:%M").replace(tzinfo=OSLO)


def name_of(row: Row) -> str:
    return f"{row['course']}-{row['term']}"


def keyed(folder: Path, name: str) -> dict[tuple[str, ...], list[Row]]:
    """Return the rows of a file by key: several only for contributors."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in read(folder, name):
        found.setdefault(KEYS[name](row), []).append(row)
    return found


def seats(folder: Path) -> dict[tuple[str, str], Row]:
    return {(name_of(row), row["student_no"]): row for row in read(folder, "registrations.csv")}


@pytest.fixture
def planted(made: Make) -> Any:
    return json.loads((made(2, TODAY) / "day2.json").read_text(encoding="utf-8"))


def test_the_same_date_gives_the_same_files(
    made: Make, script: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    assert script("make_data.py", tmp_path, "--day", 2, "--today", TODAY).returncode == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {*KEYS, "day2.json", "today.txt"}
    for name in names:
        assert (tmp_path / name).read_bytes() == (made(2, TODAY) / name).read_bytes()


def test_another_date_gives_other_files(made: Make) -> None:
    other = made(1, TODAY + timedelta(days=1))
    assert (other / "exams.csv").read_bytes() != (made(1, TODAY) / "exams.csv").read_bytes()


def test_a_day_it_does_not_know_is_refused(
    script: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    assert script("make_data.py", tmp_path, "--day", 3, "--today", TODAY).returncode == 2


def test_day_one_has_the_promised_numbers(made: Make) -> None:
    students = read(made(1, TODAY), "students.csv")
    assert Counter(row["status"] in {"active", "exchange"} for row in students) == {
        True: 1200,
        False: 40,
    }
    assert (
        len(read(made(1, TODAY), "exams.csv"))
        == len({name_of(r) for r in read(made(1, TODAY), "exams.csv")})
        == 60
    )
    assert len(read(made(1, TODAY), "registrations.csv")) == len(seats(made(1, TODAY))) == 3600
    staff = read(made(1, TODAY), "staff.csv")
    assert Counter(row["status"] == "left" for row in staff) == {False: 80, True: 5}
    assert {row["status"] for row in staff} == {"active", "on leave", "left"}
    assert len(read(made(1, TODAY), "contributors.csv")) == 240
    assert len(keyed(made(1, TODAY), "contributors.csv")) == 180


def test_every_candidate_names_a_selected_learner_and_a_test(made: Make) -> None:
    for day in (1, 2):
        folder = made(day, TODAY)
        people = {
            r["student_no"]
            for r in read(folder, "students.csv")
            if r["status"] in {"active", "exchange"}
        }
        tests = {name_of(row) for row in read(folder, "exams.csv")}
        assert all(test in tests and person in people for test, person in seats(folder))


def test_every_contributor_names_a_test_and_somebody_who_has_not_left(made: Make) -> None:
    for day in (1, 2):
        folder = made(day, TODAY)
        here = {row["employee_no"] for row in read(folder, "staff.csv") if row["status"] != "left"}
        tests = {name_of(row) for row in read(folder, "exams.csv")}
        assert all(
            test in tests and person in here for test, person in keyed(folder, "contributors.csv")
        )


def test_several_rows_of_a_contributor_differ_in_roles_and_committees_alone(made: Make) -> None:
    several = [rows for rows in keyed(made(1, TODAY), "contributors.csv").values() if len(rows) > 1]
    assert len(several) == 60
    for rows in several:
        assert len({row["role"] for row in rows}) == len(rows)
        assert len({row["room"] for row in rows}) == 1


def test_each_test_has_the_committees_that_its_candidates_name(made: Make) -> None:
    graded = {
        (name_of(row), row["committee"])
        for row in read(made(1, TODAY), "contributors.csv")
        if row["committee"]
    }
    named = {
        (name_of(row), row["committee"])
        for row in read(made(2, TODAY), "registrations.csv")
        if row["committee"]
    }
    assert named <= graded
    assert len(graded) == 120
    assert any(not row["committee"] for row in read(made(1, TODAY), "registrations.csv"))


def test_security_options_are_set_on_tests_to_come_alone_and_every_pin_is_sound(made: Make) -> None:
    for row in read(made(1, TODAY), "exams.csv"):
        to_come = moment(row["start"]).date() > TODAY
        assert (row["lockdown"] in {"yes", "no"}) is to_come
        assert to_come or not row["pin"]
        assert row["explanation"] in {"yes", "no"}
    pins = [row["pin"] for row in read(made(1, TODAY), "exams.csv") if row["pin"]]
    assert len(pins) > 10
    assert all(re.fullmatch(r"[a-z]+[0-9]{6}[a-z]+", pin) for pin in pins)


def test_no_two_candidates_of_a_test_share_a_number_not_even_over_the_days(made: Make) -> None:
    numbers: dict[tuple[str, str], set[str]] = {}
    for day in (1, 2):
        for (test, person), row in seats(made(day, TODAY)).items():
            numbers.setdefault((test, row["number"]), set()).add(person)
    assert {len(people) for people in numbers.values()} == {1}


def test_the_people_are_plainly_made_up_and_named_in_many_alphabets(made: Make) -> None:
    students = read(made(2, TODAY), "students.csv") + read(made(2, TODAY), "staff.csv")
    assert all(not r["mail"] or r["mail"].endswith("example.edu") for r in students)
    assert all(row["feide"].endswith("@example.edu") for row in students)
    scripts = {
        unicodedata.name(letter).split()[0]
        for row in students
        for letter in row["family"]
        if letter.isalpha()
    }
    assert {"LATIN", "ARABIC", "GREEK", "CYRILLIC", "GEORGIAN", "HANGUL", "CJK"} <= scripts
    assert any("Prøvesen" in row["family"] for row in students)
    assert 20 < sum(not row["mail"] for row in students) < 200


def test_some_values_are_decomposed_and_some_have_spaces_in_other_rows_each_day(made: Make) -> None:
    careless = {}
    for day in (1, 2):
        lines = (made(day, TODAY) / "students.csv").read_text(encoding="utf-8").splitlines()
        careless[day] = {
            i for i, line in enumerate(lines) if not unicodedata.is_normalized("NFC", line)
        }
        assert any(" active " in line for line in lines)
        assert len(careless[day]) > 20
    assert not careless[1] & careless[2]


@pytest.mark.parametrize(
    "today", [TODAY, date(2026, 3, 20), date(2026, 10, 15), date(2027, 1, 1), date(2028, 2, 29)]
)
def test_no_test_is_near_enough_for_the_clock_to_matter(made: Make, today: date) -> None:
    days = [(moment(row["start"]).date() - today).days for row in read(made(1, today), "exams.csv")]
    assert sum(day < -7 for day in days) >= 5
    assert sum(2 < day <= 7 for day in days) >= 5
    assert not [day for day in days if -7 <= day <= 2]


@pytest.mark.parametrize("today", [date(2026, 3, 20), date(2026, 12, 1), date(2028, 2, 29)])
def test_who_sits_what_is_the_same_whatever_the_date(made: Make, today: date) -> None:
    def sat(folder: Path) -> list[tuple[str, str]]:
        rows = read(folder, "registrations.csv")
        return sorted((row["course"], row["student_no"]) for row in rows)

    assert sat(made(1, today)) == sat(made(1, TODAY))
    assert len(sat(made(2, today))) == len(sat(made(2, TODAY)))


@pytest.mark.parametrize("today", [TODAY, date(2026, 3, 20), date(2026, 10, 15)])
def test_every_test_fits_its_times_and_none_is_in_a_clock_change(made: Make, today: date) -> None:
    for row in read(made(2, today), "exams.csv"):
        start, end = moment(row["start"]), moment(row["end"])
        assert end - start >= timedelta(minutes=int(row["minutes"])) > timedelta()
        assert start.utcoffset() == end.utcoffset()
        for when in (start, end):
            assert when.replace(fold=1).utcoffset() == when.utcoffset()
            assert when.astimezone(UTC).astimezone(OSLO).replace(tzinfo=None) == when.replace(
                tzinfo=None
            )


def test_day_two_lists_everything_that_it_planted_with_its_line(made: Make, planted: Any) -> None:
    counts = {what: len(entries) for what, entries in planted.items() if what != "today"}
    assert counts == {
        "late": 12,
        "new_learners": 4,
        "withdrawn": 5,
        "moved": 1,
        "changed_email": 1,
        "bad_rows": 3,
        "hired": 1,
        "left": 1,
        "struck_off": 1,
        "option_changed": 1,
        "pin_changed": 1,
        "committee_added": 1,
        "committee_joined": 1,
        "role_added": 1,
        "replaced": 1,
        "relieved": 1,
    }
    for what, entries in planted.items():
        for entry in entries if what != "today" else []:
            row = read(made(entry.get("day", 2), TODAY), entry["file"])[entry["line"] - 2]
            whole = what not in {
                "option_changed",
                "pin_changed",
                "committee_added",
            }  # else the row names the test
            assert entry["key"][: None if whole else 1] == list(
                KEYS[entry["file"]](row)[: None if whole else 1]
            )


def differing(one: Path, two: Path, name: str) -> set[tuple[str, ...]]:
    before, after = keyed(one, name), keyed(two, name)
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def test_day_two_differs_from_day_one_in_nothing_but_what_it_planted(
    made: Make, planted: Any
) -> None:
    one, two = made(1, TODAY), made(2, TODAY)
    entries = [entry for what, entries in planted.items() if what != "today" for entry in entries]
    for name in KEYS:
        keys = {tuple(entry["key"]) for entry in entries if entry["file"] == name}
        if name == "exams.csv":
            keys = {(test,) for test, *_ in keys}
        keys -= {
            tuple(entry["key"]) for entry in planted["committee_added"]
        }  # a committee is in a contributor's row
        assert differing(one, two, name) == keys
    before, after = seats(one), seats(two)
    assert after.keys() - before.keys() == {tuple(entry["key"]) for entry in planted["late"]}
    assert before.keys() - after.keys() == {tuple(entry["key"]) for entry in planted["withdrawn"]}


def test_the_replaced_grader_has_left_and_their_one_test_is_the_new_ones(
    made: Make, planted: Any
) -> None:
    (left,), (hired,) = planted["left"][0]["key"], planted["hired"][0]["key"]
    tests = [
        {
            person: test
            for test, person in keyed(made(day, TODAY), "contributors.csv")
            if person in {left, hired}
        }
        for day in (1, 2)
    ]
    assert tests == [
        {left: planted["relieved"][0]["key"][0]},
        {hired: planted["replaced"][0]["key"][0]},
    ]
    assert tests[0][left] == tests[1][hired]
    status = [keyed(made(day, TODAY), "staff.csv")[left,][0]["status"] for day in (1, 2)]
    assert status[0] != "left"
    assert status[1] == "left"


def test_who_is_struck_off_has_no_test(made: Make, planted: Any) -> None:
    (gone,) = planted["struck_off"][0]["key"]
    assert (gone,) not in keyed(made(2, TODAY), "staff.csv")
    assert gone not in {person for _, person in keyed(made(1, TODAY), "contributors.csv")}


def test_the_added_role_and_committee_are_said_with_what_was_there_before(
    made: Make, planted: Any
) -> None:
    for what, column, field in (
        ("role_added", "role", "roles"),
        ("committee_joined", "committee", "committees"),
    ):
        entry = planted[what][0]
        rows = [keyed(made(day, TODAY), "contributors.csv")[tuple(entry["key"])] for day in (1, 2)]
        said = [
            sorted({item for row in each for item in row[column].split(";")} - {""})
            for each in rows
        ]
        assert entry["changed"] == {field: said}
        assert len(said[0]) + 1 == len(said[1])


def test_the_changed_options_say_both_values_but_never_a_pin(made: Make, planted: Any) -> None:
    exams = [keyed(made(day, TODAY), "exams.csv") for day in (1, 2)]
    option, pin = planted["option_changed"][0], planted["pin_changed"][0]
    assert [each[option["key"][0],][0]["lockdown"] for each in exams] == ["no", "yes"]
    assert option["changed"] == {"value": ["false", "true"]}
    old, new = (each[pin["key"][0],][0]["pin"] for each in exams)
    assert old != new
    assert pin["changed"] == {"value": None}
    assert not [one for one in (old, new) if one in json.dumps(planted)]


def test_withdrawals_stay_below_what_the_guard_holds(made: Make, planted: Any) -> None:
    on_test = Counter(test for test, _ in seats(made(1, TODAY)))
    gone = Counter(entry["key"][0] for entry in planted["withdrawn"])
    assert len(gone) > 1
    assert all(
        count <= max(3, on_test[test] // 4) and count < on_test[test]
        for test, count in gone.items()
    )


def test_the_bad_role_is_in_one_of_two_rows_of_a_contributor(made: Make, planted: Any) -> None:
    (key,) = (tuple(entry["key"]) for entry in planted["bad_rows"] if entry["field"] == "roles")
    before, after = (keyed(made(day, TODAY), "contributors.csv")[key] for day in (1, 2))
    assert len(before) == len(after) == 2
    assert before[0] == after[0]
    assert before[1]["role"] in {row["role"] for row in read(made(1, TODAY), "contributors.csv")}
    assert after[1]["role"] not in {row["role"] for row in read(made(1, TODAY), "contributors.csv")}
    assert before[1]["room"] != after[1]["room"]


def test_the_bad_row_is_of_a_candidate_with_extra_time_and_the_bad_email_of_one_who_registers_late(
    made: Make, planted: Any
) -> None:
    bad = {entry["field"]: entry["key"] for entry in planted["bad_rows"]}
    before, after = seats(made(1, TODAY)), seats(made(2, TODAY))
    key = (bad["extra_time"][0], bad["extra_time"][1])
    assert before[key]["extra"] not in {"", "0", after[key]["extra"]}
    assert not after[key]["extra"].strip("%").isdigit()
    assert before[key]["room"] != after[key]["room"]
    assert bad["email"][0] in {entry["key"][1] for entry in planted["late"]}


def test_the_moved_exam_says_both_its_times_in_utc(made: Make, planted: Any) -> None:
    entry = planted["moved"][0]
    for day, said in zip((1, 2), entry["changed"]["start"], strict=True):
        row = next(
            row for row in read(made(day, TODAY), "exams.csv") if name_of(row) == entry["key"][0]
        )
        assert datetime.fromisoformat(said) == moment(row["start"])
        assert said.endswith("Z")
