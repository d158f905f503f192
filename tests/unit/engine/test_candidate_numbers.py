"""Candidate numbers in whole runs: none is ever there twice, whatever was registered, held, refused or lost before."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.executor import Executor
from sync.engine.outcomes import ExecutionResult
from sync.engine.plan import Policy
from sync.engine.protocols import MayGo
from sync.planning.limits import Limit, Limits
from sync.records.base import Kind
from sync.records.candidate import Candidate
from sync.records.changes import Cause, Outcome, PlannedChange, Result
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.remote import Assignment, Member, Members
from sync.records.test import Test

from ...support.examples import examples
from ...support.tenant import NOW, StoringTenant, Who
from .state_and_tenant import ANY, START, a_person, planning

REFUSED, LOST, LOST_DONE = (
    Outcome(Result.REFUSED, "no"),
    Outcome(Result.UNKNOWN, "lost"),
    Outcome(Result.UNKNOWN, "ok"),
)


def who(n: int) -> Who:
    return "FEIDE", f"p{n}@example.edu"


@dataclass
class Numbered(StoringTenant):
    """A tenant that fails for some, and takes or leaves a circle as a whole; `seen` is told after each change."""

    assigning: dict[Who, Outcome] = field(default_factory=dict)
    removing: dict[Who, Outcome] = field(default_factory=dict)
    seen: Callable[[], None] = lambda: None
    sizes: list[int] = field(default_factory=list)
    unnamed_numbers: tuple[str, ...] = ()

    def members(self, remote_id: str, kind: Kind, /) -> Members:
        numbers = self.unnamed_numbers if kind is Kind.CANDIDATE else ()
        return replace(
            super().members(remote_id, kind), unnamed=len(numbers), unnamed_numbers=numbers
        )

    def numbers(self) -> dict[Who, str]:
        seats = self.places.get(Kind.CANDIDATE, {})
        return {one: seat.candidate_id for one, seat in seats.items() if seat.candidate_id}

    def _put(self, entry: Assignment) -> None:
        seats = self.places.setdefault(Kind.CANDIDATE, {})
        known = seats.get((entry.auth_system, entry.external_id), Member("u"))
        shown = {
            name: value
            for name, value in entry.fields.items()
            if name in Member.__dataclass_fields__
        }
        given = {name: value for name, value in shown.items() if value is not None}
        seats[entry.auth_system, entry.external_id] = replace(known, **cast("Any", given))

    def assign(
        self, test: str, entries: Sequence[Assignment], kind: Kind, may_go: MayGo, /
    ) -> list[Outcome]:
        if kind is not Kind.CANDIDATE:
            return super().assign(test, entries, kind, may_go)
        self.sizes.append(len(entries))
        outcomes = [
            self.assigning.get((one.auth_system, one.external_id), self.outcome) for one in entries
        ]
        together = any(one.together for one in entries)
        if together:
            worst = next((one for one in outcomes if one is not self.outcome), self.outcome)
            outcomes = [worst] * len(entries)
        for entry, outcome in zip(entries, outcomes, strict=True):
            if outcome in (self.outcome, LOST_DONE):
                self._put(entry)
            if not together:
                self.seen()
        self.seen()
        return outcomes

    def remove(
        self, _test: str, entries: Sequence[Assignment], kind: Kind, _may_go: MayGo, /
    ) -> list[Outcome]:
        outcomes = []
        for entry in entries:
            one = (entry.auth_system, entry.external_id)
            outcomes.append(self.removing.get(one, self.outcome))
            if outcomes[-1] in (self.outcome, LOST_DONE):
                self.places[kind].pop(one, None)
        return outcomes


def rows(numbers: dict[int, str | None], learners: Sequence[int]) -> list[Record]:
    seats = [Candidate("T", str(n), number) for n, number in numbers.items()]
    people = [Learner(str(n), **a_person(n)) for n in learners]
    return [*people, Test("T", "x1", "Øving", START, START + timedelta(hours=4), 240), *seats]


@dataclass
class NumberedState:
    path: Path
    tenant: Numbered = field(default_factory=Numbered)
    limit: Limit = ANY
    batch: int = 100
    planned: list[PlannedChange] = field(default_factory=list)
    carried: ExecutionResult = field(default_factory=ExecutionResult)

    def run(
        self, numbers: dict[int, str | None], learners: Sequence[int] = range(1, 8)
    ) -> dict[str, str]:
        """One apply; gives why each candidate's change did not go ahead, by the plan or by the run."""
        policy = Policy(Limits(ANY, self.limit, ANY), {})
        with planning(self.path, rows(numbers, learners), policy, self.tenant) as (
            store,
            journal,
            barred,
        ):
            self.planned = list(store.plan.read())
            carrier = Executor(
                store,
                journal,
                self.tenant,
                MembershipPolicy(batch_size=self.batch),
                workers=1,
                stop=Event(),
                clock=lambda: NOW,
                progress=lambda *_: None,
                barred=barred,
            )
            results: dict[str, str] = {
                line.change.key[-1]: line.reason for line in self.planned if line.verdict != "pass"
            }

            def find(*finding: object) -> None:
                _, _, key, _, message, _ = finding
                assert isinstance(key, tuple)
                results[key[-1]] = str(message)

            with patch.object(journal, "find", find):
                self.carried = carrier.execute(len(self.planned))
            journal.lapse()
            journal.promote_silent()
            journal.end("done", 0, {})
        return results

    @property
    def numbers(self) -> dict[int, str]:
        return {
            int(one[1:].split("@")[0]): number for (_, one), number in self.tenant.numbers().items()
        }


@pytest.fixture
def synced(tmp_path: Path) -> NumberedState:
    return NumberedState(tmp_path / "state.db")


def test_numbers_move_along_a_row_of_candidates_from_its_free_end(synced: NumberedState) -> None:
    synced.run({1: "1", 2: "2", 3: "3"})
    synced.tenant.seen = lambda: (
        None if max(Counter(synced.numbers.values()).values()) == 1 else pytest.fail("twice")
    )
    synced.run({1: "2", 2: "3", 3: "4"})
    assert synced.numbers == {1: "2", 2: "3", 3: "4"}


def test_all_wait_when_the_end_of_the_row_can_not_be_moved(synced: NumberedState) -> None:
    synced.run({1: "1", 2: "2", 3: "3"})
    synced.tenant.assigning[who(3)] = REFUSED
    results = synced.run({1: "2", 2: "3", 3: "4"})
    assert synced.numbers == {1: "1", 2: "2", 3: "3"}
    assert results["2"] == "number 3 is still 3's, who stays: their own change ended as refused"
    assert synced.carried.causes[Result.DEFERRED, Cause.NUMBER] == 2


def test_a_circle_goes_in_one_call_or_not_at_all(synced: NumberedState) -> None:
    synced.run({1: "1", 2: "2", 3: "3", 4: "4"})
    synced.tenant.assigning[who(2)] = REFUSED
    synced.tenant.sizes.clear()
    synced.run({1: "2", 2: "3", 3: "1", 4: "4"})
    assert (synced.numbers, synced.tenant.sizes) == ({1: "1", 2: "2", 3: "3", 4: "4"}, [3])


def test_a_circle_too_large_for_one_call_is_held_and_both_ways_out_lead_out(
    synced: NumberedState,
) -> None:
    synced.run({n: str(n) for n in range(1, 5)})
    synced.batch = 3
    round_robin: dict[int, str | None] = {1: "2", 2: "3", 3: "4", 4: "1"}
    results = synced.run(round_robin)
    assert synced.carried.count(Result.HELD) == 4
    assert (
        "set inspera.batch_size to 4, or give one of them a number in the source that nobody has"
        in results["1"]
    )
    synced.run({**round_robin, 1: "9"})
    assert synced.numbers == {**round_robin, 1: "9"}
    synced.run(round_robin)
    assert synced.numbers == round_robin
    synced.batch = 4
    synced.run({n: str(n) for n in range(1, 5)})
    assert synced.numbers == {n: str(n) for n in range(1, 5)}


def test_a_number_that_was_given_by_hand_is_not_given_again(synced: NumberedState) -> None:
    synced.run({1: "1"})
    seats = synced.tenant.places[Kind.CANDIDATE]
    seats[who(99)] = Member("4711", candidate_id="2")
    results = synced.run({1: "1", 2: "2"})
    assert results["2"].startswith(
        "number 2 is still account p99@example.edu's, who stays: nothing is known here of that seat"
    )
    assert synced.numbers == {1: "1", 99: "2"}
    seats[who(99)] = Member("4711", candidate_id="3")
    assert synced.run({1: "1", 2: "2"}) == {}
    assert synced.numbers == {1: "1", 2: "2", 99: "3"}


def test_the_number_of_somebody_without_an_external_id_is_not_given_again(
    synced: NumberedState,
) -> None:
    synced.run({1: "1"})
    synced.tenant.unnamed_numbers = ("2",)
    results = synced.run({1: "1", 2: "2", 3: "3"})
    assert results["2"].startswith("number 2 is still somebody without an external id's, who stays")
    assert synced.numbers == {1: "1", 3: "3"}


def test_sending_a_room_does_not_give_back_a_number_that_a_hand_has_given_away(
    synced: NumberedState,
) -> None:
    synced.run({1: "1", 2: "2"})
    seats = synced.tenant.places[Kind.CANDIDATE]
    seats[who(1)], seats[who(2)] = (
        replace(seats[who(1)], candidate_id="7"),
        replace(seats[who(2)], candidate_id="1"),
    )
    results = synced.run({1: "1", 2: "2"}, learners=range(1, 9))
    assert results == {}
    assert synced.numbers == {1: "7", 2: "1"}


@pytest.mark.parametrize("failure", [REFUSED, LOST, LOST_DONE])
def test_who_gets_the_number_of_a_leaver_waits_until_it_is_certain_that_they_left(
    synced: NumberedState, failure: Outcome
) -> None:
    synced.run({1: "1"})
    synced.tenant.removing[who(1)] = failure
    results = synced.run({2: "1", 3: "3"})
    assert results["2"] == "number 1 is still 1's, who stays: they are still on the test"
    assert synced.numbers.get(2) is None
    assert synced.numbers[3] == "3"
    synced.tenant.removing.clear()
    synced.run({2: "1", 3: "3"})
    assert (synced.numbers.get(2) == "1") == (failure is not REFUSED)  # a refusal rests for a while


def test_who_stays_on_an_invalid_row_keeps_the_number(synced: NumberedState) -> None:
    synced.run({1: "1", 2: "2"})
    results = synced.run({1: "3", 2: "3", 4: "1"})
    assert results["4"] == "number 1 is still 1's, who stays: their row has an error"
    assert synced.numbers == {1: "1", 2: "2"}


def test_a_number_that_is_only_cleared_is_free_in_the_next_run(synced: NumberedState) -> None:
    synced.run({1: "1"})
    results = synced.run({1: "", 2: "1"})
    assert results["2"].startswith("number 1 is still 1's")
    assert synced.numbers == {}
    synced.run({1: "", 2: "1"})
    assert synced.numbers == {2: "1"}


LEARNERS = range(1, 7)
numbers_drawn = st.dictionaries(
    st.sampled_from(LEARNERS), st.sampled_from([None, "", "1", "2", "3", "4"]), max_size=6
)
failing = st.dictionaries(
    st.sampled_from(LEARNERS).map(who), st.sampled_from([REFUSED, LOST, LOST_DONE]), max_size=2
)
by_hand = st.dictionaries(
    st.integers(1, 9).map(who), st.sampled_from([None, "1", "2", "3", "4"]), max_size=1
)
days = st.tuples(numbers_drawn, failing, failing, by_hand, st.integers(0, 3))


@settings(deadline=None, max_examples=examples(15))
@given(st.lists(days, min_size=2, max_size=5), st.booleans())
def test_no_run_ever_makes_a_number_stand_twice(history: list[Any], readable: bool) -> None:
    with TemporaryDirectory() as folder:
        synced = NumberedState(Path(folder) / "state.db", batch=3)
        synced.tenant.unreadable = frozenset() if readable else frozenset({Kind.CANDIDATE})
        for wanted, assigning, removing, hand, at_least in history:
            seats = synced.tenant.places.setdefault(Kind.CANDIDATE, {})
            for one, number in (hand if readable else {}).items():
                seats[one] = replace(seats.get(one, Member("4711")), candidate_id=number)
            before = Counter(synced.tenant.numbers().values())

            def seen(before: Counter[str] = before) -> None:
                for number, times in Counter(synced.tenant.numbers().values()).items():
                    assert times <= max(1, before[number]), (number, synced.tenant.numbers())

            synced.tenant.seen, synced.limit = seen, Limit(at_least, 0)
            synced.tenant.assigning, synced.tenant.removing = assigning, removing
            synced.run(wanted, LEARNERS)
            seen()
