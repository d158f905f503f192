"""The tests that are due for activation, with what the plan says of them and of what is on them."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from sync.planning.activation import ActivationFacts, Gap, Need, count_needs, is_due
from sync.planning.freeze import TimeFacts
from sync.records.base import Kind, row_place
from sync.records.changes import ADDITIONS, CALLING, Action, Cause, Change, Fields, Verdict
from sync.records.kinds import COMPARED, KEY_FIELDS, ON_A_TEST
from sync.state.compare.absences import TimingOf, prefixed_fields
from sync.state.compare.context import WINDOW
from sync.state.dialect import list_sql
from sync.state.sqlite.open import count
from sync.state.staging.scratch import key_columns


@dataclass(frozen=True, slots=True)
class DueActivation:
    """The activation of a test that is due, as a change, with the facts to decide about it.

    `managed` is also true of a test that this run creates. `fingerprint` is of what the test and
    what is on it are now: a refusal counts only as long as it is the same.
    """

    change: Change
    facts: ActivationFacts
    managed: bool
    fingerprint: bytes


def read_due(
    connection: Connection,
    feeds: Sequence[int],
    places: Sequence[str],
    timing: TimingOf,
    groups: Mapping[str, str],
) -> Iterator[DueActivation]:
    """Yield the wanted tests of these feeds that are due, and not known as activated.

    This needs all the rest of the draft.
    """
    if not feeds:
        return
    for row in connection.execute(text(_due_sql(feeds))).fetchall():
        window = timing(row)
        wanted = dict(prefixed_fields(row, "k_", COMPARED[Kind.TEST]))
        wanted |= {
            name: value
            for name, value in prefixed_fields(row, "w_", COMPARED[Kind.TEST]).items()
            if value is not None
        }
        if window is None or not is_due(str(wanted["start"] or ""), window):
            continue
        yield _due(connection, row, wanted, window, places, groups)


_MEMBERS = list_sql(ON_A_TEST)
_KINDS = f"'{Kind.TEST}', {_MEMBERS}"
_AWAITED = list_sql({*ADDITIONS, Action.IDENTITY_CHANGE, Action.RESTORE})


def _due_sql(feeds: Sequence[int]) -> str:
    columns = ", ".join(
        f'{table}."{name}" AS {table}_{name}' for table in "wk" for name in COMPARED[Kind.TEST]
    )
    return f"""
        SELECT w.key AS key, w.feed AS feed, w.line AS line, w.fingerprint AS fingerprint,
               k.managed AS managed, {columns}, {WINDOW}
        FROM wanted_test w LEFT JOIN known_test k ON k.key = w.key
        JOIN test_window tw ON tw.test = w.key
        WHERE k.activated IS NULL AND tw.ended = 0 AND tw.unsent = 0 AND w.feed IN
            ({", ".join(str(number) for number in feeds)})
        ORDER BY w.key
    """


def _due(
    connection: Connection,
    row: Any,
    wanted: Fields,
    window: TimeFacts,
    places: Sequence[str],
    groups: Mapping[str, str],
) -> DueActivation:
    where = row_place(places[row.feed], row.line, (row.key,))
    change = Change(Action.ACTIVATE, Kind.TEST, (row.key,), wanted, wanted, (), where)
    fingerprint = _fingerprint(connection, row)
    missing = _count_missing(connection, row.key, groups)
    facts = ActivationFacts(
        timing=window,
        candidates=_count_candidates(connection, row.key),
        missing=missing[Need.ALWAYS],
        late=missing[Need.UNTIL_FREEZE],
        archived=row.tw_archived or "",
        parent=bool(row.tw_parent),
        refused=_find_refusal(connection, change, fingerprint),
    )
    return DueActivation(change, facts, row.managed is None or bool(row.managed), fingerprint)


def _count_missing(
    connection: Connection, test: str, groups: Mapping[str, str]
) -> Mapping[Need, Counter[Kind]]:
    """Count what is not made in this run by need and kind: what does not pass, and row errors."""
    name = f"CASE WHEN kind = '{Kind.OPTION}' THEN k2 ELSE '' END AS name"
    changed = f"CASE WHEN kind = '{Kind.TEST}' THEN changed ELSE '' END AS changed"
    query = (
        "SELECT kind, name, changed, cause, count(*) AS number FROM ("
        f"SELECT kind, {name}, {changed}, cause FROM draft"
        f" WHERE kind IN ({_KINDS}) AND k1 = :test AND k2 <> '{Action.ACTIVATE}'"
        f" AND verdict <> '{Verdict.PASS}' AND action IN ({_AWAITED}) UNION ALL"
        f" SELECT kind, {name}, '' AS changed, '' AS cause FROM row_error"
        f" WHERE kind IN ({_MEMBERS}) AND k1 = :test"
        ") AS missing GROUP BY kind, name, changed, cause"
    )
    rows = connection.execute(text(query), {"test": test})
    return count_needs(((_gap_of(row), int(row.number)) for row in rows), groups)


def _gap_of(row: Any) -> Gap:
    changed = tuple(json.loads(row.changed)) if row.changed else ()
    return Gap(Kind(row.kind), row.name or "", changed, Cause(row.cause))


def _count_candidates(connection: Connection, test: str) -> int:
    """Count the candidates that the test has in Inspera once the plan is carried out."""
    drafted = (
        "(SELECT count(*) FROM draft WHERE kind = 'candidate' AND k1 = :test AND verdict = 'pass'"
        " AND action = '{}')"
    )
    known = "(SELECT count(*) FROM known_candidate WHERE test = :test AND lifecycle = 'active')"
    query = f"SELECT {known} + {drafted.format('create')} - {drafted.format('remove')}"
    return count(connection, query, test=test)


def _fingerprint(connection: Connection, row: Any) -> bytes:
    """Return the fingerprint of a test with what is on it, as far as a refusal may rest on it."""
    digest = hashlib.blake2b(row.fingerprint or b"", digest_size=16)
    for kind in (Kind.OPTION, Kind.COMMITTEE):
        part = KEY_FIELDS[kind][1]
        query = f"SELECT {part}, fingerprint FROM known_{kind} WHERE test = :test ORDER BY {part}"
        for name, fingerprint in connection.execute(text(query), {"test": row.key}):
            digest.update(f"{kind} {name} {bytes(fingerprint or b'').hex()}\n".encode())
    for kind in (Kind.CONTRIBUTOR, Kind.CANDIDATE):
        query = f"SELECT count(*) FROM known_{kind} WHERE test = :test AND lifecycle = 'active'"
        digest.update(f"{kind} {count(connection, query, test=row.key)}\n".encode())
    return digest.digest()


def _find_refusal(connection: Connection, change: Change, fingerprint: bytes) -> str:
    k1, k2 = key_columns(change.line_key)
    query = (
        "SELECT reason FROM barred WHERE kind = :kind AND k1 = :k1 AND k2 = :k2"
        " AND fingerprint = :fingerprint"
    )
    values = {"kind": change.kind.value, "k1": k1, "k2": k2, "fingerprint": fingerprint}
    return str(connection.execute(text(query), values).scalar() or "")


_CALLS = list_sql(CALLING)
LEFT_OUT = (
    "not activated: waits for changes on this test that were not asked for; run `apply` without "
    "`--kind`, or for the whole test with `--test`"
)


def defer_left_out(connection: Connection) -> None:
    """Let activations of a narrowed plan wait whose test has changes that were not asked for."""
    left_out = (
        "SELECT 1 FROM draft d WHERE d.k1 = plan.k1 AND d.id <> plan.draft"
        f" AND d.kind IN ({_KINDS}) AND d.verdict = '{Verdict.PASS}' AND d.action IN ({_CALLS})"
        " AND NOT EXISTS (SELECT 1 FROM plan p WHERE p.draft = d.id)"
    )
    connection.execute(
        text(
            f"UPDATE plan SET verdict = '{Verdict.WAITING}', cause = '{Cause.NEEDS}',"
            f" reason = :reason WHERE action = '{Action.ACTIVATE}'"
            f" AND verdict = '{Verdict.PASS}' AND EXISTS ({left_out})"
        ),
        {"reason": LEFT_OUT},
    )
