"""`apply` killed at any moment: at its start, at its end, and wherever else it happens to be."""

import os
import random
import time
from collections.abc import Callable

import pytest

from ...support.process_university import ProcessUniversity

MOMENTS = int(os.environ.get("KILL_MOMENTS", "3"))
"""How often each day is cut off; `KILL_MOMENTS=20` takes some minutes."""

FIRST, SECOND = 80, 60
"""Not quite as many calls as the first day's run makes, and the second's."""


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_a_first_day_that_is_killed_at_a_random_moment_is_finished_by_the_next_apply(
    new: ProcessUniversity, seed: int, nothing_left: Callable[[ProcessUniversity], bool]
) -> None:
    kill_somewhere(new, seed, FIRST)
    new.recovers()
    assert nothing_left(new)


@pytest.mark.parametrize("seed", range(MOMENTS))
def test_a_day_of_many_changes_that_is_killed_at_a_random_moment_is_finished_by_the_next_apply(
    settled: ProcessUniversity, seed: int, nothing_left: Callable[[ProcessUniversity], bool]
) -> None:
    settled.rows.change_everything()
    kill_somewhere(settled, seed, SECOND)
    settled.recovers()
    assert nothing_left(settled)


def kill_somewhere(university: ProcessUniversity, seed: int, most: int) -> None:
    """Kills an `apply` some milliseconds after some call."""
    moment = random.Random(seed)
    calls, pause = moment.randint(0, most), moment.uniform(0, 0.02)
    university.slow(0.005)
    run = university.start()
    university.until(lambda: len(university.calls()) >= calls, run)
    time.sleep(pause)
    run.kill()
