"""The sources of a first configuration: how a file is written, its columns, its first rows."""

import codecs
import os
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from sync.commands.init.detect import ColumnSample, guess
from sync.commands.init.vocabulary import plain
from sync.commands.init.yaml_values import quoted, reference
from sync.errors import SourceError, UsageError
from sync.sources.base import SourceSettings
from sync.sources.csv.source import CsvSettings

TAB = "\t"
DELIMITERS = (",", ";", TAB, "|")
FIRST_ROWS = 20
"""Rows that are looked at for the form of times and durations."""

_BLOCK = 1 << 20
_PACKED = (".gz", ".zip")
_TABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_PERSON = "(objectClass=person)"
_USEFUL = ("student_no", "employee_no", "login", "external", "given", "family", "email")

Settings = TypeVar("Settings", bound=SourceSettings)


def settings_of(kind: type[Settings], option: str, values: Mapping[str, Any]) -> Settings:
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


def name_of(text: str, taken: Sequence[str]) -> str:
    """Return a name for a source that is made of this text and that no other source has."""
    base = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_") or "source"
    return next(
        name for name in (base, *(f"{base}_{n}" for n in range(2, 10_000))) if name not in taken
    )


def stands_at(path: Path, folder: Path) -> str:
    """Return a path as the configuration in this folder has it: relative when it is in there."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links, which may be turned to new files
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)


def csv_source(
    path: Path, encoding: str | None, folder: Path, taken: Sequence[str]
) -> ColumnSample:
    """Inspect a CSV file, with the delimiter that divides its header into the most names.

    Raises:
        SourceError: it can't be read.
        UsageError: the encoding is unknown.
    """
    shown = stands_at(path, folder)
    values = {"path": shown} | ({"encoding": encoding} if encoding else {})
    source, columns = _divided(
        [settings_of(CsvSettings, "--csv", {**values, "delimiter": one}) for one in DELIMITERS],
        folder,
    )
    settings = ["type: csv", f"path: {quoted(shown)}"]
    if source.delimiter != ",":
        settings.append(
            f"delimiter: {'tab' if source.delimiter == TAB else quoted(source.delimiter)}"
        )
    if encoding:
        settings.append(f"encoding: {quoted(encoding)}")
    name = name_of(path.name.partition(".")[0], taken)
    return ColumnSample(name, tuple(settings), columns, first_rows(source, folder), path.name)


def _divided(ways: Sequence[CsvSettings], folder: Path) -> tuple[CsvSettings, tuple[str, ...]]:
    """Return the first of these ways to read a file that gives the most columns, and these."""
    read: list[tuple[CsvSettings, tuple[str, ...]]] = []
    failures: list[SourceError] = []
    for way in ways:
        try:
            read.append((way, way.column_names(folder)))
        except SourceError as error:
            failures.append(error)
    if not read:
        raise failures[0]
    return max(read, key=lambda one: len(one[1]))


def is_utf8(path: Path) -> bool:
    """Tell whether all of a file is UTF-8; assume it of one that is packed or can't be read."""
    if path.suffix.lower() in _PACKED:
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    except OSError:
        return True  # opening it as a source says what is wrong
    return True


def first_rows(source: SourceSettings, folder: Path) -> list[Mapping[str, str]]:
    """Return the first rows; no rows when even these can't be read, which `check` will say."""
    try:
        with source.open(folder) as extract:
            return [row.values for row in islice(extract.rows, FIRST_ROWS)]
    except SourceError:
        return []


def login(user: str | None, password_file: str | None) -> tuple[dict[str, Any], list[str]]:
    """Return the user, as settings and as YAML; the password stays in its file."""
    secret = f"${{file:{password_file}}}" if password_file else ""
    values = {"user": user, "password": secret or None}
    lines = [f"user: {quoted(user)}"] if user else []
    lines += [f"password: {reference(secret)}"] if secret else []
    return {name: value for name, value in values.items() if value}, lines


def sql_source(
    url: str,
    table: str,
    access: tuple[Mapping[str, Any], Sequence[str]],
    folder: Path,
    taken: Sequence[str],
) -> ColumnSample:
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
    values, lines = access
    query = f"SELECT * FROM {table}"  # noqa: S608 - a plain name, as was just seen
    source = settings_of(SqlSettings, "--sql", {"url": url, "query": query, **values})
    columns = source.column_names(folder)
    settings = ("type: sql", f"url: {quoted(url)}", *lines, f"query: {quoted(query)}")
    remarks = (
        "Better name the columns that are needed: then a new one in the table changes nothing "
        "here.",
    )
    name = name_of(table.rpartition(".")[2], taken)
    return ColumnSample(name, settings, columns, first_rows(source, folder), table, remarks=remarks)


def ldap_source(
    url: str,
    base: str,
    access: tuple[Mapping[str, Any], Sequence[str]],
    folder: Path,
    taken: Sequence[str],
) -> ColumnSample:
    """Inspect a directory, and take those of its attributes that mean something here.

    Raises:
        SourceError: it can't be read.
        UsageError: the URL or the base can't be used.
    """
    from sync.sources.ldap.source import LdapSettings

    values, lines = access
    given = {"servers": [url], "base": base, "filter": _PERSON, "attributes": ["cn"], **values}
    source = settings_of(LdapSettings, "--ldap", given)
    known = source.known_attributes(folder)
    meant = guess(ColumnSample("", (), known, directory=True)).columns
    useful = {meant[one] for one in _USEFUL if one in meant}
    columns = tuple(name for name in known if name in useful) or ("cn",)
    settings = (
        "type: ldap",
        f"servers: {quoted(url)}",
        *lines,
        f"base: {quoted(base)}",
        f"filter: {quoted(_PERSON)}",
        "attributes:",
        *(f"  {quoted(name)}: {{many: {_many(name)}}}" for name in columns),
    )
    remarks = (
        "'many: first' takes one of several values; 'one' makes it a row error when there are "
        "several.",
    )
    hint = base if plain(base) else url
    return ColumnSample(
        name_of("directory", taken), settings, columns, hint=hint, directory=True, remarks=remarks
    )


def _many(attribute: str) -> str:
    return "first" if plain(attribute) in ("mail", "givenname", "sn", "surname", "email") else "one"
