"""Reads back what a run has written, and tells how long Inspera took until it could be read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from sync.engine.compare import There, differences
from sync.engine.protocols import Clock, Target
from sync.errors import CallError, Stop
from sync.records.base import Kind
from sync.records.changes import Action, Fields, WrittenRecord
from sync.records.kinds import PEOPLE, PERSON_OF
from sync.state.store import Store

SAMPLE = 20
"""How many records of each kind a sample holds at most."""

POLLS = 10
"""How often what is not readable yet is looked at again within the visibility delay."""


@dataclass(slots=True)
class Verification:
    """What came of reading back: how many were as sent, which were not (with what differs), and the longest delay.

    `longest` is the most seconds that passed between a write which was not readable at once and the reading that
    showed it, in whole seconds; 0 when a first look showed everything.
    """

    good: int = 0
    bad: list[tuple[WrittenRecord, str]] = field(default_factory=list)
    longest: int = 0


class Verifier:
    """Reads back through the target. `sleep` waits that many seconds, or until the run is stopped."""

    def __init__(
        self,
        store: Store,
        target: Target,
        delay: timedelta,
        clock: Clock,
        sleep: Callable[[float], object],
    ) -> None:
        self._store, self._target, self._delay = store, target, delay
        self._clock, self._sleep = clock, sleep

    def verify(self, run_id: int, most: int | None) -> Verification:
        """Reads back up to `most` records of each kind (None: all) that this run has written.

        Raises:
            Stop: nothing can be read from Inspera.
        """
        verified = Verification()
        for kind in Kind:
            if kind is Kind.OPTION:
                continue  # no call shows options
            written = self._store.written(run_id, kind, most)
            for _, group in groupby(written, key=lambda one: one.key[0]):
                self._verify(kind, list(group), verified)
        return verified

    def _verify(self, kind: Kind, pending: list[WrittenRecord], verified: Verification) -> None:
        """Reads one person or test, or what is on one test, until all of it is as sent or the delay has passed."""
        for look in range(POLLS + 1):
            late = self._not_as_sent(kind, pending)
            if late is None:
                return  # a tenant that does not show these: nothing can be said of them
            now = self._clock()
            seen = {one.key for one in pending} - {one.key for one, _ in late}
            for one in pending:
                if one.key in seen:
                    verified.good += 1
                    if look:  # what the first look shows may have been readable for long
                        verified.longest = max(
                            verified.longest, int((now - one.at).total_seconds())
                        )
            pending = [one for one, _ in late]
            if not pending:
                return
            if look == POLLS or now > max(one.at for one in pending) + self._delay:
                verified.bad.extend(late)
                return
            self._sleep(self._delay.total_seconds() / POLLS)

    def _not_as_sent(
        self, kind: Kind, pending: list[WrittenRecord]
    ) -> list[tuple[WrittenRecord, str]] | None:
        try:
            read = self._readings(kind, pending)
            if read is None:
                return None
            told = [(one, self._trouble(one, read(one))) for one in pending]
        except Stop:
            raise
        except CallError as error:
            return [(one, f"could not be read: {error}") for one in pending]
        return [(one, trouble) for one, trouble in told if trouble]

    def _readings(
        self, kind: Kind, pending: list[WrittenRecord]
    ) -> Callable[[WrittenRecord], There | None] | None:
        """How each of these is read; what is on a test is read once for all of them. None: it can't be read here."""
        if kind in PEOPLE:
            return lambda one: self._person(self._store.known(kind, one.key) or {})
        if kind is Kind.TEST:
            return lambda one: self._test(self._store.known(kind, one.key) or {})
        test = pending[0].key[0]
        known = self._store.known(Kind.TEST, (test,)) or {}
        seats = self._target.seats(str(known.get("remote_id")), kind)
        if not seats.readable:
            return None
        people = (
            self._store.people(kind, test, [one.key[1] for one in pending])
            if kind in PERSON_OF
            else {}
        )

        def read(one: WrittenRecord) -> There | None:
            person = people.get(one.key[1], {})
            who = (
                (str(person.get("auth_system")), str(person.get("external_id")))
                if person
                else ("", one.key[1])
            )
            return seats.there.get(who)

        return read

    def _person(self, known: Fields) -> There | None:
        if not known:
            return None
        if known.get("external_id"):
            found = self._target.find_person(str(known["auth_system"]), str(known["external_id"]))
        else:
            found = self._target.find_person_by_login(str(known["username"]))
        return found[0] if found else None

    def _test(self, known: Fields) -> There | None:
        found = self._target.find_test(str(known.get("external_test_id")))
        return found[0] if len(found) == 1 else None

    def _trouble(self, one: WrittenRecord, there: There | None) -> str:
        known = self._store.known(one.kind, one.key)
        if one.action in (Action.REMOVE, Action.DELETE):
            return "is still there" if there is not None else ""
        if there is None or known is None:
            return "" if known is None and there is None else "is not there"
        fields = differences(one.kind, known, there)
        return (
            f"{', '.join(fields)} {'is' if len(fields) == 1 else 'are'} not as sent"
            if fields
            else ""
        )
