"""A plan with a state in PostgreSQL needs no more than to read it, and is as long as it likes."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from sync.engine.plan import Policy
from sync.engine.run import plan_only
from sync.mapping import fingerprint
from sync.planning.limits import Limit, Limits
from sync.records.base import Kind, RowError
from sync.records.candidate import Candidate
from sync.records.changes import Action
from sync.records.kinds import Record
from sync.records.learner import Learner
from sync.records.test import Test
from sync.state.journal import Journal
from sync.state.store import Store

from .databases import Postgresql
from .journalled import START
from .worlds import NOW, World

ANY = Limit(10**6, 100)
MANY = 2_500
"""More than the server sends at a time, and few enough to be quick."""


def learner(n: int) -> Learner:
    login = f"u{n}@example.edu"
    return Learner(str(n), login, login, "FEIDE", "Åse", f"Eksempel {n}", login)


def test_somebody_who_may_only_read_can_make_a_long_plan(
    postgresql: Postgresql, tmp_path: Path
) -> None:
    with postgresql.kept(tmp_path).open() as connection:
        Store(connection, places=[], fingerprint=fingerprint)
        journal = Journal(connection, lambda: START, "apply")
        for n in range(MANY):
            journal.known.remember(Kind.LEARNER, (f"gone{n}",), {})
        journal.commit()
    rows: dict[Kind, list[Record | RowError]] = {kind: [] for kind in Kind}
    rows[Kind.LEARNER] = [learner(n) for n in range(MANY)]
    rows[Kind.TEST] = [Test("T", "T", "Øving", NOW, NOW + timedelta(hours=4), 240, "1001")]
    rows[Kind.CANDIDATE] = [Candidate("T", str(n)) for n in range(MANY)]
    with postgresql.for_reader().open_to_read() as connection:
        store = Store(connection, places=[f"{kind}.csv" for kind in Kind], fingerprint=fingerprint)
        policy = Policy(Limits(ANY, ANY, ANY), {Kind.LEARNER: "release"})
        plan_only(World(rows=rows).feeds(), store, policy, NOW, lambda *_: None)
        counts = Counter[tuple[Kind, Action]]()
        for (kind, action, _), number in store.plan.tally().items():
            counts[kind, action] += number
        lines = [line.seq for line in store.plan.read()]
    assert counts[Kind.LEARNER, Action.CREATE] == counts[Kind.CANDIDATE, Action.CREATE] == MANY
    assert counts[Kind.LEARNER, Action.RELEASE] == MANY
    assert lines == sorted(set(lines))
    assert len(lines) == counts.total()
