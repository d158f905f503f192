"""How long the status page takes on a large state: 1,000,000 records and 1,000 runs. Run it as a script.

Each page is asked for 20 times by HTTP, in the order in which people would; p95 is over all of them. The baseline is
`/healthz`, which reads nothing, in the same run.
"""

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sync.sandbox import Sandbox
from tests.support.pages import PageTenant
from tests.support.university import TEST, University

LEARNERS, TESTS, RUNS = 500_000, 10_000, 1_000
SEATS = 490_000
NOW = "2026-11-30T12:00:00Z"


class Nothing:
    """A capture of nothing: the output is not looked at."""

    out = err = ""

    def readouterr(self) -> "Nothing":
        return self


def learners(number: int) -> Iterator[tuple[object, ...]]:
    for n in range(number):
        yield (
            f"{n:06}",
            f"s{n:06}",
            f"Fornavn{n % 977}",
            f"Etternavn{n}",
            "active",
            1,
            NOW,
            "students",
        )


def tests(number: int) -> Iterator[tuple[object, ...]]:
    for n in range(number):
        day = 1 + n % 28
        yield (
            f"T{n:05}",
            f"Proeve {n}",
            f"2026-12-{day:02}T08:00:00Z",
            f"2026-12-{day:02}T12:00:00Z",
            "active",
            1,
            NOW,
            "exams",
        )


def seats(number: int) -> Iterator[tuple[object, ...]]:
    for n in range(number):
        yield f"T{n % TESTS:05}", f"{n % LEARNERS:06}", "active", 1, NOW, "registrations"


def fill(path: Path, scale: float) -> None:
    state = sqlite3.connect(path)
    state.executemany(
        "INSERT INTO known_learner (key, username, first_name, last_name, lifecycle, managed, updated, source)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        learners(int(LEARNERS * scale)),
    )
    state.executemany(
        'INSERT INTO known_test (key, title, start, "end", lifecycle, managed, updated, source)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        tests(int(TESTS * scale)),
    )
    state.executemany(
        "INSERT OR IGNORE INTO known_candidate (test, learner, lifecycle, managed, updated, source)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        seats(int(SEATS * scale)),
    )
    for n in range(2, int(RUNS * scale) + 2):
        counts = json.dumps({"create done": n % 40, "row error": n % 3, "held": n % 5})
        state.execute(
            "INSERT INTO run (id, command, started, ended, status, exit_status, counts, reason)"
            " VALUES (?, 'job nightly', ?, ?, 'done', 1, ?, '')",
            (n, NOW, NOW, counts),
        )
        state.executemany(
            "INSERT INTO source_reading VALUES (?, ?, ?, ?, 0, '', ?)",
            [
                (n, source, kind, n * 10, NOW)
                for source, kind in (("students", "learner"), ("registrations", "candidate"))
            ],
        )
        state.executemany(
            "INSERT INTO finding (run_id, type, kind, k1, k2, place, text)"
            " VALUES (?, 'row error', 'candidate', ?, ?, 'x', 'x')",
            [(n, f"T{m:05}", f"{m:06}") for m in range(20)],
        )
    state.commit()
    state.close()


def ask(page: PageTenant, path: str, times: int) -> list[float]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        answer = page.get(path)
        taken.append(time.perf_counter() - began)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the usual size")
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        university = University(Path(folder), Nothing())
        university.sandbox = Sandbox(api_key="noekkel-til-sandkassen")
        with university.sandbox:
            university.config["jobs"] = {"nightly": {"cron": "15 2 * * *", "zone": "Europe/Oslo"}}
            university.register(TEST, "1001")
            university.apply()
            fill(university.state, given.scale)
            page = PageTenant(university)
            with page.serving():
                page.log_in()
                paths = (
                    "/",
                    "/exams",
                    "/exams?days=14",
                    "/held",
                    "/errors",
                    "/sources",
                    "/runs",
                    "/records",
                    "/records?q=00012",
                    "/records?q=s000123",
                    "/records?q=Etternavn4711",
                    "/records/learner/000123",
                    "/records/test/T00012",
                    "/records/candidate/T00012/000012",
                )
                base = statistics.median(ask(page, "/healthz", given.times))
                print(f"{'/healthz':36} median {1000 * base:7.1f} ms")
                all_ = []
                for path in paths:
                    taken = ask(page, path, given.times)
                    all_ += taken
                    p95 = sorted(taken)[int(0.95 * len(taken)) - 1]
                    median = statistics.median(taken)
                    print(
                        f"{path:36} median {1000 * median:7.1f} ms  p95 {1000 * p95:7.1f} ms"
                        f"  {median / base:6.1f} times"
                    )
                print(
                    f"{'all pages':36} p95 {1000 * sorted(all_)[int(0.95 * len(all_)) - 1]:.1f} ms"
                )


if __name__ == "__main__":
    main()
