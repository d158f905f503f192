"""The recovery of calls whose outcome an earlier run could not record.

It comes before anything else is sent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from sync.contract import Stage
from sync.engine.account_match import identity_of, match_person, values_of
from sync.engine.context import RunContext, RunSettings
from sync.engine.protocols import Clock, Target
from sync.errors import CallError, Stop
from sync.records.base import Key, Kind
from sync.records.changes import Action, Fields, OpenIntent, Result
from sync.records.remote import Member, Members
from sync.state.journal import Journal
from sync.state.store import Store

Sleep = Callable[[float], object]
"""Waits that many seconds, or until the run is stopped."""

_LONGEST_TURN = timedelta(hours=1)
"""How long after its intent a call is sent at the latest, if its run was cut off: calls wait for
their turn, for slow answers, and for pauses that Inspera asks for."""

_READABLE = (Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE)
"""What a reading of a test shows. People and options are sent again, which is safe."""


@dataclass(slots=True)
class RecoveryResult:
    """What is left of the open intents of earlier runs.

    Attributes:
        count: how many there were.
        barred: records that could not be read just now: nothing is sent for them in this run.
        tried: learners whose creation may have been carried out. An account that is there now is
            managed, so they are sent again without a look-up.
    """

    count: int = 0
    barred: set[tuple[Kind, Key]] = field(default_factory=set)
    tried: set[tuple[Kind, Key]] = field(default_factory=set)


class Recovery:
    """The settlement of open intents, by reading Inspera.

    An intent that cannot be settled stays open, and its record is sent again: it counts as
    different in the plan, whatever its fingerprint says.

    Nothing is read or sent until `delay` has passed since the last of the calls can have been sent:
    the time for which Inspera may work on a call, and that until it shows what was written.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        target: Target,
        delay: timedelta,
        clock: Clock,
        sleep: Sleep,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store, self._journal, self._target = store, journal, target
        self._delay, self._clock, self._sleep, self._note = delay, clock, sleep, note
        self._recovered = RecoveryResult()
        self._since = clock()

    def settle(self) -> RecoveryResult:
        """Look into every open intent, and return what is left of them.

        Raises:
            Stop: nothing can be read from Inspera.
        """
        intents = list(self._store.earlier_runs.open_intents())
        self._wait_until_visible(intents)
        for intent in intents:
            if intent.kind is Kind.TEST:
                self._test(intent)
            elif intent.kind is Kind.STAFF and intent.action is Action.CREATE:
                self._created_staff(intent)
            elif intent.kind is Kind.LEARNER and intent.action is Action.CREATE:
                self._recovered.tried.add((intent.kind, intent.key))
            self._journal.commit()
        seats = sorted(
            (i for i in intents if i.kind in _READABLE), key=lambda i: (i.kind, i.key[0], i.id)
        )
        for (kind, test), group in groupby(seats, key=lambda intent: (intent.kind, intent.key[0])):
            self._seats(kind, test, list(group))
            self._journal.commit()
        self._recovered.count = len(intents)
        return self._recovered

    def _wait_until_visible(self, intents: Sequence[OpenIntent]) -> None:
        """Wait until Inspera has carried out or given up all of these calls, and shows it.

        Also before calls that are only sent again: an older one must not come after them.
        """
        now = self._clock()
        self._since = max(
            (one.until or min(now, one.at + _LONGEST_TURN) for one in intents), default=now
        )
        rest = (self._since + self._delay - now).total_seconds()
        if rest > 0:
            self._note(
                f"Waits {rest:.0f} s: Inspera may still carry out a call of an earlier run that was "
                "cut off, and only then shows it."
            )
            self._sleep(rest)

    def _created_staff(self, intent: OpenIntent) -> None:
        """Settle the creation of staff.

        Accounts that were there before the intent are known by now; any other was made by us.
        """
        try:
            found, trouble = match_person(self._target, intent.fields)
        except Stop:
            raise
        except CallError:
            self._recovered.barred.add((intent.kind, intent.key))
            return
        if found:
            # Sent again by the plan, so that what the reading does not show is as wanted, too
            fields = values_of(intent.fields, found)
            managed = self._whose(intent)
            self._journal.known.remember(
                intent.kind, intent.key, fields, remote_id=found.remote_id, managed=managed
            )
        elif not trouble:
            self._journal.settle(intent, "not sent", "a later run did not find it in Inspera")

    def _test(self, intent: OpenIntent) -> None:
        if intent.action is Action.ACTIVATE:
            self._activated_test(intent)
        elif intent.action is Action.CREATE:
            self._created_test(intent)
        else:
            self._updated_test(intent)

    def _activated_test(self, intent: OpenIntent) -> None:
        """Settle an activation by the status of the test, which a search shows.

        If that is not possible, the intent stays open: the activation is planned again, and reads
        the test before it is sent.
        """
        try:
            found = self._target.find_test(str(intent.fields["external_test_id"]))
        except Stop:
            raise
        except CallError:
            return
        if any(test.stage is Stage.ACTIVATED for test in found):
            self._journal.known.activate(intent.key)
            self._journal.settle(intent, "done", "found activated by a later run")
        elif found:
            self._journal.settle(intent, "not sent", "a later run found it not activated")

    def _created_test(self, intent: OpenIntent) -> None:
        outcome = self._target.settle_test(str(intent.fields["external_test_id"]), self._since)
        same_times = all(
            outcome.there.get(name) in (intent.fields[name], None) for name in ("start", "end")
        )
        if outcome.result is Result.DONE and same_times:
            self._journal.known.remember(
                intent.kind,
                intent.key,
                {**intent.fields, **_seen(outcome.there)},
                remote_id=outcome.remote_id,
                managed=self._whose(intent),
            )
            self._journal.settle(intent, "done", "found in Inspera by a later run")
        elif outcome.result in (Result.DONE, Result.NOT_SENT):
            # With other times it is somebody else's test: the create meets it again, as drift.
            self._journal.settle(intent, "not sent", "a later run did not find it in Inspera")
        else:
            self._recovered.barred.add((intent.kind, intent.key))

    def _updated_test(self, intent: OpenIntent) -> None:
        known = self._store.known.find(intent.kind, intent.key)
        try:
            found = self._target.find_test(str(intent.fields["external_test_id"]))
        except Stop:
            raise
        except CallError:
            return  # stays open: the update is sent again, which is safe
        if (
            known
            and len(found) == 1
            and (found[0].start, found[0].end) == (intent.fields["start"], intent.fields["end"])
        ):
            # The update arrived, so nobody made these times by hand. The intent stays open and is
            # sent again: an update is safe to repeat, and the search does not show all of it.
            self._journal.known.remember(
                intent.kind, intent.key, {**known, "start": found[0].start, "end": found[0].end}
            )

    def _seats(self, kind: Kind, test: str, intents: list[OpenIntent]) -> None:
        known = self._store.known.find(Kind.TEST, (test,))
        try:
            there = bool(known and known["remote_id"])
            seats = (
                self._target.members(str((known or {})["remote_id"]), kind)
                if there
                else Members(False)
            )
        except Stop:
            raise
        except CallError:
            # The others are not held up
            self._recovered.barred.update((intent.kind, intent.key) for intent in intents)
            return
        for intent in intents:
            identity = identity_of(self._store, intent.kind, intent.key)
            if identity in seats.there:
                self._there(intent, seats.there[identity])
            elif seats.lack(*identity):
                self._not_there(intent)
            elif kind is Kind.COMMITTEE and intent.action is Action.CREATE:
                # Not safe to send again before a reading has shown that it may
                self._recovered.barred.add((kind, intent.key))
            elif intent.action is Action.CREATE:
                # Unreadable: on a managed test the member counts as managed, so that it can be
                # removed again.
                managed = self._whose(intent) and bool(known and known["managed"])
                self._journal.known.remember(
                    intent.kind, intent.key, intent.fields, managed=managed
                )

    def _whose(self, intent: OpenIntent) -> bool | None:
        """Tell whether the member is managed; None keeps what is known of it."""
        created = intent.action is Action.CREATE and not self._store.known.find(
            intent.kind, intent.key
        )
        return True if created else None

    def _there(self, intent: OpenIntent, seat: Member) -> None:
        if intent.action is Action.REMOVE:
            self._journal.settle(intent, "not sent", "a later run found it still there")
            return
        wanted = {name: value for name, value in intent.fields.items() if value is not None}
        shown = {name: getattr(seat, name) for name in wanted}
        minutes = shown.get("extra_time")
        if minutes is not None and minutes != wanted["extra_time"]:
            self._half_known(intent, seat)
            return
        if intent.action is Action.UPDATE and any(
            shown[name] not in (None, value) for name, value in wanted.items()
        ):
            self._journal.settle(intent, "not sent", "a later run found other values in Inspera")
            return  # what is known is still so, and the plan sends the difference again
        managed = self._whose(intent)
        self._journal.known.remember(
            intent.kind, intent.key, intent.fields, remote_id=seat.remote_user_id, managed=managed
        )
        if shown == wanted:
            self._journal.settle(intent, "done", "found in Inspera by a later run")

    def _half_known(self, intent: OpenIntent, seat: Member) -> None:
        """Settle a member who is there with other minutes.

        Either an update did not arrive, or somebody changed the minutes.
        """
        if intent.action is Action.CREATE:
            there = {**intent.fields, "extra_time": seat.extra_time}
            managed = self._whose(intent)
            self._journal.known.remember(
                intent.kind, intent.key, there, remote_id=seat.remote_user_id, managed=managed
            )
        self._journal.settle(intent, "not sent", "a later run found other values in Inspera")

    def _not_there(self, intent: OpenIntent) -> None:
        if intent.action is Action.REMOVE:
            self._journal.known.forget(intent.kind, intent.key)
            self._journal.settle(intent, "done", "a later run did not find it any more")
        else:
            self._journal.settle(intent, "not sent", "a later run did not find it in Inspera")


def _seen(there: Fields) -> Fields:
    return {name: value for name, value in there.items() if value is not None}


def recover(settings: RunSettings, context: RunContext) -> RecoveryResult:
    """Find out what became of open intents. Without any, Inspera is not asked."""
    if not context.store.earlier_runs.open_intent_count():
        return RecoveryResult()
    recovery = Recovery(
        context.store,
        context.journal,
        context.target(),
        settings.call_timeout + settings.membership.read_after_write_delay,
        context.clock,
        context.interruption.event.wait,
        context.observer.note,
    )
    recovered = recovery.settle()
    calls = f"{recovered.count:,} call{'' if recovered.count == 1 else 's'}"
    context.observer.note(f"Found out about {calls} of an earlier run without a known outcome.")
    return recovered
