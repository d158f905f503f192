"""Rules 25: One leader. On PostgreSQL every commit is made under the number of the run that holds
the lock. A run that has lost the lock writes and sends nothing more.
"""

from collections.abc import Iterator

import pytest

from ..support.servers.postgres import SUPERUSER, Postgres, postgres
from ..support.university import TEST, University, numbers

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture
def on_postgres(university: University, server: Postgres) -> University:
    """A university of 30 learners, nobody sent yet, whose state is in a new database."""
    server.create_database("leader", icu="nb-NO")
    university.config["state"] = server.url("leader").replace("://", f"://{SUPERUSER}@")
    university.config["inspera"]["workers"] = 1
    university.register(TEST, *numbers(1001, 30))
    return university


def test_a_run_that_has_lost_its_lock_sends_nothing_more_and_the_next_run_finishes(
    on_postgres: University, server: Postgres
) -> None:
    on_postgres.meanwhile = lambda: server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    )
    result = on_postgres.apply()
    assert result.status not in (0, 1), result.output
    assert len(on_postgres.learners()) < 30
    on_postgres.apply_cleanly()
    assert len(on_postgres.learners()) == len(on_postgres.candidates()) == 30
    assert on_postgres.status()["unsettled"] == 0
