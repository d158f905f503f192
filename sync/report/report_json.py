"""A report as JSON, written as it is read. `report.schema.json` is its JSON Schema."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sync.records.base import listed, utc_text
from sync.records.changes import Value
from sync.records.kinds import LISTS
from sync.report.report_model import DOCUMENT, SCHEMA, FieldChange, Group, Item, Report, Section
from sync.text.characters import escaped
from sync.text.masking import masked


def report_json(report: Report) -> Iterator[str]:
    """Yield the pieces of one JSON object."""
    yield f"{_text(_head(report))[:-1]},\n"
    yield '"sections": ['
    yield from _joined(map(_section, report.sections))
    yield "]}\n"


def _head(report: Report) -> dict[str, Any]:
    return {
        "document": DOCUMENT,
        "schema": SCHEMA,
        "subject": report.subject,
        "title": report.title,
        "statement": report.statement,
        "tenant": report.tenant,
        "made_at": utc_text(report.made_at),
        "zone": report.zone,
        "pseudonymised": report.pseudonymised,
        "exit_status": report.exit_status,
        "meaning": report.meaning,
        "run": asdict(report.run) if report.run else None,
        "notices": list(report.notices),
        "totals": dict(report.totals),
        "counts": [asdict(tally) for tally in report.tallies],
        "days": [asdict(day) for day in report.days],
    }


def _section(section: Section) -> Iterator[str]:
    head = {name: getattr(section, name) for name in ("name", "title", "about", "total")}
    yield f'{_text(head)[:-1]}, "groups": ['
    yield from _joined(map(_group, section.groups))
    yield "]}"


def _group(group: Group) -> Iterator[str]:
    names = ("cause", "title", "explanation", "rule", "notes", "total")
    yield f'{_text({name: getattr(group, name) for name in names})[:-1]}, "items": ['
    yield from _joined([_text(_item(item))] for item in group.items)
    yield "]}"


def _item(item: Item) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "key": None if item.key is None else list(item.key),
        "action": item.action,
        "result": item.result,
        "person": item.person,
        "test": asdict(item.test) if item.test else None,
        "fields": [_field(field) for field in item.fields],
        "place": item.place,
        "reason": item.reason,
        "remedy": item.remedy,
        "hash": item.digest,
        "note": item.note,
    }


def _field(field: FieldChange) -> dict[str, Any]:
    before, after = (
        None if field.secret else _value(field.name, side) for side in (field.before, field.after)
    )
    return {"name": field.name, "before": before, "after": after, "secret": field.secret}


def _value(name: str, value: Value) -> object:
    return list(listed(value)) if name in LISTS else value


def _joined(members: Iterable[Iterable[str]]) -> Iterator[str]:
    for number, member in enumerate(members):
        yield ",\n" if number else "\n"
        yield from member


def _text(value: Mapping[str, Any]) -> str:
    return escaped(masked(json.dumps(value, ensure_ascii=False)))
