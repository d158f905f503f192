"""From one version of the schema to the next: nothing that an older version wrote is lost."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sync.records.base import Kind
from sync.state.migrations import FOLDER, head
from sync.state.sqlite.open import open_to_read, open_to_write

Rows = dict[str, list[dict[str, Any]]]


def at_version(path: Path, version: str) -> Rows:
    """A state of an older version with two rows in every table, and what these are."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, version)
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


def told(connection: sa.Connection, table: str) -> list[dict[str, Any]]:
    return [
        dict(row)
        for row in connection.execute(sa.text(f'SELECT * FROM "{table}" ORDER BY rowid')).mappings()
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_every_row_of_the_first_version_is_kept_with_all_its_values(path: Path) -> None:
    before = at_version(path, "0001")
    assert {
        "known_learner",
        "known_test",
        "known_candidate",
        "intent",
        "run",
        "finding",
        "accepted",
    } <= set(before)
    with open_to_write(path, "apply") as connection:
        after = {table: told(connection, table) for table in before}
        new = {
            kind: connection.execute(sa.text(f"SELECT count(*) FROM known_{kind}")).scalar()
            for kind in Kind
        }
    for table, rows in before.items():
        kept = [{name: row[name] for name in rows[0]} for row in after[table]]
        assert kept == rows, table
    assert all(row["committees"] is None for row in after["known_candidate"])
    assert [kind for kind, count in new.items() if count] == [
        Kind.LEARNER,
        Kind.TEST,
        Kind.CANDIDATE,
    ]


def test_an_older_state_is_only_read_through_a_migrated_copy(path: Path) -> None:
    at_version(path, "0001")
    before = path.read_bytes()
    with open_to_read(path) as connection:
        assert told(connection, "alembic_version") == [{"version_num": head()}]
        assert len(told(connection, "known_learner")) == 2
        assert told(connection, "known_staff") == []
    assert path.read_bytes() == before


def test_the_second_version_can_be_taken_back(path: Path) -> None:
    at_version(path, "0001")
    with open_to_write(path, "apply"):
        pass
    engine = sa.create_engine(f"sqlite:///{path}")
    with closing(engine.connect()) as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        tables = set(sa.inspect(connection).get_table_names())
        assert len(told(connection, "known_candidate")) == 2
    engine.dispose()
    assert not {"known_staff", "known_option", "refused", "alias"} & tables
