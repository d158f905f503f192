"""About how many calls `apply` makes for a plan, by name.

It assumes that Inspera answers each call at once, and has none of the new records.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from sync.contract import (
    CANDIDATE_ASSIGN,
    CANDIDATE_LIST,
    CANDIDATE_REMOVE,
    COMMITTEE_CREATE,
    COMMITTEE_REMOVE,
    CONTRIBUTOR_ASSIGN,
    CONTRIBUTOR_REMOVE,
    EXPORT_ORDER,
    EXPORT_STATUS,
    OPTION_SET,
    PERSON_BY_ID,
    PERSON_SEARCH,
    TEST_ACTIVATE,
    TEST_CREATE,
    TEST_READ,
    TEST_SEARCH,
    TEST_UPDATE,
    TOKEN,
    Call,
)
from sync.planning.export_need import EXPORTS
from sync.planning.plan_size import PlanPart, PlanSize
from sync.records.base import Kind
from sync.records.changes import Action
from sync.records.kinds import ON_A_TEST, PEOPLE

EXPORT_FILE: Final = "export.file"
"""The download of an export, which needs no token and is not in the contract's table of calls."""

_POLLS = 2
_SAMPLE = 20
_AN_HOUR = 3600.0
"""Seconds for which a token lives (vendor contract, Token)."""

_READS: Final[Mapping[Kind, Call]] = {
    Kind.CANDIDATE: CANDIDATE_LIST,
    Kind.CONTRIBUTOR: TEST_READ,
    Kind.COMMITTEE: TEST_READ,
}
_ON_TEST: Final = {Action.CREATE: TEST_CREATE, Action.ACTIVATE: TEST_ACTIVATE}
_SENDS: Final[Mapping[Kind, tuple[Call, Call]]] = {
    Kind.OPTION: (OPTION_SET, OPTION_SET),
    Kind.COMMITTEE: (COMMITTEE_CREATE, COMMITTEE_REMOVE),
    Kind.CONTRIBUTOR: (CONTRIBUTOR_ASSIGN, CONTRIBUTOR_REMOVE),
    Kind.CANDIDATE: (CANDIDATE_ASSIGN, CANDIDATE_REMOVE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRules:
    """The settings by which calls are made."""

    calls_per_second: float
    look_up_learners: bool = True
    export_above: int = 0
    verify: str = "none"


@dataclass(frozen=True, slots=True)
class CallEstimate:
    """About how many calls are made, by name, and how long that takes at the configured rate."""

    by_name: Mapping[str, int]
    calls_per_second: float
    proven: Mapping[Kind, int] = field(default_factory=dict)
    """How many new people are proven by an export to be new, by kind."""

    @property
    def total(self) -> int:
        """Return the number of calls."""
        return sum(self.by_name.values())

    @property
    def seconds(self) -> float:
        """Return how long they take."""
        return self.total / self.calls_per_second


def estimate_calls(size: PlanSize, rules: CallRules) -> CallEstimate:
    """Return about how many calls a plan takes; zero for a plan without changes."""
    calls = Counter[Call | str]()
    proven = {
        kind: new.proven(rules.export_above)
        for kind, new in size.new_people.items()
        if kind is Kind.STAFF or rules.look_up_learners
    }
    for part in size.parts:
        _add_part(calls, part, size)
    _add_look_ups(calls, size, proven, rules)
    if size.blank:
        _add_probe(calls, size)
    if rules.verify != "none":
        _add_verification(calls, size, everything=rules.verify == "all")
    found = Counter[str]()
    for call, number in calls.items():
        found[call if isinstance(call, str) else call.name] += number
    if found:
        found[TOKEN.name] = ceil(found.total() / rules.calls_per_second / _AN_HOUR)
    shown = {name: number for name, number in found.items() if number}
    return CallEstimate(shown, rules.calls_per_second, {k: n for k, n in proven.items() if n})


def _add_part(calls: Counter[Call | str], part: PlanPart, size: PlanSize) -> None:
    kind, action = part.kind, part.action
    if kind is Kind.TEST:
        calls[TEST_SEARCH] += part.changes
        calls[_ON_TEST.get(action, TEST_UPDATE)] += part.changes
    elif kind in ON_A_TEST:
        removal = action is Action.REMOVE
        calls[_SENDS[kind][removal]] += part.batches
        if kind in _READS:
            calls[_READS[kind]] += part.groups
        if removal:
            calls[TEST_SEARCH] += part.groups  # nothing is removed before the test was looked up
        elif kind is Kind.OPTION:
            calls[TEST_SEARCH] += size.secured
        elif kind is Kind.CONTRIBUTOR:
            calls[TEST_READ] -= size.shared
    else:
        calls[f"{kind}.{action}"] += part.changes
        if action in (Action.DISABLE, Action.DELETE):
            calls[PERSON_BY_ID] += part.changes


def _add_look_ups(
    calls: Counter[Call | str], size: PlanSize, proven: Mapping[Kind, int], rules: CallRules
) -> None:
    """Add the look-ups of new people, by external id and by login, and the exports."""
    for kind, new in size.new_people.items():
        if kind is Kind.STAFF or rules.look_up_learners:
            looked_up = new.near + new.later - proven[kind]
            calls[PERSON_BY_ID] += looked_up
            calls[PERSON_SEARCH] += looked_up
    calls[PERSON_BY_ID] += size.passwords  # a first password goes to a new account alone
    exports = {export for kind, number in proven.items() if number for export in EXPORTS[kind]}
    for name, times in ((EXPORT_ORDER, 1), (EXPORT_STATUS, _POLLS), (EXPORT_FILE, 1)):
        calls[name] += times * len(exports)


def _add_probe(calls: Counter[Call | str], size: PlanSize) -> None:
    """Add the look-ups by which a lost state is noticed (rules 18)."""
    for part in size.parts:
        if part.action is Action.CREATE and part.kind not in ON_A_TEST:
            look = TEST_SEARCH if part.kind is Kind.TEST else PERSON_BY_ID
            calls[look] += min(_SAMPLE, part.changes)
            if part.kind is not Kind.TEST:  # who have no such external id
                calls[PERSON_SEARCH] += min(_SAMPLE, part.changes)


def _add_verification(calls: Counter[Call | str], size: PlanSize, *, everything: bool) -> None:
    """Add the reading back of what was written: all of it, or a sample of each kind."""
    for kind in Kind:
        parts = [part for part in size.parts if part.kind is kind]
        written = sum(part.changes for part in parts)
        if not written or kind is Kind.OPTION:
            continue
        read = written if everything else written // ceil(written / _SAMPLE)
        if kind in ON_A_TEST:
            calls[_READS[kind]] += min(read, sum(part.groups for part in parts))
        else:
            calls[PERSON_BY_ID if kind in PEOPLE else TEST_SEARCH] += read
