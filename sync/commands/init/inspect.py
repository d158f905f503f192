"""The sources of a first configuration: how a file is written, its columns, its first rows."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from sync.commands.init.detect import SourceSample, guess
from sync.commands.init.vocabulary import plain
from sync.commands.init.yaml_text import Inline, ReferenceText
from sync.errors import SourceError, UsageError
from sync.sources.base import SourceSettings
from sync.sources.csv.source import CsvSettings

DELIMITERS = (";", "tab", "|")
"""Delimiters that are tried in addition to the default, a comma."""

FIRST_ROWS = 20
"""Rows that are inspected for the form of times, durations and names."""

_BLOCK = 1 << 20
_PACKED = (".gz", ".zip")
_TABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_PERSON = "(objectClass=person)"
_USEFUL = (
    *("student_no", "employee_no", "username", "external_id"),
    *("first_name", "last_name", "email"),
)
_SEVERAL = ("first_name", "last_name", "email")
"""What a person may have several of in a directory; the first one is as good as any."""

Settings = TypeVar("Settings", bound=SourceSettings)


def path_for(path: Path, folder: Path) -> str:
    """Return a path for a configuration in this folder: relative if it is in there."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links, which may be turned to new files
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)


def credentials(user: str | None, password_file: Path | None, folder: Path) -> dict[str, object]:
    """Return the settings of a login; the password stays in its file."""
    settings: dict[str, object] = {"user": user} if user else {}
    if password_file:
        settings["password"] = ReferenceText(f"${{file:{path_for(password_file, folder)}}}")
    return settings


def inspect_csv(path: Path, encoding: str | None, folder: Path) -> SourceSample:
    """Inspect a CSV file, with the delimiter that divides its header into the most names.

    Raises:
        SourceError: it can't be read.
        UsageError: the encoding is unknown.
    """
    settings = {"type": "csv", "path": path_for(path, folder)}
    if encoding:
        settings["encoding"] = encoding
    name = _name(path.name.partition(".")[0])
    samples: list[SourceSample] = []
    failures: list[SourceError] = []
    for delimited in (settings, *({**settings, "delimiter": mark} for mark in DELIMITERS)):
        try:
            columns, rows = _peek(_valid(CsvSettings, "--csv", delimited), folder)
        except SourceError as error:
            failures.append(error)
        else:
            samples.append(SourceSample(name, delimited, columns, rows, path.name))
    if not samples:
        raise failures[0]
    return max(samples, key=lambda sample: len(sample.columns))


def is_utf8(path: Path) -> bool:
    """Tell whether all of a file is UTF-8; assume it of one that is packed or can't be read."""
    if path.suffix.lower() in _PACKED:
        return True
    try:
        with path.open(encoding="utf-8") as file:
            while file.read(_BLOCK):
                pass
    except UnicodeDecodeError:
        return False
    except OSError:
        pass  # opening it as a source says what is wrong
    return True


def inspect_table(url: str, table: str, login: Mapping[str, object], folder: Path) -> SourceSample:
    """Inspect a table or view of a database.

    Raises:
        SourceError: it can't be read.
        UsageError: the URL or the table's name can't be used.
    """
    from sync.sources.sql.source import SqlSettings

    if not _TABLE.fullmatch(table):
        raise UsageError(
            f"--table: {table!r} is not a plain name of a table or view, such as students or "
            "sis.students"
        )
    query = f"SELECT * FROM {table}"  # noqa: S608 - a plain name, as was just seen
    settings = {"type": "sql", "url": url, **login, "query": query}
    columns, rows = _peek(_valid(SqlSettings, "--sql", settings), folder)
    remark = "Better name the columns that you need: then a new one in the table changes nothing."
    name = _name(table.rpartition(".")[2])
    return SourceSample(name, settings, columns, rows, table, remarks=(remark,))


def inspect_directory(
    url: str, base: str, login: Mapping[str, object], folder: Path
) -> SourceSample:
    """Inspect a directory, and take those of its attributes that mean something here.

    Raises:
        SourceError: it can't be read.
        UsageError: the URL or the base can't be used.
    """
    from sync.sources.ldap.source import LdapSettings

    settings = {"type": "ldap", "servers": url, **login, "base": base, "filter": _PERSON}
    source = _valid(LdapSettings, "--ldap", {**settings, "attributes": ["cn"]})
    known = source.known_attributes(folder)
    meant = guess(SourceSample("directory", {}, known, directory=True)).columns
    useful = {meant[meaning] for meaning in _USEFUL if meaning in meant}
    several = {meant.get(meaning) for meaning in _SEVERAL}
    columns = tuple(name for name in known if name in useful) or ("cn",)
    settings["attributes"] = {
        name: Inline(many="first" if name in several else "one") for name in columns
    }
    remark = (
        "'many: first' takes one of several values; 'one' makes it a row error when there are "
        "several."
    )
    hint = base if plain(base) else url
    return SourceSample(
        "directory", settings, columns, hint=hint, directory=True, remarks=(remark,)
    )


def with_distinct_names(samples: Sequence[SourceSample]) -> list[SourceSample]:
    """Return the sources, with a number behind each name that an earlier one has."""
    taken: set[str] = set()
    distinct = []
    for sample in samples:
        numbered = (f"{sample.name}_{number}" for number in range(2, len(samples) + 2))
        name = next(name for name in (sample.name, *numbered) if name not in taken)
        taken.add(name)
        distinct.append(replace(sample, name=name))
    return distinct


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_") or "source"


def _valid(kind: type[Settings], option: str, values: Mapping[str, object]) -> Settings:
    """Return the settings of a source of this kind.

    Raises:
        UsageError: what was given for `option` can't be used. No value is repeated.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise UsageError(
            "; ".join(f"{option}: {one['msg'].removeprefix('Value error, ')}" for one in found)
        ) from None


def _peek(source: SourceSettings, folder: Path) -> tuple[tuple[str, ...], list[Mapping[str, str]]]:
    """Return the columns and the first rows; no rows if one can't be read: `check` will say it."""
    with source.open(folder) as extract:
        try:
            rows = [row.values for row in islice(extract.rows, FIRST_ROWS)]
        except SourceError:
            rows = []
        return extract.columns, rows
