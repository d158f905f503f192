"""Mistakes that operators make: each ends with its status, says what it is, and takes nobody off an exam."""

import re

import pytest

from .mistakes import MISTAKES, Mistake
from .site import TEST, Site, numbers

BOUND = re.compile(r"exit status (\d+)")


@pytest.fixture
def used(site: Site) -> Site:
    """Fifteen learners on one test, all in Inspera."""
    site.seat(TEST, *numbers(1001, 15))
    site.settled()
    return site


def test_there_are_a_hundred() -> None:
    assert len(MISTAKES) >= 100
    assert len({one.name for one in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_ends_with_its_status_and_takes_nobody_off(used: Site, mistake: Mistake) -> None:
    before = set(used.seats())
    mistake.act(used)
    ran = used.run(*mistake.command)
    assert ran.status == mistake.status, ran.said
    assert mistake.says in ran.said
    assert "Traceback" not in ran.said
    assert set(used.seats()) >= before
    last = [line for line in (ran.err or ran.out).splitlines() if line.strip()][-1]
    said = BOUND.findall(ran.out.splitlines()[-1] if ran.out else last)
    assert said in ([], [str(ran.status)]), last
    assert said or ran.status == 2 or "paused" in last, "a report ends with its exit status"
