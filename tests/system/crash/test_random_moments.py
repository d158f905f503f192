"""`apply` killed at any moment: at its start, at its end, and wherever else it happens to be."""

import random
import time
from collections.abc import Callable

import pytest

from .site import Site

FIRST, SECOND = 80, 60
"""Not quite as many calls as the first day's run makes, and the second's."""


@pytest.mark.parametrize("seed", range(5))
def test_a_first_day_that_is_killed_at_a_random_moment_is_finished_by_the_next_apply(
    new: Site, seed: int, nothing_left: Callable[[Site], bool]
) -> None:
    kill_somewhere(new, seed, FIRST)
    new.recovers()
    assert nothing_left(new)


@pytest.mark.parametrize("seed", range(5, 10))
def test_a_day_of_many_changes_that_is_killed_at_a_random_moment_is_finished_by_the_next_apply(
    settled: Site, seed: int, nothing_left: Callable[[Site], bool]
) -> None:
    settled.university.change_everything()
    kill_somewhere(settled, seed, SECOND)
    settled.recovers()
    assert nothing_left(settled)


def kill_somewhere(site: Site, seed: int, most: int) -> None:
    """Kills an `apply` some milliseconds after some call."""
    moment = random.Random(seed)
    calls, pause = moment.randint(0, most), moment.uniform(0, 0.02)
    site.slow(0.005)
    run = site.start()
    site.until(lambda: len(site.calls()) >= calls, run)
    time.sleep(pause)
    run.kill()
