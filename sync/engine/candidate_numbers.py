"""The order in which candidate numbers are sent: a number is free before it is given (rules 36).

What the state knows is not enough: a removal of this run may have been refused, and people give
numbers by hand.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.engine.changes_on_test import ChangesOnTest, MemberChange
from sync.errors import Stop
from sync.planning.candidate_numbers import Who, blocked, next_turn, still_held
from sync.records.base import Kind
from sync.records.changes import Action, Cause, Outcome, PlannedChange, Result
from sync.records.remote import Assignment, Members
from sync.state.store import Store

Needs = Mapping[int, Collection[int]]
"""For each change, by its number, the changes that must be sent before it."""

_LEAVES_IT = "their change does not give it up in this run"
_STAYS = "they are still on the test"
_UNKNOWN = (
    "nothing is known here of that seat: it was given by hand, or to the account that this learner "
    "had before; take it off in Inspera, or change one of the two numbers"
)
_FAILED = "their own change ended as "
_NOT_EITHER = "their own new number is not free either"


def defer_as_before(store: Store) -> None:
    """Defer what the last run could not send because of a number that only Inspera shows.

    For a plan that is only shown: the state does not know who has the number, so it would promise
    the same change every day. A run tries again.
    """
    store.plan.defer_as_before((_LEAVES_IT, _STAYS, _UNKNOWN, _FAILED))


def with_holders(changes: ChangesOnTest, store: Store, left: Collection[str]) -> ChangesOnTest:
    """Return the changes with those who are known to have the numbers that it gives.

    `left` are learners that this run has removed from the test: a reading may still show them for
    some seconds.
    """
    taken = {
        str(place.fields["candidate_id"])
        for place in changes.places
        if place.fields.get("candidate_id")
    }
    if changes.kind is not Kind.CANDIDATE or not taken or changes.removals:
        return changes
    people = store.known.people(Kind.CANDIDATE, changes.test, list(left)).values() if left else ()
    gone = frozenset((str(one["auth_system"]), str(one["external_id"])) for one in people)
    return replace(changes, holders=store.known.numbers_on(changes.test, taken), left=gone)


@dataclass(frozen=True, slots=True)
class _Owner:
    """A person who has a number now; `who` is empty where Inspera shows no external id."""

    name: str
    why: str
    who: Who | None


@dataclass(slots=True)
class Handover:
    """What the numbers allow: `needs` are the turns of changes, `deferred` those that must wait."""

    needs: dict[int, set[int]] = field(default_factory=dict)
    deferred: dict[int, str] = field(default_factory=dict)


def hand_over(changes: ChangesOnTest, seats: Members, places: Sequence[MemberChange]) -> Handover:
    """Return in which order these places may be sent, and which of them must wait for a number."""
    found = Handover()
    taken = {n: number for n, place in enumerate(places) if (number := _taken(place, seats))}
    owners = _owners(changes, seats, set(taken.values()))
    index = {_person(place.who, seats): n for n, place in enumerate(places)}
    for n, number in taken.items():
        for owner in owners.get(number, ()):
            other = index.get(_person(owner.who, seats)) if owner.who else None
            if other == n:
                continue
            if other is not None and places[other].fields.get("candidate_id") not in (
                None,
                "",
                number,
            ):
                found.needs.setdefault(n, set()).add(other)
            else:
                why = owner.why if other is None else _LEAVES_IT
                found.deferred.setdefault(n, still_held(number, owner.name, why))
    for n in blocked(found.needs, found.deferred):
        first = min(found.needs[n])
        found.deferred[n] = still_held(taken[n], _key(places[first]), _NOT_EITHER)
    return found


def _key(place: MemberChange) -> str:
    return place.line.change.key[1]


def _taken(place: MemberChange, seats: Members) -> str:
    """Return the number that this member would get and does not have; empty for no number."""
    number, seat = place.fields.get("candidate_id"), seats.there.get(place.who)
    if not number or (seat is not None and seat.candidate_id == number):
        return ""
    change = place.line.change
    same = (
        seat is None
        and change.action is Action.UPDATE
        and change.before.get("candidate_id") == number
    )
    return "" if same else str(number)


def _person(who: Who, seats: Members) -> Who | int:
    """Return what identifies a person: their member where it was read.

    A person may have several ids.
    """
    seat = seats.there.get(who)
    return who if seat is None else id(seat)


def _owners(
    changes: ChangesOnTest, seats: Members, numbers: Collection[str]
) -> Mapping[str, Sequence[_Owner]]:
    """Return who has each of these numbers, by what is known and by what Inspera shows."""
    found: dict[str, list[_Owner]] = {}
    names = {place.who: _key(place) for place in changes.places}
    for holder in changes.holders:
        names[holder.who] = holder.learner
        if holder.number in numbers:
            found.setdefault(holder.number, []).append(_Owner(holder.learner, _STAYS, holder.who))
    for number, owner in _shown(changes, seats, names):
        if number in numbers:
            found.setdefault(number, []).append(owner)
    return found


def _shown(
    changes: ChangesOnTest, seats: Members, names: Mapping[Who, str]
) -> Iterator[tuple[str, _Owner]]:
    gone = {id(seats.there[who]) for who in changes.left if who in seats.there}
    for who, seat in seats.there.items():
        if seat.candidate_id and id(seat) not in gone:
            yield seat.candidate_id, _Owner(names.get(who, f"account {who[1]}"), _UNKNOWN, who)
    for number in seats.unnamed_numbers:
        yield number, _Owner("somebody without an external id", _UNKNOWN, None)


Send = Callable[[Sequence[Assignment]], list[Outcome]]


@dataclass(slots=True)
class NumberQueue:
    """Sends places in turns, so that a number is given up before it is given away.

    `most` is how many go in one call. A circle, in which candidates swap their numbers, goes in one
    call, which is never divided.
    """

    places: Sequence[MemberChange]
    needs: Needs
    send: Send
    most: int
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def carry_out(self) -> list[Outcome]:
        """Return one outcome for each place.

        Raises:
            Stop: nothing more can be sent, and nothing was.
        """
        while pending := [n for n in range(len(self.places)) if n not in self.outcomes]:
            turn, together = next_turn(pending, self.needs)
            self.outcomes.update(zip(turn, self._turn(turn, together=together), strict=True))
            self._defer(
                [n for n in turn if self.outcomes[n].result not in (Result.DONE, Result.FOUND)]
            )
        return [self.outcomes[n] for n in range(len(self.places))]

    def _turn(self, turn: Sequence[int], *, together: bool) -> list[Outcome]:
        trouble = self._trouble(turn) if together else ""
        if trouble:
            return [Outcome(Result.HELD, trouble, cause=Cause.NUMBER)] * len(turn)
        entries = [Assignment(*self.places[n].who, self.places[n].fields, together) for n in turn]
        try:
            return self.send(entries)
        except Stop as error:
            if not self.outcomes:
                raise
            # The next call raises it again
            return [Outcome(Result.NOT_SENT, str(error))] * len(turn)

    def _trouble(self, circle: Sequence[int]) -> str:
        """Return why a circle can't go in one call; empty when it can."""
        systems = {self.places[n].who[0] for n in circle}
        others = {other for n in circle for other in self.needs[n]}.difference(circle)
        if len(circle) <= self.most and len(systems) == 1 and not others:
            return ""
        larger = f"set inspera.batch_size to {len(circle)}, or " if len(circle) > self.most else ""
        return (
            f"{len(circle)} candidates swap their numbers in a circle, which takes one call for "
            f"all of them: {larger}"
            "give one of them a number in the source that nobody has, apply, and then the right one"
        )

    def _defer(self, failed: Sequence[int]) -> None:
        """End the places that need one which was not sent as it should be."""
        for n in blocked(self.needs, failed):
            other = next((one for one in failed if one in self.needs[n]), failed[0])
            why = f"{_FAILED}{self.outcomes[other].result}"
            number, name = str(self.places[n].fields["candidate_id"]), _key(self.places[other])
            stopped = self.outcomes[other].result is Result.NOT_SENT
            outcome = Outcome(Result.DEFERRED, still_held(number, name, why), cause=Cause.NUMBER)
            self.outcomes.setdefault(n, self.outcomes[other] if stopped else outcome)


def ended(
    places: Sequence[MemberChange], deferred: Mapping[int, str]
) -> list[tuple[PlannedChange, Outcome]]:
    """Return the lines that end without a call, as their number is not free."""
    return [
        (places[n].line, Outcome(Result.DEFERRED, why, cause=Cause.NUMBER))
        for n, why in deferred.items()
    ]
