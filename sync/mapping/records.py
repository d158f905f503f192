"""How a kind's fields become a record, and the checks that look at more than one field or cost more than a glance."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from sync.contract import OptionRule
from sync.mapping.minutes import Share
from sync.mapping.values import BadValueError
from sync.mapping.words import option_value
from sync.records.base import (
    Candidate,
    Committee,
    Contributor,
    Kind,
    Learner,
    Option,
    Record,
    RowError,
    Staff,
    Test,
    key_of,
)
from sync.records.specs import FieldSpec, FieldValue, fields_for

Made = Mapping[str, FieldValue]
"""A row's fields by name, as far as they could be read."""

Conflicts = Iterator[tuple[str, BadValueError]]
"""What is wrong between fields, each with the field that it is said of."""


class RecordShape(NamedTuple):
    """A kind of record: its fields, how they make it (in that order), and what can be wrong between them."""

    kind: Kind
    fields: Mapping[str, FieldSpec]
    make: Callable[..., Record]
    conflicts: Callable[[Made], Conflicts] | None = None


def shape_of(kind: Kind, options: Mapping[str, OptionRule]) -> RecordShape:
    """The shape of a kind, where these are the options that a test can have."""
    fields = fields_for(kind, options)
    if kind is Kind.TEST:
        return RecordShape(kind, fields, Test, conflicts)
    if kind is Kind.OPTION:
        return RecordShape(kind, fields, _option_maker(options), _option_conflicts(options))
    return RecordShape(kind, fields, _MAKERS[kind])


def _candidate(
    test: str,
    learner: str,
    candidate_id: str | None = None,
    extra: int | None = None,
    room: str | None = None,
    building: str | None = None,
    committees: str | None = None,
) -> Candidate:
    if extra.__class__ is Share and extra is not None:
        return Candidate(test, learner, candidate_id, None, room, building, committees, int(extra))
    return Candidate(test, learner, candidate_id, extra, room, building, committees)


_MAKERS: Mapping[Kind, Callable[..., Record]] = MappingProxyType(
    {
        Kind.LEARNER: Learner,
        Kind.STAFF: Staff,
        Kind.COMMITTEE: Committee,
        Kind.CONTRIBUTOR: Contributor,
        Kind.CANDIDATE: _candidate,
    }
)


def _option_maker(options: Mapping[str, OptionRule]) -> Callable[..., Option]:
    def make(test: str, option: str, value: str | None = None) -> Option:
        if value is None:
            return Option(test, option)
        rule = options[option]
        sent = option_value(rule, value)
        if rule.secret or rule.type == "pin":
            return Option(test, option, secret=sent)
        return Option(test, option, sent)

    return make


def _option_conflicts(options: Mapping[str, OptionRule]) -> Callable[[Made], Conflicts]:
    def found(made: Made) -> Conflicts:
        option, value = made.get("option"), made.get("value")
        if isinstance(option, str) and isinstance(value, str):
            try:
                option_value(options[option], value)
            except BadValueError as error:
                yield "value", error

    return found


def conflicts(made: Made) -> Conflicts:
    """What is wrong between a test's fields, by field; fields that are missing are not judged."""
    start, end, duration = made.get("start"), made.get("end"), made.get("duration")
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return
    if end <= start:
        yield (
            "end",
            BadValueError("the end is not after the start", "correct the times in the source"),
        )
    elif isinstance(duration, int) and timedelta(minutes=duration) > end - start:
        length = int((end - start).total_seconds()) // 60
        reason = f"{duration} minutes is more than the {length} minutes from start to end"
        yield "duration", BadValueError(reason, "correct the duration or the times in the source")


def nameless(record: Record, where: str) -> list[RowError]:
    """Return the row error of a new person whose names are both blank."""
    if not isinstance(record, Learner | Staff) or record.first_name or record.last_name:
        return []
    return [
        RowError(
            where,
            "last_name",
            "both names are blank",
            "fill in at least one",
            record.kind,
            key_of(record),
        )
    ]


def late_row_errors(record: Record, where: str) -> list[RowError]:
    """Row errors that are too dear to look for in every row: whether the email is an address (26 µs).

    For records that are new or have changed. Nothing is looked up on the network. `where` is the row's place.
    """
    if not isinstance(record, Learner | Staff) or not record.email:
        return []
    # Imported when first needed: most commands never get here.
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(record.email, check_deliverability=False)
    except EmailNotValidError:
        remedy = "correct it in the source (domains kept for tests, such as .test, are refused too)"
        remedy = f"it is left out, and the person is kept in step without it; {remedy}"
        return [
            RowError(
                where,
                "email",
                "is not an email address",
                remedy,
                record.kind,
                key_of(record),
                left_out=True,
            )
        ]
    return []
