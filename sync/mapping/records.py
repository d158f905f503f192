"""What each kind's fields are, and the checks that look at more than one field or cost more than a glance."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from sync.mapping.minutes import Percent
from sync.mapping.values import BadValueError
from sync.model import MAX_TITLE, Candidate, Fault, Kind, Learner, Record, Test, key_of

FieldValue = str | int | datetime | None
"""What a field's reader gives; `None` when blank."""

MAX_ID = 255
"""Characters in a username or an external id; a longer one is a shifted column, not an id."""

UNLIMITED = 1 << 30


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a field may hold. `personal` values are never quoted; `cleared` is what `clear_blanks` makes of a blank."""

    type: Literal["text", "title", "time", "duration", "extra_time"] = "text"
    limit: int = UNLIMITED
    cleared: str | int | None = None
    personal: bool = False


_PERSONAL = FieldSpec(personal=True)
_PERSON_ID = FieldSpec(limit=MAX_ID, personal=True)
_NAME = FieldSpec(cleared="", personal=True)
_TEXT = FieldSpec()
_CLEARABLE = FieldSpec(cleared="")
_TIME = FieldSpec("time")

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
    Kind.TEST: MappingProxyType({
        "key": _TEXT,
        "external_test_id": FieldSpec(limit=MAX_ID),
        "title": FieldSpec("title"),
        "start": _TIME,
        "end": _TIME,
        "duration": FieldSpec("duration"),
        "template": _TEXT,
    }),
    Kind.CANDIDATE: MappingProxyType({
        "test": _TEXT,
        "learner": _PERSONAL,
        "candidate_id": _CLEARABLE,
        "extra_time": FieldSpec("extra_time", cleared=0),
        "room": _CLEARABLE,
        "building": _CLEARABLE,
    }),
})
"""The fields that a feed can map, in the order in which a record takes them."""

KEY_FROM: Mapping[Kind, str] = MappingProxyType({Kind.LEARNER: "external_id", Kind.TEST: "external_test_id"})
"""The field whose rule makes the key when a feed maps no `key`."""


def within(text: str, limit: int) -> str:
    """The text, if it is no longer than `limit` characters.

    Raises:
        BadValueError: it is longer.
    """
    if len(text) > limit:
        raise BadValueError(f"{len(text)} characters, at most {limit} can be used", "shorten it in the source")
    return text


def title(text: str) -> str:
    """The text, if a test can have it as its title (vendor contract, Test API: create).

    Raises:
        BadValueError: it is too long, or holds `[` or `]`.
    """
    if "[" in text or "]" in text:
        raise BadValueError("holds '[' or ']', which Inspera does not take in a title", "remove it in the source")
    return within(text, MAX_TITLE)


def _candidate(
    test: str,
    learner: str,
    candidate_id: str | None = None,
    extra: int | None = None,
    room: str | None = None,
    building: str | None = None,
) -> Candidate:
    if extra.__class__ is Percent and extra is not None:
        return Candidate(test, learner, candidate_id, None, room, building, int(extra))
    return Candidate(test, learner, candidate_id, extra, room, building)


MAKERS: Mapping[Kind, Callable[..., Record]] = MappingProxyType({
    Kind.LEARNER: Learner,
    Kind.TEST: Test,
    Kind.CANDIDATE: _candidate,
})
"""Makes a record from its fields' values in the order of `FIELDS`."""


def conflicts(made: Mapping[str, FieldValue]) -> Iterator[tuple[str, BadValueError]]:
    """What is wrong between a test's fields, by field; fields that are missing are not judged."""
    start, end, duration = made.get("start"), made.get("end"), made.get("duration")
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return
    if end <= start:
        yield "end", BadValueError("the end is not after the start", "correct the times in the source")
    elif isinstance(duration, int) and timedelta(minutes=duration) > end - start:
        length = int((end - start).total_seconds()) // 60
        reason = f"{duration} minutes is more than the {length} minutes from start to end"
        yield "duration", BadValueError(reason, "correct the duration or the times in the source")


def late_faults(record: Record, where: str) -> list[Fault]:
    """Faults that are too dear to look for in every row: whether the email is an address (26 µs).

    For records that are new or have changed. Nothing is looked up on the network. `where` is the row's place.
    """
    if not isinstance(record, Learner) or not record.email:
        return []
    # Imported when first needed: most commands never get here.
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(record.email, check_deliverability=False)
    except EmailNotValidError:
        remedy = "correct it in the source (domains kept for tests, such as .test, are refused too)"
        return [Fault(where, "email", "is not an email address", remedy, Kind.LEARNER, key_of(record))]
    return []
