"""The run queue: one at a time, in order, the soonest tests first."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from sync.service.run_queue import QueuedRun, RunQueue

SOON, LATER, MUCH_LATER = "2026-06-01T09:00:00Z", "2026-06-02T09:00:00Z", "2026-06-09T09:00:00Z"


class QueueOfJobs:
    """Jobs that run one at a time in their own threads, until a test ends them."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.runs, self.ran, self._pool = RunQueue(), list[str](), pool
        self._ends: dict[str, Event] = {}

    def join(self, job: str, soonest: str | None = None, *, resumed: bool = False) -> Future[bool]:
        """Put a job into the queue; wait until it runs or waits there, its tests known."""
        inside, end = Event(), self._ends.setdefault(job, Event())
        end.clear()
        behind = bool(self.runs.running)

        def look() -> str:
            inside.set()
            return soonest or ""

        def run() -> bool:
            with self.runs.acquire(
                QueuedRun(job, resumed=resumed), look if soonest is not None else None
            ) as granted:
                if granted:
                    self.ran.append(job)
                    inside.set()
                    end.wait(60)
            return granted

        future = self._pool.submit(run)
        if not behind:
            assert inside.wait(60)
        elif soonest is None:
            until(lambda: job in self.runs.waiting)
        else:
            assert inside.wait(60)
            until(lambda: not soonest or self.runs.should_yield(lambda: ""))
        return future

    def end(self, job: str) -> None:
        """End a job's run."""
        self._ends[job].set()


def until(true: Callable[[], bool]) -> None:
    for _ in range(12_000):
        if true():
            return
        Event().wait(0.005)
    pytest.fail("it did not come to that")


@pytest.fixture
def queue() -> Iterator[QueueOfJobs]:
    with ThreadPoolExecutor(8) as pool:
        queue = QueueOfJobs(pool)
        yield queue
        queue.runs.close()
        for end in queue._ends.values():
            end.set()


def test_one_job_at_a_time_in_the_order_in_which_they_came(queue: QueueOfJobs) -> None:
    futures = [queue.join(job) for job in ("first", "second", "third")]
    assert queue.ran == ["first"]
    assert queue.runs.waiting == ["second", "third"]
    for job in ("first", "second", "third"):
        until(lambda: queue.runs.running == job)  # noqa: B023 - called at once
        queue.end(job)
    assert [future.result(60) for future in futures] == [True, True, True]
    assert queue.ran == ["first", "second", "third"]
    assert queue.runs.running == ""


def test_a_job_that_does_not_wait_is_not_asked_what_it_would_do(queue: QueueOfJobs) -> None:
    def never() -> str:
        pytest.fail("nobody was in front of it")

    with queue.runs.acquire(QueuedRun("only"), never) as granted:
        assert granted


@pytest.mark.parametrize(
    ("next_start", "should_yield"),
    [(MUCH_LATER, True), (LATER, False), (SOON, False), ("", True)],
)
def test_the_running_one_should_yield_unless_what_it_sends_is_for_a_sooner_test(
    queue: QueueOfJobs, next_start: str, should_yield: bool
) -> None:
    queue.join("full load")
    assert not queue.runs.should_yield(lambda: next_start)
    queue.join("exam day", LATER)
    assert queue.runs.should_yield(lambda: next_start) is should_yield


def test_who_went_first_ends_where_the_other_one_goes_on(queue: QueueOfJobs) -> None:
    queue.join("full load")
    queue.join("exam day", SOON)
    assert queue.runs.should_yield(lambda: LATER)
    queue.end("full load")
    until(lambda: queue.runs.running == "exam day")
    queue.join("full load", resumed=True)
    assert not queue.runs.should_yield(lambda: SOON)
    assert queue.runs.should_yield(lambda: LATER)
    assert queue.runs.should_yield(lambda: "")
    queue.end("exam day")
    until(lambda: queue.runs.running == "full load")
    assert not queue.runs.should_yield(lambda: MUCH_LATER)


def test_anyone_who_waits_looks_again_when_it_is_due_once_more(queue: QueueOfJobs) -> None:
    queue.join("full load")
    answers = iter(["", SOON])
    waiting = queue._pool.submit(lambda: enter(queue.runs, "exam day", lambda: next(answers)))
    until(lambda: queue.runs.waiting == ["exam day"])
    assert not queue.runs.should_yield(lambda: LATER)
    queue.runs.look_again("nobody")
    queue.runs.look_again("exam day")
    until(lambda: queue.runs.should_yield(lambda: LATER))
    queue.end("full load")
    assert waiting.result(60)


def test_what_the_running_one_may_have_sent_since_is_looked_at_again_before_it_should_yield(
    queue: QueueOfJobs,
) -> None:
    queue.join("full load")
    looks: list[str] = []

    def look() -> str:
        looks.append("" if looks else SOON)  # the running one has sent it before the second look
        return looks[-1]

    waiting = queue._pool.submit(lambda: enter(queue.runs, "exam day", look))
    until(lambda: looks == [SOON])
    assert not queue.runs.should_yield(lambda: SOON)
    until(lambda: not queue.runs.should_yield(lambda: LATER) and looks == [SOON, ""])
    assert not queue.runs.should_yield(lambda: LATER)
    queue.end("full load")
    assert waiting.result(60)


def test_what_is_there_still_at_the_second_look_is_given_way_to(queue: QueueOfJobs) -> None:
    queue.join("full load")
    queue.join("exam day", SOON)
    assert not queue.runs.should_yield(lambda: SOON)
    assert not queue.runs.should_yield(lambda: LATER)
    until(lambda: queue.runs.should_yield(lambda: LATER))


def enter(runs: RunQueue, job: str, look: Callable[[], str]) -> bool:
    with runs.acquire(QueuedRun(job), look) as granted:
        return granted


def test_nobody_should_yield_to_a_job_without_tests_nor_to_one_that_gave_way_itself(
    queue: QueueOfJobs,
) -> None:
    queue.join("full load")
    queue.join("people", "")
    queue.join("resumed", resumed=True)
    assert not queue.runs.should_yield(lambda: MUCH_LATER)


def test_the_soonest_tests_go_first_then_who_gave_way_then_the_rest(queue: QueueOfJobs) -> None:
    queue.join("full load")
    queue.join("early bird")
    queue.join("later", LATER)
    queue.join("soon", SOON)
    queue.join("resumed", resumed=True)
    order = ["full load", "soon", "later", "resumed", "early bird"]
    for job in order:
        until(lambda: queue.runs.running == job)  # noqa: B023 - called at once
        queue.end(job)
    until(lambda: queue.runs.running == "")
    assert queue.ran == order


def test_a_closed_line_lets_everybody_go_without_a_turn(queue: QueueOfJobs) -> None:
    running, waiting = queue.join("full load"), queue.join("exam day", SOON)
    queue.runs.close()
    assert waiting.result(60) is False
    queue.end("full load")
    assert running.result(60) is True
    assert queue.ran == ["full load"]


def test_a_look_ahead_that_fails_leaves_the_line(queue: QueueOfJobs) -> None:
    queue.join("full load")

    def broken() -> str:
        raise ValueError("the source is away")

    with (
        pytest.raises(ValueError, match="the source is away"),
        queue.runs.acquire(QueuedRun("exam day"), broken),
    ):
        pytest.fail("it has no turn")
    assert queue.runs.waiting == []
