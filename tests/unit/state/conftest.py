"""Lets the tests of the store run on each database that can hold a state."""

from collections.abc import Iterator

import pytest

from ...support.servers.postgres import postgres
from .databases import Postgresql, Sqlite, using


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A state in PostgreSQL; one server for all tests of this process."""
    with postgres() as server:
        database = Postgresql(server)
        yield database
        database.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which database the state is in."""
    name: str = request.param
    with using(Sqlite() if name == "sqlite" else request.getfixturevalue("postgresql")):
        yield name
