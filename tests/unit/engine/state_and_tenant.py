"""A site whose Inspera keeps what it is sent: a state's file, sources given as records, and one apply after another."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, cast

from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.executor import Executor
from sync.engine.plan import Policy
from sync.engine.protocols import BoundSource, Feed
from sync.engine.recovery import Recovery
from sync.engine.run import plan_only
from sync.mapping import CompiledFeed, fingerprint
from sync.planning.limits import Limit, Limits
from sync.records.base import Key, Kind, Row
from sync.records.changes import Fields, Result
from sync.records.kinds import Record
from sync.state.journal import Journal
from sync.state.sqlite.open import open_to_write
from sync.state.store import Store

from ...support.opened import opened
from ...support.tenant import NOW, FakeTenant, StoringTenant

ANY = Limit(10**6, 100)
POLICY = Policy(Limits(ANY, ANY, ANY), {})
"""Nothing is held but where nobody would remain."""
START = NOW + timedelta(days=3)


def a_person(n: int) -> dict[str, Any]:
    mail = f"p{n}@example.edu"
    return {
        "username": f"login{n}",
        "external_id": mail,
        "auth_system": "FEIDE",
        "first_name": "Åse",
        "email": mail,
    }


@dataclass
class Ready:
    """Stands in for a feed's mapping: its rows are records already."""

    made: Sequence[Record]

    has_departures = False

    def at(self, _place: str) -> "Ready":
        return self

    def missing(self, _columns: object) -> list[str]:
        return []

    def map(self, row: Row) -> Record:
        return self.made[row.line]

    def origin(self, _row: Row) -> None:
        return None


def feeds(rows: Sequence[Record]) -> list[Feed]:
    def feed(kind: Kind) -> Feed:
        made = [row for row in rows if row.kind is kind]

        def read() -> Iterator[Row]:
            yield from (Row(n, {}) for n in range(len(made)))

        mapper = cast("CompiledFeed", Ready(made))
        named = kind in (Kind.CONTRIBUTOR, Kind.CANDIDATE)
        return Feed(
            kind,
            BoundSource(kind, f"{kind}.csv", opened(f"{kind}.csv", (), read)),
            mapper,
            True,
            named,
        )

    return [feed(kind) for kind in Kind if kind is not Kind.COMMITTEE]


@contextmanager
def planning(
    path: Path, rows: Sequence[Record], policy: Policy = POLICY, tenant: FakeTenant | None = None
) -> Iterator[tuple[Store, Journal, Collection[tuple[Kind, Key]]]]:
    """The state with a plan for these rows, its journal, and what is barred; with a tenant it is settled before."""
    with open_to_write(path, "apply") as connection:
        store = Store(
            connection,
            places=[feed.place for feed in feeds(rows)],
            fingerprint=fingerprint,
        )
        journal = Journal(connection, lambda: NOW - timedelta(minutes=1), "apply")
        barred: Collection[tuple[Kind, Key]] = ()
        if tenant:
            recovery = Recovery(store, journal, tenant, timedelta(0), lambda: NOW, lambda _: None)
            barred = recovery.settle().barred
        plan_only(feeds(rows), store, policy, NOW, lambda *_: None)
        yield store, journal, barred


@dataclass
class StateAndTenant:
    """A state's file and the Inspera that it is kept in step with; `run` is one apply."""

    path: Path
    tenant: StoringTenant = field(default_factory=StoringTenant)
    on_absence: Mapping[Kind, str] = field(default_factory=dict)

    def run(self, rows: Sequence[Record]) -> list[str]:
        """The calls that one apply made, as words, in order."""
        self.tenant.calls.clear()
        policy = replace(POLICY, on_absence=self.on_absence)
        with planning(self.path, rows, policy, self.tenant) as (store, journal, barred):
            self.planned = [
                (line.change.action, line.change.kind, line.verdict) for line in store.plan.read()
            ]
            carrier = Executor(
                store,
                journal,
                self.tenant,
                MembershipPolicy(),
                workers=1,
                stop=Event(),
                clock=lambda: NOW,
                progress=lambda *_: None,
                barred=barred,
            )
            self.carried = carrier.execute(len(self.planned))
            for result in (Result.HELD, Result.DEFERRED, Result.WAITING):
                with_cause = sum(
                    n for (of, cause), n in self.carried.causes.items() if of is result and cause
                )
                assert with_cause == self.carried.count(result)
            journal.lapse()
            journal.promote_silent()
            journal.end("done", 0, {})
        return [word for word, _ in self.tenant.calls]

    def known(self, kind: Kind, *key: str) -> Fields | None:
        """What is known of one record."""
        with planning(self.path, ()) as (store, _, _):
            return store.known.find(kind, key)
