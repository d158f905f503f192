"""The fields that Inspera identifies by, each of which must have one bearer (rules 31).

They are the username, the external id and the external test id, compared by case too. Two
wanted records of one identity are row errors of both, and neither is sent. A person who is
wanted as a learner and as staff is held as well. A new record with the identity of a known one
is an error; when that one has vanished, it is held as an identity change. What is known of all
of them stays.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from sync.planning.remedies import adopt
from sync.records.base import Key, Kind, RowError
from sync.records.changes import Fields
from sync.records.kinds import ON_A_TEST, PEOPLE
from sync.state.dialect import analyse, casefold_sql, create_index, create_table_as, insert
from sync.state.staging.scratch import add_row_errors, chunks, drop_invalid

MOST_NAMED = 3
"""The most places of other rows in one message; it counts the rest."""


class Identity(NamedTuple):
    """A field by which Inspera tells records of these kinds apart, within `scope` (SQL)."""

    field: str
    kinds: tuple[Kind, ...]
    label: str
    article: str
    scope: str = "''"


IDENTITIES = (
    Identity("username", PEOPLE, "username", "a username"),
    Identity(
        "external_id", PEOPLE, "external id", "an external id", "coalesce({0}.auth_system, '')"
    ),
    Identity("external_test_id", (Kind.TEST,), "external test id", "an external test id"),
)

Record = tuple[Kind, str]
"""A kind of record and its key."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A wanted record with an identity, and the place of its row.

    `before` says that only an earlier reading named it.
    """

    kind: Kind
    key: str
    place: str
    value: str = field(repr=False)
    before: bool = False

    @property
    def record(self) -> Record:
        """Its kind and its key."""
        return self.kind, self.key


@dataclass(slots=True)
class Clashes:
    """The errors of each record, and the records that share an identity, within and across kinds.

    `concerned` contains why nothing known of a record may be removed, also without a row error.
    """

    errors: dict[Record, list[RowError]] = field(default_factory=lambda: defaultdict(list))
    within: set[Record] = field(default_factory=set)
    across: set[Record] = field(default_factory=set)
    concerned: dict[Record, str] = field(default_factory=dict)

    @property
    def held(self) -> set[Record]:
        """Return who stays wanted, and is held."""
        return self.across - self.within

    def add(self, record: Record, row_error: RowError, *, across: bool) -> None:
        """Note an error of a record."""
        self.errors[record].append(row_error)
        (self.across if across else self.within).add(record)
        self.concern(record, f"{row_error.reason}; {row_error.remedy}")

    def concern(self, record: Record, reason: str) -> None:
        """Note that what is known of a record stays."""
        self.concerned.setdefault(record, reason)

    def row_errors(self, records: Iterable[Record]) -> list[RowError]:
        """Return the errors of these records, each once."""
        return list(
            dict.fromkeys(row_error for record in records for row_error in self.errors[record])
        )


def find_shared(connection: Connection, places: Sequence[str]) -> None:
    """Turn wanted records that share an identity into errors, and store all that this concerns.

    Call it once contradicting rows are removed from what is wanted. `places` name the feeds'
    sources by the feed's number.
    """
    clashes = Clashes()
    for identity in IDENTITIES:
        for group in _read_groups(connection, identity, places):
            _judge_group(identity, group, clashes)
    newcomers = _gather_newcomers(connection)
    _drop_records(connection, clashes, sorted(clashes.within))
    if newcomers:
        _judge_newcomers(connection, places, clashes)
    _store_concerned(connection, clashes)


def _drop_records(connection: Connection, clashes: Clashes, records: Sequence[Record]) -> None:
    """Remove records with an error from what is wanted."""
    add_row_errors(connection, clashes.row_errors(records))
    for kind in sorted({kind for kind, _ in records}):
        drop_invalid(connection, kind)


def _store_concerned(connection: Connection, clashes: Clashes) -> None:
    """Store all records that this concerns, and the errors of those that stay wanted.

    No row error removes these any more.
    """
    held = clashes.held
    add_row_errors(connection, clashes.row_errors(sorted(held)))
    rows = [
        (kind.value, key, reason, int((kind, key) in clashes.errors), int((kind, key) in held))
        for (kind, key), reason in clashes.concerned.items()
    ]
    for chunk in chunks(rows):
        insert(connection, "clash", ("kind", "k1", "reason", "error", "held"), chunk)
    create_index(connection, "ix_clash", "clash (kind, k1)")
    create_index(connection, "ix_reused", "reused (kind, new_key)")
    analyse(connection, "clash", "reused")


def _compared_sql(connection: Connection, identity: Identity, kind: Kind) -> tuple[str, str, str]:
    """Return the SQL for scope, compared value and bearer of what is wanted of a kind."""
    # No person is created only to be disabled, and a known one is compared as known.
    there = " AND coalesce(w.status, '') <> 'disabled'" if kind is Kind.STAFF else ""
    return (
        identity.scope.format("w"),
        casefold_sql(connection, f"w.{identity.field}"),
        f"w.{identity.field} <> ''{there}",
    )


def _bearers_sql(connection: Connection, identity: Identity, *, named: bool = False) -> str:
    """Return the SQL for all wanted records with what they are compared by; `named` adds names."""
    about = (
        ", '{kind}' AS kind, w.key AS key, w.feed AS feed, w.line AS line, {value} AS value"
        if named
        else ""
    )
    aliased = (
        identity.field == "username"
        and connection.execute(text("SELECT 1 FROM alias LIMIT 1")).first()
    )
    found = []
    for kind in identity.kinds:
        scope, same, there = _compared_sql(connection, identity, kind)
        columns = about.format(kind=kind, value=f"w.{identity.field}")
        found.append(
            f"SELECT {scope} AS scope, {same} AS same{columns} FROM wanted_{kind} w WHERE {there}"
        )
        if aliased:  # The source's own username counts too, where Inspera's has replaced it.
            word, columns = (
                casefold_sql(connection, "a.wanted"),
                about.format(kind=kind, value="a.wanted"),
            )
            found.append(
                f"SELECT {scope} AS scope, {word} AS same{columns} FROM wanted_{kind} w"
                f" JOIN alias a ON a.kind = '{kind}' AND a.key = w.key AND a.username = w.username"
                f" WHERE {there} AND {word} <> {same}"
            )
    return " UNION ALL ".join(found)


def _read_groups(
    connection: Connection, identity: Identity, places: Sequence[str]
) -> Iterator[list[Bearer]]:
    """Yield the bearers of each identity that more than one record bears."""
    shared = f"shared_{identity.field}"
    every = _bearers_sql(connection, identity)
    several = f"SELECT scope, same FROM ({every}) AS borne GROUP BY scope, same HAVING count(*) > 1"
    create_table_as(connection, shared, several)
    if not connection.execute(text(f"SELECT 1 FROM {shared} LIMIT 1")).first():
        return  # As on most days.
    create_index(connection, f"ix_{shared}", f"{shared} (same)")
    query = (
        "SELECT b.scope, b.same, b.kind, b.key, b.feed, b.line, b.value, s.k1 AS before"
        f" FROM ({_bearers_sql(connection, identity, named=True)}) AS b"
        f" JOIN {shared} g ON g.same = b.same AND g.scope = b.scope"
        " LEFT JOIN stale s ON s.kind = b.kind AND s.k1 = b.key"
        " ORDER BY b.scope, b.same, b.feed, b.line, b.kind"
    )
    rows = connection.execute(text(query)).fetchall()
    for _, members in groupby(rows, key=lambda row: (row.scope, row.same)):
        yield _of_now([_to_bearer(row, places) for row in members])


def _to_bearer(row: Any, places: Sequence[str]) -> Bearer:
    return Bearer(
        Kind(row.kind), row.key, f"{places[row.feed]} {row.line}", row.value, row.before is not None
    )


def _of_now(bearers: list[Bearer]) -> list[Bearer]:
    """Leave out records that only an earlier reading names, where one of now has the identity.

    That is perhaps the same record under a new key.
    """
    now = [one for one in bearers if not one.before]
    return now or bearers


def _judge_group(identity: Identity, group: Sequence[Bearer], clashes: Clashes) -> None:
    for kind in identity.kinds:
        own = [one for one in group if one.kind is kind]
        others = [one for one in group if one.kind is not kind]
        for one in own:
            if len(own) > 1:
                clashes.add(one.record, _clash_within(identity, one, own), across=False)
            if others:
                clashes.add(one.record, _clash_across(identity, one, others), across=True)


def _clash_within(identity: Identity, one: Bearer, bearers: Sequence[Bearer]) -> RowError:
    others = [other for other in bearers if other is not one]
    case = (
        ""
        if all(other.value == one.value for other in others)
        else " except for upper and lower case"
    )
    reason = (
        f"{_names_of(others)} {'has' if len(others) == 1 else 'have'} the same "
        f"{identity.label}{case}"
    )
    remedy = (
        f"give each {one.kind} {identity.article} of their own, or leave out the row that is "
        "not right"
    )
    return RowError(one.place, identity.field, reason, remedy, one.kind, (one.key,))


def _clash_across(identity: Identity, one: Bearer, others: Sequence[Bearer]) -> RowError:
    verb, kind = ("has" if len(others) == 1 else "have"), others[0].kind
    reason = (
        f"{_names_of(others)} ({kind}) {verb} the same {identity.label}, and one account in "
        "Inspera can't be both"
    )
    return RowError(one.place, identity.field, reason, _ONE_OF_BOTH, one.kind, (one.key,))


_ONE_OF_BOTH = (
    "leave the person out of the feed of learners or of that of staff (`where`), or correct the row"
)

_FORGET_REMEDY = (
    "give each a login of their own, or take that account away in Inspera, and then run {}, "
    "which forgets it here"
)


def _names_of(others: Sequence[Bearer]) -> str:
    names = [other.place for other in others[:MOST_NAMED]]
    more = len(others) - len(names)
    return " and ".join((*names, *([f"{more:,} more"] if more > 0 else ())))


def _gather_newcomers(connection: Connection) -> bool:
    """Store wanted records with an unknown identity. Return whether known ones may have it."""
    if not any(
        connection.execute(text(f"SELECT 1 FROM known_{kind} LIMIT 1")).first() for kind in _KINDS
    ):
        return False  # A first load: all are new.
    if not any(_has_newcomers(connection, kind) for kind in _KINDS):
        return False  # This avoids a query for each identity.
    every = []
    for identity in IDENTITIES:
        for kind in identity.kinds:
            scope, same, there = _compared_sql(connection, identity, kind)
            every.append(
                f"SELECT '{identity.field}' AS field, '{kind}' AS kind, w.key AS key, {scope} AS "
                f"scope, {same} AS same,"
                " w.feed AS feed, w.line AS line, CASE WHEN k.key IS NULL THEN 1"
                " ELSE 0 END AS unknown"
                f" FROM wanted_{kind} w LEFT JOIN known_{kind} k ON k.key = w.key"
                f" WHERE {there} AND (k.key IS NULL OR k.{identity.field} IS NULL)"
            )
    create_table_as(connection, "newcomer", " UNION ALL ".join(every))
    create_index(connection, "ix_newcomer", "newcomer (same, field)")
    return connection.execute(text("SELECT 1 FROM newcomer LIMIT 1")).first() is not None


def _has_newcomers(connection: Connection, kind: Kind) -> bool:
    blank = " OR ".join(
        f"k.{identity.field} IS NULL" for identity in IDENTITIES if kind in identity.kinds
    )
    query = (
        f"SELECT 1 FROM wanted_{kind} w LEFT JOIN known_{kind} k ON k.key = w.key"
        f" WHERE k.key IS NULL OR {blank} LIMIT 1"
    )
    return connection.execute(text(query)).first() is not None


_KINDS = sorted({kind for identity in IDENTITIES for kind in identity.kinds})


def _judge_newcomers(connection: Connection, places: Sequence[str], clashes: Clashes) -> None:
    """Hold newcomers that have the identity of a known record of any kind and source."""
    every = " UNION ALL ".join(
        _holders_sql(connection, identity, kind)
        for identity in IDENTITIES
        for kind in identity.kinds
    )
    create_table_as(connection, "taken", every)
    identity_change = (
        "kind = other_kind AND unknown = 1 AND gone = 1"
        " AND EXISTS (SELECT 1 FROM wanted_{0} w WHERE w.key = taken.key)"
    )
    rest = []
    for kind in _KINDS:
        again = f"FROM taken WHERE kind = '{kind}' AND {identity_change.format(kind)}"
        connection.exec_driver_sql(f"INSERT INTO reused SELECT DISTINCT kind, key, other {again}")
        rest.append(
            f"SELECT * FROM taken WHERE kind = '{kind}' AND NOT ({identity_change.format(kind)})"
        )
    rows = connection.execute(
        text(f"{' UNION ALL '.join(rest)} ORDER BY feed, line, other_kind, other")
    ).fetchall()
    dropped: set[Record] = set()
    for row in rows:
        record = (Kind(row.kind), str(row.key))
        clashes.concern(
            (Kind(row.other_kind), str(row.other)),
            f"{places[row.feed]} {row.line} has its {row.field}",
        )
        if record in clashes.within and record not in dropped:
            continue  # It is not wanted any more.
        clashes.add(record, _taken_errors(row, places), across=row.kind != row.other_kind)
        if row.kind == row.other_kind:
            dropped.add(record)
    _drop_records(connection, clashes, sorted(dropped))


def _holders_sql(connection: Connection, identity: Identity, kind: Kind) -> str:
    """Return the SQL for newcomers and the known records of a kind that have their identity.

    `gone`: no row is its. `let_go`: it was released or disabled as its source had dropped it.
    """
    same, scope = casefold_sql(connection, f"k.{identity.field}"), identity.scope.format("k")
    # The known ones first: their table is longer, and each is looked up among the newcomers.
    return (
        f"SELECT n.field, n.kind, n.key, n.feed, n.line, n.unknown, '{kind}' AS other_kind, k.key "
        "AS other, o.feed AS other_feed, o.line AS other_line, f.place AS invalid,"
        " CASE WHEN f.place IS NULL AND (o.key IS NULL OR s.k1 IS NOT NULL) THEN 1"
        " ELSE 0 END AS gone,"
        " CASE WHEN k.lifecycle IN ('released', 'disabled') THEN 1 ELSE 0 END AS let_go"
        f" FROM known_{kind} k CROSS JOIN newcomer n"
        f" LEFT JOIN wanted_{kind} o ON o.key = k.key LEFT JOIN stale s ON s.kind = '{kind}'"
        " AND s.k1 = k.key"
        f" LEFT JOIN (SELECT k1, min(place) AS place FROM row_error WHERE kind = '{kind}'"
        " GROUP BY k1) f ON f.k1 = k.key"
        f" WHERE n.field = '{identity.field}' AND n.same = {same} AND n.scope = {scope}"
        f" AND NOT (n.kind = '{kind}' AND n.key = k.key)"
    )


def _taken_errors(row: Any, places: Sequence[str]) -> RowError:
    kind, label = Kind(row.kind), _LABELS[row.field]
    place = row.invalid or (
        f"{places[row.other_feed]} {row.other_line}" if row.other_feed is not None else ""
    )
    whose = f"{row.other_kind} {row.other}{f' ({place})' if place else ''}"
    if row.kind != row.other_kind:
        reason = f"{whose} has this {label} in Inspera, and one account there can't be both"
        forget = adopt(Kind(row.other_kind), (str(row.other),), "--as-new")
        remedy = _FORGET_REMEDY.format(forget) if row.gone and row.let_go else _ONE_OF_BOTH
    else:
        reason = f"{whose} has this {label} in Inspera"
        remedy = (
            f"correct the row that is not right; if that {kind} has another {label} now, "
            "`adopt` it first"
        )
    return RowError(f"{places[row.feed]} {row.line}", row.field, reason, remedy, kind, (row.key,))


_LABELS = {identity.field: identity.label for identity in IDENTITIES}


def read_errors(connection: Connection) -> Mapping[tuple[Kind, Key], str]:
    """Return why records that share an identity are neither sent nor adopted."""
    rows = connection.execute(text("SELECT kind, k1, reason FROM clash WHERE error = 1")).fetchall()
    return {(Kind(row.kind), (str(row.k1),)): str(row.reason) for row in rows}


def find_reused(connection: Connection, kind: Kind, key: Key) -> Key | None:
    """Return the key of the vanished record whose identity this new one has."""
    query = text("SELECT min(old_key) FROM reused WHERE kind = :kind AND new_key = :key")
    old = connection.execute(query, {"kind": kind, "key": key[0]}).scalar()
    return None if old is None else (str(old),)


def find_holder(
    connection: Connection, kind: Kind, key: Key, fields: Fields, remote_id: str | None
) -> str:
    """Return the known record with this identity in Inspera, such as `learner 1001`; else empty."""
    if kind in ON_A_TEST:  # A member of a test is identified by the person's account.
        return ""
    # What is known of the record itself may be among the fields.
    about = {
        **fields,
        "remote_id": remote_id,
    }
    for other in PEOPLE if kind in PEOPLE else (kind,):
        itself = {"key": key[0]} if other is kind else {}
        for names in _HOLDING:  # One by one, so that each uses its index.
            values = {name: about[name] for name in names if about.get(name)}
            if len(values) < len(names):
                continue
            conditions = [f"{name} = :{name}" for name in names] + ["key <> :key"] * len(itself)
            query = text(f"SELECT min(key) FROM known_{other} WHERE {' AND '.join(conditions)}")
            holding = connection.execute(query, {**values, **itself}).scalar()
            if holding is not None:
                return f"{other} {holding}"
    return ""


_HOLDING = (("remote_id",), ("username",), ("external_id", "auth_system"), ("external_test_id",))
"""The fields that identify an account or a test, each alone or both together."""
