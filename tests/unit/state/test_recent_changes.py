"""What recent runs changed and counts towards a limit, on each database, against a model in Python."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync.mapping import fingerprint
from sync.planning.decide import DraftedChange
from sync.planning.guard import PASS
from sync.planning.limits import ChangeType, Recent
from sync.records.base import Key, Kind
from sync.records.changes import Action, Change, Outcome, PlannedChange, Result, Verdict
from sync.state.compare.recent_changes import count_recent, count_recent_on_tests
from sync.state.journal import Journal
from sync.state.store import Store

from ...support.examples import examples
from .databases import blank

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 9, 20, 8, tzinfo=UTC)
TESTS = ("ØV-1", "ØV-2")
KEYS = [(test, learner) for test in TESTS for learner in ("1", "2", "3")]


class Event(NamedTuple):
    """A change that was sent some hours ago; a record's first one makes it known."""

    key: Key
    hours: int
    removes: bool
    approved: bool
    done: bool


events = st.builds(
    Event,
    st.sampled_from(KEYS),
    st.integers(1, 200),
    st.booleans(),
    st.sampled_from([False, False, True]),
    st.sampled_from([True, True, False]),
)


class Model:
    """The records known, and what was done to each, in plain Python."""

    def __init__(self) -> None:
        self.known: set[Key] = set()
        self.done: list[tuple[ChangeType, Event]] = []

    def action(self, event: Event) -> Action | None:
        """Return what the event does; None if there is nothing to remove."""
        if event.removes:
            return Action.REMOVE if event.key in self.known else None
        return Action.UPDATE if event.key in self.known else Action.CREATE

    def note(self, event: Event, action: Action) -> None:
        """Take over what was done."""
        types = {Action.REMOVE: ChangeType.REMOVALS, Action.UPDATE: ChangeType.UPDATES}
        self.done.append((types.get(action, ChangeType.CREATES), event))
        self.known = self.known - {event.key} if event.removes else self.known | {event.key}

    def recent(self, type_: ChangeType, hours: int, test: str, drafted: set[Key]) -> int:
        """Count the records that were changed so."""
        removals = type_ is ChangeType.REMOVALS
        keys = {
            event.key
            for one, event in self.done
            if one is type_ and event.hours < hours and not event.approved and event.key[0] == test
        }
        return len(keys - self.known if removals else keys & self.known - drafted)


@settings(deadline=None, max_examples=examples(25))
@given(st.lists(events, max_size=14), st.sets(st.sampled_from(KEYS), max_size=2))
def test_any_history_counts_each_record_once_by_type_test_and_window(
    history: list[Event], drafted: set[Key]
) -> None:
    clock, model = [NOW], Model()
    with blank() as connection:
        store = Store(connection, places=[], fingerprint=fingerprint)
        journal = Journal(connection, lambda: clock[0], "apply")
        for number, event in enumerate(sorted(history, key=lambda one: -one.hours)):
            if not (action := model.action(event)):
                continue
            clock[0] = NOW - timedelta(hours=event.hours)
            change = Change(action, Kind.CANDIDATE, event.key, after={"room": f"R {number}"})
            scope = "allowed" if event.approved else ""
            line = PlannedChange(number, change, Verdict.PASS, "", scope, "0", 7, None, None)
            outcome = Outcome(Result.DONE if event.done else Result.HELD)
            journal.record([(journal.intend([line])[0], line, outcome)])
            journal.commit()
            if event.done:
                model.note(event, action)
        for action in (Action.UPDATE, Action.CREATE):
            changes = [
                Change(action, Kind.CANDIDATE, key, after={"room": "R"}, changed=("room",))
                for key in drafted
            ]
            store.plan.draft(DraftedChange(change, PASS) for change in changes)
        for action in (Action.UPDATE, Action.CREATE, Action.REMOVE):  # so that tests are counted
            others = [Change(action, Kind.CANDIDATE, (t, "9"), changed=("room",)) for t in TESTS]
            store.plan.draft(DraftedChange(change, PASS) for change in others)
        for type_ in ChangeType:
            counted = count_recent_on_tests(connection, Kind.CANDIDATE, type_, NOW)
            for test in TESTS:
                day, week = (model.recent(type_, hours, test, drafted) for hours in (24, 168))
                assert counted.get(test, Recent()) == Recent(day, week)
            whole = count_recent(connection, Kind.CANDIDATE, type_, NOW)
            assert whole.week == sum(one.week for one in counted.values())


def test_a_removal_that_was_allowed_does_not_count_either_if_its_answer_was_lost() -> None:
    with blank() as connection:
        journal = Journal(connection, lambda: NOW, "apply")
        store = Store(connection, places=[], fingerprint=fingerprint)
        change = Change(Action.REMOVE, Kind.CANDIDATE, KEYS[0])
        line = PlannedChange(1, change, Verdict.PASS, "", "allowed", "0", 7, None, None)
        journal.intend([line])
        (intent,) = store.earlier_runs.open_intents()
        journal.settle(intent, "done")
        counted = count_recent(connection, Kind.CANDIDATE, ChangeType.REMOVALS, NOW)
        assert counted == Recent()
