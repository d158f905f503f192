"""The planned changes of one kind on one test, with what the store knows of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync.contract import OPTIONS, OptionRule
from sync.planning.candidate_numbers import Holder, Who
from sync.planning.freeze import Moment, TimeFacts
from sync.planning.remedies import adopt
from sync.records.base import Kind, listed, utc_time
from sync.records.changes import Action, Cause, Fields, Outcome, PlannedChange, Result
from sync.records.kinds import PERSON_OF, RECORD_TYPES
from sync.state.store import Store
from sync.state.traits import ARCHIVED, PARENT


@dataclass(frozen=True, slots=True)
class MembershipPolicy:
    """The rules about members that were on a test before us, and how long a write stays unreadable.

    `claim` are patterns of keys of tests on which what is found becomes managed.
    `unread_is_managed` decides on tests that we found and that can't be read. `options` are those
    that this tenant has. `batch` is how many go in one call.
    """

    claim: Sequence[str] = ()
    unread_is_managed: bool = False
    read_after_write_delay: timedelta = timedelta(seconds=10)
    options: Mapping[str, OptionRule] = field(default_factory=lambda: OPTIONS)
    batch_size: int = 100


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One planned line with what it takes to send it.

    `who` is auth system and external id, or nothing and a name. `fresh` says that our last write
    may not be readable yet, `managed` whether what is known of it was put there by us.
    """

    line: PlannedChange
    who: tuple[str, str]
    fields: Fields = field(default_factory=dict, repr=False)
    fresh: bool = False
    managed: bool = True


@dataclass(frozen=True, slots=True)
class ChangesOnTest:
    """The planned lines of one kind on one test: all additions or all removals.

    Of candidates, `holders` are known to have the numbers that are given here; those who have
    `left` were taken off the test in this run. `archived` are Inspera's words for taking no change
    of the test, and `is_parent` tells whether other tests are parts of it.
    """

    kind: Kind
    test: str
    known: Fields
    timing: TimeFacts
    places: Sequence[MemberChange]
    waiting: Sequence[tuple[PlannedChange, Outcome]]
    holders: Sequence[Holder] = ()
    left: frozenset[Who] = frozenset()
    archived: str = ""
    is_parent: bool = False

    @property
    def remote_id(self) -> str:
        """Return Inspera's id of the test."""
        return str(self.known["remote_id"])

    @property
    def removals(self) -> bool:
        """Tell whether these are removals."""
        return bool(self.places) and self.places[0].line.change.action is Action.REMOVE


def prepare(
    store: Store,
    kind: Kind,
    test: str,
    lines: Sequence[PlannedChange],
    policy: MembershipPolicy,
    moment: Moment,
) -> ChangesOnTest:
    """Return what the store knows about these lines.

    Lines whose test, person or committee is not in Inspera are waiting.

    So is the removal of a committee that somebody is still in: it would take its people along.
    """
    there = _ExistingOnTest.find(store, kind, test, lines)
    keys = [line.change.key[1] for line in lines]
    people = store.known.people(kind, test, keys) if kind in PERSON_OF else None
    places: list[MemberChange] = []
    waiting: list[tuple[PlannedChange, Outcome]] = []
    for line in lines:
        key = line.change.key
        person = store.known.find(kind, key) if people is None else people.get(key[1])
        if missing := there.missing(line, person):
            waiting.append((line, Outcome(Result.WAITING, missing, cause=Cause.NEEDS)))
        else:
            places.append(_place(line, person or {}, policy, moment.earliest))
    timing, traits = store.comparison.timing(test, moment), store.known.traits(test, moment.latest)
    return ChangesOnTest(
        kind,
        test,
        there.known or {},
        timing,
        places,
        waiting,
        archived=traits.get(ARCHIVED, ""),
        is_parent=PARENT in traits,
    )


def _lack(kind: Kind, key: str, person: Fields | None) -> str:
    """Return what is missing of a person, and how to get it."""
    if not person:
        return "is not in Inspera yet"
    return (
        "has no external id in Inspera; if this tenant takes no updates, link it to the account "
        f"there, then run {adopt(kind, (key,))}"
    )


_OCCUPIED = "waits until nobody on its test is in this committee any more"


@dataclass(frozen=True, slots=True)
class _ExistingOnTest:
    """What is in Inspera of the things that lines on a test need.

    Attributes:
        known: what is known of the test; None when it is not there.
        committees: those of the test, where a line names one.
        occupied: the committees that somebody is in, where committees are removed.
    """

    test: str
    known: Fields | None
    committees: Collection[str]
    occupied: Collection[str]

    @classmethod
    def find(
        cls, store: Store, kind: Kind, test: str, lines: Sequence[PlannedChange]
    ) -> "_ExistingOnTest":
        """Look up what these lines need, and no more: most name no committee."""
        names = any(_committees(line) for line in lines)
        committees = store.known.on_test(Kind.COMMITTEE, test) if names else ()
        leaving = kind is Kind.COMMITTEE and _leaving(lines[0])
        in_use = store.known.committees_in_use(test) if leaving else ()
        occupied = frozenset(name for names in in_use for name in listed(names))
        return cls(test, store.known.find(Kind.TEST, (test,)), frozenset(committees), occupied)

    def missing(self, line: PlannedChange, person: Fields | None) -> str:
        """Return what a line waits for; empty when nothing is missing."""
        kind, name = line.change.kind, line.change.key[1]
        if not (self.known and self.known["remote_id"]):
            return f"waits for test {self.test}, which is not in Inspera yet"
        if kind in PERSON_OF and not (person and person["external_id"]):
            return f"waits for {PERSON_OF[kind]} {name}, who {_lack(PERSON_OF[kind], name, person)}"
        if missing := [one for one in _committees(line) if one not in self.committees]:
            return f"waits for committee {', '.join(missing)}, which is not in Inspera yet"
        return _OCCUPIED if name in self.occupied else ""


def _place(
    line: PlannedChange, person: Fields, policy: MembershipPolicy, now: datetime
) -> MemberChange:
    change = line.change
    updated = person.get("updated")
    fresh = updated is not None and utc_time(str(updated)) + policy.read_after_write_delay > now
    managed = bool(person.get("managed", True))
    if change.kind not in PERSON_OF:
        return MemberChange(line, ("", change.key[1]), _own_fields(line, policy), fresh, managed)
    names = {name: person[name] for name in ("first_name", "last_name", "email")}
    fields = {**(names if change.kind is Kind.CONTRIBUTOR else {}), **change.after}
    fields.pop("extra_share", None)
    for name in RECORD_TYPES[change.kind].removed:
        # What was taken away once is not taken away with each later change, but again when a call
        # without a known outcome may have put it there.
        if fields.get(name) == "" and change.changed and name not in change.changed:
            fields[name] = None
    return MemberChange(
        line, (str(person["auth_system"]), str(person["external_id"])), fields, fresh, managed
    )


def _own_fields(line: PlannedChange, policy: MembershipPolicy) -> Fields:
    change = line.change
    if change.kind is not Kind.OPTION:
        return change.after
    rule = policy.options.get(change.key[1], OptionRule("general", "text"))
    value = line.secret if rule.secret else change.after["value"]
    fields = {"value": value, "group": rule.group, "type": rule.type, "secret": int(rule.secret)}
    note = _note_on(str(value or ""), rule)
    return {**fields, "note": note} if note else fields


def _note_on(value: str, rule: OptionRule) -> str | None:
    """Return what a person should know of a value that is sent all the same; never the value."""
    if rule.safe_length is None or len(value) <= rule.safe_length:
        return None
    return (
        f"has more than {rule.safe_length} characters: Inspera's own lock-down browser may not "
        "accept it"
    )


def _leaving(line: PlannedChange) -> bool:
    return line.change.action is Action.REMOVE


def _committees(line: PlannedChange) -> tuple[str, ...]:
    return () if _leaving(line) else listed(line.change.after.get("committees"))
