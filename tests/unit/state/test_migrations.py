"""From one version of the schema to the next: nothing that an older version wrote is lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sync.state.migrations import create, head, known_versions, migrate
from sync.state.sqlite.open import open_copy, open_to_read, open_to_write

from ...support.next_schema import add_next_version

Rows = dict[str, list[dict[str, Any]]]


def state_at(path: Path, version: str) -> Rows:
    """Make a state of a version with two rows in every table. Return these rows."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        migrate(connection, version)
        tables = sa.MetaData()
        tables.reflect(connection)
        filled: Rows = {}
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                filled[table.name] = [{c.name: value(c, n) for c in table.columns} for n in (1, 2)]
                connection.execute(table.insert(), filled[table.name])
        connection.commit()
    engine.dispose()
    return filled


def value(column: sa.Column[Any], n: int) -> object:
    if isinstance(column.type, sa.Integer):
        return n
    if isinstance(column.type, sa.Boolean):
        return n == 1
    return bytes([n, 0]) if isinstance(column.type, sa.LargeBinary) else f"Ø {column.name} {n}"


def rows_of(connection: sa.Connection, table: str) -> list[dict[str, Any]]:
    query = sa.text(f'SELECT * FROM "{table}" ORDER BY rowid')
    return [dict(row) for row in connection.execute(query).mappings()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def older(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Make a state of the version before the newest one."""
    return state_at(path, add_next_version(tmp_path, monkeypatch))


def test_every_row_of_an_older_version_is_kept_with_all_its_values(path: Path, older: Rows) -> None:
    assert {"known_learner", "known_candidate", "intent", "run", "kept_value"} <= set(older)
    with open_to_write(path, "apply") as connection:
        after = {table: rows_of(connection, table) for table in older}
        added = rows_of(connection, "added")
    for table, rows in older.items():
        assert [{name: row[name] for name in rows[0]} for row in after[table]] == rows, table
    assert [row["added"] for row in after["known_candidate"]] == [None, None]
    assert added == []


@pytest.mark.parametrize("version", sorted(known_versions()))
def test_every_version_can_be_brought_to_the_newest(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    before = state_at(path, version)
    add_next_version(tmp_path, monkeypatch)
    with open_to_write(path, "apply") as connection:
        assert rows_of(connection, "alembic_version") == [{"version_num": head()}]
        assert all(len(rows_of(connection, table)) == 2 for table in before)


@pytest.mark.usefixtures("older")
def test_an_older_state_is_only_read_through_a_migrated_copy(path: Path) -> None:
    before = path.read_bytes()
    for opened in (open_to_read, open_copy):
        with opened(path) as connection:
            assert rows_of(connection, "alembic_version") == [{"version_num": head()}]
            assert len(rows_of(connection, "known_learner")) == 2
            assert rows_of(connection, "added") == []
    assert path.read_bytes() == before


def test_a_new_state_has_the_schema_that_the_migrations_make() -> None:
    def drawn(make: Callable[[sa.Connection], None]) -> list[str]:
        engine = sa.create_engine("sqlite://")
        with engine.connect() as connection:
            make(connection)
            found = sa.MetaData()
            found.reflect(connection)
            version = connection.execute(sa.text("SELECT * FROM alembic_version")).scalar()
            return [str(version), *(repr(table) for table in found.sorted_tables), *indexes(found)]

    assert drawn(create) == drawn(migrate)


def indexes(found: sa.MetaData) -> list[str]:
    return sorted(repr(index) for table in found.sorted_tables for index in table.indexes)
