"""The journal, on a real SQLite file: what it says after any sequence of intents, outcomes and crashes."""

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sync.mapping import fingerprint
from sync.model import COMPARED, Key, Kind
from sync.plan import Action, Change, Fields, Outcome, Planned, Result, Verdict
from sync.state.database import open_to_write
from sync.state.journal import Journal
from sync.state.store import Store

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
Identity = tuple[Kind, Key]

RECORDS: tuple[Identity, ...] = (
    (Kind.LEARNER, ("1001",)),
    (Kind.LEARNER, ("1002",)),
    (Kind.TEST, ("PRV1-H26",)),
    (Kind.CANDIDATE, ("PRV1-H26", "1001")),
    (Kind.CANDIDATE, ("PRV1-H26", "1002")),
)
SENDING = (Action.CREATE, Action.UPDATE, Action.REMOVE)
CLOSING = (Result.DONE, Result.FOUND, Result.REFUSED, Result.HELD, Result.NOT_SENT)


class State:
    """A state's file, opened by one run after another; each run has a store and a journal."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number, self.now = folder, 0, START
        self._opened = ExitStack()
        self._path = folder / "0" / "state.db"
        self._path.parent.mkdir()
        shutil.copy(empty_state(), self._path)
        self._open()

    def _open(self) -> None:
        self.now += timedelta(seconds=1)
        connection = self._opened.enter_context(open_to_write(self._path, "apply"))
        self.store = Store(connection, [], fingerprint)
        self.journal = Journal(connection, self._clock, "apply")

    def _clock(self) -> datetime:
        return self.now

    def run_again(self) -> None:
        """The run ends in order, and the next one begins."""
        self.journal.end("done", 0, {})
        self._opened.close()
        self._open()

    def crash(self) -> None:
        """The next run finds the files exactly as they are at this moment, whatever had not been committed."""
        self._number += 1
        left = self._folder / str(self._number)
        left.mkdir()
        for file in self._path.parent.glob("state.db*"):
            if not file.name.endswith(("-shm", ".lock")):  # the one is memory, the other dies with its process
                shutil.copy(file, left / file.name)
        self._opened.close()
        self._path = left / "state.db"
        self._open()

    def close(self) -> None:
        """Lets go of the file."""
        self._opened.close()

    def open(self) -> dict[int, tuple[Kind, Key, Action, Fields]]:
        """The open intents as a run sees them."""
        return {one.id: (one.kind, one.key, one.action, one.fields) for one in self.store.open_intents()}

    def known(self, identity: Identity) -> Fields | None:
        """What a run sees as known of a record, but for when it was written."""
        known = self.store.known(*identity)
        return known and {name: value for name, value in known.items() if name != "updated"}


@cache
def empty_state() -> Path:
    """A state with all its tables and nothing in them, made once: migrations take their time."""
    path = Path(tempfile.mkdtemp(prefix="empty-state-")) / "state.db"
    with open_to_write(path, "apply"):
        pass
    return path


def fields_of(kind: Kind, value: str | None) -> dict[str, Any]:
    """A record's fields, all of which say the same."""
    whole = {"duration": 240, "extra_time": 15}
    return {name: whole.get(name, value) for name in COMPARED[kind]}


def line(identity: Identity, action: Action, value: str | None = "Åse") -> Planned:
    """A planned change of a record to this value."""
    kind, key = identity
    fields = fields_of(kind, value)
    before, after = (fields, {}) if action is Action.REMOVE else ({}, fields)
    change = Change(action, kind, key, before, after)
    return Planned(1, change, Verdict.PASS, "", "", "0", 1, b"\x01" + (value or "").encode(), None)


@dataclass
class Model:
    """What the journal must say, in plain dictionaries."""

    open: dict[int, tuple[Kind, Key, Action, Fields]] = field(default_factory=dict)
    known: dict[Identity, dict[str, Any]] = field(default_factory=dict)

    def copy(self) -> "Model":
        return replace(self, open=dict(self.open), known=dict(self.known))

    def record(self, intent: int, change: Change, outcome: Outcome, open_before: Iterable[int]) -> None:
        """Notes an outcome; one that is well settles whatever earlier runs left open for the record."""
        if outcome.result is Result.UNKNOWN:
            return
        del self.open[intent]
        if outcome.result not in (Result.DONE, Result.FOUND):
            return
        identity = change.kind, change.key
        for earlier in open_before:
            if earlier in self.open and self.open[earlier][:2] == identity:
                del self.open[earlier]
        if change.action is Action.REMOVE:
            self.known.pop(identity, None)
        else:
            self.known[identity] = self._fold(identity, change, outcome)

    def _fold(self, identity: Identity, change: Change, outcome: Outcome) -> dict[str, Any]:
        old = self.known.get(identity, {"remote_id": None, "ours": 1})
        ours = old["ours"] if change.action is Action.UPDATE else int(outcome.result is Result.DONE)
        remote_id = outcome.remote_id or old["remote_id"]
        return {**change.after, **outcome.there, "remote_id": remote_id, "ours": ours, "standing": "active"}


values = st.sampled_from(["Åse", "Bjørn", "Łucja", None])


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    """Any outcome of a call; one that was found may show Inspera's own values."""
    result = draw(st.sampled_from([*CLOSING, Result.UNKNOWN]))
    good = result in (Result.DONE, Result.FOUND)
    return Outcome(result, "so it was", draw(st.sampled_from([None, "284424088"])) if good else None)


class Journalling(RuleBasedStateMachine):
    """Any sequence of what runs do, held against the model: `said` as the run sees it, `durable` as a crash leaves it.

    As in a run, a record has at most one call under way, and one of unknown outcome is not sent again in the same run.
    """

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.state = State(Path(self.folder.name))
        self.said, self.durable = Model(), Model()
        self._next_run()

    def _next_run(self) -> None:
        self.under_way: dict[int, Planned] = {}
        self.touched: set[Identity] = set()
        self.open_before = set(self.said.open)

    @rule(chosen=st.sets(st.sampled_from(RECORDS), min_size=1), action=st.sampled_from(SENDING), value=values)
    def intend(self, chosen: set[Identity], action: Action, value: str | None) -> None:
        lines = [line(identity, action, value) for identity in sorted(chosen - self.touched)]
        for number, one in zip(self.state.journal.intend(lines), lines, strict=True):
            change = one.change
            self.under_way[number] = one
            self.said.open[number] = (change.kind, change.key, action, change.after or change.before)
        self.touched |= chosen
        self.durable = self.said.copy()

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        ended = data.draw(st.lists(st.sampled_from(sorted(self.under_way)), unique=True, min_size=1))
        results = [(number, self.under_way.pop(number), data.draw(outcomes())) for number in ended]
        self.state.now += timedelta(seconds=1)
        self.state.journal.record(results)
        for number, one, outcome in results:
            self.said.record(number, one.change, outcome, self.open_before)
            if outcome.result is not Result.UNKNOWN:
                self.touched.discard((one.change.kind, one.change.key))

    @precondition(lambda self: self.open_before & set(self.said.open))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        settled = data.draw(st.sampled_from(sorted(self.open_before & set(self.said.open))))
        intent = next(one for one in self.state.store.open_intents() if one.id == settled)
        self.state.journal.settle(intent, "not sent")
        del self.said.open[settled]

    @rule()
    def commit(self) -> None:
        self.state.journal.commit()
        self.durable = self.said.copy()

    @rule()
    def end_and_run_again(self) -> None:
        self.state.run_again()
        self.durable = self.said.copy()
        self._next_run()

    @rule()
    def crash(self) -> None:
        self.state.crash()
        self.said = self.durable.copy()
        self._next_run()

    @invariant()
    def an_intent_is_open_exactly_as_long_as_it_has_no_outcome(self) -> None:
        assert self.state.open() == self.said.open

    @invariant()
    def known_is_what_the_good_outcomes_add_up_to(self) -> None:
        assert {one: self.state.known(one) for one in RECORDS} == {one: self.said.known.get(one) for one in RECORDS}

    def teardown(self) -> None:
        self.state.close()
        self.folder.cleanup()


Journalling.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnySequence = Journalling.TestCase


@pytest.fixture
def state(tmp_path: Path) -> Any:
    """An empty state with a run under way."""
    state = State(tmp_path)
    yield state
    state.close()


LEARNER, TEST, SEAT = RECORDS[0], RECORDS[2], RECORDS[3]


def done(state: State, lines: Sequence[Planned], result: Result = Result.DONE) -> None:
    """Intends and records these lines; the outcome is not committed yet."""
    intents = state.journal.intend(lines)
    state.journal.record([(intent, one, Outcome(result)) for intent, one in zip(intents, lines, strict=True)])


def test_an_intent_outlives_a_crash_that_comes_right_after_it(state: State) -> None:
    (intent,) = state.journal.intend([line(TEST, Action.CREATE)])
    state.crash()
    assert state.open() == {intent: (*TEST, Action.CREATE, fields_of(Kind.TEST, "Åse"))}
    assert [one.at for one in state.store.open_intents()] == [START + timedelta(seconds=1)]


def test_an_outcome_that_was_not_committed_is_lost_but_never_its_intent(state: State) -> None:
    done(state, [line(LEARNER, Action.CREATE)])
    assert (state.known(LEARNER) is not None, state.open()) == (True, {})
    state.crash()
    assert state.known(LEARNER) is None
    assert len(state.open()) == 1


def test_what_is_known_and_its_outcome_become_durable_together(state: State) -> None:
    done(state, [line(LEARNER, Action.CREATE), line(SEAT, Action.CREATE)])
    state.journal.commit()
    state.crash()
    assert state.known(LEARNER) is not None
    assert state.known(SEAT) is not None
    assert state.open() == {}


def test_the_next_intents_make_earlier_outcomes_durable(state: State) -> None:
    done(state, [line(LEARNER, Action.CREATE)])
    state.journal.intend([line(SEAT, Action.CREATE)])
    state.crash()
    assert state.known(LEARNER) is not None
    assert [kind for kind, *_ in state.open().values()] == [Kind.CANDIDATE]


def test_an_unknown_outcome_stays_open_until_a_later_run_has_a_good_one(state: State) -> None:
    done(state, [line(LEARNER, Action.CREATE)], Result.UNKNOWN)
    state.run_again()
    assert len(state.open()) == 1
    done(state, [line(LEARNER, Action.CREATE)], Result.REFUSED)
    assert len(state.open()) == 1, "a refusal of the second call says nothing of the first"
    done(state, [line(LEARNER, Action.CREATE)])
    assert state.open() == {}


def test_a_removal_that_is_done_forgets_and_one_that_is_not_does_not(state: State) -> None:
    done(state, [line(SEAT, Action.CREATE)])
    done(state, [line(SEAT, Action.REMOVE)], Result.NOT_SENT)
    assert state.known(SEAT) is not None
    done(state, [line(SEAT, Action.REMOVE)])
    assert state.known(SEAT) is None


def test_what_was_found_is_not_ours_and_an_update_does_not_make_it_so(state: State) -> None:
    done(state, [line(SEAT, Action.CREATE)], Result.FOUND)
    done(state, [line(SEAT, Action.UPDATE, "Bjørn")])
    known = state.known(SEAT)
    assert known
    assert (known["ours"], known["room"]) == (0, "Bjørn")
