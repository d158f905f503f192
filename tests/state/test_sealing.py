"""Pins and quit codes: a changed one is noticed, and none is kept anywhere but where the call takes it from."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sync.engine.planning import Policy, make_plan
from sync.guard import Limits
from sync.mapping import fingerprint
from sync.model import SEALED, Fault, Kind, Option, Record, Test
from sync.plan import Action, Outcome, Planned, Result
from sync.state.database import open_to_write
from sync.state.journal import Journal
from sync.state.store import Store

from .worlds import NOW, World

PIN, OTHER_PIN = "marker7531pin", "marker8642pin"
OPTION = "SEB_SETTINGS_PINCODE"
HOURS = NOW.replace(year=2027)


@contextmanager
def planning(path: Path, pin: str | None, *, unmapped: bool = False) -> Iterator[tuple[Connection, Store]]:
    """A plan for a test whose pin this is, in the state at this path."""
    rows: dict[Kind, list[Record | Fault]] = {kind: [] for kind in Kind}
    rows[Kind.TEST] = [Test("T", "x1", "Øving", HOURS, HOURS.replace(hour=12), 60)]
    rows[Kind.OPTION] = [] if unmapped else [Option("T", OPTION, secret=pin)]
    with open_to_write(path, "apply") as connection:
        store = Store(connection, [f"{kind}.csv" for kind in Kind], fingerprint)
        make_plan(World(rows=rows).feeds(), store, Policy(Limits(), {}), NOW, lambda *_: None)
        yield connection, store


def the_option(store: Store) -> Planned | None:
    return store.planned_for(Kind.OPTION, ("T", OPTION))


def carried_out(connection: Connection, store: Store) -> None:
    """Everything that is planned is done."""
    journal = Journal(connection, lambda: NOW, "apply")
    lines = list(store.planned())
    intents = journal.intend(lines)
    journal.record([(i, one, Outcome(Result.DONE, remote_id="9")) for i, one in zip(intents, lines, strict=True)])
    journal.end("done", 0, {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def holding(connection: Connection, marker: str) -> set[str]:
    """Every column of the state and its scratch in which some row holds this."""
    found = set()
    for schema in ("main", "scratch"):
        tables = connection.execute(text(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table'")).scalars()
        for table in tables.fetchall():
            for row in connection.execute(text(f"SELECT * FROM {schema}.{table}")).mappings():
                found |= {f"{schema}.{table}.{name}" for name, value in row.items() if marker in str(value)}
    return found


def test_a_pin_is_nowhere_but_where_its_call_takes_it_from(path: Path) -> None:
    with planning(path, PIN) as (connection, store):
        line = the_option(store)
        assert line is not None
        assert line.secret == PIN
        carried_out(connection, store)
        held = holding(connection, PIN)
    assert held == {f"scratch.{table}.secret" for table in ("wanted_option", "draft", "plan")}
    assert PIN not in repr(line)
    assert not [file for file in path.parent.iterdir() if PIN.encode() in file.read_bytes()]


def test_a_pin_stands_sealed_in_the_plan_and_in_what_is_known(path: Path) -> None:
    with planning(path, PIN) as (connection, store):
        line = the_option(store)
        carried_out(connection, store)
        known = store.known(Kind.OPTION, ("T", OPTION))
    assert line is not None
    assert known is not None
    assert str(known["value"]).startswith(SEALED)
    assert line.change.after["value"] == known["value"]


def test_the_same_pin_is_no_change_and_another_is(path: Path) -> None:
    with planning(path, PIN) as (connection, store):
        carried_out(connection, store)
    with planning(path, PIN) as (_, store):
        assert the_option(store) is None
    with planning(path, OTHER_PIN) as (_, store):
        line = the_option(store)
    assert line is not None
    assert (line.change.action, line.change.changed, line.secret) == (Action.UPDATE, ("value",), OTHER_PIN)


@pytest.mark.parametrize("unmapped", [False, True])
def test_a_pin_that_is_blank_or_gone_leaves_inspera_alone(path: Path, unmapped: bool) -> None:
    with planning(path, PIN) as (connection, store):
        carried_out(connection, store)
    with planning(path, None, unmapped=unmapped) as (_, store):
        assert the_option(store) is None


def test_another_state_seals_the_same_pin_otherwise(tmp_path: Path) -> None:
    sealed = []
    for name in ("one.db", "two.db"):
        with planning(tmp_path / name, PIN) as (_, store):
            line = the_option(store)
        assert line is not None
        sealed.append((line.change.after["value"], line.fingerprint))
    assert sealed[0][0] != sealed[1][0]
    assert sealed[0][1] != sealed[1][1]
