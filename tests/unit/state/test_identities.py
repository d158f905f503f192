"""What Inspera identifies by has one bearer, on each database: whatever is wanted and known."""

import pytest
from hypothesis import HealthCheck, given, settings
from sync.engine.plan import Policy
from sync.engine.run import plan_only
from sync.mapping import fingerprint
from sync.planning.limits import Limit, Limits
from sync.records.base import Kind
from sync.records.changes import Action, Verdict
from sync.records.learner import Learner
from sync.records.staff import Staff
from sync.records.test import Test
from sync.state.store import Store

from ...support.examples import examples
from .databases import blank
from .drawing import worlds
from .worlds import NOW, Identity, World, put

pytestmark = pytest.mark.usefixtures("database")
ANY = Limit(10**6, 100)
SENT = (Action.CREATE, Action.UPDATE, Action.ENABLE)


def names(kind: Kind, fields: dict[str, object]) -> set[tuple[str, ...]]:
    """Under what Inspera knows a record."""
    if kind is Kind.TEST:
        return {("test", str(fields["external_test_id"]).casefold())}
    external_id = (str(fields["auth_system"]), str(fields["external_id"]).casefold())
    return {("login", str(fields["username"]).casefold()), ("id", *external_id)}


def read_passing(world: World) -> dict[Identity, set[tuple[str, ...]]]:
    """Return the people and tests that pass, with their names in Inspera."""
    with blank() as connection:
        put(connection, world)
        store = Store(
            connection,
            places=[f"{kind}.csv" for kind in Kind],
            fingerprint=fingerprint,
        )
        plan_only(world.feeds(), store, Policy(Limits(ANY, ANY, ANY), {}), NOW, lambda *_: None)
        changes = [
            line.change for line in store.plan.read(Verdict.PASS) if line.change.action in SENT
        ]
    people = (Kind.LEARNER, Kind.STAFF, Kind.TEST)
    return {
        (one.kind, one.key): names(one.kind, dict(one.after))
        for one in changes
        if one.kind in people
    }


@pytest.mark.hypothesis
def test_what_is_sent_never_holds_two_records_of_one_identity_nor_one_that_another_is_known_by(
    database: str,
) -> None:
    @settings(
        max_examples=examples(30 if database == "sqlite" else 6),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(world=worlds())
    def hold(world: World) -> None:
        passing = read_passing(world)
        for one, mine in passing.items():
            others = {other: theirs for other, theirs in passing.items() if other != one}
            assert not any(mine & theirs for theirs in others.values())
            if one not in world.known:
                known = {
                    other: names(other[0], fields)
                    for other, fields in world.known.items()
                    if other[0] in _NAMED
                }
                assert not any(mine & theirs for theirs in known.values())

    hold()


_NAMED = (Kind.LEARNER, Kind.STAFF, Kind.TEST)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("straße", "STRASSE", True),
        ("ΟΔΟΣ", "οδος", True),
        ("Åse", "ÅSE", True),
        ("kırk", "kirk", False),
        ("ase", "åse", False),
        ("a", "a ", False),
    ],
)
def test_case_is_no_difference_in_any_script(one: str, other: str, same: bool) -> None:
    with blank() as connection:
        store = Store(connection, places=["a.csv", "b.csv", "c.csv"], fingerprint=fingerprint)
        store.staging.stage(Kind.LEARNER, 0, [(Learner("1", one), None, 2)])
        store.staging.stage(Kind.STAFF, 1, [(Staff("1", other), None, 2)])
        store.staging.stage(Kind.TEST, 2, [(Test("1", one), None, 2), (Test("2", other), None, 3)])
        store.staging.close()
        found = [(row_error.where, row_error.field) for row_error in store.staging.row_errors()]
    places = [("a.csv line 2", "username"), ("b.csv line 2", "username")]
    tests = [("c.csv line 2", "external_test_id"), ("c.csv line 3", "external_test_id")]
    assert sorted(found) == (places + tests if same else [])
