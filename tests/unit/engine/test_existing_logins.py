"""The exports before many new people: read by a worker, believed with reason, and never needed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sync.engine.changes_on_test import MembershipPolicy
from sync.engine.executor import Executor
from sync.engine.existing_logins import ExistingLogins
from sync.errors import CallError, CallMissing, Refused, Retry, Stop, Unknown
from sync.planning.export_need import NewPeople
from sync.records.base import Kind
from sync.records.changes import Action, PlannedChange
from sync.records.learner import Learner
from sync.records.remote import RemotePerson
from sync.state.journal import Journal
from sync.state.sqlite.open import open_to_write
from sync.state.store import Store

from ...support.tenant import NOW, FakeTenant, somebody
from .state_and_tenant import a_person, planning
from .state_with_journal import line

ABOVE = 3
OWNER = RemotePerson("u1", "owner")


class ExportingTenant(FakeTenant):
    """A tenant whose exports of a kind can be set by hand."""

    exports: dict[Kind, list[RemotePerson]]

    def export_people(self, kind: Kind, /) -> Iterator[RemotePerson]:
        self._read("export_people")
        yield from self.exports[kind]


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def tenant() -> ExportingTenant:
    made = ExportingTenant()
    made.exports = {Kind.LEARNER: [somebody(7, external_ids=())], Kind.STAFF: [OWNER]}
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_to_write(tmp_path / "state.db", "apply") as connection:
        found = Store(connection, places=[], fingerprint=lambda _: b"")
        new = {kind: NewPeople(9, ABOVE + 1) for kind in (Kind.LEARNER, Kind.STAFF)}
        plan = SimpleNamespace(new_people=lambda: new)
        yield cast("Store", SimpleNamespace(exports=found.exports, plan=plan, found=found))


def begun(store: Store, tenant: FakeTenant, notes: list[str], **more: Any) -> ExistingLogins:
    journal = more.pop("journal", None) or Journal(
        cast("Any", store).found.plan._connection, lambda: NOW, "apply"
    )
    settings = {"above": ABOVE, "learners": True, "began": NOW, **more}
    return ExistingLogins(store, journal, tenant, note=notes.append, **settings)


def read(store: Store, tenant: FakeTenant, notes: list[str], **more: Any) -> ExistingLogins:
    """The logins once all exports are read."""
    logins = begun(store, tenant, notes, **more)
    with ThreadPoolExecutor(1) as pool:
        while reading := logins.advance(pool):
            wait([reading])
    return logins


def person(n: int, kind: Kind = Kind.LEARNER, **change: Any) -> PlannedChange:
    fields = {"username": f"Login{n}", "auth_system": "FEIDE", "external_id": f"p{n}@example.edu"}
    return replace(line(kind, (str(n),), **{**fields, **change}), wave="2027-01-01")


def test_an_export_is_made_once_and_proves_who_is_new(
    store: Store, tenant: ExportingTenant, notes: list[str]
) -> None:
    existing = read(store, tenant, notes)
    assert [existing.prove_new(person(n)) for n in (6, 7, 8)] == [True, False, True]
    assert tenant.asked == ["export_people"] * 2  # of both kinds
    assert "Inspera's export of its learners is read (accounts: 1)" in notes[0]
    assert existing.prove_new(person(9, Kind.STAFF))
    assert not existing.prove_new(person(9, username=None))
    assert not existing.prove_new(person(9, action=Action.UPDATE))


def test_only_who_is_not_needed_soon_waits_and_may_be_proven(
    store: Store, tenant: ExportingTenant, notes: list[str]
) -> None:
    near = replace(person(8), wave="0")
    existing = begun(store, tenant, notes)
    assert (existing.awaits(person(8)), existing.awaits(near)) == (True, False)
    assert not existing.prove_new(person(8))
    existing = read(store, tenant, notes)
    assert not existing.awaits(person(8))
    assert (existing.prove_new(person(8)), existing.prove_new(near)) == (True, False)


@pytest.mark.parametrize("settings", [{"above": 0}, {"above": ABOVE + 1}, {"learners": False}])
def test_nothing_is_exported_unless_many_are_to_be_looked_up(
    store: Store, tenant: ExportingTenant, notes: list[str], settings: dict[str, Any]
) -> None:
    store.plan.new_people().pop(Kind.STAFF)
    assert not read(store, tenant, notes, **settings).prove_new(person(8))
    assert (tenant.asked, notes) == ([], [])


@pytest.mark.parametrize(
    "error",
    [
        CallMissing("no such call", 405),
        Refused("not allowed", 403),
        Retry("later"),
        Unknown("cut off"),
        Stop("the key was refused"),
    ],
)
def test_an_export_that_fails_is_not_ordered_again_and_everyone_is_looked_up(
    store: Store, tenant: ExportingTenant, notes: list[str], error: CallError
) -> None:
    tenant.failing["export_people"] = error
    existing = read(store, tenant, notes)
    assert not any(existing.prove_new(person(n)) or existing.awaits(person(n)) for n in (6, 8))
    assert tenant.asked == ["export_people"]
    assert "new learners and staff are looked up one by one" in notes[0]


@pytest.mark.parametrize(
    ("kind", "people", "doubt"),
    [
        (Kind.STAFF, [], "names nobody, although each tenant has an administrator"),
        (Kind.LEARNER, [RemotePerson("u2", None)] * 3, "has no login of 3 of its 3 accounts"),
        (Kind.LEARNER, [RemotePerson("u2", " "), somebody(8)], "has no login of 1 of its 2"),
        (Kind.LEARNER, [OWNER], "names nobody who is not in that of the learners, too"),
    ],
)
def test_an_export_in_doubt_proves_nothing_and_is_a_finding(
    store: Store,
    tenant: ExportingTenant,
    notes: list[str],
    kind: Kind,
    people: list[RemotePerson],
    doubt: str,
) -> None:
    tenant.exports[kind] = people
    existing = read(store, tenant, notes)
    assert not any(existing.prove_new(person(n)) for n in (6, 7, 8))
    assert doubt in notes[-1]
    assert not store.exports.has_account("owner", None, None)


def test_an_export_without_an_account_that_a_look_up_has_found_is_not_believed(
    store: Store, tenant: ExportingTenant, notes: list[str]
) -> None:
    assert read(store, tenant, notes, seen={Kind.LEARNER: ["LOGIN7"]}).prove_new(person(8))
    tenant.exports[Kind.LEARNER] = [RemotePerson("u1", "login1")]
    existing = read(store, tenant, notes, seen={Kind.STAFF: ["owner"], Kind.LEARNER: ["other"]})
    assert not existing.prove_new(person(8))
    assert "lacks an account that a look-up has found" in notes[-1]


def test_a_run_that_awaits_an_export_yields_to_another_one(tmp_path: Path) -> None:
    stop = Event()

    class Slow(FakeTenant):
        def export_people(self, _kind: Kind, /) -> Iterator[RemotePerson]:
            stop.wait(10)
            raise Retry("the run is being ended")
            yield

    rows = [Learner(str(n), **a_person(n)) for n in range(ABOVE + 1)]
    with planning(tmp_path / "state.db", rows) as (store, journal, _):
        tenant, notes = Slow(), list[str]()
        executor = Executor(
            store,
            journal,
            tenant,
            MembershipPolicy(),
            workers=1,
            stop=stop,
            clock=lambda: NOW,
            progress=lambda *_: None,
            logins=begun(store, tenant, notes, journal=journal),
            should_yield=lambda soonest: soonest() == "",
        )
        assert executor.execute(len(rows)).yielded
    assert tenant.calls == []
