"""A plan as JSON, written as it is read, so that a plan of any length needs no more memory."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sync.planning.clashes import Clash
from sync.records.base import RowError, listed
from sync.records.changes import PlannedChange, Value
from sync.records.kinds import LISTS
from sync.records.rule_numbers import rule_of
from sync.report.clashes_text import clash_json
from sync.report.wording import hidden
from sync.text.masking import masked

VERSION = 1
"""Of the JSON's shape; raised when a member changes its meaning."""


def plan_json(
    planned: Iterable[PlannedChange],
    row_errors: Iterable[RowError],
    summary: Mapping[str, Any],
    clashes: Iterable[Clash] = (),
) -> Iterator[str]:
    """Yield the pieces of one JSON object.

    Its members are `version`, `changes`, `row_errors`, `clashes` and `summary`.
    """
    yield f'{{"version": {VERSION},\n"changes": ['
    yield from _joined(_change(line) for line in planned)
    yield '],\n"row_errors": ['
    yield from _joined(_row_error(row_error) for row_error in row_errors)
    yield '],\n"clashes": ['
    yield from _joined(map(clash_json, clashes))
    yield f'],\n"summary": {json.dumps(summary, ensure_ascii=False)}}}\n'


def _joined(members: Iterable[dict[str, Any]]) -> Iterator[str]:
    for number, member in enumerate(members):
        yield ("," if number else "") + "\n" + masked(json.dumps(member, ensure_ascii=False))


def _change(line: PlannedChange) -> dict[str, Any]:
    change = line.change
    changed = {
        name: [_json_value(name, side.get(name)) for side in (change.before, change.after)]
        for name in change.changed
    }
    return {
        "action": change.action,
        "kind": change.kind,
        "key": list(change.key),
        "verdict": line.verdict,
        "reason": line.reason,
        "rule": rule_of(line.cause, change.kind),
        "scope": line.scope,
        "where": change.where,
        "changed": {
            name: None if hidden(change, name) else values for name, values in changed.items()
        },
    }


def _json_value(name: str, value: Value) -> object:
    return list(listed(value)) if name in LISTS else value


def _row_error(row_error: RowError) -> dict[str, Any]:
    return {
        "where": row_error.where,
        "field": row_error.field,
        "reason": row_error.reason,
        "remedy": row_error.remedy,
        "kind": row_error.kind,
        "key": None if row_error.key is None else list(row_error.key),
        "cause": row_error.cause,
        "rule": row_error.rule,
    }
