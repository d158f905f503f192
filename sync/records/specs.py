"""What each kind's fields are, and what each of them may hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from sync.contract import COMMITTEE_TYPES, MAX_COMMITTEE_NAME, OPTIONS, ROLES
from sync.records.base import Kind

TextKind = Literal["free", "word", "label", "identifier"]
"""`free` is taken as it is (passwords), `word` is one of those that the configuration knows (statuses, times)."""

FieldValue = str | int | datetime | None
"""What a field's reader gives; `None` when blank."""

MAX_ID = 255
"""Characters in a username or an external id; a longer one is a shifted column, not an id."""

UNLIMITED = 1 << 30

UNUSABLE = "(unusable)"
"""In the place of an email that could not be read at all. It is no address, so it is never sent."""

STATUSES = ("active", "disabled")
"""What a member of staff can be, in our words."""

ROLE_PREFIX = "ar_"
"""Before some roles as Inspera shows them (vendor contract, Test API: read), so it may come from there in a source."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a field may hold.

    `text` is what kind of text it is (see `sync.mapping.texts`).
    `limit` counts characters, and `choices` are the only words that it may be, in any case and after `prefix`; both are
    for each item where `many` says that the field is a list. `personal` values, and those that may be a secret, are
    never quoted; `cleared` is what `clear_blanks` makes of a blank.
    """

    text: TextKind = "free"
    type: Literal["text", "title", "time", "duration", "extra_time", "choice", "notice"] = "text"
    limit: int = UNLIMITED
    cleared: str | int | None = None
    personal: bool = False
    choices: tuple[str, ...] = ()
    prefix: str = ""
    many: bool = False


_SECRET = FieldSpec(personal=True)
_PERSONAL = FieldSpec("identifier", personal=True)
_PERSON_ID = FieldSpec("identifier", limit=MAX_ID, personal=True)
_NAME = FieldSpec("label", cleared="", personal=True)
_ID = FieldSpec("identifier")
_NUMBER = FieldSpec("identifier", cleared="")
_CLEARABLE = FieldSpec("label", cleared="")
_TIME = FieldSpec("word", "time")
_LIST = FieldSpec("label", cleared="", many=True)
_COMMITTEES = replace(_LIST, limit=MAX_COMMITTEE_NAME)

FIELDS: Mapping[Kind, Mapping[str, FieldSpec]] = MappingProxyType(
    {
        Kind.LEARNER: MappingProxyType(
            {
                "key": _PERSONAL,
                "username": _PERSON_ID,
                "external_id": _PERSON_ID,
                "auth_system": _ID,
                "first_name": _NAME,
                "last_name": _NAME,
                "email": _NAME,
                "password": _SECRET,
            }
        ),
        Kind.STAFF: MappingProxyType(
            {
                "key": _PERSONAL,
                "username": _PERSON_ID,
                "external_id": _PERSON_ID,
                "auth_system": _ID,
                "first_name": _NAME,
                "last_name": _NAME,
                "email": _NAME,
                "status": FieldSpec("word", "choice", choices=STATUSES),
                "accesses": _LIST,
                "organisations": _LIST,
                "password": _SECRET,
            }
        ),
        Kind.TEST: MappingProxyType(
            {
                "key": _ID,
                "external_test_id": FieldSpec("identifier", limit=MAX_ID),
                "title": FieldSpec("label", "title"),
                "start": _TIME,
                "end": _TIME,
                "duration": FieldSpec("word", "duration"),
                "template": _ID,
            }
        ),
        Kind.OPTION: MappingProxyType(
            {
                "test": _ID,
                # Not quoted either: where two columns are mixed up, a pin stands here.
                "option": FieldSpec("word", "choice", choices=tuple(OPTIONS), personal=True),
                "value": _SECRET,
            }
        ),
        Kind.COMMITTEE: MappingProxyType(
            {
                "test": _ID,
                "committee": FieldSpec("label", limit=MAX_COMMITTEE_NAME),
                "type": FieldSpec("word", "choice", choices=COMMITTEE_TYPES),
            }
        ),
        Kind.CONTRIBUTOR: MappingProxyType(
            {
                "test": _ID,
                "staff": _PERSONAL,
                "roles": FieldSpec(
                    "word",
                    "choice",
                    cleared="",
                    choices=tuple(ROLES),
                    prefix=ROLE_PREFIX,
                    many=True,
                ),
                "committees": _COMMITTEES,
                "room": _CLEARABLE,
                "building": _CLEARABLE,
                "notify": FieldSpec("word", "notice"),
            }
        ),
        Kind.CANDIDATE: MappingProxyType(
            {
                "test": _ID,
                "learner": _PERSONAL,
                "candidate_id": _NUMBER,
                "extra_time": FieldSpec("word", "extra_time", cleared=0),
                "room": _CLEARABLE,
                "building": _CLEARABLE,
                "committees": _COMMITTEES,
            }
        ),
    }
)
"""The fields that a feed can map, in the order in which a record takes them."""

KEY_FROM: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.LEARNER: "external_id",
        Kind.STAFF: "external_id",
        Kind.TEST: "external_test_id",
    }
)
"""The field whose rule makes the key when a feed maps no `key`."""


def fields_for(kind: Kind, options: Iterable[str]) -> Mapping[str, FieldSpec]:
    """The kind's fields, where these are the options that a test can have."""
    fields = FIELDS[kind]
    return (
        {**fields, "option": replace(fields["option"], choices=tuple(options))}
        if kind is Kind.OPTION
        else fields
    )
