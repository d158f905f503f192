"""The pairing in SQL against an oracle in plain Python, on small worlds with awkward keys."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from sync.engine.plan import Policy
from sync.engine.run import plan_only
from sync.mapping import fingerprint
from sync.planning.limits import Limit, Limits
from sync.records.base import Kind
from sync.state.store import Store

from ...support.examples import examples
from .databases import blank
from .drawing import worlds
from .oracle import Oracle
from .worlds import NOW, World, put

pytestmark = pytest.mark.usefixtures("database")
ANY = Limit(10**6, 100)


def planned(world: World) -> tuple[Counter[tuple[object, ...]], dict[object, tuple[str, str]]]:
    with blank() as connection:
        put(connection, world)
        store = Store(
            connection,
            places=[f"{kind}.csv" for kind in Kind],
            fingerprint=fingerprint,
        )
        policy = Policy(
            Limits(ANY, ANY, ANY), {Kind.STAFF: "delete" if world.delete else "disable"}
        )
        plan_only(world.feeds(), store, policy, NOW, lambda *_: None)
        lines = list(store.plan.read())
    said: dict[object, tuple[str, str]] = {
        (line.change.kind, line.change.key): (line.change.action.value, line.verdict.value)
        for line in lines
    }
    return Counter((line.change.kind, line.change.key) for line in lines), said


@pytest.mark.hypothesis
def test_the_store_and_a_plain_oracle_draft_the_same_changes(database: str) -> None:
    @settings(
        max_examples=examples(40 if database == "sqlite" else 8),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(world=worlds())
    def agree(world: World) -> None:
        lines, said = planned(world)
        assert said == Oracle(world).plan()
        assert set(lines.values()) <= {1}, "a record has more than one line in the plan"

    agree()
