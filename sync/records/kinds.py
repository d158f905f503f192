"""All kinds of record, and what is derived from their files."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from sync.records.base import Key, Kind
from sync.records.candidate import CANDIDATE, Candidate
from sync.records.committee import COMMITTEE, Committee
from sync.records.contributor import CONTRIBUTOR, Contributor
from sync.records.fields import FieldSpec, RecordType
from sync.records.learner import LEARNER, Learner
from sync.records.option import OPTION, Option
from sync.records.staff import STAFF, Staff
from sync.records.test import TEST, Test

Record = Learner | Staff | Test | Option | Committee | Contributor | Candidate

RECORD_TYPES: Final[Mapping[Kind, RecordType]] = MappingProxyType(
    {each.kind: each for each in (LEARNER, STAFF, TEST, OPTION, COMMITTEE, CONTRIBUTOR, CANDIDATE)}
)

RECORD_CLASSES: Final[Mapping[Kind, type[Record]]] = {
    Kind.LEARNER: Learner,
    Kind.STAFF: Staff,
    Kind.TEST: Test,
    Kind.OPTION: Option,
    Kind.COMMITTEE: Committee,
    Kind.CONTRIBUTOR: Contributor,
    Kind.CANDIDATE: Candidate,
}

KEY_FIELDS: Final = {kind: each.key for kind, each in RECORD_TYPES.items()}

PERSON_OF: Final = {kind: each.person for kind, each in RECORD_TYPES.items() if each.person}
"""Whose key is the second part of the key of a contributor or a candidate."""

PEOPLE: Final = tuple(kind for kind in Kind if kind in PERSON_OF.values())
"""Kinds that are people: known to Inspera by username and external id."""

ON_A_TEST: Final = tuple(kind for kind in Kind if KEY_FIELDS[kind][0] == "test")
"""Kinds that belong to a test, whose key is the first part of theirs."""

NEEDS: Final = {kind: each.needs for kind, each in RECORD_TYPES.items()}
"""What must be in Inspera before a record of a kind can be."""

NAMED_BY: Final = MappingProxyType(
    {Kind.COMMITTEE: (Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE, Kind.TEST)}
)
"""The kinds whose feeds can want records of a kind, where these are more than the kind itself.

A committee is also wanted for a test that has none.
"""

LISTS: Final = frozenset(
    name for each in RECORD_TYPES.values() for name in each.named(lambda spec: spec.many)
)
"""Fields that hold several values in one text (see `joined`)."""

NUMBERS: Final = frozenset(name for each in RECORD_TYPES.values() for name in each.numbers)
"""Fields that hold whole numbers."""

SENT_ONCE: Final = {kind: each.once for kind, each in RECORD_TYPES.items()}
"""Fields that are never compared: they matter when the record is made or sent, or are turned into
another field."""

SECRETS: Final = {
    kind: name
    for kind, each in RECORD_TYPES.items()
    for name in each.named(lambda spec: spec.secret)
}
"""The field of a kind that is never stored in the state, logged or shown."""

IDENTITY: Final = {kind: each.identity for kind, each in RECORD_TYPES.items()}
"""Fields by which Inspera knows a record, or that it can't change: one that changes is an identity
change."""

COMPARED: Final = {kind: each.compared for kind, each in RECORD_TYPES.items()}
"""Fields that are fingerprinted, remembered and compared, in the order in which they are shown."""

KEY_FROM: Final = {kind: each.key_from for kind, each in RECORD_TYPES.items() if each.key_from}
"""The field whose rule makes the key when a feed maps no `key`."""

FIELDS: Final[Mapping[Kind, Mapping[str, FieldSpec]]] = {
    kind: MappingProxyType(
        {name: each.fields[name] for name in each.named(lambda spec: spec.mapped)}
    )
    for kind, each in RECORD_TYPES.items()
}
"""The fields that a feed can map, in the order in which a record takes them."""


def fields_for(kind: Kind, options: Iterable[str]) -> Mapping[str, FieldSpec]:
    """Return the kind's fields, where these are the options that a test can have."""
    fields = FIELDS[kind]
    if kind is not Kind.OPTION:
        return fields
    return {**fields, "option": replace(fields["option"], choices=tuple(options))}


def key_of(record: Record) -> Key:
    """Return the record's key as several columns, never a joined string."""
    parts: tuple[str, ...] = record[: len(KEY_FIELDS[record.kind])]  # type: ignore[assignment]  # its first fields
    return parts
