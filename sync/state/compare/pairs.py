"""Pairs of wanted and known records, by equality joins in SQL; `diff` and `guard` judge them.

No sort order is relied on (rules 27): databases and Python disagree on it. Records whose
fingerprints agree never leave the database.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, text

from sync.contract import OPTIONS, OptionRule
from sync.planning.absence import AbsenceDoubt
from sync.planning.decide import Pair
from sync.planning.diff import Context
from sync.planning.freeze import TimeFacts
from sync.planning.guard import Facts
from sync.records.base import Key, Kind, row_place
from sync.records.candidate import MAX_CANDIDATES
from sync.records.changes import Fields
from sync.records.kinds import (
    COMPARED,
    KEY_FIELDS,
    ON_A_TEST,
    PERSON_OF,
    RECORD_TYPES,
    SECRETS,
    SENT_ONCE,
)
from sync.state.compare.absences import (
    TEST_TROUBLE,
    UNREAD,
    TimingOf,
    find_account_sharer,
    prefixed_fields,
)
from sync.state.compare.context import WINDOW
from sync.state.dialect import stream

NOTHING_FOLLOWED: Mapping[int, Collection[str]] = MappingProxyType({})


def pair_wanted(
    connection: Connection,
    kind: Kind,
    places: Sequence[str],
    timing: TimingOf,
    options: Mapping[str, OptionRule] = OPTIONS,
    trouble: AbsenceDoubt | None = None,
    follows: Mapping[int, Collection[str]] = NOTHING_FOLLOWED,
) -> Iterator[Pair]:
    """Yield every wanted record that is not known, or known with other values.

    What is on a test needs the other kinds drafted first. `options` are those that a test can
    have; security options can't change once it has begun. `trouble` says why the feeds of this
    kind may be incomplete in this run; it is None when they are complete. `follows` are the fields
    that are taken away after a blank, by the number of the feed.
    """
    if kind in ON_A_TEST:
        sql = _members_sql(kind, _lost_sql(kind, follows))
        return _pair_members(connection, kind, sql, places, timing, options, trouble)
    return _pair_records(connection, kind, places, timing)


def count_left_out(connection: Connection) -> dict[Kind, int]:
    """Count the tests that had ended before they were ever sent, and the registrations for them."""
    unsent = "SELECT count(*) FROM test_window WHERE unsent = 1"
    tests = int(connection.execute(text(unsent)).scalar_one())
    if not tests:
        return {Kind.TEST: 0, Kind.CANDIDATE: 0}  # No need to read every candidate.
    named = (
        "SELECT count(*) FROM wanted_candidate w JOIN test_window tw ON tw.test = w.test"
        " WHERE tw.unsent = 1"
    )
    return {Kind.TEST: tests, Kind.CANDIDATE: int(connection.execute(text(named)).scalar_one())}


def count_ignored(connection: Connection) -> int:
    """Count the wanted candidates that are ignored because their test retires or is retired."""
    over = (
        "SELECT 1 FROM known_test WHERE lifecycle = 'retired' UNION SELECT 1 FROM test_window"
        " WHERE retiring = 1"
    )
    if not connection.execute(text(over)).first():
        return 0  # As on most days: no need to read every candidate.
    query = f"SELECT count(*) FROM wanted_candidate w {_TEST_OF_WANTED} WHERE {_RETIRED}"
    return int(connection.execute(text(query)).scalar_one())


_TEST_OF_WANTED = """
LEFT JOIN known_test kt ON kt.key = w.test
LEFT JOIN test_window tw ON tw.test = w.test
"""
_RETIRED = """(coalesce(tw.retiring, 0) = 1 OR (coalesce(kt.lifecycle, '') = 'retired'
    AND NOT EXISTS (SELECT 1 FROM wanted_test wt WHERE wt.key = w.test)))"""
_LEFT_OUT = f"(coalesce(tw.unsent, 0) = 1 OR {_RETIRED})"


def _columns_sql(kind: Kind) -> str:
    wanted = [
        f"w.{name} AS w_{name}" for name in (*KEY_FIELDS[kind], *COMPARED[kind], *SENT_ONCE[kind])
    ]
    known = [f"k.{name} AS k_{name}" for name in (*COMPARED[kind], "lifecycle", "managed")]
    rest = (
        "w.fingerprint AS fingerprint",
        "w.feed AS feed",
        "w.line AS line",
        "b.reason AS refused",
        "u.reason AS undone",
    )
    return ", ".join((*wanted, *known, *rest))


def _join_past(kind: Kind) -> str:
    """Return the joins with what became of exactly this change before.

    It was refused, and its pause lasts, or a person has undone it.
    """
    k1, *more = KEY_FIELDS[kind]
    k2 = f"w.{more[0]}" if more else "''"
    return " ".join(
        f"LEFT JOIN {table} {name} ON {name}.kind = '{kind}' AND {name}.k1 = w.{k1}"
        f" AND {name}.k2 = {k2} AND {name}.fingerprint = w.fingerprint"
        for table, name in (("barred", "b"), ("taken_back", "u"))
    )


def _pair_records(
    connection: Connection, kind: Kind, places: Sequence[str], timing: TimingOf
) -> Iterator[Pair]:
    for row in stream(connection, _records_sql(kind)):
        about = Context(
            lifecycle=row.k_lifecycle or "active",
            managed=row.k_managed is None or bool(row.k_managed),
            unsettled=row.is_open is not None,
            resembles=f"{kind} {row.resembles}" if row.resembles else "",
            zeros=bool(row.zeros),
            reuses=f"{kind} {row.reuses}" if row.reuses is not None else "",
        )
        known = prefixed_fields(row, "k_", COMPARED[kind]) if row.is_known is not None else None
        shares = (
            find_account_sharer(connection, kind, row.w_key)
            if kind is Kind.STAFF and row.w_status == "disabled"
            else ""
        )
        facts = Facts(
            refused=row.refused or "",
            existing=not about.managed,
            shares=shares,
            timing=timing(row) if kind is Kind.TEST else None,
            reuses=bool(about.reuses),
            zeros=about.zeros,
            clash=row.clash or "",
            undone=row.undone or "",
            archived=row.tw_archived or "",
            parent=bool(row.tw_parent),
            needed=bool(row.needed),
        )
        yield _make_pair(row, kind, (row.w_key,), known, about, facts, places)


def _needed_sql(kind: Kind, k1: str, k2: str = "''") -> str:
    return (
        f"EXISTS (SELECT 1 FROM pilot_need n WHERE n.kind = '{kind}' AND n.k1 = {k1}"
        f" AND n.k2 = {k2})"
    )


def _records_sql(kind: Kind) -> str:
    # An open intent makes a pair of equal records too: what became of its call is not known, so
    # the fingerprint may be of something that was never sent.
    return f"""
        SELECT {_columns_sql(kind)}, k.key AS is_known, o.k1 AS is_open,
               {WINDOW},
               (SELECT min(s.old_key) FROM suspect s WHERE s.kind = '{kind}'
                   AND s.new_key = w.key) AS resembles,
               EXISTS (SELECT 1 FROM zeroed z WHERE z.kind = '{kind}'
                   AND z.new_key = w.key) AS zeros,
               (SELECT min(r.old_key) FROM reused r WHERE r.kind = '{kind}'
                   AND r.new_key = w.key) AS reuses,
               c.reason AS clash, {_needed_sql(kind, "w.key")} AS needed
        FROM wanted_{kind} w
        LEFT JOIN known_{kind} k ON k.key = w.key
        LEFT JOIN open_record o ON o.kind = '{kind}' AND o.k1 = w.key AND o.k2 = ''
        LEFT JOIN test_window tw ON tw.test = w.key AND '{kind}' = 'test'
        LEFT JOIN clash c ON c.kind = '{kind}' AND c.k1 = w.key AND c.held = 1
        {_join_past(kind)}
        WHERE coalesce(tw.unsent, 0) = 0
          AND (k.fingerprint IS NULL OR k.fingerprint <> w.fingerprint OR k.lifecycle <> 'active'
              OR o.k1 IS NOT NULL)
    """


def _pair_members(
    connection: Connection,
    kind: Kind,
    sql: str,
    places: Sequence[str],
    timing: TimingOf,
    options: Mapping[str, OptionRule],
    trouble: AbsenceDoubt | None,
) -> Iterator[Pair]:
    """Yield what is wanted on tests: options, committees, contributors, candidates."""
    part, person = KEY_FIELDS[kind][1], PERSON_OF.get(kind)
    places_left = _PlacesLeft(connection)
    for row in stream(connection, sql):
        key = (row.w_test, getattr(row, f"w_{part}"))
        rule = options.get(key[1]) if kind is Kind.OPTION else None
        locked = rule is not None and rule.group == "security"
        if row.ended and locked:
            continue  # It can't be set any more, and nobody would notice if it were.
        known = prefixed_fields(row, "k_", COMPARED[kind]) if row.is_known is not None else None
        about = Context(
            lifecycle=row.k_lifecycle or "active",
            managed=row.k_managed is None or bool(row.k_managed),
            unsettled=row.is_open is not None,
            ensured=bool(row.ensured),
        )
        waits_for = tuple(_read_missing(connection, row, person, key))
        window = timing(row)
        seated = kind is Kind.CANDIDATE and known is None and not waits_for
        facts = Facts(
            trouble=trouble or (AbsenceDoubt(UNREAD.format(part)) if row.test_trouble else None),
            timing=window,
            begun=locked and _is_fixed(row, window),
            one_way=rule is not None and rule.one_way,
            waits_for=waits_for,
            room_left=places_left.take(row.w_test) if seated else MAX_CANDIDATES,
            refused=row.refused or "",
            undone=row.undone or "",
            archived=row.tw_archived or "",
            parent=bool(row.tw_parent),
            needed=bool(row.needed),
        )
        yield _make_pair(row, kind, key, known, about, facts, places)


def _lost_sql(kind: Kind, follows: Mapping[int, Collection[str]]) -> str:
    """Return the SQL for whether a row has lost a value of ours, although its fingerprint agrees.

    It agrees where a row without the value was in order before: another feed had it, or this feed
    kept what it had.
    """
    found = []
    for name in RECORD_TYPES[kind].removed:
        if feeds := sorted(number for number, names in follows.items() if name in names):
            of = ", ".join(str(number) for number in feeds)
            found.append(f"(w.{name} IS NULL AND k.{name} <> '' AND w.feed IN ({of}))")
    return f"(({' OR '.join(found)}) AND k.managed)" if found else ""


def _members_sql(kind: Kind, lost: str) -> str:
    """Return the SQL for wanted records on tests that differ, with the state of test and person."""
    part, person = KEY_FIELDS[kind][1], PERSON_OF.get(kind)
    ensured = "0"
    if kind is Kind.COMMITTEE:
        ensured = (
            "EXISTS (SELECT 1 FROM ensured n WHERE n.test = w.test AND n.committee = w.committee)"
        )
    of_person = "NULL AS person_known, NULL AS person_action, NULL AS person_verdict"
    join_person = ""
    if person:
        of_person = (
            "kl.key AS person_known, dl.action AS person_action, dl.verdict AS person_verdict"
        )
        join_person = f"""
        LEFT JOIN known_{person} kl ON kl.key = w.{part}
        LEFT JOIN draft dl ON dl.kind = '{person}' AND dl.k1 = w.{part}"""
    return f"""
        SELECT {_columns_sql(kind)}, k.test AS is_known, o.k1 AS is_open,
               kt.key AS test_known, kt.activated AS test_activated, tw.begun AS begun,
               tw.ended AS ended,
               {WINDOW},
               {TEST_TROUBLE[kind].replace("k.test", "w.test")} AS test_trouble,
               {_needed_sql(kind, "w.test", f"w.{part}")} AS needed,
               {ensured} AS ensured, {of_person}, dt.action AS test_action, dt.verdict AS test_verdict
        FROM wanted_{kind} w
        LEFT JOIN known_{kind} k ON k.test = w.test AND k.{part} = w.{part}
        LEFT JOIN open_record o ON o.kind = '{kind}' AND o.k1 = w.test AND o.k2 = w.{part}
        {_join_past(kind)}
        {_TEST_OF_WANTED} {join_person}
        LEFT JOIN draft dt ON dt.kind = 'test' AND dt.k1 = w.test
        WHERE (k.fingerprint IS NULL OR k.fingerprint <> w.fingerprint OR k.lifecycle <> 'active'
            OR o.k1 IS NOT NULL{" OR " + lost if lost else ""})
          AND NOT {_LEFT_OUT}
        ORDER BY w.test, w.feed, w.line
    """  # Test by test, so that `_PlacesLeft` can count.


def _is_fixed(row: Any, window: TimeFacts | None) -> bool:
    """Tell whether a security option can't change by what is known of its test.

    A test that begins is activated by a planner, or by us. If it is by us and not done, its options
    can change, and the status in Inspera decides.
    """
    ours = window is not None and window.rules.activate is not None
    return bool(row.begun) and not (ours and row.test_activated is None)


class _PlacesLeft:
    """The number of candidates that each test can still take; rows come test by test."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._test = ""
        self._left = 0

    def take(self, test: str) -> int:
        """Return the places left on this test before this candidate, who takes one."""
        if test != self._test:
            query = (
                "SELECT count(*) FROM known_candidate WHERE test = :test AND lifecycle = 'active'"
            )
            held = int(self._connection.execute(text(query), {"test": test}).scalar_one())
            self._test = test
            self._left = MAX_CANDIDATES - held
        self._left -= 1
        return self._left + 1


def _read_missing(connection: Connection, row: Any, person: Kind | None, key: Key) -> Iterator[str]:
    """Yield what must be in Inspera before this record, each with why it is not there yet."""
    needed = [(Kind.TEST, key[0], row.test_known, row.test_action, row.test_verdict)]
    if person:
        needed.insert(0, (person, key[1], row.person_known, row.person_action, row.person_verdict))
    for kind, name, known, action, verdict in needed:
        if action == "identity change":
            yield f"{kind} {name} (held as an identity change)"
        elif known is None and not (action == "create" and verdict == "pass"):
            yield f"{kind} {name} ({_why_missing(connection, kind, name, verdict)})"


def _why_missing(connection: Connection, kind: Kind, name: str, verdict: str | None) -> str:
    if verdict:
        return str(verdict)
    query = text("SELECT 1 FROM row_error WHERE kind = :kind AND k1 = :key LIMIT 1")
    if connection.execute(query, {"kind": kind, "key": name}).first():
        return "its row has an error"
    query = text(f"SELECT 1 FROM wanted_{kind} WHERE key = :key")
    wanted = connection.execute(query, {"key": name}).first()
    return (
        "its own row says that it is disabled"
        if wanted
        else "its source can't be relied on in this run"
    )


def _make_pair(
    row: Any,
    kind: Kind,
    key: Key,
    known: Fields | None,
    about: Context,
    facts: Facts,
    places: Sequence[str],
) -> Pair:
    wanted = prefixed_fields(row, "w_", (*COMPARED[kind], *SENT_ONCE[kind]))
    secret = wanted.pop(SECRETS.get(kind, ""), None)
    where = row_place(places[row.feed], row.line, key)
    return Pair(
        kind,
        key,
        wanted,
        known,
        about,
        facts,
        where,
        row.fingerprint,
        None if secret is None else str(secret),
        feed=row.feed,
    )
