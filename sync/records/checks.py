"""Checks of whole records: what is wrong between fields, and what costs more than a glance."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sync.records.base import RowError, listed
from sync.records.fields import FieldValue
from sync.records.kinds import Record, key_of
from sync.records.learner import Learner
from sync.records.staff import Staff

UNUSABLE: Final = "(unusable)"
"""In the place of an email that could not be read at all. It is not an address, so it is never
sent."""


class Conflict(NamedTuple):
    """A field that does not fit the others of its record: why, and what to do."""

    field: str
    reason: str
    remedy: str


def time_conflicts(fields: Mapping[str, FieldValue]) -> Iterator[Conflict]:
    """Yield what is wrong between the times of a test. Fields that are missing are not judged."""
    start, end, duration = fields.get("start"), fields.get("end"), fields.get("duration")
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return
    if end <= start:
        yield Conflict("end", "the end is not after the start", "correct the times in the source")
    elif isinstance(duration, int) and timedelta(minutes=duration) > end - start:
        length = int((end - start).total_seconds()) // 60
        yield Conflict(
            "duration",
            f"{duration} minutes is more than the {length} minutes from start to end",
            "correct the duration or the times in the source",
        )


def organisation_conflicts(fields: Mapping[str, FieldValue]) -> Iterator[Conflict]:
    """Yield what is wrong with the organisations of staff, where Inspera is sent only one."""
    names = listed(fields.get("organisations"))
    if len(names) > 1:
        yield Conflict(
            "organisations",
            f"{len(names)} organisations, but the flat form of staff has one",
            "map one of them, or set inspera.staff_body: nested",
        )


def name_errors(record: Record, where: str) -> list[RowError]:
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


def email_errors(record: Record, where: str) -> list[RowError]:
    """Return the row error of a person whose email is not an address.

    Nothing is looked up on the network.

    The check takes 26 µs, too long for every row. It is for records that are new or have changed.

    Args:
        record: any record; only people have an email.
        where: the row's place.
    """
    if not isinstance(record, Learner | Staff) or not record.email:
        return []
    # Imported when first needed: most commands never get here.
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(record.email, check_deliverability=False)
    except EmailNotValidError:
        return [
            RowError(
                where,
                "email",
                "is not an email address",
                "it is left out, and the person is kept in step without it; correct it in the"
                " source (domains kept for tests, such as .test, are refused too)",
                record.kind,
                key_of(record),
                left_out=True,
            )
        ]
    return []
