"""How a kind's fields become a record, and what can be wrong between them."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sync.contract import FLAT, OptionRule, StaffBody
from sync.mapping.minutes import Share
from sync.mapping.values import BadValueError
from sync.mapping.words import option_value
from sync.records.base import Kind
from sync.records.candidate import CANDIDATE, Candidate
from sync.records.checks import Conflict, organisation_conflicts, time_conflicts
from sync.records.fields import FieldSpec, FieldValue
from sync.records.kinds import RECORD_CLASSES, Record, fields_for
from sync.records.option import Option

FindConflicts = Callable[[Mapping[str, FieldValue]], Iterator[Conflict]]
"""A function that yields what is wrong between a row's fields, which are given by name as far as they could be
read."""


class RecordShape(NamedTuple):
    """A kind of record.

    Its fields, how they make it (in that order), and what can be wrong between them.
    """

    kind: Kind
    fields: Mapping[str, FieldSpec]
    make: Callable[..., Record]
    conflicts: FindConflicts | None = None


def shape_of(kind: Kind, options: Mapping[str, OptionRule], staff_body: StaffBody) -> RecordShape:
    """Return the shape of a kind.

    `options` are those that a test can have. `staff_body` is the form in which staff are sent.
    """
    fields = fields_for(kind, options)
    if kind is Kind.OPTION:
        return RecordShape(kind, fields, _option_maker(options), _option_conflicts(options))
    make = _make_candidate if kind is Kind.CANDIDATE else RECORD_CLASSES[kind]
    if kind is Kind.STAFF and staff_body == FLAT:
        return RecordShape(kind, fields, make, organisation_conflicts)
    return RecordShape(kind, fields, make, time_conflicts if kind is Kind.TEST else None)


_EXTRA_TIME = tuple(CANDIDATE.fields).index("extra_time")


def _make_candidate(*fields: FieldValue) -> Candidate:
    """Make a candidate; extra time that is a share of the duration goes into its own field."""
    if len(fields) > _EXTRA_TIME and fields[_EXTRA_TIME].__class__ is Share:
        share = fields[_EXTRA_TIME]
        return Candidate(*fields)._replace(extra_time=None, extra_share=int(share))  # type: ignore[arg-type]
    return Candidate(*fields)  # type: ignore[arg-type]  # they come in the record's order


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


def _option_conflicts(options: Mapping[str, OptionRule]) -> FindConflicts:
    def conflicts(fields: Mapping[str, FieldValue]) -> Iterator[Conflict]:
        option, value = fields.get("option"), fields.get("value")
        if isinstance(option, str) and isinstance(value, str):
            try:
                option_value(options[option], value)
            except BadValueError as error:
                yield Conflict("value", error.reason, error.remedy)

    return conflicts
