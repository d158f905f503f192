"""What a plan costs when nothing has changed, and when everything is new. Run it as a script.

It makes 100,000 learners, 5,000 tests and 500,000 candidates as CSV files, and a state in which all of them are known.
The baseline reads the same files with `csv`, makes a dict of each row, strips and NFC-normalises each value, and hashes
the values with BLAKE2. `inspera-sync plan` runs as a process of its own, so that its peak memory is its own. Both are
measured in one run, in turns, the best of each counts. Promised for the unchanged: at most 6 times the baseline's time,
and less than 200 MB. The times of a first load are printed for information.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

LEARNERS, TESTS, SEATS = 100_000, 5_000, 100
ROUNDS = 5
MOST_TIMES, MOST_MEGABYTES = 6.0, 200.0

STUDENTS, EXAMS, REGISTRATIONS = "students.csv", "exams.csv", "registrations.csv"
CONFIG, STATE, UNCHANGED = "inspera-sync.yaml", "state.db", "unchanged.db"
GIVEN = ("Åse", "Bjørn", "Chloé", "Dag", "Eva", "Frøydis", "Gunnar", "Søren", "Ingrid", "Ola")

CONFIGURATION = """\
inspera: {url: "https://example.inspera.com", client_id: example, api_key: "${UNUSED_KEY}"}
state: sqlite:///state.db
sources:
  students: {type: csv, path: students.csv}
  exams: {type: csv, path: exams.csv, delimiter: ";"}
  registrations: {type: csv, path: registrations.csv}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    where: {status: [active, exchange]}
    map: {key: student_no, username: feide, external_id: feide, first_name: given, last_name: family, email: mail}
  - kind: test
    source: exams
    map:
      external_test_id: "{course}-{term}"
      title: "{course} {name}"
      start: {column: start, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}
      end: {column: end, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}
      duration: {column: minutes}
      template: {column: template, default: "1001"}
  - kind: candidate
    source: registrations
    map: {test: "{course}-{term}", learner: student_no, candidate_id: number, extra_time: extra}
on_absence: {learner: release, test: withdraw, candidate: remove}
""".replace("${UNUSED_KEY}", "${UNUSED_KEY}")


class Cost(NamedTuple):
    """What work took: wall time and the processor's time in seconds; of a process its peak memory in megabytes."""

    seconds: float
    processor: float
    megabytes: float = 0.0


def best(costs: list[Cost]) -> Cost:
    """The shortest times and the greatest memory."""
    seconds, processor, megabytes = zip(*costs, strict=True)
    return Cost(min(seconds), min(processor), max(megabytes))


def write_files(folder: Path) -> None:
    (folder / CONFIG).write_text(CONFIGURATION, encoding="utf-8")
    with (folder / STUDENTS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["student_no", "feide", "given", "family", "mail", "status", "programme", "campus"]
        )
        for n in range(LEARNERS):
            login = f"learner{n}@example.edu"
            writer.writerow(
                [
                    500_000 + n,
                    login,
                    GIVEN[n % 10],
                    f"Example{n}",
                    login,
                    "active",
                    f"P{n % 40}",
                    "Main",
                ]
            )
    day = datetime.now(UTC).replace(hour=9, minute=0) + timedelta(days=3)
    with (folder / EXAMS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["course", "term", "name", "start", "end", "minutes", "template"])
        for n in range(TESTS):
            date = (day + timedelta(days=n % 60)).strftime("%d.%m.%Y")
            writer.writerow(
                [f"EX{n:04d}", "2026V", f"Øving {n}", f"{date} 09:00", f"{date} 13:00", 240, ""]
            )
    with (folder / REGISTRATIONS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["course", "term", "student_no", "number", "extra", "room"])
        for n in range(TESTS * SEATS):
            extra = "30" if n % 20 == 0 else ""
            learner = 500_000 + (n * 7) % LEARNERS
            writer.writerow(
                [f"EX{n // SEATS:04d}", "2026V", learner, n % SEATS + 1, extra, f"R{n % 30}"]
            )


def make_known(folder: Path) -> None:
    """A state in which all that the files want is known, with the fingerprints that a run would have left."""
    from sqlalchemy import text
    from sync.app import App
    from sync.commands.plan import make_store
    from sync.engine.extract.extract import extract
    from sync.records.kinds import COMPARED, KEY_FIELDS
    from sync.state.sqlite.open import open_to_write

    app = App.open(folder / CONFIG, print)
    with open_to_write(folder / UNCHANGED, "benchmark") as connection:
        extracted = extract(
            app.feeds, make_store(app, connection), datetime.now(UTC), lambda *_: None
        )
        if extracted.unhealthy:
            raise SystemExit(f"the benchmark's own files can't be used: {extracted.unhealthy}")
        for kind in extracted.kinds:
            names = ", ".join((*KEY_FIELDS[kind], *COMPARED[kind], "fingerprint"))
            connection.execute(
                text(
                    f"INSERT INTO known_{kind} ({names}, remote_id, lifecycle, managed, updated)"
                    f" SELECT {names}, rowid, 'active', 1, '2026-01-01T00:00:00Z' FROM wanted_{kind}"
                )
            )
        connection.commit()


def baseline(folder: Path) -> Cost:
    begun, worked, count = time.perf_counter(), time.process_time(), 0
    for name, delimiter in ((STUDENTS, ","), (EXAMS, ";"), (REGISTRATIONS, ",")):
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True, delimiter=delimiter)
            header = next(reader)
            for cells in reader:
                values = {
                    k: normalize("NFC", v.strip())
                    for k, v in dict(zip(header, cells, strict=False)).items()
                }
                blake2b("\x1f".join(values.values()).encode(), digest_size=16).digest()
                count += 1
    if count != LEARNERS + TESTS + TESTS * SEATS:
        raise SystemExit(f"the baseline read {count} rows")
    return Cost(time.perf_counter() - begun, time.process_time() - worked)


def run(*command: str, printing: str) -> Cost:
    """Runs a process and measures it alone; it must end well and print `printing`."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        printed = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or printing not in printed:
        raise SystemExit(
            f"{' '.join(command)} ended with status {process.returncode}:\n{printed[-2000:]}"
        )
    return Cost(
        time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    )


def plan(folder: Path, printing: str) -> Cost:
    return run("-m", "sync", "-c", str(folder / CONFIG), "plan", printing=printing)


def measure(folder: Path) -> tuple[Cost, Cost, Cost]:
    """The cost of the baseline, of a plan of the unchanged and of a plan of everything new."""
    write_files(folder)
    first = plan(folder, f"create {TESTS * SEATS:,} candidates")
    run(__file__, "--known", str(folder), printing="")
    (folder / UNCHANGED).rename(folder / STATE)
    rounds = [(baseline(folder), plan(folder, "no change; 0 row errors")) for _ in range(ROUNDS)]
    return best([least for least, _ in rounds]), best([unchanged for _, unchanged in rounds]), first


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--known", type=Path, help="only make the state of what the files in this folder want"
    )
    arguments.add_argument("--keep", type=Path, help="a new folder for the files, which then stay")
    wanted = arguments.parse_args()
    if wanted.known:
        make_known(wanted.known)
        return 0
    if wanted.keep:
        wanted.keep.mkdir()
        least, unchanged, first = measure(wanted.keep)
    else:
        with tempfile.TemporaryDirectory() as name:
            least, unchanged, first = measure(Path(name))
    times, processor = unchanged.seconds / least.seconds, unchanged.processor / least.processor
    print(f"baseline:  {least.seconds:.2f} s for {LEARNERS + TESTS + TESTS * SEATS:,} rows")
    print(
        f"unchanged: {unchanged.seconds:.2f} s, {times:.1f} times the baseline (at most {MOST_TIMES:.0f})"
    )
    print(
        f"           {processor:.1f} times by the processor's time, which a busy machine blurs less"
    )
    print(f"           {unchanged.megabytes:.0f} MB at its peak (less than {MOST_MEGABYTES:.0f})")
    print(
        f"all new:   {first.seconds:.2f} s, {first.megabytes:.0f} MB at its peak (for information)"
    )
    return 0 if times <= MOST_TIMES and unchanged.megabytes < MOST_MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
