"""Mistakes that operators make: each ends with its status, says what it is, and takes nobody off an exam."""

import re

import pytest

from ..support.university import TEST, University, numbers
from .mistakes import MISTAKES, Mistake

BOUND = re.compile(r"exit status (\d+)")


@pytest.fixture
def used(university: University) -> University:
    """Fifteen learners on one test, all in Inspera."""
    university.register(TEST, *numbers(1001, 15))
    university.apply_once()
    return university


def test_there_are_a_hundred() -> None:
    assert len(MISTAKES) >= 100
    assert len({one.name for one in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_ends_with_its_status_and_takes_nobody_off(
    used: University, mistake: Mistake
) -> None:
    before = set(used.candidates())
    mistake.act(used)
    ran = used.run(*mistake.command)
    assert ran.status == mistake.status, ran.output
    assert mistake.says in ran.output
    assert "Traceback" not in ran.output
    assert set(used.candidates()) >= before
    last = [line for line in (ran.err or ran.out).splitlines() if line.strip()][-1]
    printed = BOUND.findall(ran.out.splitlines()[-1] if ran.out else last)
    assert printed in ([], [str(ran.status)]), last
    assert printed or ran.status == 2 or "paused" in last, "a report ends with its exit status"
