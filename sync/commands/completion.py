"""What the TAB key completes, in addition to commands and options. Reads no secret, no database.

Nobody reads an error at TAB: a file that can't be read completes nothing.
"""

from collections.abc import Iterable
from pathlib import Path

import typer

from sync.commands.invocation import Invocation
from sync.errors import UsageError
from sync.records.base import Kind

MOST_BYTES = 1024 * 1024
"""The size up to which a configuration is read."""


def topics(incomplete: str) -> list[str]:
    """Return the topics of `help` that begin like this."""
    from sync.commands.help import topics as known

    return _beginning(known(), incomplete)


def kinds(context: typer.Context, incomplete: str) -> list[str]:
    """Return the kinds of record that begin like this, as the first word of a record's name."""
    return [] if context.params.get("record") else _beginning(Kind, incomplete)


def sources(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names under `sources` of the configuration that begin like this."""
    config: Path | None = context.find_root().params.get("config")
    return _beginning(_source_names(config), incomplete)


def _source_names(config: Path | None) -> list[str]:
    """Return the names of the sources, without the import of all the settings' classes."""
    import yaml

    try:
        with Invocation(config).config_path().open(encoding="utf-8-sig") as file:
            data = yaml.load(file.read(MOST_BYTES), Loader=yaml.BaseLoader)  # noqa: S506 - it makes only texts
    except (UsageError, OSError, ValueError, yaml.YAMLError, RecursionError):
        return []
    named = data.get("sources") if isinstance(data, dict) else None
    return [str(name) for name in named] if isinstance(named, dict) else []


def _beginning(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
