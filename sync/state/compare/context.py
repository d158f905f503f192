"""The facts behind decisions, collected in SQL: vanished records, look-alikes, times of tests."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from sync.planning.absence import AbsenceDoubt
from sync.planning.freeze import TimeRules
from sync.records.base import Kind, utc_text, utc_time
from sync.records.changes import Cause
from sync.records.kinds import KEY_FIELDS, ON_A_TEST, PEOPLE
from sync.state import traits, undone
from sync.state.compare import zeros
from sync.state.dialect import analyse, create_index, insert, lower_sql, stream
from sync.state.refusals import PAUSES
from sync.state.staging.scratch import chunks
from sync.state.traits import ARCHIVED, PARENT

FIRST_WAVE = timedelta(days=1)
"""How soon before its start what a test needs is sent before all else (rules 19)."""

SECOND_WAVE = timedelta(days=7)
"""How soon before its start what a test needs comes next; then the others by date (rules 19)."""


RulesOf = Callable[[int | None, int | None, int | None], TimeRules]
"""A function that returns the rules of a test's times.

Its arguments are the number of the test's feed, and the test's own freeze before the start and
after the end, in seconds; None for the usual ones.
"""

OTHER_TIMES, HELD = 1, 2
"""In `test_window.unsettled`: the test has ended by times that change in this run; its new times
are held, so the known ones count."""

WINDOW = (
    f"tw.start AS tw_start, CASE WHEN tw.unsettled = {OTHER_TIMES} THEN '' ELSE tw.ends END"
    " AS tw_ends, tw.feed AS tw_feed, tw.before AS tw_before, tw.after AS tw_after,"
    " tw.archived AS tw_archived, tw.parent AS tw_parent"
)
"""The columns of a test's window (`tw`) by which its times are judged. Known times that change in
this run do not make it ended."""

REJECTED = 3
"""In `test_window.unsettled`: a person has rejected its new times, so the known ones are right."""


@dataclass(frozen=True, slots=True)
class Window:
    """The times of a test that may hold: earliest start, latest end and longest extra time."""

    start: str
    ends: str
    begun: bool
    ended: bool


def fill_test_windows(
    connection: Connection, now: datetime, rules_of: RulesOf, *, leave_out: bool = True
) -> None:
    """Fill the workspace's tables of open intents, test windows and records that no feed names.

    Args:
        connection: state and workspace, with everything wanted staged and indexed.
        now: aware; what has begun or ended is judged by it.
        rules_of: returns the rules of a test's times.
        leave_out: whether to leave out tests that had ended before they were ever sent (rules 35).
    """
    connection.execute(
        text(
            "INSERT INTO open_record SELECT kind, k1, k2, fields FROM intent WHERE id IN"
            " (SELECT max(id) FROM intent WHERE outcome IS NULL GROUP BY kind, k1, k2)"
        )
    )
    create_index(connection, "ix_open", "open_record (kind, k1, k2)")
    _fill_windows(connection, now, rules_of, leave_out=leave_out)
    for kind in (*PEOPLE, Kind.TEST):
        _fill_vanished(connection, kind)
    for kind in ON_A_TEST:
        _fill_missing(connection, kind)
    create_index(connection, "ix_vanished", "vanished (kind, key)")
    create_index(connection, "ix_missing", "missing (kind, k1, k2)")
    analyse(connection, "vanished", "missing")


def fill_windows_alone(connection: Connection, now: datetime, rules_of: RulesOf) -> None:
    """Fill the table of test windows for a plan that rests on no source. `now` is aware."""
    _fill_windows(connection, now, rules_of, leave_out=False)


def fill_context(
    connection: Connection, now: datetime, trouble: Mapping[Kind, AbsenceDoubt]
) -> None:
    """Fill the workspace's tables of suspect and refused records, and mark the tests that retire.

    Args:
        connection: state and workspace, the windows gathered.
        now: aware.
        trouble: for each kind why absence proves nothing in this run; kinds without trouble are
            left out.
    """
    for kind in (*PEOPLE, Kind.TEST):
        _fill_unsure(connection, kind)
    create_index(connection, "ix_unsure", "unsure (kind, key)")
    analyse(connection, "unsure")
    zeros.fill_zeroed(connection)
    _fill_suspects(connection)
    if Kind.TEST not in trouble:
        _mark_retiring(connection)
    _fill_barred(connection, now)
    undone.fill_taken_back(connection)


_SOON_FOR = """EXISTS (SELECT 1 FROM wanted_{on} c JOIN test_window w ON w.test = c.test
    WHERE c.{person} = r.k1 AND w.wave LIKE '0%')"""
_SOON = f"""CASE r.kind WHEN 'learner' THEN {_SOON_FOR.format(on="candidate", person="learner")}
    WHEN 'staff' THEN {_SOON_FOR.format(on="contributor", person="staff")}
    ELSE EXISTS (SELECT 1 FROM test_window w WHERE w.test = r.k1 AND w.wave LIKE '0%') END"""


def _fill_barred(connection: Connection, now: datetime) -> None:
    """Store the refused changes whose time to be tried again has not come.

    When the test has come near since, only the shortest pause counts, whatever was planned then.
    A candidate who has started stays until their row or their test changes (rules 8).
    """
    changed = "EXISTS (SELECT 1 FROM known_test kt WHERE kt.key = r.k1 AND kt.updated > r.last)"
    started = f"r.cause = '{Cause.STARTED}'"
    connection.execute(
        text(
            "INSERT INTO barred SELECT kind, k1, k2, fingerprint,"
            f" CASE WHEN {started} THEN 'has started; stays: ' || message || '; tried again"
            " when its row or its test changes, or by `apply --retry-refused`'"
            " ELSE 'refused before: ' || message || '; tried again after ' || again ||"
            " ', when its row changes, or by `apply --retry-refused`' END, cause"
            " FROM refused r WHERE again > :now AND"
            f" CASE WHEN {started} THEN NOT {changed}"
            f" ELSE NOT (last <= :rested AND {_SOON}) END"
        ),
        {"now": utc_text(now), "rested": utc_text(now - PAUSES[0])},
    )
    create_index(connection, "ix_barred", "barred (kind, k1, k2)")
    analyse(connection, "barred")


def _fill_vanished(connection: Connection, kind: Kind) -> None:
    connection.execute(
        text(
            f"INSERT INTO vanished SELECT :kind, k.key, {lower_sql(connection, 'k.key')}"
            f" FROM known_{kind} k"
            f" WHERE NOT EXISTS (SELECT 1 FROM wanted_{kind} w WHERE w.key = k.key)"
            " AND NOT EXISTS (SELECT 1 FROM row_error f WHERE f.kind = :kind AND f.k1 = k.key)"
        ),
        {"kind": kind},
    )


def _fill_missing(connection: Connection, kind: Kind) -> None:
    """Store what is known on tests, is still kept in step, and no feed and no row error names.

    This includes what was retired with its test, when the test has not ended by the times of now:
    the earlier times were wrong, or somebody has corrected the clock (rules 35).
    """
    part = KEY_FIELDS[kind][1]
    came_back = (
        "SELECT 1 FROM test_window tw WHERE tw.test = k.test AND tw.ended = 0 AND tw.start <> ''"
    )
    connection.execute(
        text(
            f"INSERT INTO missing SELECT :kind, k.test, k.{part} FROM known_{kind} k"
            f" WHERE (k.lifecycle = 'active' OR (k.lifecycle = 'retired' AND EXISTS ({came_back})))"
            f" AND NOT EXISTS (SELECT 1 FROM wanted_{kind} w WHERE w.test = k.test"
            f" AND w.{part} = k.{part})"
            " AND NOT EXISTS (SELECT 1 FROM row_error f WHERE f.kind = :kind AND f.k1 = k.test"
            f" AND f.k2 = k.{part})"
        ),
        {"kind": kind},
    )


def _fill_unsure(connection: Connection, kind: Kind) -> None:
    # Where only changes were read, records that they do not name may have vanished, and a new
    # key may belong to one of them.
    connection.execute(
        text(
            f"INSERT INTO unsure SELECT :kind, k.key, {lower_sql(connection, 'k.key')}"
            f" FROM known_{kind} k JOIN stale s ON s.kind = :kind AND s.k1 = k.key UNION ALL"
            " SELECT kind, key, folded FROM vanished WHERE kind = :kind"
        ),
        {"kind": kind},
    )


_SAME_PERSON = (
    "k.email = w.email AND k.first_name = w.first_name AND k.last_name = w.last_name",
    # Under a new key it is still the same account: removing its old places on tests would remove
    # the new ones too.
    "k.username = w.username",
    "k.external_id = w.external_id AND k.auth_system = w.auth_system",
)
_SIMILAR = {
    Kind.LEARNER: _SAME_PERSON,
    Kind.STAFF: _SAME_PERSON,
    Kind.TEST: (
        "k.title = w.title AND k.start = w.start AND k.lifecycle <> 'retired'",
        "k.external_test_id = w.external_test_id",
    ),
}


def _fill_suspects(connection: Connection) -> None:
    """Store new records that look like vanished ones (rules 2).

    They have the same names and email, the same title and start, the same account, or the same
    key in another case.
    """
    for kind, looks in _SIMILAR.items():
        # Nothing of this kind has vanished, as on most days: the joins below would read all of it.
        if not connection.execute(
            text("SELECT 1 FROM unsure WHERE kind = :kind LIMIT 1"), {"kind": kind}
        ).first():
            continue
        arrived = (
            f"FROM wanted_{kind} w {{join}} WHERE NOT EXISTS (SELECT 1 FROM known_{kind} n"
            " WHERE n.key = w.key)"
            " AND NOT EXISTS (SELECT 1 FROM accepted a WHERE a.kind = :kind AND a.k1 = w.key)"
        )
        by_looks = " UNION SELECT w.key, v.key ".join(
            arrived.format(
                join=f"JOIN known_{kind} k ON {same} JOIN unsure v ON v.kind = :kind"
                " AND v.key = k.key"
            )
            for same in looks
        )
        by_case = arrived.format(
            join=f"JOIN unsure v ON v.kind = :kind AND v.folded = {lower_sql(connection, 'w.key')}"
        )
        connection.execute(
            text(
                "INSERT INTO suspect SELECT :kind, new_key, old_key"
                " FROM (SELECT w.key AS new_key, v.key AS old_key"
                f" {by_looks} UNION SELECT w.key, v.key {by_case}"
                " UNION SELECT new_key, old_key FROM reused WHERE kind = :kind"
                " UNION SELECT new_key, old_key FROM zeroed WHERE kind = :kind) AS found"
            ),
            {"kind": kind},
        )
    create_index(connection, "ix_suspect_new", "suspect (kind, new_key)")
    create_index(connection, "ix_suspect_old", "suspect (kind, old_key)")
    analyse(connection, "suspect")


_TESTS = """
SELECT t.key, k.key AS is_known, k.start AS known_start, k.end AS known_end,
       w.start AS wanted_start, w.end AS wanted_end,
       w.feed AS feed, w.freeze_before AS before, w.freeze_after AS after,
       o.fields AS tried, kc.longest AS known_longest, wc.longest AS wanted_longest
FROM (SELECT key FROM known_test UNION SELECT key FROM wanted_test) t
LEFT JOIN known_test k ON k.key = t.key
LEFT JOIN wanted_test w ON w.key = t.key
LEFT JOIN open_record o ON o.kind = 'test' AND o.k1 = t.key AND o.k2 = ''
LEFT JOIN (SELECT test, max(extra_time) AS longest FROM known_candidate
    WHERE extra_time > 0 GROUP BY test) kc ON kc.test = t.key
LEFT JOIN (SELECT test, max(extra_time) AS longest FROM wanted_candidate
    WHERE extra_time > 0 GROUP BY test) wc ON wc.test = t.key
"""
"""Every test with all times that may hold. The longest extra times are grouped once: a subquery
for each test would read the candidates again and again."""


def _mark_retiring(connection: Connection) -> None:
    """Mark the tests that have ended and that no feed names any more."""
    connection.exec_driver_sql(
        "UPDATE test_window SET retiring = 1 WHERE ended = 1 AND test IN (SELECT key"
        " FROM known_test)"
        " AND test NOT IN (SELECT key FROM wanted_test) AND test NOT IN (SELECT k1 FROM row_error"
        " WHERE kind = 'test' AND k1 IS NOT NULL)"
    )


def mark_unsettled_tests(connection: Connection) -> None:
    """Mark the tests whose times are not settled. This needs the tests drafted.

    A person must look at their new times, or they have ended by times that change now. Nobody
    leaves such a test meanwhile.
    """
    # The draft has no index yet.
    updated = "SELECT k1 FROM draft WHERE kind = 'test' AND action = 'update'"
    ended = f"cause IN ('{Cause.ENDED}', '{Cause.CLOSED}')"
    connection.exec_driver_sql(
        f"UPDATE test_window SET unsettled = {OTHER_TIMES} WHERE ended = 1"
        f" AND test IN ({updated} AND NOT {ended})"
    )
    connection.exec_driver_sql(
        f"UPDATE test_window SET unsettled = {HELD} WHERE test IN ({updated} AND cause = 'times')"
    )
    connection.exec_driver_sql(
        f"UPDATE test_window SET unsettled = {REJECTED}"
        f" WHERE test IN ({updated} AND cause = 'rejected')"
    )


def _fill_windows(
    connection: Connection, now: datetime, rules_of: RulesOf, *, leave_out: bool
) -> None:
    columns = ("test", "start", "ends", "begun", "ended", "wave", "unsent", "closed", *_RULES)
    for chunk in chunks(stream(connection, _TESTS)):
        rows: list[tuple[object, ...]] = []
        for test in chunk:
            window = _window_of(test, now)
            when = (window.start, window.ends, int(window.begun), int(window.ended))
            unsent = leave_out and window.ended and test.is_known is None and not test.tried
            own = (test.feed, test.before, test.after)
            since = utc_text(now - rules_of(*own).after)
            closed = int(window.ended and window.ends <= since)
            rows.append((test.key, *when, _wave_of(test, window, now), int(unsent), closed, *own))
        insert(connection, "test_window", columns, rows, retiring=0, unsettled=0, parent=0)
    _fill_traits(connection, now)
    analyse(connection, "test_window")


_RULES = ("feed", "before", "after")


def _fill_traits(connection: Connection, now: datetime) -> None:
    """Note the tests that are archived in Inspera, and those that are parents of others."""
    archived = traits.stopped(connection, ARCHIVED, now)
    if archived:
        connection.execute(
            text("UPDATE test_window SET archived = :words WHERE test = :test"),
            [{"test": test, "words": words} for test, words in archived.items()],
        )
    connection.exec_driver_sql(
        "UPDATE test_window SET parent = 1 WHERE test IN"
        f" (SELECT test FROM test_trait WHERE trait = '{PARENT}')"
    )


def _window_of(test: Any, now: datetime) -> Window:
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


def _wave_of(test: Any, window: Window, now: datetime) -> str:
    """Return the test's place in the order of sending (rules 19).

    It is `0` for tests within a day, `0 week` for tests within a week, then the date, then `9999`.
    """
    start = test.wanted_start or window.start
    if not start or window.ended:
        return "9999"
    if start <= utc_text(now + FIRST_WAVE):
        return "0"
    return "0 week" if start <= utc_text(now + SECOND_WAVE) else str(start[:10])
