"""A maker of the demo's CSV files: 1,200 learners, 80 staff, 60 tests and who is on them.

    python make_data.py FOLDER --day 1 --today 2026-08-20

The same date always gives the same files. Day two is day one with things done to it that happen at
a university in a night, and `day2.json` next to the files lists each of them with its file and
line. `--today` is day one's date on both days, because the dates of the tests are counted from it.
Needs nothing but Python.
"""

import argparse
import csv
import json
import unicodedata
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from day_two import second_day
from university import COLUMNS, Values, first_day

DELIMITERS = {"exams.csv": ";"}


def written(rows: Iterable[Values], day: int) -> Iterable[Values]:
    """Yield the rows as a careless export writes them: decomposed accents, spaces around values.

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
    """Write the day's files, day one's date in `today.txt`, and on day two `day2.json`."""
    university, planted = (first_day(today), None) if day == 1 else second_day(today)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in university.files().items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS[name], delimiter=DELIMITERS.get(name, ","))
            writer.writeheader()
            writer.writerows(written(rows, day))
    (folder / "today.txt").write_text(f"{today.isoformat()}\n", encoding="utf-8")
    if planted is not None:
        text = json.dumps({"today": today.isoformat(), **planted}, indent=2, ensure_ascii=False)
        (folder / "day2.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments and write the files."""
    parser = argparse.ArgumentParser(description="Makes the demo's CSV files, of made-up people.")
    parser.add_argument(
        "folder", type=Path, help="where the files go; it is made when it is not there"
    )
    parser.add_argument("--day", type=int, choices=(1, 2), required=True)
    parser.add_argument(
        "--today", type=date.fromisoformat, required=True, help="day one's date, YYYY-MM-DD"
    )
    given = parser.parse_args()
    write(given.folder, given.day, given.today)


if __name__ == "__main__":
    main()
