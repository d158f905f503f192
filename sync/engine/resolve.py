"""The settlement of single records: held identity changes, drift, doubtful matches.

Inspera's side is taken as known, so that the next plan decides anew; nothing is sent. What the next
`apply` then sends is said, and with `keep` it is not sent as long as the source says what it says
now.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sync.engine.account_lookup import somebody_elses
from sync.engine.account_match import unlike, values_of
from sync.engine.adopt import DOUBTFUL, TAKEN, Adopter, AdoptionResult
from sync.engine.person_text import both_sides
from sync.engine.protocols import Reread
from sync.planning.diff import REFUSED
from sync.planning.remedies import adopt, fields_text, sends_text
from sync.records.base import Key, Kind
from sync.records.changes import Action, Fields, PlannedChange
from sync.records.kinds import COMPARED, IDENTITY, PEOPLE
from sync.records.remote import Member, Members, RemotePerson
from sync.state.journal import Journal
from sync.state.store import Store

_NOTHING_TO_KEEP = "so there is nothing to keep; take it out of the source to leave it off"

_STAYS_REFUSED = (
    "but Inspera has refused every save of it, so it stays refused until one is taken: "
    "correct what it says, then"
    " `apply --retry-refused`"
)

_NOT_BOTH = (
    "Inspera has it as {} {}, and can't have both; if it is the same, leave out "
    "--as-new; otherwise correct the source:"
    " each needs an identity of its own"
)


@dataclass(frozen=True, slots=True)
class Resolution:
    """One record that a person has looked at.

    Attributes:
        kind: of the record.
        key: of the record.
        as_new: it is a record of its own, whatever it looks like.
        keep: Inspera's values stay until the source's change.
        named: a person has named just this one, and decides by it; one of many is left where it may
            be another's.
    """

    kind: Kind
    key: Key
    as_new: bool = False
    keep: bool = False
    named: bool = True


class Resolver:
    """A resolver of records, one after another.

    A test is read once for all records of a kind that follow one another.
    """

    def __init__(self, store: Store, journal: Journal, target: Reread, adopter: Adopter) -> None:
        self._store, self._journal, self._target, self._adopter = store, journal, target, adopter
        self._read: tuple[Kind, str] | None = None
        self._seats = Members(False)

    def settle(self, settlement: Resolution, line: PlannedChange | None) -> AdoptionResult:
        """Take Inspera's values of one record as known; `line` is its line of the plan.

        Raises:
            CallError: Inspera could not be read.
        """
        kind, key = settlement.kind, settlement.key
        if trouble := self._not_its_own(settlement):
            return AdoptionResult(kind, key, DOUBTFUL, trouble)
        if settlement.as_new:
            return self._as_new(kind, key, line)
        if line and line.change.action is Action.IDENTITY_CHANGE and not line.change.before:
            return self._moved(settlement, line.change.after)
        if kind is Kind.OPTION:
            return AdoptionResult(
                kind,
                key,
                DOUBTFUL,
                "options can't be read from Inspera; correct it there or in the source",
            )
        if kind in PEOPLE:
            return self._person(settlement, line)
        return self._test(settlement, line) if kind is Kind.TEST else self._member(settlement, line)

    def _not_its_own(self, settlement: Resolution) -> str:
        """Return why what Inspera identifies this record by is not its own; empty when it is."""
        kind, key = settlement.kind, settlement.key
        if error := self._adopter.shared.get((kind, key)):
            return f"its row is an error: {error}"
        reused = self._store.comparison.reuses(kind, key) if settlement.as_new else None
        return _NOT_BOTH.format(kind, reused[0]) if reused else ""

    def _as_new(self, kind: Kind, key: Key, line: PlannedChange | None) -> AdoptionResult:
        if kind is Kind.COMMITTEE:
            return self._committee_as_new(key)
        if line and line.change.action is Action.IDENTITY_CHANGE and not line.change.before:
            self._journal.known.accept(kind, key)
            return AdoptionResult(kind, key, TAKEN, "is a new record: the next apply creates it")
        known = self._store.known.find(kind, key)
        if not known:
            return AdoptionResult(
                kind, key, DOUBTFUL, "nothing is known of it, so there is nothing to make anew"
            )
        identity_change = line is not None and line.change.action is Action.IDENTITY_CHANGE
        if not identity_change and self._still_there(kind, known):
            # Forgetting it would make our members on it unmanaged, since the next run would find
            # them there.
            text = (
                "Inspera has it, so nothing was forgotten; to take Inspera's side as known: "
                f"{adopt(kind, key)}"
            )
            return AdoptionResult(kind, key, DOUBTFUL, text)
        if trouble := self._numbered_seats(kind, key, f"{adopt(kind, key, '--as-new')}"):
            return AdoptionResult(kind, key, DOUBTFUL, trouble)
        self._journal.known.forget_with_candidates(kind, key)
        text = (
            "forgotten here, so that the next apply makes it anew; what Inspera has under the "
            "old name stays there"
        )
        return AdoptionResult(kind, key, TAKEN, text)

    def _numbered_seats(self, kind: Kind, key: Key, command: str) -> str:
        """Return what to take off in Inspera before an account is forgotten; empty for nothing.

        A number is not given twice, so the new account would not get these seats. Those of a test
        that has begun stay with the old account, and do not stop it.
        """
        if kind is not Kind.LEARNER:
            return ""
        there = [
            f"{test} (number {seat.candidate_id})"
            for test in self._store.known.tests_of_learner(key[0])
            if (seat := self._seat_on(test, key)) and seat.candidate_id
        ]
        if not there:
            return ""
        return (
            f"its account has seats with a candidate number on {', '.join(there)}, and a number is "
            f"not given twice: take these seats off in Inspera, then run {command}"
        )

    def _seat_on(self, test: str, key: Key) -> Member | None:
        """Return the seat of a learner's known account on a test as Inspera has it now."""
        known = self._store.known.find(Kind.TEST, (test,))
        if not known or not known["remote_id"]:
            return None
        seats = self._read_once(Kind.CANDIDATE, test, str(known["remote_id"]))
        if not seats.readable:
            return None
        return self._adopter.seat_of(seats, Kind.CANDIDATE, (test, key[0]))

    def _committee_as_new(self, key: Key) -> AdoptionResult:
        kind = Kind.COMMITTEE
        if self._store.known.find(kind, key):
            text = "Inspera has it, and would not take it twice; remove it there first"
            return AdoptionResult(kind, key, DOUBTFUL, text)
        self._journal.close_earlier(kind, key)
        text = "its earlier call counts as settled: the next apply makes it"
        return AdoptionResult(kind, key, TAKEN, text)

    def _still_there(self, kind: Kind, known: Fields) -> bool:
        """Tell whether Inspera still has a test or a person under the known identity."""
        if kind is Kind.TEST:
            shown = self._target.find_test(str(known["external_test_id"]))
            return bool(
                shown or (known["remote_id"] and self._target.read_test(str(known["remote_id"])))
            )
        if kind not in PEOPLE:
            return False
        return bool(known["external_id"]) and bool(
            self._target.find_person(str(known["auth_system"]), str(known["external_id"]))
        )

    def _moved(self, settlement: Resolution, wanted: Fields) -> AdoptionResult:
        kind, key = settlement.kind, settlement.key
        old = self._store.comparison.lookalike(kind, key)
        known = self._store.known.find(kind, old) if old else None
        if not old or not known:
            return AdoptionResult(
                kind, key, DOUBTFUL, "the record that it looked like is not known any more"
            )
        differing = unlike(wanted, known)
        if differing and not settlement.named:
            text = (
                f"{kind} {old[0]} has {' and '.join(differing)}; if it is the same all the "
                f"same: {adopt(kind, key)}"
            )
            return AdoptionResult(kind, key, DOUBTFUL, text)
        self._journal.known.rename(kind, old, key)
        text = f"is {kind} {old[0]} under a new key: its candidates went along"
        return AdoptionResult(
            kind,
            key,
            TAKEN,
            text,
            both_sides("known", wanted, known) if differing and kind in PEOPLE else (),
        )

    def _person(self, settlement: Resolution, line: PlannedChange | None) -> AdoptionResult:
        kind, key = settlement.kind, settlement.key
        # A person may declare a record as managed even when no source names it any more
        wanted = (
            (line.change.after if line else None)
            or self._store.staging.wanted(kind, key)
            or self._store.known.find(kind, key)
        )
        if not wanted:
            return AdoptionResult(
                kind, key, DOUBTFUL, f"no source names this {kind}, and nothing is known of it"
            )
        found, trouble = self._adopter.match(wanted)
        if not found:
            command = adopt(kind, key, "--as-new")
            missing = f"Inspera has no account under the new name; to make one: {command}"
            seats = self._numbered_seats(kind, key, command)
            missing = f"Inspera has no account under the new name; {seats}" if seats else missing
            return AdoptionResult(kind, key, DOUBTFUL, trouble or missing)
        there = values_of(wanted, found)
        differing = unlike(wanted, there)
        trouble = self._adopter.held_by_others(kind, key, there, found.remote_id)
        if differing and not settlement.named:
            trouble = trouble or somebody_elses(kind, key, differing)
        both = both_sides("Inspera", wanted, there) if differing and settlement.named else ()
        if not trouble and self._is_another(kind, key, found):
            trouble = self._numbered_seats(kind, key, adopt(kind, key))
        if trouble:
            return AdoptionResult(kind, key, DOUBTFUL, trouble, both)
        return AdoptionResult(kind, key, TAKEN, self._take_person(settlement, wanted, found), both)

    def _take_person(self, settlement: Resolution, wanted: Fields, found: RemotePerson) -> str:
        """Make the account the known one. Return what that means."""
        kind, key = settlement.kind, settlement.key
        text, known = "Inspera's account is now the known one", self._store.known.find(kind, key)
        managed, refused = self._whose(known), known is not None and known["lifecycle"] == REFUSED
        if self._is_another(kind, key, found):
            managed, known, refused = None, None, False
            # What is known of seats is about the other account: this one may have none
            self._journal.known.forget_with_candidates(kind, key)
            text += (
                ", another than before: the next apply gives it the seats; the old account and its "
                "seats stay there"
            )
        self._adopter.remember_person(kind, key, wanted, found, managed, known=known)
        if refused and not settlement.keep:
            self._journal.known.refuse(kind, key)
            return f"{text}; {_STAYS_REFUSED}"
        return f"{text}; {self._what_follows(settlement, known)}"

    def _whose(self, known: Fields | None) -> bool | None:
        """Tell whose a record is from now on.

        Ours when the command says so, else as it was; None when nothing was known of it.
        """
        return True if self._adopter.managed else bool(known["managed"]) if known else None

    def _is_another(self, kind: Kind, key: Key, found: RemotePerson) -> bool:
        """Tell whether the account that was known so far still exists in addition to this one."""
        known = self._store.known.find(kind, key)
        if not known or not known["auth_system"] or not known["external_id"]:
            return False
        before = self._target.find_person(str(known["auth_system"]), str(known["external_id"]))
        return any(person.remote_id != found.remote_id for person in before)

    def _test(self, settlement: Resolution, line: PlannedChange | None) -> AdoptionResult:
        key = settlement.key
        known = self._store.known.find(Kind.TEST, key)
        fields = (
            line.change.after if line and line.change.action is Action.IDENTITY_CHANGE else known
        ) or self._store.staging.wanted(Kind.TEST, key)
        if not fields:
            return AdoptionResult(
                Kind.TEST, key, DOUBTFUL, "no source names this test, and nothing is known of it"
            )
        found = self._target.find_test(str(fields["external_test_id"]))
        if not found:
            text = f"Inspera does not have it; to make it anew: {adopt(Kind.TEST, key, '--as-new')}"
            return AdoptionResult(Kind.TEST, key, DOUBTFUL, text)
        if len(found) > 1:
            return AdoptionResult(
                Kind.TEST, key, DOUBTFUL, "Inspera has several tests with this external id"
            )
        if trouble := self._adopter.held_by_others(Kind.TEST, key, fields, found[0].remote_id):
            return AdoptionResult(Kind.TEST, key, DOUBTFUL, trouble)
        duration = known["duration"] if known else None
        self._adopter.remember_test(key, fields, found[0], self._whose(known), duration=duration)
        text = f"Inspera's times are now the known ones: {found[0].start} to {found[0].end}"
        return AdoptionResult(
            Kind.TEST, key, TAKEN, f"{text}; {self._what_follows(settlement, known)}"
        )

    def _member(self, settlement: Resolution, line: PlannedChange | None) -> AdoptionResult:
        kind, key = settlement.kind, settlement.key
        test = self._store.known.find(Kind.TEST, (key[0],))
        if not test or not test["remote_id"]:
            return AdoptionResult(
                kind,
                key,
                DOUBTFUL,
                f"test {key[0]} is not known: {adopt(Kind.TEST, key[:1])} first",
            )
        seats = self._read_once(kind, key[0], str(test["remote_id"]))
        if not seats.readable:
            return AdoptionResult(
                kind, key, DOUBTFUL, f"the test's {kind}s can't be read: {seats.message}"
            )
        seat = self._adopter.seat_of(seats, kind, key)
        known = self._store.known.find(kind, key)
        if seat and kind is Kind.COMMITTEE and line and seat.type != line.change.after.get("type"):
            text = (
                "its type can't be changed: put the old one back into the source, or remove the "
                "committee in Inspera"
            )
            return AdoptionResult(kind, key, DOUBTFUL, text)
        if not seat:
            return self._gone(settlement)
        self._adopter.remember_seat(kind, key, seat, self._whose(known))
        if kind is Kind.CANDIDATE and not settlement.keep:
            self._journal.known.accept(kind, key)  # the minutes were looked at: they need not stay
        follows = self._what_follows(settlement, known)
        return AdoptionResult(
            kind, key, TAKEN, f"Inspera's values are now the known ones; {follows}"
        )

    def _read_once(self, kind: Kind, test: str, remote_id: str) -> Members:
        """Read a test once for all of its records of a kind, which follow one another."""
        if self._read != (kind, test):
            self._read, self._seats = None, self._target.members(remote_id, kind)
            self._read = (kind, test)
        return self._seats

    def _gone(self, settlement: Resolution) -> AdoptionResult:
        kind, key = settlement.kind, settlement.key
        if settlement.keep:
            return AdoptionResult(
                kind, key, DOUBTFUL, f"Inspera does not have this {kind}, {_NOTHING_TO_KEEP}"
            )
        self._journal.known.forget(kind, key)
        follows = (
            "the next `apply` puts it back"
            if self._store.staging.wanted(kind, key)
            else "nothing names it"
        )
        text = f"Inspera does not have this {kind}: nothing is known any more, and {follows}"
        return AdoptionResult(kind, key, TAKEN, text)

    def _what_follows(self, settlement: Resolution, before: Fields | None) -> str:
        """Say what the next `apply` sends of this record, of which this was known `before`.

        With `keep` see to it that it sends nothing of what was changed in Inspera.
        """
        kind, key = settlement.kind, settlement.key
        known, named = (
            self._store.known.find(kind, key) or {},
            self._store.staging.wanted(kind, key),
        )
        if named is None:
            goes = "the next `apply` is to remove it" + (
                " (or to disable it)" if kind is Kind.STAFF else ""
            )
            stays = "it stays, as it was put there by hand"
            return f"no source names it, so {goes if known.get('managed') else stays}"
        earlier = self._store.known.kept(kind, key)
        wanted = {**named, **earlier}
        differ = tuple(
            name
            for name in COMPARED[kind]
            if name not in IDENTITY[kind]
            and wanted.get(name) is not None
            and _differ(wanted[name], known.get(name))
        )
        # Only what Inspera shows can be kept
        shown = tuple(name for name in differ if known.get(name) is not None)
        kept = _changed_there(shown, before, known, earlier) if settlement.keep else ()
        self._journal.known.keep(kind, key, {name: wanted[name] for name in kept})
        sent = tuple(name for name in differ if name not in kept)
        if not differ:
            return "the source says the same, so that nothing is to be sent"
        where = self._store.staging.wanted_where(kind, key)
        sends = f"the next `apply` is to {sends_text(wanted, sent, where)}" if sent else ""
        if kept:
            text = f"kept until the source says something else: {fields_text(known, kept)}"
            return f"{text}; {sends}" if sends else text
        return f"{sends}; to keep Inspera's value: {adopt(kind, key, '--keep')}" if shown else sends


def _changed_there(
    shown: tuple[str, ...], before: Fields | None, known: Fields, earlier: Collection[str]
) -> tuple[str, ...]:
    """Return the fields that keep Inspera's value: those changed there, and those kept so far.

    A change that only the source made is not drift: it is sent. Where nothing tells who made a
    change, as what was known `before` is only what was read in Inspera, all are kept.
    """
    if not before or not before.get("as_sent"):
        return shown
    there = tuple(
        name for name in shown if name in earlier or _differ(before.get(name), known.get(name))
    )
    return there or shown


def _differ(wanted: object, known: object) -> bool:
    """Tell whether an update would change it.

    None, an empty text and zero minutes count as equal.
    """
    return (wanted or None) != (known or None)
