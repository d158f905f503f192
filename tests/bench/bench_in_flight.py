"""How a run keeps to Inspera's limit on requests in progress. Run it as a script.

A sandbox that has at most 10 requests in progress, and takes 50 ms for each, gets 5,000 learners from `inspera-sync
apply` with 16 workers, a process of its own: alone; with another client that holds 7 of the 10, refusing with 429 and
with 503; and with more calls in flight configured than there may be. Promised: never more in flight than
`inspera.max_in_flight` (4), none refused when alone, and everything is done in all cases. Then every twentieth of 200
writes takes 50 s. Promised: no outcome is unknown.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sync.sandbox import Sandbox

CHANGES, SECONDS = 5_000, 0.05
SLOW_CHANGES, SLOW_SECONDS, EACH = 200, 50.0, 20

CONFIGURATION = """\
inspera:
  {{url: "{url}", client_id: example, api_key: "${{BENCH_KEY}}", calls_per_second: 1000, workers: 16,
    max_in_flight: {in_flight}, i_have_more: true}}
state: sqlite:///state.db
existing: {{look_up_learners: false}}
sources: {{students: {{type: csv, path: students.csv}}}}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    map: {{key: number, username: login, external_id: login, first_name: given, last_name: family, email: login}}
verify: none
"""


class Scenario(NamedTuple):
    """One run: how many calls may be in flight, what the sandbox does, and how many learners."""

    name: str
    in_flight: int
    limit: Mapping[str, int]
    changes: int
    failures: Mapping[str, Any]


class Figures(NamedTuple):
    """What a run showed."""

    status: int
    seconds: float
    done: int
    peak: int
    statuses: Counter[str]


def run(scenario: Scenario, seconds: float) -> Figures:
    """Send the scenario's learners to a new sandbox."""
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        folder = Path(name)
        config = CONFIGURATION.format(url=sandbox.url, in_flight=scenario.in_flight)
        (folder / "inspera-sync.yaml").write_text(config, encoding="utf-8")
        rows = [f"{n},s{n}@example.edu,Åse,Prøvesen" for n in range(scenario.changes)]
        text = "\n".join(["number,login,given,family", *rows, ""])
        (folder / "students.csv").write_text(text, encoding="utf-8")
        failing = (
            {"failures": dict(scenario.failures)}
            if scenario.failures
            else {"fail": [{"path": "*", "delay": seconds}]}
        )
        sandbox.control(limit=dict(scenario.limit), **failing)
        began = time.monotonic()
        ran = subprocess.run(
            [sys.executable, "-m", "sync", "apply", "--yes"],
            cwd=folder,
            env=os.environ | {"BENCH_KEY": sandbox.api_key},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        took = time.monotonic() - began
        statuses = Counter(str(call["status"]) for call in sandbox.requests())
        done = len(sandbox.contents()["students"])
        return Figures(ran.returncode, took, done, sandbox.control()["peak"], statuses)


def main() -> int:
    """Run all scenarios and print their figures; return 1 if a promise was broken."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--changes", type=int, default=CHANGES)
    options.add_argument("--seconds", type=float, default=SECONDS, help="of each request")
    options.add_argument("--slow-changes", type=int, default=SLOW_CHANGES)
    options.add_argument("--slow-seconds", type=float, default=SLOW_SECONDS)
    given = options.parse_args()
    slow = {
        "rates": {"slow": 1 / EACH},
        "seconds": {"slow": given.slow_seconds},
        "only": ["*/users/student"],
    }
    scenarios = [
        Scenario("alone", 4, {}, given.changes, {}),
        Scenario("another holds 7, 429", 4, {"taken": 7}, given.changes, {}),
        Scenario("another holds 7, 503", 4, {"taken": 7, "status": 503}, given.changes, {}),
        Scenario("16 in flight against 10", 16, {}, given.changes, {}),
        Scenario(f"every {EACH}th takes {given.slow_seconds:g} s", 4, {}, given.slow_changes, slow),
    ]
    print(f"{'scenario':<26}{'status':>7}{'seconds':>9}{'done':>7}{'peak':>6}  calls by status")
    broken = 0
    for scenario in scenarios:
        figures = run(scenario, given.seconds)
        calls = ", ".join(f"{status}: {n:,}" for status, n in sorted(figures.statuses.items()))
        print(
            f"{scenario.name:<26}{figures.status:>7}{figures.seconds:>9.1f}{figures.done:>7}"
            f"{figures.peak:>6}  {calls}",
            flush=True,
        )
        refused = figures.statuses.total() - figures.statuses["200"]
        broken += figures.status != 0 or figures.done != scenario.changes
        broken += figures.peak > scenario.in_flight
        broken += bool(refused) and not scenario.limit and scenario.in_flight == 4
    print("kept" if not broken else "BROKEN")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
