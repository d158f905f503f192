"""A fake tenant for each test, a target that uses it, and time that only passes in waits."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sync.inspera.connection import Connection
from sync.inspera.target import InsperaTarget

from .http_tenant import KEY, HttpTenant, serving
from .waiting import Time, target_at

MakeTarget = Callable[..., InsperaTarget]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def tenant() -> HttpTenant:
    return HttpTenant()


@pytest.fixture
def address(tenant: HttpTenant) -> Iterator[str]:
    with serving(tenant) as url:
        yield url


@pytest.fixture
def connection(address: str) -> Connection:
    return Connection(
        url=address,
        client_id="made-up",
        api_key=lambda: KEY,
        calls_per_second=1e7,
        workers=4,
        batch_size=100,
        attempts=3,
        retry_after_ceiling=60.0,
        read_after_write_delay=10.0,
    )


@pytest.fixture
def make_target(connection: Connection, time: Time, stop: threading.Event) -> Iterator[MakeTarget]:
    made: list[InsperaTarget] = []

    def make(**changes: Any) -> InsperaTarget:
        settings = replace(connection, **changes)
        made.append(target_at(settings, time, stop))
        return made[-1]

    yield make
    for target in made:
        target.close()


@pytest.fixture
def target(make_target: MakeTarget) -> InsperaTarget:
    return make_target()


@pytest.fixture
def exam(tenant: HttpTenant) -> str:
    """A test that is already there, by the tenant's own number."""
    return tenant.add_test("INF101-V30")
