"""Takes what Inspera already has into the state: matched by external id, then by login; the doubtful is only shown.

The same moves settle a lost state, a held rekey and drift. Nothing is ever sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sync.engine.comparing import given_by_hand
from sync.engine.doors import Journal, Progress, Store, Target
from sync.engine.matching import identity_of, match_person, values_of
from sync.found import FoundPerson, FoundTest, Seat, Seats
from sync.model import COMPARED, PEOPLE, Key, Kind
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
    """Looks wanted records up and remembers what matches. `ours` says that we put them there (a lost state).

    `by_email` lets people be matched by their address, when neither external id nor login leads to an account.
    """

    def __init__(self, store: Store, journal: Journal, target: Target, *, ours: bool, by_email: bool = False) -> None:
        self._store, self._journal, self._target = store, journal, target
        self._ours, self._by_email = ours, by_email

    @property
    def ours(self) -> bool:
        """Whether what is taken in was put there by us."""
        return self._ours

    def take_in(self, progress: Progress) -> Iterator[Taken]:
        """Every planned create of a record that Inspera has already. Options can't be read: they are sent again.

        Raises:
            Stop: nothing can be read from Inspera.
        """
        for kind in (*PEOPLE, Kind.TEST):
            for number, line in enumerate(self._creates(kind)):
                progress(f"looking up {kind}s", number)
                yield self._test(line.change) if kind is Kind.TEST else self._person(line.change)
            self._journal.commit()
        for kind in (Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE):
            for test, lines in groupby(self._creates(kind), key=lambda line: line.change.key[0]):
                progress(f"reading {kind}s", 0)
                yield from self._seats(kind, test, [line.change for line in lines])
                self._journal.commit()

    def _creates(self, kind: Kind) -> Iterator[Planned]:
        return (
            line for line in self._store.planned() if line.change.kind is kind and line.change.action is Action.CREATE
        )

    def _person(self, change: Change) -> Taken:
        found, trouble = self.match(change.after)
        if trouble or not found:
            return Taken(change.kind, change.key, DOUBTFUL if trouble else MISSING, trouble)
        self.remember_person(change.kind, change.key, change.after, found)
        return Taken(change.kind, change.key, TAKEN)

    def match(self, wanted: Fields) -> tuple[FoundPerson | None, str]:
        """The account that is this person's, or why there is doubt, matched as the configuration says."""
        return match_person(self._target, wanted, by_email=self._by_email)

    def remember_person(
        self, kind: Kind, key: Key, wanted: Fields, person: FoundPerson, ours: bool | None = None
    ) -> None:
        """Makes a person known with Inspera's values; an external id only where Inspera has it linked.

        One who was matched by email keeps the username that Inspera has, as it can't be changed there.
        """
        whose = self._ours if ours is None else ours
        self._journal.remember(kind, key, values_of(wanted, person), remote_id=person.remote_id, ours=whose)
        if person.username and person.username != wanted["username"]:
            self._journal.alias(kind, key, str(wanted["username"]), person.username)

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

    def _seats(self, kind: Kind, test: str, changes: Sequence[Change]) -> Iterator[Taken]:
        known = self._store.known(Kind.TEST, (test,))
        if not known or not known["remote_id"]:
            return
        seats = self._target.seats(str(known["remote_id"]), kind)
        if not seats.readable:
            yield Taken(Kind.TEST, (test,), DOUBTFUL, f"its {kind}s can't be read: {seats.message}")
            return
        for change in changes:
            yield self._seat(change, self.seat_of(seats, kind, change.key))

    def _seat(self, change: Change, seat: Seat | None) -> Taken:
        if seat is None:
            return Taken(change.kind, change.key, MISSING)
        given = given_by_hand(change.after, seat)
        if given:
            text = f"{given}; to take Inspera's as known: adopt {change.kind} {' '.join(change.key)}"
            return Taken(change.kind, change.key, DOUBTFUL, text)
        self.remember_seat(change.kind, change.key, seat)
        return Taken(change.kind, change.key, TAKEN)

    def seat_of(self, seats: Seats, kind: Kind, key: Key) -> Seat | None:
        """The seat of this candidate's or contributor's person, if they are known and have one; or the committee."""
        return seats.there.get(identity_of(self._store, kind, key))

    def remember_seat(self, kind: Kind, key: Key, seat: Seat, ours: bool | None = None) -> None:
        """Makes it known with Inspera's values; without `ours` it is what all that is taken in is."""
        fields = {name: getattr(seat, name) for name in COMPARED[kind]}
        whose = self._ours if ours is None else ours
        self._journal.remember(kind, key, fields, remote_id=seat.remote_user_id, ours=whose)


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
        if kind is Kind.OPTION:
            return Taken(kind, key, DOUBTFUL, "options can't be read from Inspera; correct it there or in the source")
        if kind in PEOPLE:
            return self._person(kind, key, line)
        return self._test(key, line) if kind is Kind.TEST else self._member(kind, key, line)

    def _as_new(self, kind: Kind, key: Key, line: Planned | None) -> Taken:
        if kind is Kind.COMMITTEE and not self._store.known(kind, key):
            self._journal.close_earlier(kind, key)
            return Taken(kind, key, TAKEN, "its earlier call counts as settled: the next apply makes it")
        if kind is Kind.COMMITTEE:
            return Taken(kind, key, DOUBTFUL, "Inspera has it, and would not take it twice; remove it there first")
        if line and line.change.action is Action.REKEY and not line.change.before:
            self._journal.accept(kind, key)
            return Taken(kind, key, TAKEN, "is a new record: the next apply creates it")
        if not self._store.known(kind, key):
            return Taken(kind, key, DOUBTFUL, "nothing is known of it, so there is nothing to make anew")
        self._journal.forget_with_candidates(kind, key)
        text = "forgotten here, so that the next apply makes it anew; what Inspera has under the old name stays there"
        if kind is Kind.LEARNER:
            text += ". Take its seats off in Inspera first where they have a candidate number: it is not given twice"
        return Taken(kind, key, TAKEN, text)

    def _moved(self, kind: Kind, key: Key) -> Taken:
        old = self._store.lookalike(kind, key)
        if not old:
            return Taken(kind, key, DOUBTFUL, "the record that it looked like is not known any more")
        self._journal.rename(kind, old, key)
        return Taken(kind, key, TAKEN, f"is {kind} {old[0]} under a new key: its candidates went along")

    def _person(self, kind: Kind, key: Key, line: Planned | None) -> Taken:
        wanted = line.change.after if line else self._store.wanted(kind, key)
        if not wanted:
            return Taken(kind, key, DOUBTFUL, f"no source names this {kind}")
        found, trouble = self._adopter.match(wanted)
        if not found:
            text = trouble or "Inspera has no account under the new name; to make one: adopt … --as-new"
            return Taken(kind, key, DOUBTFUL, text)
        text, known = "Inspera's account is now the known one", self._store.known(kind, key)
        ours = self._whose(known)
        if self._is_another(kind, key, found):
            ours = None
            # what is known of seats is about the other account: this one may have none
            self._journal.forget_with_candidates(kind, key)
            text += (
                ", another than before: the next apply gives it the seats; the old account and its seats stay there. "
                "Take those off in Inspera first where they have a candidate number: it is not given twice"
            )
        self._adopter.remember_person(kind, key, wanted, found, ours)
        return Taken(kind, key, TAKEN, text)

    def _whose(self, known: Fields | None) -> bool | None:
        """Whose a record is from now on: ours when that was said, else as it was; None when nothing was known of it."""
        return True if self._adopter.ours else bool(known["ours"]) if known else None

    def _is_another(self, kind: Kind, key: Key, found: FoundPerson) -> bool:
        """Whether the account that was known so far is still there beside this one."""
        known = self._store.known(kind, key)
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
        self._adopter.remember_test(key, fields, found[0], self._whose(known))
        return Taken(
            Kind.TEST, key, TAKEN, f"Inspera's times are now the known ones: {found[0].start} to {found[0].end}"
        )

    def _member(self, kind: Kind, key: Key, line: Planned | None) -> Taken:
        test = self._store.known(Kind.TEST, (key[0],))
        if not test or not test["remote_id"]:
            return Taken(kind, key, DOUBTFUL, f"test {key[0]} is not known: adopt it first")
        seats = self._target.seats(str(test["remote_id"]), kind)
        if not seats.readable:
            return Taken(kind, key, DOUBTFUL, f"the test's {kind}s can't be read: {seats.message}")
        seat = self._adopter.seat_of(seats, kind, key)
        known = self._store.known(kind, key)
        if seat and kind is Kind.COMMITTEE and line and seat.type != line.change.after.get("type"):
            text = "its type can't be changed: put the old one back into the source, or remove the committee in Inspera"
            return Taken(kind, key, DOUBTFUL, text)
        if seat:
            self._adopter.remember_seat(kind, key, seat, self._whose(known))
            if kind is Kind.CANDIDATE:
                self._journal.accept(kind, key)  # the minutes were looked at: they need not stay
            text = "Inspera's values are now the known ones; the next apply sends what the source says where it differs"
            return Taken(kind, key, TAKEN, text)
        self._journal.forget(kind, key)
        return Taken(kind, key, TAKEN, f"Inspera does not have this {kind}: nothing is known any more")
