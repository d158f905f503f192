"""The journal on a real state, after any sequence of intents, outcomes and crashes."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sync.records.base import Kind
from sync.records.changes import Action, Outcome, PlannedChange, Result
from sync.records.kinds import COMPARED

from ...support.examples import examples
from .journalled import ONLY_STAFF, RECORDS, START, Identity, Model, State, fields_of, line

LEARNER, TEST, SEAT = RECORDS[0], RECORDS[2], RECORDS[3]
SENDING = (
    Action.CREATE,
    Action.UPDATE,
    Action.REMOVE,
    Action.ENABLE,
    Action.DISABLE,
    Action.DELETE,
)
CLOSING = (Result.DONE, Result.FOUND, Result.REFUSED, Result.HELD, Result.NOT_SENT)
pytestmark = pytest.mark.usefixtures("database")
values = st.sampled_from(["Åse", "Bjørn", "Łucja", None])


@st.composite
def outcomes(draw: st.DrawFn, kind: Kind) -> Outcome:
    """Any outcome of a call; a good one may bring Inspera's id and Inspera's own values."""
    result = draw(st.sampled_from([*CLOSING, Result.UNKNOWN]))
    if result not in (Result.DONE, Result.FOUND):
        return Outcome(result, "so it was")
    there = draw(st.sampled_from([{}, {COMPARED[kind][0]: "Frøydis"}]))
    return Outcome(result, "", draw(st.sampled_from([None, "284424088"])), there)


class Journalling(RuleBasedStateMachine):
    """Any sequence of what runs do, compared with the model.

    `said` is the state as the run sees it, `durable` as a crash leaves it. As in a run, a record
    has at most one call under way, and one of unknown outcome is not sent again in the same run.
    """

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.state = State(Path(self.folder.name))
        self.said, self.durable = Model(), Model()
        self._next_run()

    def _next_run(self) -> None:
        self.under_way: dict[int, PlannedChange] = {}
        self.touched: set[Identity] = set()
        self.open_before = set(self.said.open)

    @rule(
        chosen=st.sets(st.sampled_from(RECORDS), min_size=1),
        action=st.sampled_from(SENDING),
        value=values,
    )
    def intend(self, chosen: set[Identity], action: Action, value: str | None) -> None:
        lines = [line(one, self._fit(one, action), value) for one in sorted(chosen - self.touched)]
        for number, one in zip(self.state.journal.intend(lines), lines, strict=True):
            change = one.change
            self.under_way[number] = one
            self.said.open[number] = (
                change.kind,
                change.key,
                change.action,
                change.after or change.before,
            )
        self.touched |= chosen
        self.durable = self.said.copy()

    def _fit(self, identity: Identity, action: Action) -> Action:
        if identity[0] is Kind.STAFF:
            return Action.DELETE if action is Action.REMOVE else action
        return ONLY_STAFF.get(action, action)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        ended = data.draw(
            st.lists(st.sampled_from(sorted(self.under_way)), unique=True, min_size=1)
        )
        results = [
            (number, one, data.draw(outcomes(one.change.kind)))
            for number, one in self._out_of_the_way(ended)
        ]
        self.state.now += timedelta(seconds=1)
        self.state.journal.record(results)
        for number, one, outcome in results:
            self.said.record(number, one.change, outcome, self.open_before)
            if outcome.result is not Result.UNKNOWN:
                self.touched.discard((one.change.kind, one.change.key))

    def _out_of_the_way(self, ended: Sequence[int]) -> list[tuple[int, PlannedChange]]:
        return [(number, self.under_way.pop(number)) for number in ended]

    @precondition(lambda self: self.open_before & set(self.said.open))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        settled = data.draw(st.sampled_from(sorted(self.open_before & set(self.said.open))))
        intent = next(
            one for one in self.state.store.earlier_runs.open_intents() if one.id == settled
        )
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
        assert {one: self.state.known(one) for one in RECORDS} == {
            one: self.said.known.get(one) for one in RECORDS
        }

    def teardown(self) -> None:
        self.state.close()
        self.folder.cleanup()


def test_any_sequence_of_what_runs_do(database: str) -> None:
    # Every step waits for the disk: shrinking takes minutes.
    how = settings(
        max_examples=examples(20 if database == "sqlite" else 4),
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        phases=[
            Phase.explicit,
            Phase.reuse,
            Phase.generate,
        ],
    )
    run_state_machine_as_test(Journalling, settings=how)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """Return an empty state with a run under way."""
    state = State(tmp_path)
    yield state
    state.close()


def done(state: State, lines: Sequence[PlannedChange], result: Result = Result.DONE) -> None:
    """Intends and records these lines; the outcome is not committed yet."""
    intents = state.journal.intend(lines)
    state.journal.record(
        [(intent, one, Outcome(result)) for intent, one in zip(intents, lines, strict=True)]
    )


def test_an_intent_outlives_a_crash_that_comes_right_after_it(state: State) -> None:
    (intent,) = state.journal.intend([line(TEST, Action.CREATE)])
    state.crash()
    assert state.open() == {intent: (*TEST, Action.CREATE, fields_of(Kind.TEST, "Åse"))}
    assert [one.at for one in state.store.earlier_runs.open_intents()] == [
        START + timedelta(seconds=1)
    ]


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


def test_what_was_found_is_not_managed_and_an_update_does_not_make_it_so(state: State) -> None:
    done(state, [line(SEAT, Action.CREATE)], Result.FOUND)
    done(state, [line(SEAT, Action.UPDATE, "Bjørn")])
    known = state.known(SEAT)
    assert known
    assert (known["managed"], known["room"]) == (0, "Bjørn")
