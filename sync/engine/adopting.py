"""Takes what Inspera already has into the state: matched by external id, then by login; the doubtful is only shown.

The same moves settle a lost state, a held rekey and drift. Nothing is ever sent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sync.engine.doors import Journal, Progress, Store, Target
from sync.errors import CallMissing
from sync.found import FoundPerson, FoundTest, Seat, Seats
from sync.model import COMPARED, Key, Kind
from sync.plan import Action, Change, Fields, Planned


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one record: taken into the state, or doubtful (with what to do), or not in Inspera."""

    kind: Kind
    key: Key
    word: str
    text: str = ""


TAKEN, DOUBTFUL, MISSING = "taken", "doubtful", "not there"


class Adopter:
    """Looks wanted records up and remembers what matches. `ours` says that we put them there (a lost state)."""

    def __init__(self, store: Store, journal: Journal, target: Target, *, ours: bool) -> None:
        self._store, self._journal, self._target, self._ours = store, journal, target, ours

    def take_in(self, progress: Progress) -> Iterator[Taken]:
        """Every planned create of a learner, a test or a candidate that Inspera has already.

        Raises:
            Stop: nothing can be read from Inspera.
        """
        for kind in (Kind.LEARNER, Kind.TEST):
            for number, line in enumerate(self._creates(kind)):
                progress(f"looking up {kind}s", number)
                yield self._person(line.change) if kind is Kind.LEARNER else self._test(line.change)
            self._journal.commit()
        for test, lines in groupby(self._creates(Kind.CANDIDATE), key=lambda line: line.change.key[0]):
            progress("reading candidates", 0)
            yield from self._seats(test, [line.change for line in lines])
            self._journal.commit()

    def _creates(self, kind: Kind) -> Iterator[Planned]:
        return (
            line for line in self._store.planned() if line.change.kind is kind and line.change.action is Action.CREATE
        )

    def _person(self, change: Change) -> Taken:
        found, trouble = match_person(self._target, change.after)
        if trouble or not found:
            return Taken(change.kind, change.key, DOUBTFUL if trouble else MISSING, trouble)
        self.remember_person(change.key, change.after, found)
        return Taken(change.kind, change.key, TAKEN)

    def remember_person(self, key: Key, wanted: Fields, person: FoundPerson) -> None:
        """Makes a learner known with Inspera's values; an external id only where Inspera has it linked."""
        identity = (str(wanted["auth_system"]), str(wanted["external_id"]))
        linked = identity in person.external_ids
        fields = {
            "username": person.username,
            "auth_system": wanted["auth_system"] if linked else None,
            "external_id": wanted["external_id"] if linked else None,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
        }
        self._journal.remember(Kind.LEARNER, key, fields, remote_id=person.remote_id, ours=self._ours)

    def _test(self, change: Change) -> Taken:
        found = self._search(change.after)
        if not found:
            return Taken(change.kind, change.key, MISSING)
        if len(found) > 1:
            return Taken(change.kind, change.key, DOUBTFUL, "Inspera has several tests with this external id")
        there = found[0]
        if any(getattr(there, name) not in (change.after[name], None) for name in ("start", "end")):
            text = f"its times differ: Inspera has {there.start} to {there.end}, the source {change.after['start']} to "
            text += f"{change.after['end']}; to take Inspera's as known: adopt test {change.key[0]}"
            return Taken(change.kind, change.key, DOUBTFUL, text)
        self.remember_test(change.key, change.after, there)
        return Taken(change.kind, change.key, TAKEN)

    def _search(self, fields: Fields) -> list[FoundTest]:
        return self._target.find_test(str(fields["external_test_id"]))

    def remember_test(self, key: Key, wanted: Fields, there: FoundTest, ours: bool | None = None) -> None:
        """Makes a test known with Inspera's values; what the search does not show is left unknown."""
        fields = {
            "external_test_id": wanted["external_test_id"],
            "title": there.title,
            "start": there.start or wanted["start"],
            "end": there.end or wanted["end"],
            "duration": there.duration,
        }
        whose = self._ours if ours is None else ours
        self._journal.remember(Kind.TEST, key, fields, remote_id=there.remote_id, ours=whose)

    def _seats(self, test: str, changes: Sequence[Change]) -> Iterator[Taken]:
        known = self._store.known(Kind.TEST, (test,))
        if not known or not known["remote_id"]:
            return
        seats = self._target.seats(str(known["remote_id"]))
        if not seats.readable:
            yield Taken(Kind.TEST, (test,), DOUBTFUL, f"its candidates can't be read: {seats.message}")
            return
        for change in changes:
            yield self._seat(change, self.seat_of(seats, change.key))

    def _seat(self, change: Change, seat: Seat | None) -> Taken:
        if seat is None:
            return Taken(change.kind, change.key, MISSING)
        wanted = change.after.get("extra_time")
        if wanted is not None and (seat.extra_time or 0) > int(wanted):
            text = f"Inspera gives {seat.extra_time} minutes of extra time, the source {wanted}; to take Inspera's as "
            text += f"known: adopt candidate {' '.join(change.key)}"
            return Taken(change.kind, change.key, DOUBTFUL, text)
        self.remember_seat(change.key, seat)
        return Taken(change.kind, change.key, TAKEN)

    def seat_of(self, seats: Seats, key: Key) -> Seat | None:
        """The seat of this candidate's learner, if the learner is known and has one."""
        person = self._store.known(Kind.LEARNER, (key[1],))
        return seats.there.get((str(person["auth_system"]), str(person["external_id"]))) if person else None

    def remember_seat(self, key: Key, seat: Seat, ours: bool | None = None) -> None:
        """Makes a candidate known with Inspera's values; without `ours` it is what all that is taken in is."""
        fields = {name: getattr(seat, name) for name in COMPARED[Kind.CANDIDATE]}
        whose = self._ours if ours is None else ours
        self._journal.remember(Kind.CANDIDATE, key, fields, remote_id=seat.remote_user_id, ours=whose)


def match_person(target: Target, wanted: Fields) -> tuple[FoundPerson | None, str]:
    """The account that is this learner's, or why there is doubt; neither when Inspera has nobody.

    Raises:
        CallError: Inspera could not be read.
    """
    found = target.find_person(str(wanted["auth_system"]), str(wanted["external_id"]))
    if found:
        same = found[0].username == wanted["username"]
        return _only(found, "external id", "" if same else "the account with this external id has another username")
    try:
        found = target.find_person_by_login(str(wanted["username"]))
    except CallMissing:
        found = []  # this tenant can't be searched by login: only external ids count
    if not found:
        return None, ""
    linked = any(system == wanted["auth_system"] for system, _ in found[0].external_ids)
    return _only(found, "username", "the account with this username has another external id" if linked else "")


def _only(found: Sequence[FoundPerson], by: str, trouble: str) -> tuple[FoundPerson | None, str]:
    if len(found) > 1:
        trouble = f"several accounts in Inspera have this {by}"
    return (None, f"{trouble}; correct the source, or Inspera") if trouble else (found[0], "")


@dataclass(frozen=True, slots=True)
class Settlement:
    """One record that a person has looked at. `as_new` says: it is a record of its own, whatever it looks like."""

    kind: Kind
    key: Key
    as_new: bool = False


class Settling:
    """Settles single records: held rekeys, drift, doubtful matches."""

    def __init__(self, store: Store, journal: Journal, target: Target, adopter: Adopter) -> None:
        self._store, self._journal, self._target, self._adopter = store, journal, target, adopter

    def settle(self, settlement: Settlement, line: Planned | None) -> Taken:
        """Takes Inspera's side of one record as known; `line` is what the plan says of it.

        Raises:
            CallError: Inspera could not be read.
        """
        kind, key = settlement.kind, settlement.key
        if settlement.as_new:
            return self._as_new(kind, key, line)
        if line and line.change.action is Action.REKEY and not line.change.before:
            return self._moved(kind, key)
        settle: Callable[[Key, Planned | None], Taken] = {
            Kind.LEARNER: self._learner,
            Kind.TEST: self._test,
            Kind.CANDIDATE: self._candidate,
        }[kind]
        return settle(key, line)

    def _as_new(self, kind: Kind, key: Key, line: Planned | None) -> Taken:
        if line and line.change.action is Action.REKEY and not line.change.before:
            self._journal.accept(kind, key)
            return Taken(kind, key, TAKEN, "is a new record: the next apply creates it")
        if not self._store.known(kind, key):
            return Taken(kind, key, DOUBTFUL, "nothing is known of it, so there is nothing to make anew")
        self._journal.forget_with_candidates(kind, key)
        text = "forgotten here, so that the next apply makes it anew; what Inspera has under the old name stays there"
        return Taken(kind, key, TAKEN, text)

    def _moved(self, kind: Kind, key: Key) -> Taken:
        old = self._store.lookalike(kind, key)
        if not old:
            return Taken(kind, key, DOUBTFUL, "the record that it looked like is not known any more")
        self._journal.rename(kind, old, key)
        return Taken(kind, key, TAKEN, f"is {kind} {old[0]} under a new key: its candidates went along")

    def _learner(self, key: Key, line: Planned | None) -> Taken:
        wanted = line.change.after if line else self._store.wanted(Kind.LEARNER, key)
        if not wanted:
            return Taken(Kind.LEARNER, key, DOUBTFUL, "no source names this learner")
        found, trouble = match_person(self._target, wanted)
        if not found:
            text = trouble or "Inspera has no account under the new name; to make one: adopt … --as-new"
            return Taken(Kind.LEARNER, key, DOUBTFUL, text)
        text = "Inspera's account is now the known one"
        if self._is_another(key, found):
            # what is known of seats is about the other account: this one may have none
            self._journal.forget_with_candidates(Kind.LEARNER, key)
            text += ", another than before: the next apply gives it the seats; the old account and its seats stay there"
        self._adopter.remember_person(key, wanted, found)
        return Taken(Kind.LEARNER, key, TAKEN, text)

    def _is_another(self, key: Key, found: FoundPerson) -> bool:
        """Whether the account that was known so far is still there beside this one."""
        known = self._store.known(Kind.LEARNER, key)
        if not known or not known["auth_system"] or not known["external_id"]:
            return False
        before = self._target.find_person(str(known["auth_system"]), str(known["external_id"]))
        return any(person.remote_id != found.remote_id for person in before)

    def _test(self, key: Key, line: Planned | None) -> Taken:
        known = self._store.known(Kind.TEST, key)
        fields = (line.change.after if line and line.change.action is Action.REKEY else known) or self._store.wanted(
            Kind.TEST, key
        )
        if not fields:
            return Taken(Kind.TEST, key, DOUBTFUL, "no source names this test, and nothing is known of it")
        found = self._target.find_test(str(fields["external_test_id"]))
        if len(found) != 1:
            text = "Inspera has several tests with this external id" if found else "Inspera does not have it"
            return Taken(Kind.TEST, key, DOUBTFUL, f"{text}; to make it anew: adopt … --as-new" if not found else text)
        self._adopter.remember_test(key, fields, found[0], bool(known["ours"]) if known else None)
        return Taken(
            Kind.TEST, key, TAKEN, f"Inspera's times are now the known ones: {found[0].start} to {found[0].end}"
        )

    def _candidate(self, key: Key, _line: Planned | None) -> Taken:
        test = self._store.known(Kind.TEST, (key[0],))
        if not test or not test["remote_id"]:
            return Taken(Kind.CANDIDATE, key, DOUBTFUL, f"test {key[0]} is not known: adopt it first")
        seats = self._target.seats(str(test["remote_id"]))
        if not seats.readable:
            return Taken(Kind.CANDIDATE, key, DOUBTFUL, f"the test's candidates can't be read: {seats.message}")
        seat = self._adopter.seat_of(seats, key)
        known = self._store.known(Kind.CANDIDATE, key)
        if seat:
            self._adopter.remember_seat(key, seat, bool(known["ours"]) if known else None)
            text = "Inspera's values are now the known ones; the next apply sends what the source says where it differs"
            return Taken(Kind.CANDIDATE, key, TAKEN, text)
        self._journal.forget(Kind.CANDIDATE, key)
        return Taken(Kind.CANDIDATE, key, TAKEN, "Inspera does not have this candidate: nothing is known any more")
