"""What reading, mapping and fingerprinting cost, against the least that any such tool must do. Run it as a script.

The baseline reads the same files with `csv`, makes a dict of each row, strips and NFC-normalises each value, and hashes
the values with BLAKE2. Both are measured in one run, in processor time, best of three; the ratio is what to watch.
"""

import csv
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from unicodedata import normalize

from sync.mapping import FeedRule, FieldRule, compile_feed, fingerprint
from sync.records.base import Kind
from sync.sources.csv.source import CsvSettings

LEARNERS, TESTS, SEATS = 100_000, 2_000, 250
LIMIT = 3.0
GIVEN = ("Åse", "Bjørn", "Chloé", "Dag", "Eva", "Frøydis", "Gunnar", "Søren", "Ingrid", "Ola")
STUDENTS, REGISTRATIONS = "students.csv", "registrations.csv"

LEARNER_RULE = FeedRule(
    kind=Kind.LEARNER,
    fields={
        "key": FieldRule(column="student_no"),
        "username": FieldRule(column="feide"),
        "external_id": FieldRule(column="feide"),
        "auth_system": FieldRule(constant="FEIDE"),
        "first_name": FieldRule(column="given"),
        "last_name": FieldRule(column="family"),
        "email": FieldRule(column="mail"),
    },
    where={"status": ("active", "exchange")},
)
CANDIDATE_RULE = FeedRule(
    kind=Kind.CANDIDATE,
    fields={
        "test": FieldRule(template="{course}-{term}"),
        "learner": FieldRule(column="student_no"),
        "candidate_id": FieldRule(column="number"),
        "extra_time": FieldRule(column="extra"),
        "room": FieldRule(column="room"),
    },
    where={},
)


def write_files(folder: Path) -> None:
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
    with (folder / REGISTRATIONS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["course", "term", "student_no", "number", "extra", "room"])
        for n in range(TESTS * SEATS):
            extra = "30" if n % 20 == 0 else ""
            learner = 500_000 + (n * 7) % LEARNERS
            writer.writerow(
                [f"EX{n // SEATS:04d}", "2026V", learner, n % SEATS + 1, extra, f"R{n % 30}"]
            )


def baseline(folder: Path) -> int:
    count = 0
    for name in (STUDENTS, REGISTRATIONS):
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader)
            for cells in reader:
                values = {
                    k: normalize("NFC", v.strip())
                    for k, v in dict(zip(header, cells, strict=False)).items()
                }
                blake2b("\x1f".join(values.values()).encode(), digest_size=16).digest()
                count += 1
    return count


def mapped(folder: Path) -> int:
    count = 0
    for name, rule in ((STUDENTS, LEARNER_RULE), (REGISTRATIONS, CANDIDATE_RULE)):
        feed = compile_feed(rule, name)
        for row in CsvSettings(path=Path(name)).rows(folder):
            record = feed.map(row)
            feed.origin(row)
            if record is None or isinstance(record, list):
                raise SystemExit(f"{name} line {row.line} should have made a record")
            fingerprint(record)
            count += 1
    return count


def seconds(work: Callable[[Path], int], folder: Path) -> float:
    start = time.process_time()
    count = work(folder)
    took = time.process_time() - start
    if count != LEARNERS + TESTS * SEATS:
        raise SystemExit(f"{count} rows were read, not {LEARNERS + TESTS * SEATS}")
    return took


def peak_memory(folder: Path) -> int:
    tracemalloc.start()
    mapped(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)
        pairs = [(seconds(baseline, folder), seconds(mapped, folder)) for _ in range(3)]
        least, ours = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
        peak = peak_memory(folder)
    rows = LEARNERS + TESTS * SEATS
    print(f"baseline: {least:.2f} s, {least / rows * 1e6:.2f} µs a row")
    print(
        f"mapped:   {ours:.2f} s, {ours / rows * 1e6:.2f} µs a row; peak memory {peak / 1e6:.1f} MB"
    )
    print(f"ratio:    {ours / least:.2f} (at most {LIMIT})")
    return 0 if ours / least <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
