"""Pairs wanted with known by equality joins in SQL; what a pair means is for `diff` and `guard` to say.

No sort order is relied on. Records whose fingerprints agree never leave the database.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from sync.decide import Pair
from sync.diff import Circumstances
from sync.guard import Facts
from sync.model import COMPARED, KEY_FIELDS, MAX_CANDIDATES, ON_A_TEST, PEOPLE, PERSON_OF, SECRETS, SENT_ONCE, Key, Kind
from sync.plan import Fields


def arrived_or_changed(
    connection: Connection, kind: Kind, places: Sequence[str], locked: Collection[str] = (), trouble: str = ""
) -> Iterator[Pair]:
    """Every wanted record that is not known, or known otherwise. What is on a test needs the other kinds drafted first.

    `locked` are the options that can't change once their test has begun. `trouble` says why what this kind's feeds say
    may not be all of it in this run, and is empty when it is.
    """
    if kind in ON_A_TEST:
        return _members(connection, kind, places, locked, trouble)
    return _records(connection, kind, places)


def absent(connection: Connection, kind: Kind, trouble: str, seat_trouble: str) -> Iterator[Pair]:
    """Every known record of this kind that no feed names and no fault keeps. People need what names them drafted first.

    `trouble` says why absence proves nothing for this kind in this run, and is empty when it does. `seat_trouble` says
    it of what names people and tests: a learner is released, and a test withdrawn, only when it is sure that no
    candidate names them; staff are disabled only when it is sure that no contributor does.
    """
    if kind in ON_A_TEST:
        return _absent_members(connection, kind, trouble)
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
    rest = ("w.fingerprint AS fingerprint", "w.feed AS feed", "w.line AS line", "b.reason AS refused")
    return ", ".join((*wanted, *known, *rest))


def _barred(kind: Kind) -> str:
    """Joins the refusal of just this, while its time has not come."""
    k1, *more = KEY_FIELDS[kind]
    k2 = f"w.{more[0]}" if more else "''"
    return (
        f"LEFT JOIN barred b ON b.kind = '{kind}' AND b.k1 = w.{k1} AND b.k2 = {k2} AND b.fingerprint = w.fingerprint"
    )


def _records(connection: Connection, kind: Kind, places: Sequence[str]) -> Iterator[Pair]:
    query = f"""
        SELECT {_columns(kind)}, k.key AS is_known, o.k1 AS is_open,
               (SELECT min(s.old_key) FROM suspect s WHERE s.kind = '{kind}' AND s.new_key = w.key) AS resembles
        FROM wanted_{kind} w
        LEFT JOIN known_{kind} k ON k.key = w.key
        LEFT JOIN open_record o ON o.kind = '{kind}' AND o.k1 = w.key
        {_barred(kind)}
        WHERE k.fingerprint IS NULL OR k.fingerprint <> w.fingerprint OR k.standing <> 'active' OR o.k1 IS NOT NULL
    """
    for row in connection.execute(text(query)):
        about = Circumstances(
            standing=row.k_standing or "active",
            ours=row.k_ours is None or bool(row.k_ours),
            unsettled=row.is_open is not None,
            resembles=f"{kind} {row.resembles}" if row.resembles else "",
        )
        known = _fields(row, "k_", COMPARED[kind]) if row.is_known is not None else None
        shares = _shared(connection, kind, row.w_key) if kind is Kind.STAFF and row.w_status == "disabled" else ""
        facts = Facts(refused=row.refused or "", found=not about.ours, shares=shares)
        yield _pair(row, kind, (row.w_key,), known, about, facts, places)


_SEATS = {
    Kind.LEARNER: """(EXISTS (SELECT 1 FROM wanted_candidate c WHERE c.learner = k.key)
        OR EXISTS (SELECT 1 FROM fault f WHERE f.kind = 'candidate' AND f.k2 = k.key)
        OR EXISTS (SELECT 1 FROM known_candidate c LEFT JOIN test_window ctw ON ctw.test = c.test
            WHERE c.learner = k.key AND c.standing = 'active' AND coalesce(ctw.retiring, 0) = 0
            AND NOT EXISTS (SELECT 1 FROM draft d WHERE d.kind = 'candidate' AND d.k1 = c.test AND d.k2 = c.learner
                AND d.action IN ('remove', 'retire') AND d.verdict = 'pass')))""",
    Kind.STAFF: """(SELECT count(*) FROM (SELECT c.test FROM wanted_contributor c
            LEFT JOIN known_test ckt ON ckt.key = c.test LEFT JOIN test_window ctw ON ctw.test = c.test
            WHERE c.staff = k.key AND coalesce(ctw.retiring, 0) = 0 AND (coalesce(ckt.standing, '') <> 'retired'
                OR EXISTS (SELECT 1 FROM wanted_test wt WHERE wt.key = c.test))
        UNION SELECT f.k1 FROM fault f WHERE f.kind = 'contributor' AND f.k2 = k.key
        UNION SELECT c.test FROM known_contributor c LEFT JOIN test_window ctw ON ctw.test = c.test
            WHERE c.staff = k.key AND c.standing = 'active' AND coalesce(ctw.retiring, 0) = 0
            AND NOT EXISTS (SELECT 1 FROM draft d WHERE d.kind = 'contributor' AND d.k1 = c.test AND d.k2 = c.staff
                AND d.action = 'remove' AND d.verdict = 'pass')))""",
    Kind.TEST: "(SELECT count(*) FROM wanted_candidate c WHERE c.test = k.key)",
}


def _shared(connection: Connection, kind: Kind, key: str) -> str:
    """Somebody else who is wanted and has the account of this known person; empty when nobody has."""
    for other in PEOPLE:
        query = (
            f"SELECT min(w.key) FROM known_{kind} k JOIN wanted_{other} w ON w.username = k.username"
            " OR (w.external_id = k.external_id AND w.auth_system = k.auth_system) WHERE k.key = :key"
            + (" AND w.key <> k.key AND coalesce(w.status, '') <> 'disabled'" if other is kind else "")
        )
        found = connection.execute(text(query), {"key": key}).scalar()
        if found is not None:
            return f"{other} {found}"
    return ""


def _absent_records(connection: Connection, kind: Kind, trouble: str, seat_trouble: str) -> Iterator[Pair]:
    columns = ", ".join(f"k.{name} AS k_{name}" for name in COMPARED[kind])
    query = f"""
        SELECT k.key AS key, {columns}, k.standing AS standing, k.ours AS ours, {_SEATS[kind]} AS seats,
               b.reason AS refused, tw.ended AS ended, o.k1 AS is_open,
               EXISTS (SELECT 1 FROM suspect s WHERE s.kind = '{kind}' AND s.old_key = k.key) AS suspect
        FROM vanished v
        JOIN known_{kind} k ON k.key = v.key
        LEFT JOIN test_window tw ON tw.test = k.key AND '{kind}' = 'test'
        LEFT JOIN open_record o ON o.kind = '{kind}' AND o.k1 = k.key
        LEFT JOIN barred b ON b.kind = '{kind}' AND b.k1 = k.key AND b.fingerprint = x''
        WHERE v.kind = '{kind}'
    """
    for row in connection.execute(text(query)):
        about = Circumstances(
            row.standing,
            bool(row.ours),
            unsettled=row.is_open is not None,
            ended=bool(row.ended),
            seated=bool(row.seats),
        )
        suspect = f"{kind} {row.key}" if row.suspect else ""
        unproven = trouble or ("" if row.ended else seat_trouble)
        facts = Facts(
            trouble=unproven,
            registered=int(row.seats),
            suspect=suspect,
            refused=row.refused or "",
            shares=_shared(connection, kind, row.key) if kind is Kind.STAFF else "",
        )
        yield Pair(kind, (row.key,), None, _fields(row, "k_", COMPARED[kind]), about, facts)


def _members(
    connection: Connection, kind: Kind, places: Sequence[str], locked: Collection[str], trouble: str
) -> Iterator[Pair]:
    """What is wanted on tests: options, committees, contributors, candidates."""
    part, person = KEY_FIELDS[kind][1], PERSON_OF.get(kind)
    of_person = "NULL AS person_known, NULL AS person_action, NULL AS person_verdict"
    join_person = ""
    if person:
        of_person = "kl.key AS person_known, dl.action AS person_action, dl.verdict AS person_verdict"
        join_person = f"""
        LEFT JOIN known_{person} kl ON kl.key = w.{part}
        LEFT JOIN draft dl ON dl.kind = '{person}' AND dl.k1 = w.{part}"""
    query = f"""
        SELECT {_columns(kind)}, k.test AS is_known, o.k1 AS is_open, kt.key AS test_known, tw.begun AS begun,
               tw.ended AS ended, {_TEST_TROUBLE[kind].replace("k.test", "w.test")} AS test_trouble,
               {of_person}, dt.action AS test_action, dt.verdict AS test_verdict
        FROM wanted_{kind} w
        LEFT JOIN known_{kind} k ON k.test = w.test AND k.{part} = w.{part}
        LEFT JOIN open_record o ON o.kind = '{kind}' AND o.k1 = w.test AND o.k2 = w.{part}
        {_barred(kind)}
        {_TEST_OF_WANTED} {join_person}
        LEFT JOIN draft dt ON dt.kind = 'test' AND dt.k1 = w.test
        WHERE (k.fingerprint IS NULL OR k.fingerprint <> w.fingerprint OR k.standing <> 'active' OR o.k1 IS NOT NULL)
          AND NOT {_OVER}
        ORDER BY w.test, w.feed, w.line
    """
    places_left = _PlacesLeft(connection)
    for row in connection.execute(text(query)):
        key = (row.w_test, getattr(row, f"w_{part}"))
        if row.ended and key[1] in locked:
            continue  # it can't be set any more, and nobody would notice if it were
        known = _fields(row, "k_", COMPARED[kind]) if row.is_known is not None else None
        about = Circumstances(
            standing=row.k_standing or "active",
            ours=row.k_ours is None or bool(row.k_ours),
            unsettled=row.is_open is not None,
        )
        waits_for = tuple(_missing(connection, row, person, key))
        seated = kind is Kind.CANDIDATE and known is None and not waits_for
        facts = Facts(
            trouble=trouble or (_UNREAD.format(part) if row.test_trouble else ""),
            under_way=bool(row.begun) and not row.ended,
            begun=bool(row.begun) and key[1] in locked,
            waits_for=waits_for,
            room_left=places_left.take(row.w_test) if seated else MAX_CANDIDATES,
            refused=row.refused or "",
        )
        yield _pair(row, kind, key, known, about, facts, places)


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


def _missing(connection: Connection, row: Any, person: Kind | None, key: Key) -> Iterator[str]:
    """What must be in Inspera before this can be, and why it is not yet."""
    needed = [(Kind.TEST, key[0], row.test_known, row.test_action, row.test_verdict)]
    if person:
        needed.insert(0, (person, key[1], row.person_known, row.person_action, row.person_verdict))
    for kind, name, known, action, verdict in needed:
        if action == "rekey":
            yield f"{kind} {name} (held as a rekey)"
        elif known is None and not (action == "create" and verdict == "pass"):
            yield f"{kind} {name} ({_why_missing(connection, kind, name, verdict)})"


def _why_missing(connection: Connection, kind: Kind, name: str, verdict: str | None) -> str:
    if verdict:
        return str(verdict)
    query = text("SELECT 1 FROM fault WHERE kind = :kind AND k1 = :key LIMIT 1")
    faulted = connection.execute(query, {"kind": kind, "key": name}).first()
    return "its row is a fault" if faulted else "no source names it"


def _same_account(kind: Kind) -> str:
    """Another key on the same test whose person has the same account in Inspera."""
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


_UNREAD = "a row of this test names no {} who can be read, so nobody's absence proves anything"


def _absent_members(connection: Connection, kind: Kind, trouble: str) -> Iterator[Pair]:
    """What is known on tests and no feed names: options, committees, contributors, candidates."""
    part, person = KEY_FIELDS[kind][1], PERSON_OF.get(kind)
    columns = ", ".join(f"k.{name} AS k_{name}" for name in COMPARED[kind])
    query = f"""
        SELECT k.test AS test, k.{part} AS part, {columns}, k.standing AS standing, k.ours AS ours,
               tw.begun AS begun, tw.ended AS ended, tw.retiring AS retiring, b.reason AS refused,
               EXISTS (SELECT 1 FROM suspect s WHERE s.kind = '{person or ""}' AND s.old_key = k.{part}) AS who_suspect,
               EXISTS (SELECT 1 FROM suspect s WHERE s.kind = 'test' AND s.old_key = k.test) AS test_suspect,
               {_TEST_TROUBLE[kind]} AS test_trouble,
               {_same_account(kind)} AS same_account
        FROM known_{kind} k
        LEFT JOIN test_window tw ON tw.test = k.test
        LEFT JOIN barred b ON b.kind = '{kind}' AND b.k1 = k.test AND b.k2 = k.{part} AND b.fingerprint = x''
        WHERE k.standing = 'active'
          AND NOT EXISTS (SELECT 1 FROM wanted_{kind} w WHERE w.test = k.test AND w.{part} = k.{part})
          AND NOT EXISTS (
              SELECT 1 FROM fault f WHERE f.kind = '{kind}' AND f.k1 = k.test AND f.k2 = k.{part})
    """
    for row in connection.execute(text(query)):
        about = Circumstances(row.standing, bool(row.ours), ended=bool(row.ended), covered=bool(row.retiring))
        suspect = f"{person} {row.part}" if row.who_suspect else ""
        suspect = suspect or (f"test {row.test}" if row.test_suspect else "")
        proof = trouble or (_UNREAD.format(part) if row.test_trouble else "")
        if row.same_account is not None and not suspect:
            proof = proof or f"{person} {row.same_account} has the same account in Inspera, and a place on this test"
        # a candidate stays from the start on; graders and committees change again once the test has ended
        begun = bool(row.begun) and (kind is Kind.CANDIDATE or not row.ended)
        facts = Facts(trouble=proof, begun=begun, suspect=suspect, refused=row.refused or "")
        yield Pair(kind, (row.test, row.part), None, _fields(row, "k_", COMPARED[kind]), about, facts)


_TEST_TROUBLE = {
    kind: f"EXISTS (SELECT 1 FROM fault f WHERE f.kind = '{kind}' AND f.k1 = k.test AND f.k2 = '')"
    for kind in ON_A_TEST
}
# a committee may be named by any row of its test, also by one that can't be used
_TEST_TROUBLE[Kind.COMMITTEE] = (
    "EXISTS (SELECT 1 FROM fault f WHERE f.kind IN ('committee', 'contributor', 'candidate') AND f.k1 = k.test)"
)


def _pair(
    row: Any, kind: Kind, key: Key, known: Fields | None, about: Circumstances, facts: Facts, places: Sequence[str]
) -> Pair:
    wanted = _fields(row, "w_", (*COMPARED[kind], *SENT_ONCE[kind]))
    secret = wanted.pop(SECRETS.get(kind, ""), None)
    where = f"{places[row.feed]} line {row.line}"
    return Pair(kind, key, wanted, known, about, facts, where, row.fingerprint, None if secret is None else str(secret))


def _fields(row: Any, prefix: str, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, prefix + name) for name in names}
