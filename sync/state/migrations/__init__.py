"""The state's schema through time (Alembic). Only commands that write the state run it on the state itself."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


@cache
def head() -> str:
    """The version of the schema that this code works with."""
    return str(_scripts().get_current_head())


@cache
def known_versions() -> frozenset[str]:
    """Every version that this code can start from."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def migrate(connection: Connection) -> None:
    """Brings the schema behind `connection` to this version; the caller commits."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
