"""The line in front of the state: one at a time, in order, the soonest tests first."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from sync.service.run_queue import QueuedRun, RunQueue

SOON, LATER, MUCH_LATER = "2026-06-01T09:00:00Z", "2026-06-02T09:00:00Z", "2026-06-09T09:00:00Z"


class Line:
    """Jobs that take their turns in threads of their own, and end when they are told to."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.turns, self.ran, self._pool = RunQueue(), list[str](), pool
        self._ends: dict[str, Event] = {}

    def join(self, job: str, soonest: str | None = None, *, resumes: bool = False) -> Future[bool]:
        """Puts a job into the line; waits until it has its turn or stands in it, its tests announced."""
        inside, end = Event(), self._ends.setdefault(job, Event())
        end.clear()
        behind = bool(self.turns.running)

        def look() -> str:
            inside.set()
            return soonest or ""

        def run() -> bool:
            with self.turns.turn(
                QueuedRun(job, resumes=resumes), look if soonest is not None else None
            ) as granted:
                if granted:
                    self.ran.append(job)
                    inside.set()
                    end.wait(10)
            return granted

        future = self._pool.submit(run)
        if not behind:
            assert inside.wait(10)
        elif soonest is None:
            until(lambda: job in self.turns.waiting)
        else:
            assert inside.wait(10)
            until(lambda: not soonest or self.turns.should_yield(lambda: ""))
        return future

    def end(self, job: str) -> None:
        """Ends a job's turn."""
        self._ends[job].set()


def until(true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        Event().wait(0.005)
    pytest.fail("it did not come to that")


@pytest.fixture
def line() -> Iterator[Line]:
    with ThreadPoolExecutor(8) as pool:
        line = Line(pool)
        yield line
        line.turns.close()
        for end in line._ends.values():
            end.set()


def test_one_job_at_a_time_in_the_order_in_which_they_came(line: Line) -> None:
    futures = [line.join(job) for job in ("first", "second", "third")]
    assert line.ran == ["first"]
    assert line.turns.waiting == ["second", "third"]
    for job in ("first", "second", "third"):
        until(lambda: line.turns.running == job)  # noqa: B023 - called at once
        line.end(job)
    assert [future.result(10) for future in futures] == [True, True, True]
    assert line.ran == ["first", "second", "third"]
    assert line.turns.running == ""


def test_a_job_that_does_not_wait_is_not_asked_what_it_would_do(line: Line) -> None:
    def never() -> str:
        pytest.fail("nobody was in front of it")

    with line.turns.turn(QueuedRun("only"), never) as granted:
        assert granted


@pytest.mark.parametrize(
    ("going_on_with", "should_yield"),
    [(MUCH_LATER, True), (LATER, False), (SOON, False), ("", True)],
)
def test_the_running_one_should_yield_unless_what_it_sends_is_for_a_sooner_test(
    line: Line, going_on_with: str, should_yield: bool
) -> None:
    line.join("full load")
    assert not line.turns.should_yield(lambda: going_on_with)
    line.join("exam day", LATER)
    assert line.turns.should_yield(lambda: going_on_with) is should_yield


def test_who_went_first_ends_where_the_other_one_goes_on(line: Line) -> None:
    line.join("full load")
    line.join("exam day", SOON)
    assert line.turns.should_yield(lambda: LATER)
    line.end("full load")
    until(lambda: line.turns.running == "exam day")
    line.join("full load", resumes=True)
    assert not line.turns.should_yield(lambda: SOON)
    assert line.turns.should_yield(lambda: LATER)
    assert line.turns.should_yield(lambda: "")
    line.end("exam day")
    until(lambda: line.turns.running == "full load")
    assert not line.turns.should_yield(lambda: MUCH_LATER)


def test_whoever_waits_looks_again_when_it_is_due_once_more(line: Line) -> None:
    line.join("full load")
    told = iter(["", SOON])
    waiting = line._pool.submit(lambda: enter(line.turns, "exam day", lambda: next(told)))
    until(lambda: line.turns.waiting == ["exam day"])
    assert not line.turns.should_yield(lambda: LATER)
    line.turns.look_again("nobody")
    line.turns.look_again("exam day")
    until(lambda: line.turns.should_yield(lambda: LATER))
    line.end("full load")
    assert waiting.result(10)


def test_what_the_running_one_may_have_sent_since_is_looked_at_again_before_it_should_yield(
    line: Line,
) -> None:
    line.join("full load")
    looks: list[str] = []

    def look() -> str:
        looks.append("" if looks else SOON)  # the running one has sent it before the second look
        return looks[-1]

    waiting = line._pool.submit(lambda: enter(line.turns, "exam day", look))
    until(lambda: looks == [SOON])
    assert not line.turns.should_yield(lambda: SOON)
    until(lambda: not line.turns.should_yield(lambda: LATER) and looks == [SOON, ""])
    assert not line.turns.should_yield(lambda: LATER)
    line.end("full load")
    assert waiting.result(10)


def test_what_is_there_still_at_the_second_look_is_given_way_to(line: Line) -> None:
    line.join("full load")
    line.join("exam day", SOON)
    assert not line.turns.should_yield(lambda: SOON)
    assert not line.turns.should_yield(lambda: LATER)
    until(lambda: line.turns.should_yield(lambda: LATER))


def enter(turns: RunQueue, job: str, look: Callable[[], str]) -> bool:
    with turns.turn(QueuedRun(job), look) as granted:
        return granted


def test_nobody_should_yield_to_a_job_without_tests_nor_to_one_that_gave_way_itself(
    line: Line,
) -> None:
    line.join("full load")
    line.join("people", "")
    line.join("resumed", resumes=True)
    assert not line.turns.should_yield(lambda: MUCH_LATER)


def test_the_soonest_tests_go_first_then_who_gave_way_then_the_rest(line: Line) -> None:
    line.join("full load")
    line.join("early bird")
    line.join("later", LATER)
    line.join("soon", SOON)
    line.join("resumed", resumes=True)
    order = ["full load", "soon", "later", "resumed", "early bird"]
    for job in order:
        until(lambda: line.turns.running == job)  # noqa: B023 - called at once
        line.end(job)
    until(lambda: line.turns.running == "")
    assert line.ran == order


def test_a_closed_line_lets_everybody_go_without_a_turn(line: Line) -> None:
    running, waiting = line.join("full load"), line.join("exam day", SOON)
    line.turns.close()
    assert waiting.result(10) is False
    line.end("full load")
    assert running.result(10) is True
    assert line.ran == ["full load"]


def test_a_look_ahead_that_fails_leaves_the_line(line: Line) -> None:
    line.join("full load")

    def broken() -> str:
        raise ValueError("the source is away")

    with (
        pytest.raises(ValueError, match="the source is away"),
        line.turns.turn(QueuedRun("exam day"), broken),
    ):
        pytest.fail("it has no turn")
    assert line.turns.waiting == []
