"""Pairs wanted with known by equality joins in SQL; what a pair means is for `diff` and `guard` to say.

No sort order is relied on. Records whose fingerprints agree never leave the database.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from sync.decide import Pair
from sync.diff import Circumstances
from sync.guard import Facts
from sync.model import COMPARED, KEY_FIELDS, MAX_CANDIDATES, SENT_ONCE, Key, Kind
from sync.plan import Fields


def arrived_or_changed(connection: Connection, kind: Kind, places: Sequence[str]) -> Iterator[Pair]:
    """Every wanted record that is not known, or known otherwise. Candidates need the other kinds drafted first."""
    return _candidates(connection, places) if kind is Kind.CANDIDATE else _records(connection, kind, places)


def absent(connection: Connection, kind: Kind, trouble: str, seat_trouble: str) -> Iterator[Pair]:
    """Every known record of this kind that no feed names and no fault keeps. Learners need candidates drafted first.

    `trouble` says why absence proves nothing for this kind in this run, and is empty when it does. `seat_trouble` says
    it of candidates: a learner is released, and a test withdrawn, only when it is sure that no candidate names them.
    """
    if kind is Kind.CANDIDATE:
        return _absent_candidates(connection, trouble)
    return _absent_records(connection, kind, trouble, seat_trouble)


def ignored(connection: Connection) -> int:
    """How many wanted candidates name a retired test (or one that retires now), and are therefore ignored."""
    over = "SELECT 1 FROM known_test WHERE standing = 'retired' UNION SELECT 1 FROM test_window WHERE retiring = 1"
    if not connection.execute(text(over)).first():
        return 0  # as on most days: no need to look at every candidate
    query = f"SELECT count(*) FROM wanted_candidate w {_TEST_OF_WANTED} WHERE {_OVER}"
    return int(connection.execute(text(query)).scalar_one())


_TEST_OF_WANTED = """
LEFT JOIN known_test kt ON kt.key = w.test
LEFT JOIN test_window tw ON tw.test = w.test
"""
_OVER = """(coalesce(tw.retiring, 0) = 1 OR (coalesce(kt.standing, '') = 'retired'
    AND NOT EXISTS (SELECT 1 FROM wanted_test wt WHERE wt.key = w.test)))"""


def _columns(kind: Kind) -> str:
    wanted = [f"w.{name} AS w_{name}" for name in (*KEY_FIELDS[kind], *COMPARED[kind], *SENT_ONCE[kind])]
    known = [f"k.{name} AS k_{name}" for name in (*COMPARED[kind], "standing", "ours")]
    return ", ".join((*wanted, *known, "w.fingerprint AS fingerprint", "w.feed AS feed", "w.line AS line"))


def _records(connection: Connection, kind: Kind, places: Sequence[str]) -> Iterator[Pair]:
    query = f"""
        SELECT {_columns(kind)}, k.key AS is_known, o.k1 AS is_open,
               (SELECT min(s.old_key) FROM suspect s WHERE s.kind = '{kind}' AND s.new_key = w.key) AS resembles
        FROM wanted_{kind} w
        LEFT JOIN known_{kind} k ON k.key = w.key
        LEFT JOIN open_record o ON o.kind = '{kind}' AND o.k1 = w.key
        WHERE k.fingerprint IS NULL OR k.fingerprint <> w.fingerprint OR k.standing <> 'active' OR o.k1 IS NOT NULL
    """
    for row in connection.execute(text(query)):
        about = Circumstances(
            standing=row.k_standing or "active",
            unsettled=row.is_open is not None,
            resembles=f"{kind} {row.resembles}" if row.resembles else "",
        )
        known = _fields(row, "k_", COMPARED[kind]) if row.is_known is not None else None
        yield _pair(row, kind, (row.w_key,), known, about, Facts(), places)


_SEATS = {
    Kind.LEARNER: """(EXISTS (SELECT 1 FROM wanted_candidate c WHERE c.learner = k.key)
        OR EXISTS (SELECT 1 FROM fault f WHERE f.kind = 'candidate' AND f.k2 = k.key)
        OR EXISTS (SELECT 1 FROM known_candidate c LEFT JOIN test_window ctw ON ctw.test = c.test
            WHERE c.learner = k.key AND c.standing = 'active' AND coalesce(ctw.retiring, 0) = 0
            AND NOT EXISTS (SELECT 1 FROM draft d WHERE d.kind = 'candidate' AND d.k1 = c.test AND d.k2 = c.learner
                AND d.action IN ('remove', 'retire') AND d.verdict = 'pass')))""",
    Kind.TEST: "(SELECT count(*) FROM wanted_candidate c WHERE c.test = k.key)",
}


def _absent_records(connection: Connection, kind: Kind, trouble: str, seat_trouble: str) -> Iterator[Pair]:
    columns = ", ".join(f"k.{name} AS k_{name}" for name in COMPARED[kind])
    query = f"""
        SELECT k.key AS key, {columns}, k.standing AS standing, {_SEATS[kind]} AS seats,
               tw.ended AS ended,
               EXISTS (SELECT 1 FROM suspect s WHERE s.kind = '{kind}' AND s.old_key = k.key) AS suspect
        FROM vanished v
        JOIN known_{kind} k ON k.key = v.key
        LEFT JOIN test_window tw ON tw.test = k.key AND '{kind}' = 'test'
        WHERE v.kind = '{kind}'
    """
    for row in connection.execute(text(query)):
        about = Circumstances(standing=row.standing, ended=bool(row.ended), seated=bool(row.seats))
        suspect = f"{kind} {row.key}" if row.suspect else ""
        unproven = trouble or ("" if row.ended else seat_trouble)
        facts = Facts(trouble=unproven, registered=int(row.seats), suspect=suspect)
        yield Pair(kind, (row.key,), None, _fields(row, "k_", COMPARED[kind]), about, facts)


def _candidates(connection: Connection, places: Sequence[str]) -> Iterator[Pair]:
    kind = Kind.CANDIDATE
    query = f"""
        SELECT {_columns(kind)}, k.test AS is_known, o.k1 AS is_open, kl.key AS learner_known, kt.key AS test_known,
               dl.action AS learner_action, dl.verdict AS learner_verdict,
               dt.action AS test_action, dt.verdict AS test_verdict
        FROM wanted_candidate w
        LEFT JOIN known_candidate k ON k.test = w.test AND k.learner = w.learner
        LEFT JOIN open_record o ON o.kind = 'candidate' AND o.k1 = w.test AND o.k2 = w.learner
        {_TEST_OF_WANTED}
        LEFT JOIN known_learner kl ON kl.key = w.learner
        LEFT JOIN draft dl ON dl.kind = 'learner' AND dl.k1 = w.learner
        LEFT JOIN draft dt ON dt.kind = 'test' AND dt.k1 = w.test
        WHERE (k.fingerprint IS NULL OR k.fingerprint <> w.fingerprint OR k.standing <> 'active' OR o.k1 IS NOT NULL)
          AND NOT {_OVER}
        ORDER BY w.test, w.feed, w.line
    """
    places_left = _PlacesLeft(connection)
    for row in connection.execute(text(query)):
        known = _fields(row, "k_", COMPARED[kind]) if row.is_known is not None else None
        about = Circumstances(
            standing=row.k_standing or "active",
            ours=row.k_ours is None or bool(row.k_ours),
            unsettled=row.is_open is not None,
        )
        waits_for = tuple(_missing(connection, row))
        left = places_left.take(row.w_test) if known is None and not waits_for else MAX_CANDIDATES
        yield _pair(
            row, kind, (row.w_test, row.w_learner), known, about, Facts(waits_for=waits_for, room_left=left), places
        )


class _PlacesLeft:
    """How many candidates each test can still take; rows come test by test."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._test, self._left = connection, "", 0

    def take(self, test: str) -> int:
        """The places left on this test before this candidate, who takes one."""
        if test != self._test:
            query = "SELECT count(*) FROM known_candidate WHERE test = :test AND standing = 'active'"
            held = int(self._connection.execute(text(query), {"test": test}).scalar_one())
            self._test, self._left = test, MAX_CANDIDATES - held
        self._left -= 1
        return self._left + 1


def _missing(connection: Connection, row: Any) -> Iterator[str]:
    """What must be in Inspera before this candidate can be, and why it is not yet."""
    for kind, key, known, action, verdict in (
        (Kind.LEARNER, row.w_learner, row.learner_known, row.learner_action, row.learner_verdict),
        (Kind.TEST, row.w_test, row.test_known, row.test_action, row.test_verdict),
    ):
        if action == "rekey":
            yield f"{kind} {key} (held as a rekey)"
        elif known is None and not (action == "create" and verdict == "pass"):
            query = text("SELECT 1 FROM fault WHERE kind = :kind AND k1 = :key LIMIT 1")
            faulted = connection.execute(query, {"kind": kind, "key": key}).first()
            yield f"{kind} {key} ({'its row is a fault' if faulted else 'no source names it'})"


_SAME_ACCOUNT = """(SELECT min(w.learner) FROM known_learner kl
    JOIN wanted_candidate w ON w.test = k.test
    LEFT JOIN known_learner ol ON ol.key = w.learner
    LEFT JOIN wanted_learner nl ON nl.key = w.learner
    WHERE kl.key = k.learner
      AND coalesce(ol.external_id, nl.external_id) = kl.external_id
      AND coalesce(ol.auth_system, nl.auth_system) = kl.auth_system)"""


def _absent_candidates(connection: Connection, trouble: str) -> Iterator[Pair]:
    kind = Kind.CANDIDATE
    columns = ", ".join(f"k.{name} AS k_{name}" for name in COMPARED[kind])
    query = f"""
        SELECT k.test AS test, k.learner AS learner, {columns}, k.standing AS standing, k.ours AS ours,
               tw.begun AS begun, tw.ended AS ended, tw.retiring AS retiring,
               EXISTS (SELECT 1 FROM suspect s WHERE s.kind = 'learner' AND s.old_key = k.learner) AS learner_suspect,
               EXISTS (SELECT 1 FROM suspect s WHERE s.kind = 'test' AND s.old_key = k.test) AS test_suspect,
               EXISTS (SELECT 1 FROM fault f WHERE f.kind = 'candidate' AND f.k1 = k.test AND f.k2 = '')
                   AS test_trouble,
               {_SAME_ACCOUNT} AS same_account
        FROM known_candidate k
        LEFT JOIN test_window tw ON tw.test = k.test
        WHERE k.standing = 'active'
          AND NOT EXISTS (SELECT 1 FROM wanted_candidate w WHERE w.test = k.test AND w.learner = k.learner)
          AND NOT EXISTS (
              SELECT 1 FROM fault f WHERE f.kind = 'candidate' AND f.k1 = k.test AND f.k2 = k.learner)
    """
    for row in connection.execute(text(query)):
        about = Circumstances(row.standing, bool(row.ours), ended=bool(row.ended), covered=bool(row.retiring))
        suspect = f"learner {row.learner}" if row.learner_suspect else ""
        suspect = suspect or (f"test {row.test}" if row.test_suspect else "")
        unread = "a row of this test names no learner who can be read, so nobody's absence proves anything"
        proof = trouble or (unread if row.test_trouble else "")
        if row.same_account is not None and not suspect:
            proof = proof or f"learner {row.same_account} has the same account in Inspera, and a seat on this test"
        facts = Facts(trouble=proof, begun=bool(row.begun), suspect=suspect)
        yield Pair(kind, (row.test, row.learner), None, _fields(row, "k_", COMPARED[kind]), about, facts)


def _pair(
    row: Any, kind: Kind, key: Key, known: Fields | None, about: Circumstances, facts: Facts, places: Sequence[str]
) -> Pair:
    wanted = _fields(row, "w_", (*COMPARED[kind], *SENT_ONCE[kind]))
    password = wanted.pop("password", None)
    where = f"{places[row.feed]} line {row.line}"
    return Pair(
        kind, key, wanted, known, about, facts, where, row.fingerprint, None if password is None else str(password)
    )


def _fields(row: Any, prefix: str, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, prefix + name) for name in names}
