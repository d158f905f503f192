"""The reading back of what a run has written, and how long Inspera took until it was readable."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from sync.engine.compare import There, differences
from sync.engine.context import RunContext, RunSettings
from sync.engine.outcomes import ExecutionResult
from sync.engine.protocols import Clock, Target
from sync.engine.result import RunResult
from sync.errors import CallError, Stop
from sync.records.base import Kind
from sync.records.changes import Action, Fields, Result, WrittenRecord
from sync.records.kinds import PEOPLE, PERSON_OF
from sync.state.store import Store

SAMPLE = 20
"""How many records of each kind a sample holds at most."""

POLLS = 10
"""How often what is not readable yet is looked at again within `read_after_write_delay`."""


@dataclass(slots=True)
class Verification:
    """The result of reading back: how many were as sent, which were not, the longest delay.

    `longest` is the most seconds that passed between a write which was not readable at once and the
    reading that showed it, in whole seconds; 0 when a first look showed everything.
    """

    good: int = 0
    bad: list[tuple[WrittenRecord, str]] = field(default_factory=list)
    longest: int = 0


class Verifier:
    """A reader of what was written, through the target.

    `sleep` waits that many seconds, or until the run is stopped.
    """

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
        """Read back up to `most` records of each kind (None: all) that this run has written.

        Raises:
            Stop: nothing can be read from Inspera.
        """
        verified = Verification()
        for kind in Kind:
            if kind is Kind.OPTION:
                continue  # no call shows options
            written = self._store.earlier_runs.written(run_id, kind, most)
            for _, group in groupby(written, key=lambda one: one.key[0]):
                self._verify(kind, list(group), verified)
        return verified

    def _verify(self, kind: Kind, pending: list[WrittenRecord], verified: Verification) -> None:
        """Read a person, a test or its members until all is as sent or the delay has passed."""
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
            found = [(one, self._trouble(one, read(one))) for one in pending]
        except Stop:
            raise
        except CallError as error:
            return [(one, f"could not be read: {error}") for one in pending]
        return [(one, trouble) for one, trouble in found if trouble]

    def _readings(
        self, kind: Kind, pending: list[WrittenRecord]
    ) -> Callable[[WrittenRecord], There | None] | None:
        """Return how each of these is read; None if it can't be read here.

        The members of a test are read once for all of them.
        """
        if kind in PEOPLE:
            return lambda one: self._person(self._store.known.find(kind, one.key) or {})
        if kind is Kind.TEST:
            return lambda one: self._test(self._store.known.find(kind, one.key) or {})
        test = pending[0].key[0]
        known = self._store.known.find(Kind.TEST, (test,)) or {}
        seats = self._target.members(str(known.get("remote_id")), kind)
        if not seats.readable:
            return None
        people = (
            self._store.known.people(kind, test, [one.key[1] for one in pending])
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
        known = self._store.known.find(one.kind, one.key)
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


def verify_run(
    settings: RunSettings, context: RunContext, executed: ExecutionResult, result: RunResult
) -> Verification:
    """Read back what was written, as much of it as the settings say, and record what differs."""
    stopped = executed.stopped or executed.yielded
    if settings.verify == "none" or stopped or not executed.count(Result.DONE, Result.FOUND):
        return Verification()
    event, delay = context.interruption.event, settings.membership.read_after_write_delay
    verifier = Verifier(context.store, context.target(), delay, context.clock, event.wait)
    try:
        most = SAMPLE if settings.verify == "sample" else None
        verified = verifier.verify(context.journal.run_id, most)
    except Stop as error:
        context.observer.note(f"Not all read back: {error}")
        return Verification()
    if event.is_set():
        verified.bad.clear()  # an interrupted verifier has not waited long enough to be sure
    for written, trouble in verified.bad:
        text = f"was sent, but {trouble}; look at it in Inspera, or run `reconcile`"
        context.journal.find("drift", written.kind, written.key, "", text)
    result.counts["read back"] += verified.good
    result.counts["not as sent"] += len(verified.bad)
    result.counts["seconds at most until readable"] += verified.longest
    return verified
