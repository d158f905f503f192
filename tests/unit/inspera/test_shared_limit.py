"""The limit on requests in progress, which other clients share: the same tests against two servers."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

import pytest
from sync.inspera.connection import Connection
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Action, Change, Result
from sync.sandbox import Sandbox

from .http_tenant import KEY, HttpTenant, serving
from .made_up import LEARNER
from .waiting import Time, target_at

WORKERS = 16
SLOW = 0.004
"""Seconds that a request is in progress."""


class Server(Protocol):
    """A server that refuses the request after the tenth in progress."""

    url: str

    def let_another_take(self, number: int, status: int) -> None:
        """Let another client have so many in progress; one too many gets this status."""

    def counts(self) -> tuple[int, int]:
        """Return the most of ours that were in progress at once, and how many were refused."""

    def usernames(self) -> set[str]:
        """Return all learners."""


class SandboxServer:
    """The sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.url = sandbox, sandbox.url
        sandbox.control(fail=[{"path": "/api/*", "delay": SLOW}])

    def let_another_take(self, number: int, status: int) -> None:
        self.sandbox.control(limit={"taken": number, "status": status})

    def counts(self) -> tuple[int, int]:
        shown = self.sandbox.control()
        return shown["peak"], shown["failure_counts"]["limit"]

    def usernames(self) -> set[str]:
        return {one["username"] for one in self.sandbox.contents()["students"]}


class SecondServer:
    """The server that is written from the contract page alone."""

    def __init__(self, tenant: HttpTenant, url: str) -> None:
        self.tenant, self.url = tenant, url
        tenant.work = lambda _: SLOW

    def let_another_take(self, number: int, status: int) -> None:
        self.tenant.taken, self.tenant.refuses_with = number, status

    def counts(self) -> tuple[int, int]:
        return self.tenant.peak, self.tenant.too_many

    def usernames(self) -> set[str]:
        return set(self.tenant.learners)


@pytest.fixture(params=["the sandbox", "a second server"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with ExitStack() as open_:
        if request.param == "the sandbox":
            sandbox = open_.enter_context(Sandbox(client_id="made-up", api_key=KEY))
            yield SandboxServer(sandbox)
        else:
            tenant = HttpTenant()
            yield SecondServer(tenant, open_.enter_context(serving(tenant)))


Connect = Callable[[int], InsperaTarget]


@pytest.fixture
def connect(server: Server, time: Time, stop: threading.Event) -> Iterator[Connect]:
    with ExitStack() as open_:

        def make(max_in_flight: int) -> InsperaTarget:
            connection = Connection(
                server.url,
                "made-up",
                lambda: KEY,
                calls_per_second=1e7,
                max_in_flight=max_in_flight,
                workers=WORKERS,
            )
            target = target_at(connection, time, stop)
            return open_.enter_context(target)

        yield make


def _learner(number: int) -> Change:
    name = f"s{number}"
    fields = {**LEARNER.after, "username": name, "external_id": f"{name}@example.edu"}
    return Change(Action.CREATE, Kind.LEARNER, (name,), after=fields)


def _save(target: InsperaTarget, number: int) -> Counter[Result]:
    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = pool.map(lambda n: target.save_learner(_learner(n), None), range(number))
        return Counter(outcome.result for outcome in outcomes)


def test_no_more_calls_are_in_flight_than_configured_however_many_workers_there_are(
    server: Server, connect: Connect
) -> None:
    assert _save(connect(4), 100) == {Result.DONE: 100}
    peak, refused = server.counts()
    assert (peak, refused) == (4, 0)


@pytest.mark.parametrize("status", [429, 503, 403, 200])
def test_with_another_client_that_holds_7_of_10_everything_is_done_whatever_the_refusal_is(
    server: Server, connect: Connect, status: int
) -> None:
    server.let_another_take(7, status)
    target = connect(8)
    assert _save(target, 100) == {Result.DONE: 100}
    peak, refused = server.counts()
    assert peak == 3
    assert 0 < refused < 20
    assert (target.stopped, target.out_of_reach) == (None, None)
    assert server.usernames() == {f"s{n}" for n in range(100)}


def test_a_client_that_holds_everything_ends_the_run_after_500_refusals(
    server: Server, connect: Connect
) -> None:
    server.let_another_take(10, 503)
    target = connect(4)
    assert set(_save_until_stopped(target)) == {Result.NOT_SENT}
    assert "asked for fewer calls" in str(target.stopped)
    assert server.counts() == (0, 500)


def _save_until_stopped(target: InsperaTarget) -> list[Result]:
    results = []
    while not target.stopped:
        results.append(target.save_learner(LEARNER, None).result)
    return results


def test_slow_answers_are_waited_for_and_their_outcome_is_known(time: Time) -> None:
    """A server that needs 50 s for every twentieth write; here a second is a hundredth of one."""
    tenant, numbers = HttpTenant(), iter(range(10_000))
    tenant.work = lambda _: 0.5 if next(numbers) % 20 == 19 else 0
    with serving(tenant) as url:
        connection = Connection(url, "made-up", lambda: KEY, calls_per_second=1e7, attempts=1)
        hundredth = replace(connection, read_timeout=connection.read_timeout / 100)
        with InsperaTarget(hundredth, threading.Event(), time.clock) as target:
            assert _save(target, 60) == {Result.DONE: 60}
