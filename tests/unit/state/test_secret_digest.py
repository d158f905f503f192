"""Pins and quit codes: a change is noticed, and none is stored except where it is sent from."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sync.engine.plan import Policy
from sync.engine.run import plan_only
from sync.errors import StateError
from sync.mapping import fingerprint
from sync.planning.limits import Limits
from sync.records.base import DIGEST_PREFIX, Kind, RowError
from sync.records.changes import Action, Outcome, PlannedChange, Result
from sync.records.kinds import Record
from sync.records.option import Option
from sync.records.test import Test
from sync.state.journal import Journal
from sync.state.secret_digest import KEY_BYTES, load_digest_key
from sync.state.sqlite.open import open_to_write
from sync.state.store import Store

from .worlds import NOW, World

PIN, OTHER_PIN = "marker7531pin", "marker8642pin"
OPTION = "SEB_SETTINGS_PINCODE"
HOURS = NOW.replace(year=2027)


@contextmanager
def planning(
    path: Path, pin: str | None, *, unmapped: bool = False
) -> Iterator[tuple[Connection, Store]]:
    """Make a plan for a test with this pin, in the state at this path."""
    rows: dict[Kind, list[Record | RowError]] = {kind: [] for kind in Kind}
    rows[Kind.TEST] = [Test("T", "x1", "Øving", HOURS, HOURS.replace(hour=12), 60)]
    rows[Kind.OPTION] = [] if unmapped else [Option("T", OPTION, secret=pin)]
    with open_to_write(path, "apply") as connection:
        store = Store(
            connection,
            places=[f"{kind}.csv" for kind in Kind],
            fingerprint=fingerprint,
            digest_key=load_digest_key(path, write=True),
        )
        plan_only(World(rows=rows).feeds(), store, Policy(Limits(), {}), NOW, lambda *_: None)
        yield connection, store


def the_option(store: Store) -> PlannedChange | None:
    return store.plan.find(Kind.OPTION, ("T", OPTION))


def carried_out(connection: Connection, store: Store) -> None:
    """Everything that is planned is done."""
    journal = Journal(connection, lambda: NOW, "apply")
    lines = list(store.plan.read())
    intents = journal.intend(lines)
    journal.record(
        [
            (i, one, Outcome(Result.DONE, remote_id="9"))
            for i, one in zip(intents, lines, strict=True)
        ]
    )
    journal.end("done", 0, {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def holding(connection: Connection, marker: str) -> set[str]:
    """Every column of the state and its scratch in which some row holds this."""
    found = set()
    for schema in ("main", "scratch"):
        tables = connection.execute(
            text(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table'")
        ).scalars()
        for table in tables.fetchall():
            for row in connection.execute(text(f"SELECT * FROM {schema}.{table}")).mappings():
                found |= {
                    f"{schema}.{table}.{name}"
                    for name, value in row.items()
                    if marker in str(value)
                }
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


def test_a_pin_is_a_digest_in_the_plan_and_in_what_is_known(path: Path) -> None:
    with planning(path, PIN) as (connection, store):
        line = the_option(store)
        carried_out(connection, store)
        known = store.known.find(Kind.OPTION, ("T", OPTION))
    assert line is not None
    assert known is not None
    assert str(known["value"]).startswith(DIGEST_PREFIX)
    assert line.change.after["value"] == known["value"]


def test_the_same_pin_is_no_change_and_another_is(path: Path) -> None:
    with planning(path, PIN) as (connection, store):
        carried_out(connection, store)
    with planning(path, PIN) as (_, store):
        assert the_option(store) is None
    with planning(path, OTHER_PIN) as (_, store):
        line = the_option(store)
    assert line is not None
    assert (line.change.action, line.change.changed, line.secret) == (
        Action.UPDATE,
        ("value",),
        OTHER_PIN,
    )


@pytest.mark.parametrize("unmapped", [False, True])
def test_a_pin_that_is_blank_or_gone_leaves_inspera_alone(path: Path, unmapped: bool) -> None:
    with planning(path, PIN) as (connection, store):
        carried_out(connection, store)
    with planning(path, None, unmapped=unmapped) as (_, store):
        assert the_option(store) is None


def digested(path: Path) -> tuple[object, object]:
    """Return the digest and the fingerprint of the pin in a plan with this state.

    Nothing is carried out.
    """
    with planning(path, PIN) as (_, store):
        line = the_option(store)
    assert line is not None
    return line.change.after["value"], line.fingerprint


def key_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.key")


def test_another_state_makes_another_digest_of_the_same_pin(tmp_path: Path) -> None:
    one, two = digested(tmp_path / "one.db"), digested(tmp_path / "two.db")
    assert one[0] != two[0]
    assert one[1] != two[1]


def test_a_copy_of_the_state_alone_gives_no_digest_and_with_its_key_the_same(
    path: Path, tmp_path: Path
) -> None:
    before = digested(path)
    for name, with_key in (("alone", False), ("whole", True)):
        (tmp_path / name).mkdir()
        copy = Path(shutil.copy(path, tmp_path / name))
        if with_key:
            shutil.copy(key_of(path), tmp_path / name)
        assert (digested(copy) == before) is with_key


def test_the_state_itself_holds_nothing_of_the_key(path: Path) -> None:
    with planning(path, PIN) as (connection, store):
        carried_out(connection, store)
    key = key_of(path).read_bytes()
    others = [file for file in path.parent.iterdir() if file != key_of(path)]
    assert path in others
    assert not [
        file
        for file in others
        if key in file.read_bytes() or key.hex().encode() in file.read_bytes()
    ]


def test_without_its_key_a_state_knows_no_pin_again_until_it_was_sent_once_more(path: Path) -> None:
    with planning(path, PIN) as (connection, store):
        carried_out(connection, store)
    key_of(path).unlink()
    with planning(path, PIN) as (connection, store):
        line = the_option(store)
        assert line is not None
        assert (line.change.action, line.change.changed, line.secret) == (
            Action.UPDATE,
            ("value",),
            PIN,
        )
        carried_out(connection, store)
    with planning(path, PIN) as (_, store):
        assert the_option(store) is None


def test_a_key_is_made_once_for_its_owner_alone_and_kept(path: Path) -> None:
    before = os.umask(0)
    try:
        key = load_digest_key(path, write=True)
    finally:
        os.umask(before)
    assert [file.name for file in path.parent.iterdir()] == ["state.db.key"]
    assert stat.S_IMODE(key_of(path).stat().st_mode) == 0o600
    assert len(key) == KEY_BYTES
    assert (
        load_digest_key(path, write=True)
        == load_digest_key(path, write=False)
        == key
        == key_of(path).read_bytes()
    )


def test_anyone_who_only_reads_makes_no_key_and_gets_another_one_each_time(path: Path) -> None:
    assert load_digest_key(path, write=False) != load_digest_key(path, write=False)
    assert list(path.parent.iterdir()) == []


def test_a_key_that_others_may_read_is_closed_by_anyone_who_writes(path: Path) -> None:
    key = load_digest_key(path, write=True)
    key_of(path).chmod(0o644)
    assert load_digest_key(path, write=False) == key
    assert stat.S_IMODE(key_of(path).stat().st_mode) == 0o644
    assert load_digest_key(path, write=True) == key
    assert stat.S_IMODE(key_of(path).stat().st_mode) == 0o600


def test_a_key_that_was_half_written_under_its_other_name_is_in_nobodys_way(path: Path) -> None:
    half = path.with_name("state.db.key.new")
    half.write_bytes(b"half")
    assert len(load_digest_key(path, write=True)) == KEY_BYTES
    assert not half.exists()


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("size", [0, KEY_BYTES - 1, KEY_BYTES + 1, 100_000])
def test_a_file_that_is_no_key_is_named_with_what_to_do_and_left_as_it_is(
    path: Path, size: int, write: bool
) -> None:
    key_of(path).write_bytes(b"k" * size)
    with pytest.raises(
        StateError,
        match=r"state\.db\.key: this is not a key of secret digests.*; put back a copy of it, or",
    ):
        load_digest_key(path, write=write)
    assert key_of(path).read_bytes() == b"k" * size


def test_a_key_that_cannot_be_read_is_named_with_what_to_do(path: Path) -> None:
    key_of(path).mkdir()
    with pytest.raises(
        StateError,
        match=r"state\.db\.key: the key of the secret digests cannot be used \(.+\); let the user",
    ):
        load_digest_key(path, write=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_key_that_cannot_be_made_is_named_with_what_to_do(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        with pytest.raises(StateError, match="Permission denied"):
            load_digest_key(path, write=True)
    finally:
        path.parent.chmod(0o700)
