"""Gathers, in SQL, what decisions rest on: who vanished, who looks like whom, when each test begins and ends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Kind, utc_text, utc_time
from sync.records.kinds import KEY_FIELDS, ON_A_TEST, PEOPLE
from sync.state.dialect import analyse, create_index, folded, insert, streamed
from sync.state.refusals import PAUSES
from sync.state.staging.scratch import chunks

AT_HAND = timedelta(days=1)
"""What tests that start within this time, or are under way, need is sent first of all."""

SOON = timedelta(days=7)
"""What tests that start within this time need is sent before anything else."""


HELD = 2
"""In `test_window.unsettled`: the new times of the test are held, so the known ones count."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a test runs, by the times that may hold: the earliest start, the latest end and the longest extra time."""

    start: str
    ends: str
    begun: bool
    ended: bool


def gather_windows(connection: Connection, now: datetime, *, leave_out: bool = True) -> None:
    """Fills the workspace's tables of open intents, test windows and of who and what no feed names any more.

    Args:
        connection: state and workspace, with everything wanted staged and indexed.
        now: aware; what has begun or ended is judged by it.
        leave_out: whether tests that had ended before they were ever sent are left out.
    """
    connection.execute(
        text(
            "INSERT INTO open_record SELECT kind, k1, k2, fields FROM intent WHERE id IN"
            " (SELECT max(id) FROM intent WHERE outcome IS NULL GROUP BY kind, k1, k2)"
        )
    )
    create_index(connection, "ix_open", "open_record (kind, k1, k2)")
    _windows(connection, now, leave_out=leave_out)
    for kind in (*PEOPLE, Kind.TEST):
        _vanished(connection, kind)
    for kind in ON_A_TEST:
        _missing(connection, kind)
    create_index(connection, "ix_vanished", "vanished (kind, key)")
    create_index(connection, "ix_missing", "missing (kind, k1, k2)")
    analyse(connection, "vanished", "missing")


def gather_circumstances(
    connection: Connection, now: datetime, trouble: Mapping[Kind, str]
) -> None:
    """Fills the workspace's tables of suspect and refused records, and says which tests retire.

    Args:
        connection: state and workspace, the windows gathered.
        now: aware.
        trouble: for each kind why absence proves nothing in this run; kinds without trouble are left out.
    """
    for kind in (*PEOPLE, Kind.TEST):
        _unsure(connection, kind)
    create_index(connection, "ix_unsure", "unsure (kind, key)")
    analyse(connection, "unsure")
    _suspects(connection)
    if Kind.TEST not in trouble:
        _retire(connection)
    _barred(connection, now)


_SOON_FOR = """EXISTS (SELECT 1 FROM wanted_{on} c JOIN test_window w ON w.test = c.test
    WHERE c.{person} = r.k1 AND w.wave LIKE '0%')"""
_SOON = f"""CASE r.kind WHEN 'learner' THEN {_SOON_FOR.format(on="candidate", person="learner")}
    WHEN 'staff' THEN {_SOON_FOR.format(on="contributor", person="staff")}
    ELSE EXISTS (SELECT 1 FROM test_window w WHERE w.test = r.k1 AND w.wave LIKE '0%') END"""


def _barred(connection: Connection, now: datetime) -> None:
    """What was refused and whose time to be tried again has not come.

    A test may have come near since: what it needs rests for the shortest pause, whatever was foreseen then.
    """
    connection.execute(
        text(
            "INSERT INTO barred SELECT kind, k1, k2, fingerprint, 'refused before: ' || message || '; tried again'"
            " || ' after ' || again || ', when its row changes, or by `apply --retry-refused`' FROM refused r"
            f" WHERE again > :now AND NOT (last <= :rested AND {_SOON})"
        ),
        {"now": utc_text(now), "rested": utc_text(now - PAUSES[0])},
    )
    create_index(connection, "ix_barred", "barred (kind, k1, k2)")
    analyse(connection, "barred")


def _vanished(connection: Connection, kind: Kind) -> None:
    connection.execute(
        text(
            f"INSERT INTO vanished SELECT :kind, k.key, {folded(connection, 'k.key')} FROM known_{kind} k"
            f" WHERE NOT EXISTS (SELECT 1 FROM wanted_{kind} w WHERE w.key = k.key)"
            " AND NOT EXISTS (SELECT 1 FROM row_error f WHERE f.kind = :kind AND f.k1 = k.key)"
        ),
        {"kind": kind},
    )


def _missing(connection: Connection, kind: Kind) -> None:
    """What is known on tests, still kept in step, and named by no feed and no row error.

    What was retired with its test is among it again once the test has not ended by the times of now: those of then were
    wrong, or somebody has corrected the clock (semantics 35).
    """
    part = KEY_FIELDS[kind][1]
    came_back = (
        "SELECT 1 FROM test_window tw WHERE tw.test = k.test AND tw.ended = 0 AND tw.start <> ''"
    )
    connection.execute(
        text(
            f"INSERT INTO missing SELECT :kind, k.test, k.{part} FROM known_{kind} k"
            f" WHERE (k.standing = 'active' OR (k.standing = 'retired' AND EXISTS ({came_back})))"
            f" AND NOT EXISTS (SELECT 1 FROM wanted_{kind} w WHERE w.test = k.test AND w.{part} = k.{part})"
            f" AND NOT EXISTS (SELECT 1 FROM row_error f WHERE f.kind = :kind AND f.k1 = k.test AND f.k2 = k.{part})"
        ),
        {"kind": kind},
    )


def _unsure(connection: Connection, kind: Kind) -> None:
    # where only changes were read, whom they don't name may have vanished, and a new key may be theirs
    connection.execute(
        text(
            f"INSERT INTO unsure SELECT :kind, k.key, {folded(connection, 'k.key')} FROM known_{kind} k"
            " JOIN stale s ON s.kind = :kind AND s.k1 = k.key UNION ALL"
            " SELECT kind, key, folded FROM vanished WHERE kind = :kind"
        ),
        {"kind": kind},
    )


_SAME_PERSON = (
    "k.email = w.email AND k.first_name = w.first_name AND k.last_name = w.last_name",
    # under a new key it is still the same account: its new seats would go with the old ones
    "k.username = w.username",
    "k.external_id = w.external_id AND k.auth_system = w.auth_system",
)
_SAME_LOOKS = {
    Kind.LEARNER: _SAME_PERSON,
    Kind.STAFF: _SAME_PERSON,
    Kind.TEST: (
        "k.title = w.title AND k.start = w.start AND k.standing <> 'retired'",
        "k.external_test_id = w.external_test_id",
    ),
}


def _suspects(connection: Connection) -> None:
    """New records that look like vanished ones: same names and email, title and start, account, or key but for case."""
    for kind, looks in _SAME_LOOKS.items():
        if not connection.execute(
            text("SELECT 1 FROM unsure WHERE kind = :kind LIMIT 1"), {"kind": kind}
        ).first():
            continue
        arrived = (
            f"FROM wanted_{kind} w {{join}} WHERE NOT EXISTS (SELECT 1 FROM known_{kind} n WHERE n.key = w.key)"
            " AND NOT EXISTS (SELECT 1 FROM accepted a WHERE a.kind = :kind AND a.k1 = w.key)"
        )
        by_looks = " UNION SELECT w.key, v.key ".join(
            arrived.format(
                join=f"JOIN known_{kind} k ON {same} JOIN unsure v ON v.kind = :kind AND v.key = k.key"
            )
            for same in looks
        )
        by_case = arrived.format(
            join=f"JOIN unsure v ON v.kind = :kind AND v.folded = {folded(connection, 'w.key')}"
        )
        connection.execute(
            text(
                "INSERT INTO suspect SELECT :kind, new_key, old_key FROM (SELECT w.key AS new_key, v.key AS old_key"
                f" {by_looks} UNION SELECT w.key, v.key {by_case}"
                " UNION SELECT new_key, old_key FROM reused WHERE kind = :kind) AS found"
            ),
            {"kind": kind},
        )
    create_index(connection, "ix_suspect_new", "suspect (kind, new_key)")
    create_index(connection, "ix_suspect_old", "suspect (kind, old_key)")
    analyse(connection, "suspect")


_TESTS = """
SELECT t.key, k.key AS is_known, k.start AS known_start, k.end AS known_end,
       w.start AS wanted_start, w.end AS wanted_end,
       o.fields AS tried, kc.longest AS known_longest, wc.longest AS wanted_longest
FROM (SELECT key FROM known_test UNION SELECT key FROM wanted_test) t
LEFT JOIN known_test k ON k.key = t.key
LEFT JOIN wanted_test w ON w.key = t.key
LEFT JOIN open_record o ON o.kind = 'test' AND o.k1 = t.key
LEFT JOIN (SELECT test, max(extra_time) AS longest FROM known_candidate WHERE extra_time > 0 GROUP BY test) kc
    ON kc.test = t.key
LEFT JOIN (SELECT test, max(extra_time) AS longest FROM wanted_candidate WHERE extra_time > 0 GROUP BY test) wc
    ON wc.test = t.key
"""


def _retire(connection: Connection) -> None:
    """A test that has ended and that no feed names any more is retired."""
    connection.exec_driver_sql(
        "UPDATE test_window SET retiring = 1 WHERE ended = 1 AND test IN (SELECT key FROM known_test)"
        " AND test NOT IN (SELECT key FROM wanted_test) AND test NOT IN (SELECT k1 FROM row_error WHERE kind = 'test'"
        " AND k1 IS NOT NULL)"
    )


def note_unsettled(connection: Connection) -> None:
    """Note the tests of which it is not settled when they are. Needs the tests drafted.

    A person must look at their new times, or they have ended by times that change now: nobody leaves them meanwhile.
    """
    updated = "SELECT k1 FROM draft WHERE kind = 'test' AND action = 'update'"  # the draft has no index yet
    connection.exec_driver_sql(
        f"UPDATE test_window SET unsettled = 1 WHERE ended = 1 AND test IN ({updated})"
    )
    connection.exec_driver_sql(
        f"UPDATE test_window SET unsettled = {HELD} WHERE test IN ({updated} AND cause = 'times')"
    )


def _windows(connection: Connection, now: datetime, *, leave_out: bool) -> None:
    columns = ("test", "start", "ends", "begun", "ended", "wave", "unsent")
    for chunk in chunks(streamed(connection, _TESTS)):
        rows: list[tuple[object, ...]] = []
        for test in chunk:
            window = _window(test, now)
            when = (window.start, window.ends, int(window.begun), int(window.ended))
            unsent = leave_out and window.ended and test.is_known is None and not test.tried
            rows.append((test.key, *when, _wave(test, window, now), int(unsent)))
        insert(connection, "test_window", columns, rows, retiring=0, unsettled=0)
    analyse(connection, "test_window")


def _window(test: Any, now: datetime) -> Window:
    if test.known_start and test.known_end and not test.tried:
        starts, ends = [test.known_start], [test.known_end]
    else:
        tried = json.loads(test.tried) if test.tried else {}
        starts = [
            time for time in (test.known_start, test.wanted_start, tried.get("start")) if time
        ]
        ends = [time for time in (test.known_end, test.wanted_end, tried.get("end")) if time]
    start, end = min(starts, default=""), max(ends, default="")
    if not start or not end:
        return Window(start, end, begun=False, ended=False)
    longest = max(test.known_longest or 0, test.wanted_longest or 0)
    last = utc_text(utc_time(end) + timedelta(minutes=longest))
    return Window(start, last, begun=start <= utc_text(now), ended=last <= utc_text(now))


def _wave(test: Any, window: Window, now: datetime) -> str:
    """The place of what this test needs in the order of sending: `0` at hand, `0 week` soon, its date, the rest."""
    start = test.wanted_start or window.start
    if not start or window.ended:
        return "9999"
    if start <= utc_text(now + AT_HAND):
        return "0"
    return "0 week" if start <= utc_text(now + SOON) else str(start[:10])
