"""The demo's files: the same for the same date, of the promised size, and with everything planted where it is said."""

import csv
import json
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


def moment(local: str) -> datetime:
    return datetime.strptime(local, "%d.%m.%Y %H:%M").replace(tzinfo=OSLO)


def name_of(row: Row) -> str:
    return f"{row['course']}-{row['term']}"


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
    assert names == {"students.csv", "exams.csv", "registrations.csv", "day2.json"}
    for name in names:
        assert (tmp_path / name).read_bytes() == (made(2, TODAY) / name).read_bytes()


def test_another_date_gives_other_files(made: Make) -> None:
    other = made(1, TODAY + timedelta(days=1))
    assert (other / "exams.csv").read_bytes() != (made(1, TODAY) / "exams.csv").read_bytes()


def test_a_day_it_does_not_know_is_refused(script: Callable[..., CompletedProcess[str]], tmp_path: Path) -> None:
    assert script("make_data.py", tmp_path, "--day", 3, "--today", TODAY).returncode == 2


def test_day_one_has_the_promised_numbers(made: Make) -> None:
    students = read(made(1, TODAY), "students.csv")
    assert Counter(row["status"] in {"active", "exchange"} for row in students) == {True: 1200, False: 40}
    assert len(read(made(1, TODAY), "exams.csv")) == len({name_of(r) for r in read(made(1, TODAY), "exams.csv")}) == 60
    assert len(read(made(1, TODAY), "registrations.csv")) == len(seats(made(1, TODAY))) == 3600


def test_every_candidate_names_a_selected_learner_and_a_test(made: Make) -> None:
    for day in (1, 2):
        folder = made(day, TODAY)
        people = {r["student_no"] for r in read(folder, "students.csv") if r["status"] in {"active", "exchange"}}
        tests = {name_of(row) for row in read(folder, "exams.csv")}
        assert all(test in tests and person in people for test, person in seats(folder))


def test_no_two_candidates_of_a_test_share_a_number_not_even_over_the_days(made: Make) -> None:
    numbers: dict[tuple[str, str], set[str]] = {}
    for day in (1, 2):
        for (test, person), row in seats(made(day, TODAY)).items():
            numbers.setdefault((test, row["number"]), set()).add(person)
    assert {len(people) for people in numbers.values()} == {1}


def test_the_people_are_plainly_made_up_and_named_in_many_alphabets(made: Make) -> None:
    students = read(made(2, TODAY), "students.csv")
    assert all(not r["mail"] or r["mail"].endswith("example.edu") for r in students)
    assert all(row["feide"].endswith("@example.edu") for row in students)
    scripts = {unicodedata.name(letter).split()[0] for row in students for letter in row["family"] if letter.isalpha()}
    assert {"LATIN", "ARABIC", "GREEK", "CYRILLIC", "GEORGIAN", "HANGUL", "CJK"} <= scripts
    assert any("Prøvesen" in row["family"] for row in students)
    assert 20 < sum(not row["mail"] for row in students) < 200


def test_some_values_are_decomposed_and_some_have_spaces_in_other_rows_each_day(made: Make) -> None:
    careless = {}
    for day in (1, 2):
        lines = (made(day, TODAY) / "students.csv").read_text(encoding="utf-8").splitlines()
        careless[day] = {i for i, line in enumerate(lines) if not unicodedata.is_normalized("NFC", line)}
        assert any(" active " in line for line in lines)
        assert len(careless[day]) > 20
    assert not careless[1] & careless[2]


@pytest.mark.parametrize("today", [TODAY, date(2026, 3, 20), date(2026, 10, 15), date(2027, 1, 1), date(2028, 2, 29)])
def test_no_test_is_near_enough_for_the_clock_to_matter(made: Make, today: date) -> None:
    days = [(moment(row["start"]).date() - today).days for row in read(made(1, today), "exams.csv")]
    assert sum(day < -7 for day in days) >= 5
    assert sum(2 < day <= 7 for day in days) >= 5
    assert not [day for day in days if -7 <= day <= 2]


@pytest.mark.parametrize("today", [TODAY, date(2026, 3, 20), date(2026, 10, 15)])
def test_every_test_fits_its_times_and_none_is_in_a_clock_change(made: Make, today: date) -> None:
    for row in read(made(2, today), "exams.csv"):
        start, end = moment(row["start"]), moment(row["end"])
        assert end - start >= timedelta(minutes=int(row["minutes"])) > timedelta()
        assert start.utcoffset() == end.utcoffset()
        for when in (start, end):
            assert when.replace(fold=1).utcoffset() == when.utcoffset()
            assert when.astimezone(UTC).astimezone(OSLO).replace(tzinfo=None) == when.replace(tzinfo=None)


def test_day_two_lists_everything_that_it_planted_with_its_line(made: Make, planted: Any) -> None:
    counts = {what: len(entries) for what, entries in planted.items() if what != "today"}
    assert counts == {
        "late": 12, "new_learners": 4, "withdrawn": 5, "moved": 1, "changed_email": 1, "bad_rows": 2,
    }  # fmt: skip
    for what, entries in planted.items():
        for entry in entries if what != "today" else []:
            row = read(made(1 if what == "withdrawn" else 2, TODAY), entry["file"])[entry["line"] - 2]
            key = [row["student_no"]] if entry["file"] == "students.csv" else [name_of(row)]
            assert entry["key"] == ([*key, row["student_no"]] if entry["file"] == "registrations.csv" else key)


def test_day_two_differs_from_day_one_in_nothing_but_what_it_planted(made: Make, planted: Any) -> None:
    one, two = made(1, TODAY), made(2, TODAY)
    before, after = seats(one), seats(two)
    assert after.keys() - before.keys() == {tuple(entry["key"]) for entry in planted["late"]}
    assert before.keys() - after.keys() == {tuple(entry["key"]) for entry in planted["withdrawn"]}
    differs = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    assert differs == {tuple(e["key"]) for e in planted["bad_rows"] if e["file"] == "registrations.csv"}
    people = [{row["student_no"]: row for row in read(folder, "students.csv")} for folder in (one, two)]
    changed = {number for number, row in people[1].items() if people[0].get(number) != row}
    said = planted["new_learners"] + planted["changed_email"] + planted["bad_rows"]
    assert changed == {entry["key"][0] for entry in said if entry["file"] == "students.csv"}
    exams = [{name_of(row): row for row in read(folder, "exams.csv")} for folder in (one, two)]
    assert {key for key in exams[0] if exams[0][key] != exams[1][key]} == {planted["moved"][0]["key"][0]}


def test_withdrawals_stay_below_what_the_guard_holds(made: Make, planted: Any) -> None:
    on_test = Counter(test for test, _ in seats(made(1, TODAY)))
    gone = Counter(entry["key"][0] for entry in planted["withdrawn"])
    assert len(gone) > 1
    assert all(count <= max(3, on_test[test] // 4) and count < on_test[test] for test, count in gone.items())


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
    for day, said in zip((1, 2), entry["start"], strict=True):
        row = next(row for row in read(made(day, TODAY), "exams.csv") if name_of(row) == entry["key"][0])
        assert datetime.fromisoformat(said) == moment(row["start"])
        assert said.endswith("Z")
