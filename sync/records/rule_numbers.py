"""The number of the safety rule behind each cause: the one place that knows it.

The rules are in `sync/help/rules.md`, which users read.
"""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from sync.records.base import Kind
from sync.records.changes import Cause, Outcome, Result


class SafetyRule(IntEnum):
    """A safety rule by its number, as far as a change or a row error cites it."""

    KEYS = 1
    IDENTITY_CHANGES = 2
    AMBIGUOUS_KEYS = 3
    NORMALISED_TEXT = 4
    ABSENCE = 5
    ROW_ERRORS = 6
    WHO_REMOVES = 7
    BEGUN_TESTS = 8
    WAITING = 9
    EXISTING = 10
    DECISIONS = 11
    FIELDS = 12
    EXTRA_TIME = 13
    EXACT_TIMES = 14
    LIMITS = 15
    FREEZE = 16
    DRIFT = 17
    LOST_STATE = 18
    REPEATED_CALLS = 21
    FAILURES = 22
    PAIRS = 27
    UNKNOWN_REFERENCES = 30
    SHARED_IDENTIFIERS = 31
    OTHER_ACCOUNTS = 32
    TEXT = 33
    TIMES = 35
    CANDIDATE_NUMBERS = 36
    CLOCK = 38


RULE_OF: Final[Mapping[Cause, SafetyRule | None]] = MappingProxyType(
    {
        Cause.NONE: None,
        Cause.SOURCE: SafetyRule.ABSENCE,
        Cause.NEEDS: SafetyRule.WAITING,
        Cause.BEGUN: SafetyRule.BEGUN_TESTS,
        Cause.STARTED: SafetyRule.BEGUN_TESTS,
        Cause.FREEZE: SafetyRule.FREEZE,
        Cause.ENDED: SafetyRule.FREEZE,
        Cause.CLOSED: SafetyRule.FREEZE,
        Cause.TIMES: SafetyRule.TIMES,
        Cause.CLOCK: SafetyRule.CLOCK,
        Cause.FULL: SafetyRule.EXTRA_TIME,
        Cause.NUMBER: SafetyRule.CANDIDATE_NUMBERS,
        Cause.REFUSED: SafetyRule.FAILURES,
        Cause.ARCHIVED: SafetyRule.FAILURES,
        Cause.FRESH: SafetyRule.REPEATED_CALLS,
        Cause.OUTDATED: SafetyRule.DRIFT,
        Cause.LIMIT: SafetyRule.LIMITS,
        Cause.ZEROS: SafetyRule.LIMITS,
        Cause.IDENTITY_CHANGE: SafetyRule.IDENTITY_CHANGES,
        Cause.DRIFT: SafetyRule.DRIFT,
        Cause.DOUBTFUL: SafetyRule.OTHER_ACCOUNTS,
        Cause.FOUND: SafetyRule.EXISTING,
        Cause.SHARED: SafetyRule.SHARED_IDENTIFIERS,
        Cause.TAKEN: SafetyRule.OTHER_ACCOUNTS,
        Cause.UPDATES: SafetyRule.REPEATED_CALLS,
        Cause.PARENT: SafetyRule.WHO_REMOVES,
        Cause.NAMED: SafetyRule.WHO_REMOVES,
        Cause.LAST: SafetyRule.BEGUN_TESTS,
        Cause.LOST: SafetyRule.LOST_STATE,
        Cause.GRACE: SafetyRule.ABSENCE,
        Cause.PROTECTED: SafetyRule.DECISIONS,
        Cause.PILOT: SafetyRule.DECISIONS,
        Cause.CONFIGURATION: SafetyRule.LIMITS,
        Cause.UNDONE: SafetyRule.DECISIONS,
        Cause.ONE_WAY: SafetyRule.FIELDS,
        Cause.REJECTED: SafetyRule.DECISIONS,
    }
)
"""The rule by which a change with this cause does not go ahead. None: it goes ahead."""

_OF_KIND: Final[Mapping[tuple[Cause, Kind], SafetyRule]] = MappingProxyType(
    {
        (Cause.BEGUN, Kind.OPTION): SafetyRule.FREEZE,
        (Cause.DRIFT, Kind.CANDIDATE): SafetyRule.EXTRA_TIME,
    }
)
"""Exceptions: for this kind another rule is behind the cause."""

_OF_FIELD: Final[Mapping[str, SafetyRule]] = MappingProxyType(
    {
        "start": SafetyRule.EXACT_TIMES,
        "end": SafetyRule.EXACT_TIMES,
        "duration": SafetyRule.EXTRA_TIME,
        "extra_time": SafetyRule.EXTRA_TIME,
        "candidate_id": SafetyRule.EXTRA_TIME,
    }
)
"""The rule of a field that cannot be used, where its value alone is wrong."""


def rule_of(cause: Cause, kind: Kind) -> SafetyRule | None:
    """Return the rule by which a change of this kind does not go ahead; None if it does."""
    return _OF_KIND.get((cause, kind), RULE_OF[cause])


def rule_of_outcome(outcome: Outcome, kind: Kind) -> SafetyRule | None:
    """Return the rule by which a change of this kind ended so; None if it was done."""
    failed = outcome.result in (Result.REFUSED, Result.UNKNOWN)
    return SafetyRule.FAILURES if failed else rule_of(outcome.cause, kind)


def rule_of_field(field: str) -> SafetyRule:
    """Return the rule of a row error of this field, of which no closer reason is known."""
    return _OF_FIELD.get(field, SafetyRule.ROW_ERRORS)


def cited(rule: SafetyRule | int | None) -> str:
    """Return a rule as messages cite it, such as `rules 16`; empty for none."""
    return f"rules {rule:d}" if rule else ""
