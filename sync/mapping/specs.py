"""What each kind's fields are, and what each of them may hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from sync.contract import COMMITTEE_TYPES, MAX_COMMITTEE_NAME, OPTIONS, ROLES
from sync.model import Kind

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

    `limit` counts characters, and `choices` are the only words that it may be, in any case and after `prefix`; both are
    for each item where `many` says that the field is a list. `personal` values, and those that may be a secret, are
    never quoted; `cleared` is what `clear_blanks` makes of a blank.
    """

    type: Literal["text", "title", "time", "duration", "extra_time", "choice", "notice"] = "text"
    limit: int = UNLIMITED
    cleared: str | int | None = None
    personal: bool = False
    choices: tuple[str, ...] = ()
    prefix: str = ""
    many: bool = False


_PERSONAL = FieldSpec(personal=True)
_PERSON_ID = FieldSpec(limit=MAX_ID, personal=True)
_NAME = FieldSpec(cleared="", personal=True)
_TEXT = FieldSpec()
_CLEARABLE = FieldSpec(cleared="")
_TIME = FieldSpec("time")
_LIST = FieldSpec(cleared="", many=True)
_COMMITTEES = replace(_LIST, limit=MAX_COMMITTEE_NAME)

FIELDS: Mapping[Kind, Mapping[str, FieldSpec]] = MappingProxyType({
    Kind.LEARNER: MappingProxyType({
        "key": _PERSONAL,
        "username": _PERSON_ID,
        "external_id": _PERSON_ID,
        "auth_system": _TEXT,
        "first_name": _NAME,
        "last_name": _NAME,
        "email": _NAME,
        "password": _PERSONAL,
    }),
    Kind.STAFF: MappingProxyType({
        "key": _PERSONAL,
        "username": _PERSON_ID,
        "external_id": _PERSON_ID,
        "auth_system": _TEXT,
        "first_name": _NAME,
        "last_name": _NAME,
        "email": _NAME,
        "status": FieldSpec("choice", choices=STATUSES),
        "accesses": _LIST,
        "organisations": _LIST,
        "password": _PERSONAL,
    }),
    Kind.TEST: MappingProxyType({
        "key": _TEXT,
        "external_test_id": FieldSpec(limit=MAX_ID),
        "title": FieldSpec("title"),
        "start": _TIME,
        "end": _TIME,
        "duration": FieldSpec("duration"),
        "template": _TEXT,
    }),
    Kind.OPTION: MappingProxyType({
        "test": _TEXT,
        # Not quoted either: where two columns are mixed up, a pin stands here.
        "option": FieldSpec("choice", choices=tuple(OPTIONS), personal=True),
        "value": _PERSONAL,
    }),
    Kind.COMMITTEE: MappingProxyType({
        "test": _TEXT,
        "committee": FieldSpec(limit=MAX_COMMITTEE_NAME),
        "type": FieldSpec("choice", choices=COMMITTEE_TYPES),
    }),
    Kind.CONTRIBUTOR: MappingProxyType({
        "test": _TEXT,
        "staff": _PERSONAL,
        "roles": FieldSpec("choice", cleared="", choices=tuple(ROLES), prefix=ROLE_PREFIX, many=True),
        "committees": _COMMITTEES,
        "room": _CLEARABLE,
        "building": _CLEARABLE,
        "notify": FieldSpec("notice"),
    }),
    Kind.CANDIDATE: MappingProxyType({
        "test": _TEXT,
        "learner": _PERSONAL,
        "candidate_id": _CLEARABLE,
        "extra_time": FieldSpec("extra_time", cleared=0),
        "room": _CLEARABLE,
        "building": _CLEARABLE,
        "committees": _COMMITTEES,
    }),
})
"""The fields that a feed can map, in the order in which a record takes them."""

KEY_FROM: Mapping[Kind, str] = MappingProxyType({
    Kind.LEARNER: "external_id",
    Kind.STAFF: "external_id",
    Kind.TEST: "external_test_id",
})
"""The field whose rule makes the key when a feed maps no `key`."""


def fields_for(kind: Kind, options: Iterable[str]) -> Mapping[str, FieldSpec]:
    """The kind's fields, where these are the options that a test can have."""
    fields = FIELDS[kind]
    return {**fields, "option": replace(fields["option"], choices=tuple(options))} if kind is Kind.OPTION else fields
