"""How long a plan takes."""

from sync.records.base import Kind
from sync.records.changes import Action
from sync.report.duration_text import Size, duration_text

LOAD: list[Size] = [
    (Kind.LEARNER, Action.CREATE, 100_000, 100_000),
    (Kind.CANDIDATE, Action.CREATE, 1_000, 10),
]


def text(sizes: list[Size], rate: float = 5, *, look_up: bool = True) -> str:
    return duration_text(sizes, calls_per_second=rate, batch_size=100, look_up_learners=look_up)


def test_a_full_load_takes_as_long_as_the_rollout_page_says() -> None:
    said = "16.7 hours: 300,030 calls at `inspera.calls_per_second` 5."
    assert text(LOAD) == f"Sending this takes about {said}"
    assert "about 5.6 hours: 100,030 calls" in text(LOAD, look_up=False)


def test_minutes_are_told_below_two_hours_and_nothing_below_one_minute() -> None:
    some: list[Size] = [(Kind.LEARNER, Action.UPDATE, 600, 600)]
    assert text(some).startswith("Sending this takes about 4 minutes: 1,200 calls")
    assert text(some, 100) == ""
    assert text([(Kind.LEARNER, Action.RELEASE, 10_000, 10_000)]) == ""
