"""The pairing in SQL against an oracle in plain Python, on small worlds with awkward keys."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sync.engine.planning import Policy, make_plan
from sync.guard import Limit, Limits
from sync.mapping import fingerprint
from sync.model import Kind
from sync.state.database import open_to_write
from sync.state.store import Store

from .drawing import LOCKED, worlds
from .oracle import Oracle
from .worlds import NOW, World, copied, put

ANY = Limit(10**6, 100)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty state, migrated."""
    path = tmp_path_factory.mktemp("empty") / "state.db"
    with open_to_write(path, "a test"):
        return path


def planned(world: World, path: Path) -> tuple[Counter[tuple[object, ...]], dict[object, tuple[str, str]]]:
    with open_to_write(path, "a test") as connection:
        put(connection, world)
        store = Store(connection, [f"{kind}.csv" for kind in Kind], fingerprint, {LOCKED})
        policy = Policy(Limits(ANY, ANY, ANY), {Kind.STAFF: "delete" if world.delete else "disable"})
        make_plan(world.feeds(), store, policy, NOW, lambda *_: None)
        lines = list(store.planned())
    said: dict[object, tuple[str, str]] = {
        (line.change.kind, line.change.key): (line.change.action.value, line.verdict.value) for line in lines
    }
    return Counter((line.change.kind, line.change.key) for line in lines), said


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(world=worlds())
def test_the_store_and_a_plain_oracle_draft_the_same_changes(empty: Path, world: World) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines, said = planned(world, copied(empty, Path(folder) / "state.db"))
    assert said == Oracle(world).plan()
    assert set(lines.values()) <= {1}, "a record has more than one line in the plan"
