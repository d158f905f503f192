"""How many calls a second a first load reaches when Inspera answers slowly. Run it as a script.

It makes 60 tests on 60 dates, each with 20 candidates, 2 contributors in one committee, and 2 options. The sandbox
answers after 0.5 s, and 5 calls a second are allowed; both are scaled, so that the run takes a minute. It prints the
time, the calls, how many a second these are at the real speed, and the most calls that were in flight at once.
"""

import argparse
import asyncio
import contextlib
import io
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sync.sandbox import web
from tests.support.university import University, numbers

TESTS, CANDIDATES = 60, 20
ANSWER, RATE = 0.5, 5.0


class UniversityOfToday(University):
    """A university whose sandbox has the time of this machine."""

    def _tick(self) -> datetime:
        return datetime.now(UTC)


class InFlight:
    """The calls that are in flight: answers come late, and the most at once are counted."""

    def __init__(self, seconds: float) -> None:
        self.now, self.most = 0, 0
        self.times: list[float] = []
        self.written: list[int] = []
        answer = web.EndpointApp._answer

        async def answer_late(app: web.EndpointApp, call: Any, one_too_many: Any) -> Any:
            self.now += 1
            if call.method != "GET" and "authenticate" not in call.path:
                self.written.append(len(self.times))
            self.times.append(time.perf_counter())
            self.most = max(self.most, self.now)
            await asyncio.sleep(seconds)
            self.now -= 1
            return await answer(app, call, one_too_many)

        web.EndpointApp._answer = answer_late  # type: ignore[method-assign, assignment]


def fill(university: University, tests: int, workers: int, scale: float) -> None:
    """Make the tests with everything on them."""
    university.config["inspera"] |= {"calls_per_second": RATE * scale, "workers": workers}
    university.config["existing"] = {"look_up_learners": False}
    university.add_feeds("staff", "contributor", "option")
    for n in range(tests):
        day = datetime.now(UTC).date() + timedelta(days=10 + n)
        test = f"TST{1000 + n}-H26"
        university.exams.add(test, start=f"{day:%d.%m.%Y} 09:00", end=f"{day:%d.%m.%Y} 13:00")
        university.register(test, *numbers(1001, CANDIDATES))
        university.assign_staff(test, "7001", "7002", committees="A")
        university.settings.add(f"{test} LOCKDOWN_BROWSER", value="true")
        university.settings.add(f"{test} LOCKDOWN_CHROME_KIOSK", value="true")


def main() -> None:
    """Run a first load and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--scale", type=float, default=5.0)
    parser.add_argument("--tests", type=int, default=TESTS)
    given = parser.parse_args()
    captured = io.StringIO()
    capture = SimpleNamespace(readouterr=lambda: SimpleNamespace(out="", err=""))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(captured):
        university = UniversityOfToday(Path(folder), capture)
        fill(university, given.tests, given.workers, given.scale)
        slow = InFlight(ANSWER / given.scale)
        with university.sandbox:
            begin = time.perf_counter()
            status = university.apply().status
            took = time.perf_counter() - begin
    print(captured.getvalue()[-200:])
    seconds, calls = took * given.scale, len(slow.times)
    # Without the look at an unknown tenant before the first write, and the reading back after the last
    first, last = slow.written[0], slow.written[-1]
    reached = (last - first) / (slow.times[last] - slow.times[first]) / given.scale
    print(
        f"exit status {status}, workers {given.workers}: {calls} calls in {seconds:.0f} s of real speed,"
        f" {reached:.1f} of {RATE:.0f} a second while sending; at most {slow.most} in flight"
    )


if __name__ == "__main__":
    main()
