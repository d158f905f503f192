"""A state on PostgreSQL: how it is made, read and copied, and which versions it can have."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine, text
from sync.errors import StateError
from sync.state.backend import Backend
from sync.state.migrations import head, migrate
from sync.state.open import backend_for
from sync.state.schema import METADATA
from sync.state.secret_digest import KEY_BYTES

from ...support.next_schema import add_next_version
from ...support.servers.postgres import Postgres, postgres

OWNER, READER = "inspera_sync", "reader"
_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        server.execute(f"CREATE ROLE {OWNER} LOGIN", f"CREATE ROLE {READER} LOGIN")
        yield server


@pytest.fixture
def database(server: Postgres) -> str:
    """Create an empty database in Norwegian order, which belongs to the state's role."""
    name = f"state{next(_numbers)}"
    server.create_database(name, icu="nb-NO")
    server.execute(f"ALTER DATABASE {name} OWNER TO {OWNER}")
    server.execute(f"ALTER SCHEMA public OWNER TO {OWNER}", database=name)
    return name


def place(server: Postgres, database: str, user: str = OWNER) -> Backend:
    return backend_for(f"postgresql://{user}@127.0.0.1:{server.port}/{database}")


@pytest.fixture
def state(server: Postgres, database: str) -> Backend:
    """Make a state with one learner in it."""
    one = place(server, database)
    with one.open_to_write("apply") as opened:
        learn(opened.connection, "Ærlig")
        opened.connection.commit()
    return one


def learn(connection: Connection, *keys: str) -> None:
    for key in keys:
        insert = (
            "INSERT INTO known_learner (key, lifecycle, managed, updated)"
            " VALUES (:key, 'active', true, '')"
        )
        connection.execute(text(insert), {"key": key})


def learners(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT key FROM known_learner ORDER BY key")).scalars())


def fill(server: Postgres, database: str, version: str) -> Backend:
    """Make a state of this version, with a learner, and a run with an intent."""
    one = place(server, database)
    engine = create_engine(
        f"postgresql+psycopg://{OWNER}@127.0.0.1:{server.port}/{database}", poolclass=NullPool
    )
    with engine.connect() as connection:
        migrate(connection, version)
        learn(connection, "Ærlig")
        run = (
            "INSERT INTO run (command, started, status, counts, reason)"
            " VALUES ('apply', '', 'done', '{}', '') RETURNING id"
        )
        number = connection.execute(text(run)).scalar()
        intent = (
            "INSERT INTO intent (run_id, kind, k1, k2, action, fields, before, approved, at, message)"
            " VALUES (:run, 'learner', 'Ærlig', '', 'create', '{}', '{}', false, '', '')"
        )
        connection.execute(text(intent), {"run": number})
        connection.commit()
    return one


def contents(server: Postgres, database: str) -> list[tuple[object, ...]]:
    """Return what is in the database, table by table, with what a mistake could write there."""
    tables = server.execute(
        "SELECT relname::text, relkind::text FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace ORDER BY 1, 2",
        database=database,
    )
    rows = [
        server.execute(f'SELECT * FROM "{name}"', database=database)
        for name, kind in tables
        if kind == "r"
    ]
    return [*tables, tuple(map(tuple, rows))]


def test_the_migrations_make_exactly_the_tables_that_the_code_knows(state: Backend) -> None:
    with state.open_to_write("apply") as opened:
        context = MigrationContext.configure(
            opened.connection,
            opts={"include_object": lambda _thing, name, *_: name != "alembic_version"},
        )
        assert compare_metadata(context, METADATA) == []


def test_text_is_sorted_by_its_bytes_whatever_the_database_does(
    state: Backend, server: Postgres, database: str
) -> None:
    assert server.execute("SELECT 'å' < 'Z'", database=database) == [(False,)]
    assert server.execute("SELECT 'a' < 'B'", database=database) == [(True,)]
    with state.open_to_write("apply") as opened:
        learn(opened.connection, "a", "B", "Å", "Ø", "aa")
        assert learners(opened.connection) == sorted(["a", "B", "Å", "Ø", "aa", "Ærlig"])
    others = server.execute(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute"
        " JOIN pg_class c ON c.oid = attrelid"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND relname <> 'alembic_version' AND attnum > 0"
        " AND attcollation NOT IN (0, '\"C\"'::regcollation)",
        database=database,
    )
    assert others == []


@pytest.mark.parametrize("how", ["open_to_read", "open_copy"])
def test_reading_changes_nothing(state: Backend, server: Postgres, database: str, how: str) -> None:
    before = contents(server, database)
    with getattr(state, how)() as connection:
        connection.execute(text("CREATE TEMP TABLE note (word TEXT)"))
        connection.execute(text("INSERT INTO note VALUES ('x')"))
        assert learners(connection) == ["Ærlig"]
        connection.commit()
    assert contents(server, database) == before


def test_a_reader_cannot_write(state: Backend, server: Postgres, database: str) -> None:
    before = contents(server, database)
    with state.open_to_read() as connection:
        connection.execute(text("DELETE FROM known_learner"))
        with pytest.raises(StateError, match="opened to be read only"):
            connection.commit()
    with state.open_to_read() as connection:
        connection.execute(text("DELETE FROM known_learner"))
    assert contents(server, database) == before


def test_a_reader_sees_one_moment(state: Backend) -> None:
    with state.open_to_read() as connection:
        assert learners(connection) == ["Ærlig"]
        with state.open_to_write("apply") as opened:
            learn(opened.connection, "Øvrig")
            opened.connection.commit()
        assert learners(connection) == ["Ærlig"]
    with state.open_to_read() as connection:
        assert learners(connection) == ["Ærlig", "Øvrig"]


def test_a_copy_can_be_written_and_the_state_stays(
    state: Backend, server: Postgres, database: str
) -> None:
    before = contents(server, database)
    with state.open_copy() as connection:
        connection.execute(text("DELETE FROM known_learner"))
        connection.commit()
        assert learners(connection) == []
    assert contents(server, database) == before


def test_what_is_added_to_a_copy_is_numbered_on(server: Postgres, database: str) -> None:
    state = fill(server, database, head())
    with state.open_copy() as connection:
        run = (
            "INSERT INTO run (command, started, status, counts, reason)"
            " VALUES ('adopt', '', 'done', '{}', '') RETURNING id"
        )
        assert connection.execute(text(run)).scalar() == 2


@pytest.mark.parametrize("how", ["open_to_read", "open_copy"])
def test_a_missing_state_reads_as_an_empty_one_and_is_not_made(
    server: Postgres, database: str, how: str
) -> None:
    state = place(server, database)
    assert state.version() is None
    assert state.paused() is None
    assert state.resume() is False
    assert len(state.load_digest_key(write=False)) == KEY_BYTES
    with getattr(state, how)() as connection:
        assert learners(connection) == []
        connection.commit()
    assert (
        server.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace",
            database=database,
        )
        == []
    )


def test_an_older_state_is_read_through_a_migrated_copy_and_migrated_only_by_a_writer(
    server: Postgres, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = add_next_version(tmp_path, monkeypatch)
    state = fill(server, database, old)
    before = contents(server, database)
    with state.open_to_read() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == head()
        )
        assert learners(connection) == ["Ærlig"]
        assert connection.execute(text("SELECT run_id, k1 FROM intent")).all() == [(1, "Ærlig")]
        assert connection.execute(text("SELECT count(*) FROM added")).scalar() == 0
    assert (state.version(), contents(server, database)) == (old, before)
    with state.open_to_write("apply") as opened:
        assert learners(opened.connection) == ["Ærlig"]
    assert state.version() == head()


@pytest.mark.parametrize("how", ["open_to_read", "open_copy", "open_to_write"])
def test_a_state_from_a_newer_version_is_refused_by_name(
    state: Backend, server: Postgres, database: str, how: str
) -> None:
    server.execute("UPDATE alembic_version SET version_num = '9999'", database=database)
    with pytest.raises(
        StateError, match=r"newer version of inspera-sync \(schema 9999, this one knows .*; install"
    ):
        getattr(state, how)(*["apply"] * (how == "open_to_write")).__enter__()


def test_a_role_that_may_only_look_can_read(
    state: Backend, server: Postgres, database: str
) -> None:
    server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}", database=database)
    looking = place(server, database, READER)
    for how in (looking.open_to_read, looking.open_copy):
        with how() as connection:
            connection.execute(text("CREATE TEMP TABLE note (word TEXT)"))
            assert learners(connection) == ["Ærlig"]
    assert (looking.version(), looking.paused(), looking.holder()) == (head(), None, "")
    with pytest.raises(
        StateError, match=r"lets this user not do what is needed \(permission denied .*; grant it"
    ):
        looking.open_to_write("apply").__enter__()
    assert looking.holder() == ""


def test_a_role_that_may_not_even_look_is_reported_so(
    state: Backend, server: Postgres, database: str
) -> None:
    with pytest.raises(StateError, match=r"permission denied for table alembic_version"):
        place(server, database, READER).open_to_read().__enter__()


def test_a_state_where_nobody_looks_is_not_taken_for_a_missing_one(
    state: Backend,
    server: Postgres,
    database: str,
) -> None:
    server.execute(
        "ALTER SCHEMA public RENAME TO kept",
        f"CREATE SCHEMA public AUTHORIZATION {OWNER}",
        database=database,
    )
    for how in (
        place(server, database).open_to_read,
        lambda: place(server, database).open_to_write("apply"),
    ):
        with pytest.raises(
            StateError, match="a state lies in schema 'kept', where this user does not look"
        ):
            how().__enter__()


def test_a_role_without_the_right_to_make_tables_is_reported_so(
    server: Postgres, database: str
) -> None:
    with pytest.raises(
        StateError,
        match=r"permission denied for schema public.*; grant it: to write, its own schema",
    ):
        place(server, database, READER).open_to_write("apply").__enter__()


def test_the_key_of_the_digests_is_made_once_and_kept(
    state: Backend, server: Postgres, database: str
) -> None:
    assert state.load_digest_key(write=False) != state.load_digest_key(write=False)
    key = state.load_digest_key(write=True)
    assert key == state.load_digest_key(write=True) == state.load_digest_key(write=False)
    server.execute("UPDATE digest_key SET key = 'short'", database=database)
    with pytest.raises(
        StateError, match="holds no key of the secret digests, which has 32 bytes; put back a copy"
    ):
        state.load_digest_key(write=False)


def test_what_is_committed_survives_a_power_cut(
    state: Backend, server: Postgres, database: str
) -> None:
    server.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
    with state.open_to_write("apply") as opened:
        assert opened.connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
