"""Takes what Inspera already has into the state: matched by external id, then by login; the doubtful is only shown.

The same moves settle a lost state, a held rekey and drift. Nothing is ever sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from sync.engine.comparing import given_by_hand
from sync.engine.doors import Journal, Progress, Store, Target
from sync.engine.hiring import somebody_elses
from sync.engine.matching import identity_of, match_person, unlike, values_of
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
    both: tuple[str, ...] = field(default=(), repr=False)
    """The two sides of a person, where they differ: for the eyes of who decides, and for nothing that is kept."""


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
        trouble = self.shared.get((change.kind, change.key), "") or trouble
        if found and not trouble:
            there = values_of(change.after, found)
            differing = unlike(change.after, there)
            trouble = somebody_elses(change.kind, change.key, differing) if differing else ""
            trouble = trouble or self.held_by_others(change.kind, change.key, there, found.remote_id)
        if trouble or not found:
            return Taken(change.kind, change.key, DOUBTFUL if trouble else MISSING, trouble)
        self.remember_person(change.kind, change.key, change.after, found)
        return Taken(change.kind, change.key, TAKEN)

    @cached_property
    def shared(self) -> Mapping[tuple[Kind, Key], str]:
        """Return why records that share an identity with another are not adopted. Needs the plan."""
        return self._store.shared_identities()

    def held_by_others(self, kind: Kind, key: Key, fields: Fields, remote_id: str | None) -> str:
        """Return why what Inspera has is not taken for this record: another one has it. Empty when none has."""
        holder = self._store.holder(kind, key, fields, remote_id)
        what = "test" if kind is Kind.TEST else "account"
        return f"{holder} has this {what} already; correct the source, or Inspera" if holder else ""

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
        trouble = self.shared.get((change.kind, change.key), "") or self.held_by_others(
            change.kind, change.key, change.after, there.remote_id
        )
        if trouble:
            return Taken(change.kind, change.key, DOUBTFUL, trouble)
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
    """One record that is to be settled. `as_new` says: it is a record of its own, whatever it looks like.

    `named`: a person has named just this one, and decides by it. One of many is left where it may be another's.
    """

    kind: Kind
    key: Key
    as_new: bool = False
    named: bool = True


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
        if error := self._adopter.shared.get((kind, key)):
            return Taken(kind, key, DOUBTFUL, f"its row is an error: {error}")
        if settlement.as_new:
            return self._as_new(kind, key, line)
        if line and line.change.action is Action.REKEY and not line.change.before:
            return self._moved(settlement, line.change.after)
        if kind is Kind.OPTION:
            return Taken(kind, key, DOUBTFUL, "options can't be read from Inspera; correct it there or in the source")
        if kind in PEOPLE:
            return self._person(settlement, line)
        return self._test(key, line) if kind is Kind.TEST else self._member(kind, key, line)

    def _as_new(self, kind: Kind, key: Key, line: Planned | None) -> Taken:
        if kind is Kind.COMMITTEE and not self._store.known(kind, key):
            self._journal.close_earlier(kind, key)
            return Taken(kind, key, TAKEN, "its earlier call counts as settled: the next apply makes it")
        if kind is Kind.COMMITTEE:
            return Taken(kind, key, DOUBTFUL, "Inspera has it, and would not take it twice; remove it there first")
        if reused := self._store.reuses(kind, key):
            text = f"Inspera has it as {kind} {reused[0]}, and can't have both; if it is the same, leave out --as-new; "
            return Taken(kind, key, DOUBTFUL, f"{text}otherwise correct the source: each needs an identity of its own")
        if line and line.change.action is Action.REKEY and not line.change.before:
            self._journal.accept(kind, key)
            return Taken(kind, key, TAKEN, "is a new record: the next apply creates it")
        if not self._store.known(kind, key):
            return Taken(kind, key, DOUBTFUL, "nothing is known of it, so there is nothing to make anew")
        self._journal.forget_with_candidates(kind, key)
        text = "forgotten here, so that the next apply makes it anew; what Inspera has under the old name stays there"
        return Taken(kind, key, TAKEN, text)

    def _moved(self, settlement: Settlement, wanted: Fields) -> Taken:
        kind, key = settlement.kind, settlement.key
        old = self._store.lookalike(kind, key)
        known = self._store.known(kind, old) if old else None
        if not old or not known:
            return Taken(kind, key, DOUBTFUL, "the record that it looked like is not known any more")
        differing = unlike(wanted, known)
        if differing and not settlement.named:
            text = f"{kind} {old[0]} has {' and '.join(differing)}; if it is the same all the same, settle it alone: "
            return Taken(kind, key, DOUBTFUL, f"{text}adopt {kind} {key[0]}")
        self._journal.rename(kind, old, key)
        text = f"is {kind} {old[0]} under a new key: its candidates went along"
        return Taken(kind, key, TAKEN, text, _both("known", wanted, known) if differing and kind in PEOPLE else ())

    def _person(self, settlement: Settlement, line: Planned | None) -> Taken:
        kind, key = settlement.kind, settlement.key
        wanted = line.change.after if line else self._store.wanted(kind, key)
        if not wanted:
            return Taken(kind, key, DOUBTFUL, f"no source names this {kind}")
        found, trouble = self._adopter.match(wanted)
        if not found:
            text = trouble or "Inspera has no account under the new name; to make one: adopt … --as-new"
            return Taken(kind, key, DOUBTFUL, text)
        there = values_of(wanted, found)
        differing = unlike(wanted, there)
        trouble = self._adopter.held_by_others(kind, key, there, found.remote_id)
        if differing and not settlement.named:
            trouble = trouble or somebody_elses(kind, key, differing)
        both = _both("Inspera", wanted, there) if differing and settlement.named else ()
        if trouble:
            return Taken(kind, key, DOUBTFUL, trouble, both)
        return Taken(kind, key, TAKEN, self._take_person(kind, key, wanted, found), both)

    def _take_person(self, kind: Kind, key: Key, wanted: Fields, found: FoundPerson) -> str:
        """Make the account the known one. Return what that means."""
        text, known = "Inspera's account is now the known one", self._store.known(kind, key)
        ours = self._whose(known)
        if self._is_another(kind, key, found):
            ours = None
            # what is known of seats is about the other account: this one may have none
            self._journal.forget_with_candidates(kind, key)
            text += ", another than before: the next apply gives it the seats; the old account and its seats stay there"
        self._adopter.remember_person(kind, key, wanted, found, ours)
        return text

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
        if trouble := self._adopter.held_by_others(Kind.TEST, key, fields, found[0].remote_id):
            return Taken(Kind.TEST, key, DOUBTFUL, trouble)
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


def _both(other: str, wanted: Fields, there: Fields) -> tuple[str, str]:
    """Return the two sides of a person, each as a line. They hold names: they are shown and never kept."""
    return f"  source: {_person_text(wanted)}", f"  {other}: {_person_text(there)}"


_SHOWN = ("first_name", "last_name", "email", "username", "external_id")


def _person_text(fields: Fields) -> str:
    values = (f"{name.replace('_', ' ')} {_printable(fields.get(name))}" for name in _SHOWN)
    return ", ".join(values)


def _printable(value: object) -> str:
    """Return a value as a terminal may have it: nothing in it moves the cursor."""
    if value in (None, ""):
        return "(blank)"
    return repr("".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(value)))
