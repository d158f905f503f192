"""Known records that no feed names and no row error keeps, with the facts for their removal."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from sync.planning.absence import AbsenceDoubt
from sync.planning.decide import Pair
from sync.planning.diff import Context
from sync.planning.freeze import TimeFacts
from sync.planning.grace import PastAbsence
from sync.planning.guard import Facts
from sync.records.base import Kind
from sync.records.changes import Cause
from sync.records.kinds import COMPARED, KEY_FIELDS, ON_A_TEST, PEOPLE, PERSON_OF
from sync.state.compare.context import REJECTED, WINDOW
from sync.state.dialect import stream

TimingOf = Callable[[Any], TimeFacts | None]
"""A function that returns the timing of a test by a row with its window (`context.WINDOW`)."""


def pair_absent(
    connection: Connection,
    kind: Kind,
    trouble: AbsenceDoubt | None,
    seat_trouble: AbsenceDoubt | None,
    timing: TimingOf,
    sources: Sequence[str] = (),
) -> Iterator[Pair]:
    """Yield every known record of this kind that no feed names and no row error keeps.

    People need the changes of contributors and candidates drafted first.

    Args:
        connection: state and workspace.
        kind: the kind of the records.
        trouble: why absence proves nothing for this kind in this run; None when it does.
        seat_trouble: the same for what names people and tests. A learner is released, and a test
            withdrawn, only when certainly no candidate names them. Staff are disabled only when
            certainly no contributor does.
        timing: returns the times of a test.
        sources: the names that feeds of this kind read. A record that another source named, which
            is not configured any more, stays.
    """
    if kind in ON_A_TEST:
        return _absent_members(connection, kind, trouble, timing, sources)
    return _absent_records(connection, kind, trouble, seat_trouble, sources)


_FORMER = (
    "the source '{}', which named it, does not feed this kind any more; if the present sources are "
    "complete, run"
    " `apply --accept-shrink` with one of its sources"
)


def _doubt_former_source(source: str | None, sources: Sequence[str]) -> AbsenceDoubt | None:
    """Return why absence proves nothing when a record's source was removed or renamed."""
    former = source and sources and source not in sources
    return AbsenceDoubt(_FORMER.format(source), needs_person=True) if former else None


_ON_TESTS = {
    Kind.LEARNER: """(EXISTS (SELECT 1 FROM wanted_candidate c WHERE c.learner = k.key)
        OR EXISTS (SELECT 1 FROM row_error f WHERE f.kind = 'candidate' AND f.k2 = k.key)
        OR EXISTS (SELECT 1 FROM known_candidate c LEFT JOIN test_window ctw ON ctw.test = c.test
            WHERE c.learner = k.key AND c.lifecycle = 'active' AND coalesce(ctw.retiring, 0) = 0
            AND NOT EXISTS (SELECT 1 FROM draft d WHERE d.kind = 'candidate' AND d.k1 = c.test
                AND d.k2 = c.learner AND d.action IN ('remove', 'retire')
                AND d.verdict = 'pass')))""",
    Kind.STAFF: """(SELECT count(*) FROM (SELECT c.test FROM wanted_contributor c
            LEFT JOIN known_test ckt ON ckt.key = c.test
            LEFT JOIN test_window ctw ON ctw.test = c.test
            WHERE c.staff = k.key AND coalesce(ctw.retiring, 0) = 0
                AND (coalesce(ckt.lifecycle, '') <> 'retired'
                OR EXISTS (SELECT 1 FROM wanted_test wt WHERE wt.key = c.test))
        UNION SELECT f.k1 FROM row_error f WHERE f.kind = 'contributor' AND f.k2 = k.key
        UNION SELECT c.test FROM known_contributor c LEFT JOIN test_window ctw ON ctw.test = c.test
            WHERE c.staff = k.key AND c.lifecycle = 'active' AND coalesce(ctw.retiring, 0) = 0
            AND coalesce(ctw.closed, 0) = 0
            AND NOT EXISTS (SELECT 1 FROM draft d WHERE d.kind = 'contributor' AND d.k1 = c.test
                AND d.k2 = c.staff AND d.action = 'remove'
                AND d.verdict = 'pass')) AS on_tests)""",
    Kind.TEST: "(SELECT count(*) FROM wanted_candidate c WHERE c.test = k.key)",
}


def find_account_sharer(connection: Connection, kind: Kind, key: str) -> str:
    """Return another person with the same account who is wanted or has a row error; else empty."""
    for other in PEOPLE:
        itself = " AND w.key <> k.key" if other is kind else ""
        disabled = " AND coalesce(w.status, '') <> 'disabled'" if other is kind else ""
        errors = (
            f" AND EXISTS (SELECT 1 FROM row_error f WHERE f.kind = '{other}' AND f.k1 = w.key)"
        )
        for table, condition in (("wanted", disabled), ("known", errors)):
            query = (
                f"SELECT min(w.key) FROM known_{kind} k"
                f" JOIN {table}_{other} w ON (w.username = k.username"
                " OR (w.external_id = k.external_id AND w.auth_system = k.auth_system))"
                f" WHERE k.key = :key{itself}{condition}"
            )
            found = connection.execute(text(query), {"key": key}).scalar()
            if found is not None:
                return f"{other} {found}"
    clash = text("SELECT 1 FROM clash WHERE kind = :kind AND k1 = :key")
    return "another row" if connection.execute(clash, {"kind": kind, "key": key}).first() else ""


def _absent_records(
    connection: Connection,
    kind: Kind,
    trouble: AbsenceDoubt | None,
    seat_trouble: AbsenceDoubt | None,
    sources: Sequence[str],
) -> Iterator[Pair]:
    for row in stream(connection, _absent_records_sql(kind), nothing=b""):
        about = Context(
            row.lifecycle,
            bool(row.managed),
            unsettled=row.is_open is not None,
            ended=bool(row.ended),
            seated=bool(row.seats),
        )
        suspect = f"{kind} {row.key}" if row.suspect else ""
        # A row that declares a departure needs no proof by absence; what has ended rests on no
        # source and on no seat any more.
        unproven = None if row.departed else trouble
        if not row.ended:
            former = None if row.departed else _doubt_former_source(row.source, sources)
            unproven = unproven or former or seat_trouble
        facts = Facts(
            trouble=unproven,
            registered=int(row.seats),
            suspect=suspect,
            zeros=bool(row.zeros),
            refused=row.refused or "",
            undone=row.undone or "",
            absence=_past_absence(row),
            shares=find_account_sharer(connection, kind, row.key) if kind is Kind.STAFF else "",
        )
        yield Pair(kind, (row.key,), None, prefixed_fields(row, "k_", COMPARED[kind]), about, facts)


def _past_absence(row: Any) -> PastAbsence | None:
    """Return the earlier readings without this record; None when its own row says that it leaves."""
    return None if row.departed else PastAbsence(row.absent_since, row.absent_in or 0)


def _join_absence(kind: Kind, k1: str, k2: str = "''") -> str:
    return f"LEFT JOIN absence ab ON ab.kind = '{kind}' AND ab.k1 = {k1} AND ab.k2 = {k2}"


_ABSENCE = "ab.since AS absent_since, ab.readings AS absent_in"


def _absent_records_sql(kind: Kind) -> str:
    columns = ", ".join(f"k.{name} AS k_{name}" for name in COMPARED[kind])
    return f"""
        SELECT k.key AS key, {columns}, k.lifecycle AS lifecycle, k.managed AS managed,
               k.source AS source, {_ON_TESTS[kind]} AS seats, b.reason AS refused,
               u.reason AS undone, tw.ended AS ended, o.k1 AS is_open, {_ABSENCE},
               EXISTS (SELECT 1 FROM suspect s WHERE s.kind = '{kind}'
                   AND s.old_key = k.key) AS suspect,
               EXISTS (SELECT 1 FROM zeroed z WHERE z.kind = '{kind}'
                   AND z.old_key = k.key) AS zeros,
               EXISTS (SELECT 1 FROM departed d WHERE d.kind = '{kind}'
                   AND d.k1 = k.key) AS departed
        FROM vanished v
        JOIN known_{kind} k ON k.key = v.key
        LEFT JOIN test_window tw ON tw.test = k.key AND '{kind}' = 'test'
        LEFT JOIN open_record o ON o.kind = '{kind}' AND o.k1 = k.key AND o.k2 = ''
        LEFT JOIN barred b ON b.kind = '{kind}' AND b.k1 = k.key AND b.fingerprint = :nothing
        LEFT JOIN taken_back u ON u.kind = '{kind}' AND u.k1 = k.key AND u.fingerprint = :nothing
        {_join_absence(kind, "k.key")}
        WHERE v.kind = '{kind}'
    """


def _same_account_sql(kind: Kind) -> str:
    """Return the SQL for another key on the test whose person has the same account in Inspera."""
    person, part = PERSON_OF.get(kind), KEY_FIELDS[kind][1]
    if not person:
        return "NULL"
    return f"""(SELECT min(w.{part}) FROM known_{person} kl
    JOIN wanted_{kind} w ON w.test = k.test
    LEFT JOIN known_{person} ol ON ol.key = w.{part}
    LEFT JOIN wanted_{person} nl ON nl.key = w.{part}
    WHERE kl.key = k.{part}
      AND coalesce(ol.external_id, nl.external_id) = kl.external_id
      AND coalesce(ol.auth_system, nl.auth_system) = kl.auth_system)"""


_LAST_SQL = """(coalesce(k.type, '') <> 'REASSESSMENT' AND NOT EXISTS (
    SELECT 1 FROM known_committee o
    LEFT JOIN missing om ON om.kind = 'committee' AND om.k1 = o.test AND om.k2 = o.committee
    WHERE o.test = k.test AND o.committee <> k.committee AND o.lifecycle = 'active'
      AND coalesce(o.type, '') <> 'REASSESSMENT' AND (om.k1 IS NULL OR NOT o.managed)))"""
"""Whether no other grading committee of the test is in Inspera and stays there."""

SHARED = (
    "{} shares what Inspera identifies it by with another: what is there stays until the "
    "source is correct"
)
UNREAD = "a row of this test names no {} who can be read, so nobody's absence proves anything"

_ASTRAY_REASONS = {
    "anybody": "{} names an unknown {}, so it may mean anybody on this test",
    "any_test": "{} names this {} on an unknown test, so it may mean this test",
    "anything": "{} names an unknown test and an unknown {}, so it may mean anybody",
}
"""What a row may mean that names something unknown, by which of the key's parts that is."""


def _astray_sql(kind: Kind, part: str) -> str:
    """Return the columns with the place of a row that may mean this record, whatever it names."""
    means = {"anybody": "a.k1 = k.test AND a.k2 = ''", "any_test": f"a.k1 = '' AND a.k2 = k.{part}"}
    means["anything"] = "a.k1 = '' AND a.k2 = ''"
    return ", ".join(
        f"(SELECT min(a.place) FROM astray a WHERE a.kind = '{kind}' AND {meant}) AS {name}"
        for name, meant in means.items()
    )


def _astray_reason(row: Any, part: str) -> str:
    """Return why this record stays on its test in this run, even if its own row says otherwise."""
    found = ((getattr(row, name), words) for name, words in _ASTRAY_REASONS.items())
    return next((words.format(place, part) for place, words in found if place is not None), "")


def _absent_members(
    connection: Connection,
    kind: Kind,
    trouble: AbsenceDoubt | None,
    timing: TimingOf,
    sources: Sequence[str],
) -> Iterator[Pair]:
    """Yield what is known on tests and no feed names: options, committees, members."""
    person = PERSON_OF.get(kind)
    for row in stream(connection, _absent_members_sql(kind), nothing=b""):
        about = Context(
            row.lifecycle, bool(row.managed), ended=bool(row.ended), covered=bool(row.retiring)
        )
        suspect = f"{person} {row.part}" if row.who_suspect else ""
        suspect = suspect or (f"test {row.test}" if row.test_suspect else "")

        # A candidate stays from the start on (rules 8). Graders and committees change again once
        # the test has ended.
        begun = bool(row.begun) and (kind is Kind.CANDIDATE or not row.ended)
        kept = row.refused if row.refused_for == Cause.STARTED else ""
        facts = Facts(
            trouble=_doubt_of_member(row, kind, trouble, sources, suspect),
            begun=begun,
            suspect=suspect,
            zeros=bool(row.zeros),
            refused="" if kept else row.refused or "",
            kept=kept,
            undone=row.undone or "",
            archived=row.tw_archived or "",
            parent=bool(row.tw_parent),
            absence=_past_absence(row),
            timing=timing(row),
            retired=row.lifecycle == "retired",
            last=bool(row.is_last),
        )
        known = prefixed_fields(row, "k_", COMPARED[kind])
        yield Pair(kind, (row.test, row.part), None, known, about, facts)


def _doubt_of_member(
    row: Any, kind: Kind, trouble: AbsenceDoubt | None, sources: Sequence[str], suspect: str
) -> AbsenceDoubt | None:
    """Return why this member's absence proves nothing: the first reason that holds.

    The first two keep a member even if their own row says that they depart.
    """
    part, person = KEY_FIELDS[kind][1], PERSON_OF.get(kind)
    shared = "" if row.clash is None else SHARED.format(row.clash)
    if reason := _astray_reason(row, part) or shared:
        return AbsenceDoubt(reason)
    if not row.departed:
        # Once the test has ended, absence is retirement, whatever the source is (rules 8).
        former = None if row.ended else _doubt_former_source(row.source, sources)
        if doubt := trouble or former:
            return doubt
        if row.test_trouble:
            return AbsenceDoubt(UNREAD.format(part))
    if row.unsettled and row.unsettled != REJECTED:
        return AbsenceDoubt(_UNSETTLED)
    if row.same_account is not None and not suspect:
        account = f"{person} {row.same_account} has the same account in Inspera"
        return AbsenceDoubt(f"{account}, and a place on this test")
    return None


def _absent_members_sql(kind: Kind) -> str:
    part, person = KEY_FIELDS[kind][1], PERSON_OF.get(kind) or ""
    columns = ", ".join(f"k.{name} AS k_{name}" for name in COMPARED[kind])
    # Every reason why a record may have to stay is a column here, so that one pass decides.
    return f"""
        SELECT k.test AS test, k.{part} AS part, {columns}, k.lifecycle AS lifecycle,
               k.managed AS managed, {"NULL" if kind is Kind.OPTION else "k.source"} AS source,
               tw.begun AS begun, tw.ended AS ended, tw.retiring AS retiring, b.reason AS refused,
               b.cause AS refused_for, u.reason AS undone, {WINDOW}, tw.unsettled AS unsettled, {_ABSENCE},
               EXISTS (SELECT 1 FROM suspect s WHERE s.kind = '{person}'
                   AND s.old_key = k.{part}) AS who_suspect,
               EXISTS (SELECT 1 FROM suspect s WHERE s.kind = 'test'
                   AND s.old_key = k.test) AS test_suspect,
               EXISTS (SELECT 1 FROM zeroed z WHERE (z.kind = '{person}' AND z.old_key = k.{part})
                   OR (z.kind = 'test' AND z.old_key = k.test)) AS zeros,
               {TEST_TROUBLE[kind]} AS test_trouble, {_astray_sql(kind, part)},
               (SELECT min(c.kind || ' ' || c.k1) FROM clash c
                   WHERE (c.kind = 'test' AND c.k1 = k.test)
                   OR (c.kind = '{person}' AND c.k1 = k.{part})) AS clash,
               EXISTS (SELECT 1 FROM departed d WHERE d.kind = '{kind}' AND d.k1 = k.test
                   AND d.k2 = k.{part}) AS departed,
               {_same_account_sql(kind)} AS same_account,
               {_LAST_SQL if kind is Kind.COMMITTEE else "0"} AS is_last
        FROM missing m
        JOIN known_{kind} k ON k.test = m.k1 AND k.{part} = m.k2
        LEFT JOIN test_window tw ON tw.test = k.test
        LEFT JOIN barred b ON b.kind = '{kind}' AND b.k1 = k.test AND b.k2 = k.{part}
            AND b.fingerprint = :nothing
        LEFT JOIN taken_back u ON u.kind = '{kind}' AND u.k1 = k.test AND u.k2 = k.{part}
            AND u.fingerprint = :nothing
        {_join_absence(kind, "k.test", f"k.{part}")}
        WHERE m.kind = '{kind}'
    """


_UNSETTLED = (
    "its test gets other times, or they are held: what that means for it shows in a later run"
)

TEST_TROUBLE = {
    kind: f"EXISTS (SELECT 1 FROM row_error f WHERE f.kind = '{kind}' AND f.k1 = k.test"
    " AND f.k2 = '')"
    for kind in ON_A_TEST
}
# A committee may be named by any row of its test, also by an invalid one.
TEST_TROUBLE[Kind.COMMITTEE] = (
    "(EXISTS (SELECT 1 FROM row_error f WHERE f.kind IN ('committee', 'contributor', 'candidate')"
    " AND f.k1 = k.test)"
    " OR EXISTS (SELECT 1 FROM astray a WHERE a.kind IN ('committee', 'contributor', 'candidate')"
    " AND a.k1 IN ('', k.test)))"
)


def prefixed_fields(row: Any, prefix: str, names: Sequence[str]) -> dict[str, Any]:
    """Return a row's values under these names, which have a prefix in the row."""
    return {name: getattr(row, prefix + name) for name in names}
