"""A sandbox for each test, a clock to set, and a client."""

from collections.abc import Iterator

import pytest
from sync.sandbox import Sandbox

from .tenant import Clock, Tenant


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def tenant(sandbox: Sandbox) -> Iterator[Tenant]:
    tenant = Tenant(sandbox.url)
    yield tenant
    tenant.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox for many tests that leave it as they found it."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def stranger(shared: Sandbox) -> Iterator[Tenant]:
    """A client of the shared sandbox, for calls that are refused."""
    tenant = Tenant(shared.url)
    yield tenant
    tenant.close()
