"""Rows of sources that feeds join, by key, in the scratch: memory does not grow with them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from sync.state.dialect import analyse, create_index, insert
from sync.state.staging.scratch import chunks

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StagedLookup:
    """The wanted columns' values under one key of a joined source; `others` are differing rows."""

    cells: Cells
    line: int
    others: tuple[int, ...] = ()


def stage_lookup(
    connection: Connection, number: int, rows: Iterable[tuple[str, Cells, int]]
) -> int:
    """Store a joined source's rows: key, wanted cells, row number. Return how many."""
    staged = 0
    for chunk in chunks(rows):
        found: list[tuple[object, ...]] = [
            (key, json.dumps(cells, ensure_ascii=False), line) for key, cells, line in chunk
        ]
        staged += insert(connection, "lookup", ("key", "cells", "line"), found, id=number)
    create_index(connection, "ix_lookup", "lookup (id, key)")
    analyse(connection, "lookup")
    return staged


def look_up(connection: Connection, number: int, keys: Sequence[str]) -> Mapping[str, StagedLookup]:
    """Return what a joined source has under these keys; missing keys are left out."""
    query = text(
        "SELECT key, cells, line FROM lookup WHERE id = :id AND key IN :keys ORDER BY key, line"
    ).bindparams(bindparam("keys", expanding=True))
    found: dict[str, StagedLookup] = {}
    for key, cells, line in connection.execute(query, {"id": number, "keys": list(keys)}):
        values = tuple(json.loads(cells))
        known = found.get(key)
        if known is None:
            found[key] = StagedLookup(values, line)
        elif known.cells != values:
            found[key] = StagedLookup(known.cells, known.line, (*known.others, line))
    return found
