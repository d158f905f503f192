"""A state on PostgreSQL that can't be used: its message, its remedy, and never a secret."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sync.errors import StateError, StateUnreachable, install_remedy
from sync.state.backend import Backend
from sync.state.open import backend_for

from ...support.servers.needed import free_port
from ...support.servers.pgbouncer import pgbouncer
from ...support.servers.postgres import Postgres, postgres

USER, PASSWORD = "inspera_sync", "hush:h@sh"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        server.create_user(USER, PASSWORD)
        server.execute("CREATE ROLE trusted LOGIN")
        server.create_database("state")
        server.execute(
            f"GRANT ALL ON DATABASE state TO {USER}", "ALTER DATABASE state OWNER TO trusted"
        )
        yield server


def place(
    server: Postgres, *, user: str = USER, password: str = PASSWORD, database: str = "state"
) -> Backend:
    return backend_for(f"postgresql://{user}@127.0.0.1:{server.port}/{database}", lambda: password)


def refused(place: Backend) -> StateError:
    """Return the message, which is the same however it is opened."""
    raised = []
    for how in (place.open_to_read, lambda: place.open_to_write("apply")):
        with pytest.raises(StateError) as caught:
            how().__enter__()
        raised.append(caught.value)
    assert str(raised[0]) == str(raised[1])
    assert PASSWORD not in f"{raised[0]!r} {place!r} {place}"
    assert raised[0].__cause__ is None
    return raised[0]


def test_a_password_lets_in(server: Postgres) -> None:
    assert place(server).version() is None


@pytest.mark.parametrize(
    ("user", "password", "database", "said"),
    [
        (
            USER,
            "wrong",
            "state",
            "the state refuses the login; check the user in 'state' and 'state_password', and",
        ),
        (USER, "", "state", "the state refuses the login; check"),
        ("nobody", PASSWORD, "state", "the state refuses the login; check"),
        (USER, PASSWORD, "none", "the state has no such database (connection failed: "),
    ],
)
def test_what_a_person_must_mend_is_reported_with_what_to_do(
    server: Postgres, user: str, password: str, database: str, said: str
) -> None:
    error = refused(place(server, user=user, password=password, database=database))
    assert str(error).startswith(f"postgresql://127.0.0.1:{server.port}/{database}: {said}")
    assert not isinstance(error, StateUnreachable)
    assert "\n" not in str(error)


def test_a_server_that_is_not_there_may_be_there_later() -> None:
    error = refused(
        backend_for(f"postgresql://{USER}@127.0.0.1:{free_port()}/state", lambda: PASSWORD)
    )
    assert "the state can't be reached (connection failed: " in str(error)
    assert isinstance(error, StateUnreachable)


def test_a_server_that_takes_no_more_connections_may_do_so_later(server: Postgres) -> None:
    server.execute(f"ALTER ROLE {USER} CONNECTION LIMIT 0")
    try:
        error = refused(place(server))
    finally:
        server.execute(f"ALTER ROLE {USER} CONNECTION LIMIT -1")
    assert "takes no more connections (" in str(error)
    assert isinstance(error, StateUnreachable)


def test_an_option_that_is_none_is_reported() -> None:
    error = refused(backend_for("postgresql://x@127.0.0.1/state?sslmod=verify-full"))
    assert (
        'can\'t be asked like this (invalid URI query parameter: "sslmod"); correct the options'
        in str(error)
    )


def test_a_server_without_tls_is_not_trusted_when_it_is_asked_for(server: Postgres) -> None:
    url = f"postgresql://trusted@127.0.0.1:{server.port}/state?sslmode=require"
    error = refused(backend_for(url))
    assert "the state can't be trusted (" in str(error)
    assert not isinstance(error, StateUnreachable)


def test_a_server_that_only_reads_is_not_written(server: Postgres) -> None:
    url = f"postgresql://trusted@127.0.0.1:{server.port}/state?options=-cdefault_transaction_read_only%3Don"
    with pytest.raises(
        StateError,
        match=r"the state only reads \(.*read-only transaction\); name the primary server",
    ):
        backend_for(url).open_to_write("apply").__enter__()


def test_rows_of_a_statement_that_fails_are_not_told(server: Postgres) -> None:
    insert = text(
        "INSERT INTO known_learner (key, lifecycle, managed, updated)"
        " VALUES ('Eksempel', 'active', true, :at)"
    )

    def fail() -> None:
        with place(server, user="trusted").open_to_write("apply") as opened:
            for _ in range(2):
                opened.connection.execute(insert, {"at": "Hemmelig"})

    with pytest.raises(
        StateError, match=r"could not carry out a statement \(23505\); see the server's own log"
    ) as told:
        fail()
    assert "Eksempel" not in str(told.value)
    assert "Hemmelig" not in str(told.value)


def test_a_pooler_that_shares_connections_among_transactions_is_refused_by_name(
    server: Postgres,
) -> None:
    with pgbouncer(server, "transaction", "trusted") as port:
        error = refused(backend_for(f"postgresql://trusted@127.0.0.1:{port}/state"))
    assert "a pooler in transaction mode stands before the state (PgBouncer or the like)" in str(
        error
    )
    assert "pool_mode=session" in str(error)


def test_a_pooler_that_keeps_a_connection_to_each_client_will_do(server: Postgres) -> None:
    with pgbouncer(server, "session", "trusted") as port:
        state = backend_for(f"postgresql://trusted@127.0.0.1:{port}/state")
        with state.open_to_write("apply") as opened, state.service() as service:
            assert service.try_lead()
            opened.confirm()
            opened.connection.commit()
        with state.open_to_read() as connection:
            connection.execute(text("CREATE TEMP TABLE note (word TEXT)"))
        assert state.holder() == ""


@pytest.mark.process
def test_a_state_in_a_file_needs_nothing_of_postgresql() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None\nfrom sync.errors import UsageError\n"
        "from sync.state.open import backend_for\nprint(backend_for('sqlite:////x/state.db'))\n"
        "try: backend_for('postgresql://h/d')\nexcept UsageError as error: print(error)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True
    )
    assert ran.stdout == (
        "/x/state.db\na state on PostgreSQL needs the driver psycopg, which is not installed;"
        f" {install_remedy('postgres')}\n"
    )
