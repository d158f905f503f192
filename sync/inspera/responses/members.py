"""Readers of responses about the candidates, contributors and committees of a test.

They raise `ValueError` for a response that does not have the expected form.
"""

from collections.abc import Mapping
from typing import Any

from sync.inspera.responses.shapes import (
    as_object,
    member,
    objects,
    pairs,
    text,
    unwrapped,
    whole_number,
)
from sync.records.base import joined
from sync.records.candidate import CANDIDATE
from sync.records.committee import COMMITTEE
from sync.records.contributor import CONTRIBUTOR
from sync.records.fields import RecordType
from sync.records.remote import Member, Members


def candidates(document: object) -> Members:
    """Return the candidates of a test; one with several external ids occurs once for each.

    The form is inferred (vendor contract, Test API: read).
    """
    return _people(member(unwrapped(document), "candidates"), CANDIDATE)


def contributors(document: object) -> Members:
    """Return the contributors from a read of a test (vendor contract, Test API: read)."""
    row = unwrapped(document)
    if "contributors" not in row:
        return _not_shown("contributors")
    return _people(row["contributors"], CONTRIBUTOR)


def committees(document: object) -> Members:
    """Return the committees from a read of a test, where they are names or objects.

    See vendor contract, Test API: read.
    """
    row = unwrapped(document)
    if "committees" not in row:
        return _not_shown("committees")
    shown = row["committees"]
    if not isinstance(shown, list):
        raise ValueError("not a list")  # noqa: TRY004 -- one error for every unexpected form
    named = [
        (_name(entry), _member(COMMITTEE, entry if isinstance(entry, dict) else {}))
        for entry in shown
    ]
    there = {("", name): seat for name, seat in named if name}
    return Members(readable=True, there=there, unnamed=sum(not name for name, _ in named))


def _people(rows: object, record: RecordType) -> Members:
    there: dict[tuple[str, str], Member] = {}
    unnamed: list[Member] = []
    for row in objects(rows):
        ids, seat = list(pairs(row.get("externalUserIds"), "externalUserId")), _member(record, row)
        there.update(dict.fromkeys(ids, seat))
        unnamed += [] if ids else [seat]
    numbers = tuple(seat.candidate_id for seat in unnamed if seat.candidate_id)
    return Members(readable=True, there=there, unnamed=len(unnamed), unnamed_numbers=numbers)


def _member(record: RecordType, row: Mapping[str, object]) -> Member:
    """Return the member with those fields of its record type that the response contains."""
    shown = {
        name: _value(record, name, row) for name in record.compared if record.fields[name].sent_as
    }
    return Member(text(row.get("userId")), **shown)


def _value(record: RecordType, name: str, row: Mapping[str, object]) -> Any:
    spec = record.fields[name]
    names = spec.shown_as or (spec.sent_as,)
    shown = next((row[their] for their in names if their in row), None)
    if name in record.numbers:
        return whole_number(shown)
    if not spec.many:
        return text(shown)
    if not isinstance(shown, list):
        return None
    return joined(item.removeprefix(spec.prefix) for item in map(_name, shown) if item)


def _name(entry: object) -> str | None:
    return text(as_object(entry).get("name")) if isinstance(entry, dict) else text(entry)


def _not_shown(what: str) -> Members:
    return Members(
        readable=False, message=f"the {what} of a test cannot be read: Inspera does not show them"
    )
