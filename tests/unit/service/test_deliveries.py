"""Sources that start jobs: each in a thread of its own, through errors, standby and reloads."""

import threading
import time
from collections.abc import Callable

from sync.errors import SourceError
from sync.service.deliveries import Deliveries, WatchedSource

PATIENCE = 10.0


class PlayedWatcher:
    """A source that has something new when a test says so."""

    def __init__(self) -> None:
        self.new = False
        self.error: Exception | None = None
        self.closed = threading.Event()
        self.asked = 0

    def is_new(self) -> bool:
        self.asked += 1
        if self.error:
            raise self.error
        new, self.new = self.new, False
        return new

    def close(self) -> None:
        self.closed.set()


class Requests:
    """What was requested, of a service that leads or not."""

    def __init__(self) -> None:
        self.leads, self.jobs = True, list[str]()

    def __call__(self, job: str) -> bool:
        if self.leads:
            self.jobs.append(job)
        return self.leads


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def watched(requests: Requests, watcher: PlayedWatcher, *jobs: str) -> Deliveries:
    deliveries = Deliveries(requests, interval=0.005)
    deliveries.replace([WatchedSource("drop", watcher, jobs or ("arrivals",))])
    return deliveries


def test_something_new_starts_each_of_its_jobs_once() -> None:
    requests, watcher = Requests(), PlayedWatcher()
    deliveries = watched(requests, watcher, "arrivals", "people")
    watcher.new = True
    until(lambda: len(requests.jobs) == 2)
    until(lambda: watcher.asked > 10)
    assert sorted(requests.jobs) == ["arrivals", "people"]
    deliveries.close()
    until(watcher.closed.is_set)


def test_a_standby_starts_it_when_it_leads() -> None:
    requests, watcher = Requests(), PlayedWatcher()
    requests.leads = False
    deliveries = watched(requests, watcher)
    watcher.new = True
    until(lambda: watcher.asked > 5)
    assert requests.jobs == []
    requests.leads = True
    until(lambda: requests.jobs == ["arrivals"])
    deliveries.close()


def test_a_source_that_fails_is_asked_again_and_others_go_on() -> None:
    requests, broken, well = Requests(), PlayedWatcher(), PlayedWatcher()
    deliveries = Deliveries(requests, interval=0.005)
    deliveries.replace([WatchedSource("a", broken, ["one"]), WatchedSource("b", well, ["two"])])
    broken.error = SourceError("drop", "can't be watched (stale file handle)", "")
    until(lambda: broken.asked > 1)
    well.new = True
    until(lambda: requests.jobs == ["two"])
    broken.error, broken.new = None, True
    until(lambda: requests.jobs == ["two", "one"])
    deliveries.close()


def test_after_a_reload_only_the_new_sources_are_watched() -> None:
    requests, old, new = Requests(), PlayedWatcher(), PlayedWatcher()
    deliveries = watched(requests, old)
    deliveries.replace([WatchedSource("other", new, ["people"])])
    until(old.closed.is_set)
    old.new, new.new = True, True
    until(lambda: requests.jobs == ["people"])
    deliveries.close()
