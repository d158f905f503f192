"""The state's schema through time (Alembic). Only commands that write the state run it on the state itself."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection

FOLDER = Path(__file__).parent


@cache
def known_versions() -> frozenset[str]:
    """Every version that this code can start from: the numbers by which the files in `versions` begin."""
    # told without Alembic, whose import would cost each command more time than a small plan takes
    return frozenset(
        path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py")
    )


@cache
def head() -> str:
    """The version of the schema that this code works with."""
    return max(known_versions())


def migrate(connection: Connection, version: str = "head") -> None:
    """Brings the schema behind `connection` up to this version, or to an earlier one; the caller commits."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, version)
