"""The plan: what this run is to do, in order, and what does not go ahead."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from sync.planning.decide import DraftedChange
from sync.planning.export_need import NewPeople
from sync.planning.limits import HeldScope, Limits
from sync.planning.plan_size import PlanSize
from sync.planning.selection import Chosen, Selection
from sync.planning.tenant_roles import RoleGain
from sync.records.base import Key, Kind
from sync.records.changes import CALLING, Action, Cause, PlannedChange, Verdict
from sync.state.compare import (
    absence_counts,
    candidate_numbers,
    held_scopes,
    narrow,
    plan_reader,
    plan_size,
    plan_table,
    priority,
    report_reader,
    tenant_roles,
)
from sync.state.compare.reviewed import ReviewDifferences, find_differences
from sync.state.dialect import list_sql
from sync.state.sqlite.open import count

_NOT_OF_THE_SOURCE = (Cause.BEGUN, Cause.GRACE, Cause.PROTECTED, Cause.PILOT)
"""Causes that say nothing about the source: a removal deferred for one does not doubt it again."""


class StoredPlan:
    """The drafted changes, and then the closed plan."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def draft(self, drafted: Iterable[DraftedChange]) -> int:
        """Write changes with their verdicts into the draft, and return how many."""
        return plan_table.write_draft(self._connection, drafted)

    def index_draft(self) -> None:
        """Index the drafted learners and tests, so that candidates can be compared with them."""
        plan_table.index_draft(self._connection)

    def keep_needed(self, kind: Kind, by: Collection[Kind]) -> None:
        """Keep in the draft of this kind only what wanted records of the kinds in `by` need."""
        priority.keep_needed(self._connection, kind, by)

    def hold_scopes(
        self,
        limits: Limits,
        allowed: Collection[str],
        now: datetime,
        accepted: Sequence[str] = (),
    ) -> list[HeldScope]:
        """Hold each scope that is over its limit, with the removals of the last 24 hours."""
        return held_scopes.hold_scopes(self._connection, limits, allowed, now, accepted)

    def defer_numbers(self) -> None:
        """Defer changes that take a candidate number of somebody who stays on the test."""
        candidate_numbers.defer_numbers(self._connection)

    def defer_as_before(self, reasons: Collection[str]) -> None:
        """Defer in the closed plan what the last runs deferred for its number and these reasons."""
        candidate_numbers.defer_as_before(self._connection, reasons)

    def close(self) -> None:
        """Put the plan in order, and commit it."""
        plan_table.write_plan(self._connection)
        self._connection.commit()

    def narrow(self, chosen: Chosen, selection: Selection | None = None) -> int:
        """Keep in the closed plan only what is chosen and what that needs.

        Row errors that may be of the selection stay; without one, none do. Return how many other
        changes would have been sent.
        """
        return narrow.narrow(self._connection, chosen, selection)

    def compare(
        self, then: Iterable[tuple[str, str, str, str]], now: Iterable[tuple[str, str, str, str]]
    ) -> ReviewDifferences:
        """Compare a plan that was reviewed with the plan of now, by kind, key and hash."""
        return find_differences(self._connection, then, now)

    def concerns(self, held: HeldScope) -> bool:
        """Tell whether a held scope concerns a line that is left in the plan."""
        return narrow.concerns(self._connection, held)

    def read(
        self, verdict: Verdict | None = None, without: Collection[Cause] = ()
    ) -> Iterator[PlannedChange]:
        """Yield the lines of the plan in order, except those with a cause in `without`."""
        return plan_reader.read_plan(self._connection, verdict, without)

    def steps(self) -> Iterator[plan_reader.PlanStep]:
        """Yield what is to be sent as steps, in order; those of a test are neighbours."""
        return plan_reader.read_steps(self._connection)

    def read_step(self, step: plan_reader.PlanStep) -> list[PlannedChange]:
        """Return the lines of a step, in order."""
        return plan_reader.read_step(self._connection, step)

    def read_passing(self, kind: Kind) -> Iterator[PlannedChange]:
        """Yield the lines of a kind that go ahead, in order."""
        return report_reader.read_passing(self._connection, kind)

    def role_gains(self, most: int | None) -> Sequence[RoleGain]:
        """Return who gets which role for the whole tenant; the first keys, or all without `most`."""
        gains = tenant_roles.read_gains(self._connection, most)
        self._connection.commit()  # no transaction stays open while a person is asked
        return gains

    def read_stopped(self, verdict: Verdict, cause: Cause) -> Iterator[tuple[str, PlannedChange]]:
        """Yield the lines that do not go ahead for a cause, each with the reason that it shares."""
        return report_reader.read_stopped(self._connection, verdict, cause)

    def starts(self) -> Iterator[tuple[str, Action, Verdict, int]]:
        """Yield how many lines concern tests with one start, by action and verdict."""
        return report_reader.count_by_start(self._connection)

    def find(self, kind: Kind, key: Key) -> PlannedChange | None:
        """Return the line of one record; None when the plan has none."""
        return plan_reader.find_line(self._connection, kind, key)

    def groups(
        self, verdict: Verdict, most: int | None, causes: Collection[Cause] = frozenset(Cause)
    ) -> Iterator[plan_reader.ScopeGroup]:
        """Yield what does not go ahead for `causes` by its reason, each up to `most` lines.

        With `most` None, all lines.
        """
        return plan_reader.read_groups(self._connection, verdict, most, causes)

    def sample(self, kind: Kind, most: int) -> list[PlannedChange]:
        """Return up to `most` allowed creates of a kind, spread evenly over the plan."""
        return plan_reader.sample_creates(self._connection, kind, most)

    def new_people(self) -> dict[Kind, NewPeople]:
        """Return how many new people go ahead, by kind."""
        return plan_size.count_new_people(self._connection)

    def tally(self) -> dict[tuple[Kind, Action, Verdict], int]:
        """Return how many lines the plan has of each kind, action and verdict."""
        return plan_reader.count_lines(self._connection)

    def sendable(self) -> int:
        """Return how many changes that need a call the guard allows."""
        return sum(
            number
            for (_, action, verdict), number in self.tally().items()
            if verdict is Verdict.PASS and action in CALLING
        )

    def size(self, batch_size: int, security: Collection[str], *, blank: bool) -> PlanSize:
        """Return in figures what goes ahead, to estimate its calls.

        Args:
            batch_size: how many entries of a test are sent in one call.
            security: the names of security options.
            blank: whether the state knows nothing.
        """
        return plan_size.measure(self._connection, batch_size, security, blank=blank)

    def causes(self) -> dict[tuple[Verdict, Cause], int]:
        """Return how many lines of the plan do not go ahead, by verdict and cause."""
        return plan_reader.count_causes(self._connection)

    def waiting(self) -> tuple[int, int]:
        """Return how many changes wait, and how many for a test that runs or starts in 7 days."""
        return plan_reader.count_waiting(self._connection)

    def deferred_numbers(self) -> tuple[int, int]:
        """Return how many changes wait for a number, and how many for tests of the next 7 days."""
        query = f"SELECT count(*) FROM plan WHERE verdict = 'deferred' AND cause = '{Cause.NUMBER}'"
        near = f"{query} AND wave LIKE '0%'"
        return count(self._connection, query), count(self._connection, near)

    def count_absences(self, now: datetime, healthy: Collection[Kind]) -> None:
        """Count this reading for the records of these kinds that it does not contain."""
        absence_counts.count_absences(self._connection, now, healthy)

    def kinds_with_unsent_removals(self) -> set[Kind]:
        """Return the kinds of which a removal is held, or deferred for a doubt about its source.

        A begun test, the grace and the configuration say nothing about the source.
        """
        others = list_sql(_NOT_OF_THE_SOURCE)
        query = text(
            "SELECT DISTINCT kind FROM plan WHERE verdict IN ('held', 'deferred') AND cause NOT IN"
            f" ({others}) AND action IN ('remove', 'disable', 'delete', 'withdraw', 'release')"
        )
        return {Kind(row[0]) for row in self._connection.execute(query)}

    def missed(self) -> int:
        """Return how many new records are deferred, so that they are missing in Inspera."""
        return plan_reader.count_deferred_creates(self._connection)

    def refused_before(self) -> int:
        """Return how many changes are deferred because Inspera refused exactly these before."""
        query = (
            "SELECT count(*) FROM plan p JOIN barred b ON b.kind = p.kind AND b.k1 = p.k1 AND "
            "b.k2 = p.k2"
            " AND b.fingerprint = coalesce(p.fingerprint, :nothing) WHERE p.verdict = 'deferred'"
            f" AND p.cause <> '{Cause.STARTED}'"
        )
        return count(self._connection, query, nothing=b"")

    def soonest(self, after: int = 0, command: str = "") -> str:
        """Return when the soonest test begins that gains something after that line, or "".

        UTC text.

        What the last run by `command` could not add is not counted, as a person has to settle it
        first.
        """
        return priority.find_soonest_start(self._connection, after, command)
