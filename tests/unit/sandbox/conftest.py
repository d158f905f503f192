"""A sandbox for each test, a clock to set, and a client."""

from collections.abc import Iterator

import pytest
from sync.sandbox import Sandbox

from .api_client import ApiClient, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[ApiClient]:
    client = ApiClient(sandbox.url)
    yield client
    client.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox for many tests that leave it as they found it."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def stranger(shared: Sandbox) -> Iterator[ApiClient]:
    """A client of the shared sandbox, for calls that are refused."""
    client = ApiClient(shared.url)
    yield client
    client.close()
