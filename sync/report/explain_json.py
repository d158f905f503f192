"""One record, explained for programs."""

from datetime import datetime
from typing import Any

from sync.mapping import FieldTrace
from sync.records.base import DIGEST_PREFIX, utc_text
from sync.records.fields import FieldValue
from sync.report.explanation import ExplainedChange, ExplainedRow, Explanation
from sync.report.sampled import HIDDEN

VERSION = 1
"""Of the JSON's shape; raised when a member changes its meaning."""


def explain_document(found: Explanation) -> dict[str, Any]:
    """Return an explanation as plain values."""
    known = found.known
    return {
        "version": VERSION,
        "kind": found.kind,
        "key": list(found.key),
        "problems": list(found.problems),
        "rows": [_row(row) for row in found.rows],
        "row_errors": [
            {
                "where": error.where,
                "field": error.field,
                "reason": error.reason,
                "remedy": error.remedy,
                "rule": error.rule,
            }
            for error in found.row_errors
        ],
        "known": None
        if known is None
        else {
            "lifecycle": known.lifecycle,
            "managed": known.managed,
            "remote_id": known.remote_id,
            "origin": known.origin,
            "named_by": known.named_by,
            "updated": known.updated,
            "fields": {name: _value(value) for name, value in known.fields.items()},
        },
        "change": None if found.change is None else _change(found.change),
        "activation": None if found.activation is None else _change(found.activation),
        "nothing": None
        if found.change or found.is_unknown
        else {"reason": found.nothing, "rule": found.nothing_rule},
        "found_by": found.found_by,
        "findings": [
            {"type": one.type, "text": one.text, "rule": one.rule} for one in found.findings
        ],
        "decisions": [{"at": at, "text": text} for at, text in found.decisions],
        "calls": [
            {
                "at": call.at,
                "run": call.run,
                "command": call.command,
                "action": call.action,
                "outcome": call.outcome,
                "message": call.message,
                "approved": call.approved,
            }
            for call in found.calls
        ],
        "call_count": found.call_count,
        "near": list(found.near),
        "feeds_read": list(found.feeds_read),
    }


def _row(row: ExplainedRow) -> dict[str, Any]:
    return {
        "feed": row.feed,
        "source": row.source,
        "place": row.place,
        "outcome": row.outcome,
        "cells": dict(row.cells),
        "joined": {place: dict(cells) for place, cells in row.joined.items()},
        "selected": row.trace.selected,
        "conditions": [one._asdict() for one in row.trace.conditions],
        "fields": [_way(way, row) for way in row.trace.fields],
    }


def _way(way: FieldTrace, row: ExplainedRow) -> dict[str, Any]:
    def shown(value: FieldValue) -> str | int | None:
        if way.field in row.hidden and value not in (None, ""):
            return HIDDEN
        return utc_text(value) if isinstance(value, datetime) else value

    return {
        "field": way.field,
        "cells": {name: shown(cell) for name, cell in way.cells.items()},
        "steps": [{"what": step.what, "value": shown(step.value)} for step in way.steps],
        "error": way.error or None,
    }


def _change(planned: ExplainedChange) -> dict[str, Any]:
    change = planned.change
    return {
        "action": change.action,
        "verdict": planned.verdict,
        "reason": planned.reason,
        "rule": planned.rule,
        "changed": {
            name: [_value(side.get(name)) for side in (change.before, change.after)]
            for name in change.changed
        },
    }


def _value(value: object) -> object:
    """Return a stored value; what stands for a secret is hidden."""
    return HIDDEN if str(value).startswith(DIGEST_PREFIX) else value
