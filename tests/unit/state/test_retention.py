"""What is old is deleted at the end of a run, in steps; what something still needs is kept."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, text
from sync.records.base import Kind
from sync.records.changes import Action, Outcome, Result
from sync.state import retention
from sync.state.audit.reader import verify
from sync.state.journal import Journal
from sync.state.retention import Retention, prune

from .databases import blank
from .journalled import START, line

pytestmark = pytest.mark.usefixtures("database")
YEAR = timedelta(days=365)


def run(state: Connection, at: datetime, *keys: str) -> None:
    """Do a run with a finding that sends these learners."""
    journal = Journal(state, lambda: at, "apply")
    journal.find("held", Kind.LEARNER, ("1",), "", "why")
    for key in keys:
        one = line((Kind.LEARNER, (key,)), Action.CREATE)
        (intent,) = journal.intend([one])
        journal.record([(intent, one, Outcome(Result.DONE))])
    journal.end("done", 0, {})


def counts(state: Connection) -> tuple[int, ...]:
    return tuple(
        int(state.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
        for table in ("run", "intent", "finding", "audit")
    )


def test_what_is_old_goes_and_the_audit_log_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    with blank() as state:
        run(state, START, "1001", "1002", "1003")
        run(state, START + YEAR, "1004")
        deleted = prune(state, Retention(YEAR / 2, YEAR / 2, YEAR / 2), START + YEAR)
        assert deleted == {"finding": 1, "intent": 3, "run": 1}
        assert counts(state) == (1, 1, 1, 4)
        assert verify(state)[0] is None


def test_a_run_with_a_journal_stays_and_so_does_the_newest() -> None:
    with blank() as state:
        run(state, START, "1001")
        run(state, START, "1002")
        later = START + 2 * YEAR
        assert prune(state, Retention(runs=YEAR, findings=YEAR), later) == {"finding": 1}
        assert prune(state, Retention(), later) == {}
        assert prune(state, Retention(YEAR, YEAR, YEAR), later) == {"intent": 1, "run": 1}
        assert counts(state)[:3] == (1, 1, 1)


def test_a_call_without_an_outcome_stays() -> None:
    with blank() as state:
        Journal(state, lambda: START, "apply").intend(
            [line((Kind.LEARNER, ("1001",)), Action.CREATE)]
        )
        run(state, START, "1002")
        assert prune(state, Retention(journal=YEAR), START + 2 * YEAR) == {}


def test_those_who_left_go_with_their_places() -> None:
    with blank() as state:
        run(state, START, "1001", "1002")
        state.execute(text("UPDATE known_learner SET lifecycle = 'released' WHERE key = '1001'"))
        state.execute(text("INSERT INTO alias VALUES ('learner', '1001', 'a', 'b')"))
        gone = {"known_learner": 1, "alias": 1}
        assert prune(state, Retention(departed=YEAR), START + 2 * YEAR) == gone
        left = state.execute(text("SELECT key FROM known_learner")).scalars().all()
        assert left == ["1002"]
