"""What the page about the state says about its tables, and the statements that it gives for them, hold."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sync.state.schema import METADATA
from sync.state.sqlite.open import open_to_write

from .pages import HELP, blocks, rows, section

PLACE = "/var/lib/inspera-sync/state.db"
STATEMENTS = [
    found[1]
    for block in blocks(HELP["state"])
    for line in block.text.splitlines()
    if (found := re.search(rf'sqlite3 (?:-readonly )?{PLACE} "([A-Z].*)"$', line))
]

OLD = """
INSERT INTO run (id, command, started, status, counts, reason)
    VALUES (1, 'apply', '2025-06-01T08:00:00Z', 'done', '{}', '');
INSERT INTO finding (run_id, type, kind, k1, k2, place, text) VALUES (1, 'held', 'learner', 'L1', '', '', 'why');
INSERT INTO intent (run_id, kind, k1, k2, action, fields, before, approved, at, outcome, message)
    VALUES (1, 'learner', 'L1', '', 'create', '{"last_name": "Eksempel"}',
            '{"last_name": "Eksempel"}', 0, '2025-06-01T08:00:00Z', 'done', 'why'),
           (1, 'learner', 'L2', '', 'create', '{"last_name": "Eksempel"}',
            '{"last_name": "Eksempel"}', 0, '2025-06-01T08:00:00Z', NULL, '');
INSERT INTO known_learner (key, lifecycle, managed, updated)
    VALUES ('L1', 'released', 1, '2025-06-01T08:00:00Z'), ('L2', 'active', 1, '2025-06-01T08:00:00Z');
INSERT INTO known_staff (key, lifecycle, managed, updated)
    VALUES ('S1', 'disabled', 1, '2025-06-01T08:00:00Z'), ('S2', 'active', 1, '2025-06-01T08:00:00Z');
INSERT INTO known_candidate (test, learner, lifecycle, managed, updated)
    VALUES ('T1', 'L1', 'retired', 1, '2025-06-01T08:00:00Z'), ('T2', 'L2', 'active', 1, '2025-06-01T08:00:00Z');
INSERT INTO known_contributor (test, staff, lifecycle, managed, updated)
    VALUES ('T1', 'S1', 'retired', 1, '2025-06-01T08:00:00Z'), ('T2', 'S2', 'active', 0, '2025-06-01T08:00:00Z');
INSERT INTO undone (kind, k1, k2, fingerprint, fields, run_id, undo_run, person, why, at)
    VALUES ('learner', 'L2', '', x'00', '{"last_name": "Eksempel"}', 1, 2, 'oncall', 'why', '2025-06-01T08:00:00Z');
INSERT INTO alias (kind, key, wanted, username) VALUES ('staff', 'S1', 'a', 'b'), ('staff', 'S2', 'c', 'd');
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A state with records of last year: people who have gone, and people who are there."""
    with open_to_write(tmp_path / "state.db", "apply"):
        pass
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as connection:
        connection.executescript(OLD)
        yield connection


def test_the_table_of_tables_names_all_of_them() -> None:
    told = [
        name
        for row in rows(section(HELP["state"], "Looking into the state"))
        for name in re.findall(r"`(\w+)`", row[0])
    ]
    assert sorted(told) == sorted([*METADATA.tables, "alembic_version"])


def test_the_statements_of_the_guide_run_and_those_that_look_change_nothing(
    state: sqlite3.Connection,
) -> None:
    before = state.total_changes
    looks = [statement for statement in STATEMENTS if statement.startswith("SELECT")]
    shown = [state.execute(statement).fetchall() for statement in looks]
    assert shown == [[("T2", 1)], [("T2", "S2", None)], []]
    assert state.total_changes == before
