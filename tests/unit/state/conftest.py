"""The databases on which the tests of the store run."""

from collections.abc import Iterator

import pytest

from ...support.servers.postgres import postgres
from .databases import Postgresql, Sqlite, using


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """Return a state in PostgreSQL; one server for all tests of this process."""
    with postgres() as server:
        database = Postgresql(server)
        yield database
        database.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the name of the database that holds the state."""
    name: str = request.param
    with using(Sqlite() if name == "sqlite" else request.getfixturevalue("postgresql")):
        yield name
