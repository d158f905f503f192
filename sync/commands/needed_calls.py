"""The vendor's calls that a configuration needs, and those that `adopt` and `reconcile` may use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sync import contract
from sync.config.feeds import TestFeed
from sync.config.model import Settings
from sync.contract import Call
from sync.records.base import Kind
from sync.records.kinds import ON_A_TEST, PEOPLE

_OF_KIND: Final[Mapping[Kind, tuple[Call, ...]]] = {
    Kind.LEARNER: (contract.LEARNER_CREATE, contract.LEARNER_UPDATE),
    Kind.STAFF: (
        contract.PERSON_BY_ID,
        contract.STAFF_CREATE,
        contract.STAFF_UPDATE,
        contract.STAFF_ENABLE,
        contract.STAFF_DISABLE,
    ),
    Kind.TEST: (contract.TEST_SEARCH, contract.TEST_CREATE, contract.TEST_UPDATE),
    Kind.OPTION: (contract.OPTION_SET,),
    Kind.COMMITTEE: (contract.TEST_READ, contract.COMMITTEE_CREATE),
    Kind.CONTRIBUTOR: (contract.TEST_READ, contract.CONTRIBUTOR_ASSIGN),
    Kind.CANDIDATE: (contract.CANDIDATE_LIST, contract.CANDIDATE_ASSIGN),
}
"""What each kind can't do without."""

_ON_ABSENCE: Final[Mapping[tuple[Kind, str], tuple[Call, ...]]] = {
    (Kind.STAFF, "delete"): (contract.STAFF_DELETE,),
    (Kind.COMMITTEE, "remove"): (contract.COMMITTEE_REMOVE,),
    (Kind.CONTRIBUTOR, "remove"): (contract.CONTRIBUTOR_REMOVE,),
    (Kind.CANDIDATE, "remove"): (contract.CANDIDATE_REMOVE,),
}
"""What each kind needs besides, by what `on_absence` says of it."""

_PEOPLE: Final = (
    contract.PERSON_READ,
    contract.PERSON_BY_ID,
    contract.PERSON_SEARCH,
    contract.EXPORT_ORDER,
    contract.EXPORT_STATUS,
)


@dataclass(frozen=True, slots=True)
class NeededCall:
    """A call in force: `needed` by the configuration, or else only for `adopt` and `reconcile`."""

    call: Call
    needed: bool

    @property
    def changed(self) -> bool:
        """Tell whether the configuration has changed it."""
        return self.call != contract.CALLS[self.call.name]

    @property
    def assumed(self) -> bool:
        """Tell whether it rests on an assumption (vendor contract, opening)."""
        return self.call.proof is contract.Confidence.INFERRED


def used_calls(settings: Settings) -> list[NeededCall]:
    """Return the calls that this configuration can make, in the order of the contract."""
    kinds = _kinds(settings)
    needed = {call.name for call in _needed(settings, kinds)}
    read = {call.name for call in _reading(kinds)}
    in_force = settings.inspera.calls_in_force()
    return [
        NeededCall(in_force[name], name in needed)
        for name in contract.CALLS
        if name in needed | read
    ]


def _kinds(settings: Settings) -> set[Kind]:
    """Return the kinds that are kept in step; committees too where others want them."""
    kinds = {Kind(feed.kind) for feed in settings.feeds}
    named = any("committees" in feed.fields() for feed in settings.feeds)
    named = named or settings.ensures_committees
    return kinds | {Kind.COMMITTEE} if named else kinds


def _needed(settings: Settings, kinds: set[Kind]) -> Iterator[Call]:
    yield contract.TOKEN
    for kind in kinds:
        yield from _OF_KIND[kind]
        yield from _ON_ABSENCE.get((kind, getattr(settings.on_absence, kind, "")), ())
    if kinds.intersection(ON_A_TEST):
        yield contract.TEST_SEARCH
    if any(isinstance(feed, TestFeed) and feed.activate for feed in settings.feeds):
        yield contract.TEST_ACTIVATE


def _reading(kinds: set[Kind]) -> Iterator[Call]:
    if kinds.intersection(PEOPLE):
        yield from _PEOPLE
    if kinds.difference(PEOPLE):
        yield contract.TEST_READ
