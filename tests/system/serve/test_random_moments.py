"""The service stopped and killed in the middle of a run of 2,000 changes, wherever that happens to be."""

import os
import random
import signal
import time
from datetime import date
from pathlib import Path

import pytest

from ...support.process_university import PATIENCE
from .served_university import ServedUniversity

MOMENTS = int(os.environ.get("SERVE_MOMENTS", "2"))
"""How often the service is cut off by each signal; `SERVE_MOMENTS=20` takes some minutes."""

LEARNERS, SEATS_EACH = 320, 280
CALLS = LEARNERS + 6 * SEATS_EACH // 10


@pytest.fixture
def large(tmp_path: Path, today: date) -> ServedUniversity:
    """A university of 320 students and 1,680 seats that is in Inspera already."""
    university = ServedUniversity(tmp_path, today)
    university.enlarge(LEARNERS, SEATS_EACH)
    university.apply()
    assert university.contents() == university.rows.expected()
    return university


@pytest.mark.timeout(100 + 90 * MOMENTS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_what_is_left_is_finished_by_the_next_start_and_nothing_known_is_sent_twice(
    large: ServedUniversity, number: signal.Signals
) -> None:
    moment = random.Random(int(number))
    try:
        for turn in range(MOMENTS):
            assert large.change_all(f"Runde{turn}", 10 + turn) == 2000
            large.mark()
            cut_off(large, number, moment)
            before, unknown = large.sent(), large.unknown()
            if number is signal.SIGTERM:
                assert unknown == set()  # every call under way was finished and recorded
            large.mark()
            finish(large)
            again = before & large.sent()
            assert again <= unknown
            assert large.unknown() == set()
            assert large.unmanaged() == []
    finally:
        large.close()


def cut_off(university: ServedUniversity, number: signal.Signals, moment: random.Random) -> None:
    """Starts the service, and ends it some milliseconds after some call."""
    calls, pause = moment.randint(1, CALLS - 60), moment.uniform(0, 0.02)
    serving = university.serve()
    deadline = time.monotonic() + PATIENCE
    while len(university.calls()) < calls:
        assert time.monotonic() < deadline, serving.output[-3000:]
        time.sleep(0.05)  # all calls are read for each look, on the cores that the service needs
    time.sleep(pause)
    if number is signal.SIGKILL:
        serving.kill()
        return
    began = time.monotonic()
    serving.signal(number)
    assert serving.wait() == 0, serving.output[-3000:]
    assert time.monotonic() - began < 20  # the grace of this configuration


def finish(university: ServedUniversity) -> None:
    """Starts the service again, until a run has come to its end; then Inspera is as the files say."""
    serving = university.serve()
    deadline = time.monotonic() + 2 * PATIENCE
    while "done" not in serving.ran("often"):
        assert serving.running
        assert time.monotonic() < deadline, serving.output[-3000:]
        time.sleep(0.1)
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0
    assert university.contents() == university.rows.expected()
