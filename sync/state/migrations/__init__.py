"""The history of the state's schema (Alembic). Only commands that write migrate the state."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

FOLDER = Path(__file__).parent


def known_versions() -> frozenset[str]:
    """Return every version that this code can start from: the file numbers in `versions`."""
    return _versions_in(FOLDER)


def head() -> str:
    """Return the version of the schema that this code works with."""
    return max(known_versions())


@cache
def _versions_in(folder: Path) -> frozenset[str]:
    # Without Alembic, whose import costs each command more time than a small plan takes.
    return frozenset(
        path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*_*.py")
    )


def create(connection: Connection) -> None:
    """Make the newest schema in an empty state; the caller commits.

    A first `plan` or `apply` then needs no Alembic, whose import and steps take longer than the
    plan of a small institution.
    """
    from sync.state.audit.guard import make_triggers
    from sync.state.schema import METADATA

    METADATA.create_all(connection)
    make_triggers(connection)
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head()})


def migrate(connection: Connection, version: str = "head") -> None:
    """Bring the schema behind `connection` up to this version; the caller commits."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, version)
