"""Rows that name an unknown test or person: each is a row error, never a removal (rules 30).

Such a row may mean anybody on its test; or any test of its person; or anything. `astray` stores
which, and nothing that it may mean is removed. Where the feed that would make the test or the
person is not reliable in this run, the row waits instead, and protects as much.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from sync.records.base import Kind, RowError
from sync.records.kinds import KEY_FIELDS, ON_A_TEST, PEOPLE, PERSON_OF
from sync.records.rule_numbers import SafetyRule
from sync.state.dialect import analyse, create_index, insert, stream
from sync.state.staging.scratch import add_row_errors, chunks
from sync.text.similarity import commonest, differences, is_scientific, loose, may_be_shown, shape

MOST_COMPARED = 20_000
"""The number of unknown values that are compared with the keys; of others the shape is shown."""

_SAMPLE = 1_000
_NOUN = {Kind.LEARNER: "learner", Kind.STAFF: "member of staff", Kind.TEST: "test"}
_CONFUSED_FIELDS = {
    Kind.LEARNER: ("username", "external_id", "email"),
    Kind.STAFF: ("username", "external_id", "email"),
    Kind.TEST: ("external_test_id", "title"),
}
"""Fields that somebody may have mapped instead of the key."""

DEPARTS = "departure"
"""The cause of a row that names a person who departs by their own row: they are not unknown."""


@dataclass(frozen=True, slots=True)
class ReferencePart:
    """A part of a kind's key that is the key of another kind."""

    kind: Kind
    name: str
    named: Kind

    @property
    def values(self) -> dict[str, object]:
        """Return what the queries about it take."""
        return {"kind": self.kind.value, "part": self.name}


def parts_of(kind: Kind) -> Iterator[ReferencePart]:
    """Yield the parts of this kind's key that are keys of another kind."""
    yield ReferencePart(kind, "test", Kind.TEST)
    if kind in PERSON_OF:
        yield ReferencePart(kind, KEY_FIELDS[kind][1], PERSON_OF[kind])


def note_unknown(connection: Connection, part: ReferencePart) -> bool:
    """Store what rows name that is neither wanted nor known. Return whether there is anything."""
    unknown = (
        f"SELECT named.{part.name} AS value FROM (SELECT DISTINCT {part.name}"
        f" FROM wanted_{part.kind}) named"
        f" WHERE NOT EXISTS (SELECT 1 FROM wanted_{part.named} w WHERE w.key = named.{part.name})"
        f" AND NOT EXISTS (SELECT 1 FROM known_{part.named} k WHERE k.key = named.{part.name})"
    )
    if not connection.execute(text(f"{unknown} LIMIT 1")).first():
        return False  # As nearly always.
    statement = (
        "INSERT INTO unknown (kind, part, value, cause) SELECT :kind, :part, value, ''"
        f" FROM ({unknown}) AS u"
    )
    connection.execute(text(statement), part.values)
    create_index(connection, "ix_unknown", "unknown (kind, part, value)")
    analyse(connection, "unknown")
    return True


def refuse_unresolved(
    connection: Connection,
    noted: Sequence[ReferencePart],
    places: Sequence[str],
    unsure: Collection[Kind],
) -> None:
    """Turn rows of one kind that name unknown records into row errors, with their cause.

    Those of `unsure` kinds wait.
    """
    unknown = [part for part in noted if _still_unknown(connection, part)]
    for part in unknown:
        _explain(connection, part)
    for part in unknown:
        _note_astray(connection, part, places)
    refused = [part for part in unknown if part.named not in unsure]
    for part in refused:
        add_row_errors(connection, _row_errors(connection, part, places))
    for part in refused:
        connection.execute(
            text(f"DELETE FROM wanted_{part.kind} WHERE {part.name} IN ({_VALUES})"), part.values
        )


def note_astray_row_errors(connection: Connection) -> None:
    """Store what rows with another error may mean when they also name something unknown."""
    for kind in ON_A_TEST:
        _note_astray_row_errors(connection, kind)
    create_index(connection, "ix_astray", "astray (kind, k1, k2)")
    analyse(connection, "astray")


_VALUES = "SELECT value FROM unknown WHERE kind = :kind AND part = :part"


def _still_unknown(connection: Connection, part: ReferencePart) -> bool:
    """Forget what has an invalid row of its own, and what no row names any more."""
    for statement in (
        f"DELETE FROM unknown WHERE kind = :kind AND part = :part AND value IN"
        f" (SELECT k1 FROM row_error WHERE kind = '{part.named}' AND k1 IS NOT NULL)",
        f"DELETE FROM unknown WHERE kind = :kind AND part = :part"
        f" AND NOT EXISTS (SELECT 1 FROM wanted_{part.kind} w WHERE w.{part.name} = unknown.value)",
    ):
        connection.execute(text(statement), part.values)
    return connection.execute(text(f"{_VALUES} LIMIT 1"), part.values).first() is not None


def _other_part(part: ReferencePart) -> str:
    """Return the name of the other part of the key."""
    first, second = KEY_FIELDS[part.kind]
    return second if part.name == first else first


def _read_rows(connection: Connection, part: ReferencePart) -> Iterator[Any]:
    """Yield the rows that name something unknown by this part, cause by cause."""
    query = (
        f"SELECT w.feed AS feed, w.line AS line, w.{part.name} AS own, w.{_other_part(part)} AS "
        "other, u.cause AS cause, u.reason AS reason, u.remedy AS remedy, o.value AS lost"
        f" FROM unknown u JOIN wanted_{part.kind} w ON w.{part.name} = u.value"
        f" LEFT JOIN unknown o ON o.kind = '{part.kind}' AND o.part = '{_other_part(part)}'"
        f" AND o.value = w.{_other_part(part)} AND o.cause <> '{DEPARTS}'"
        " WHERE u.kind = :kind AND u.part = :part ORDER BY u.cause, w.feed, w.line"
    )
    yield from stream(connection, query, **part.values)


def _row_errors(
    connection: Connection, part: ReferencePart, places: Sequence[str]
) -> Iterator[RowError]:
    for row in _read_rows(connection, part):
        place = f"{places[row.feed]} {row.line}"
        yield RowError(
            place,
            part.name,
            row.reason,
            row.remedy,
            part.kind,
            _readable_key(part, row),
            row.cause,
            rule=SafetyRule.UNKNOWN_REFERENCES,
        )


def _readable_key(part: ReferencePart, row: Any) -> tuple[str, str] | None:
    """Return the readable part of the record's key: a test alone, a person alone, or nothing."""
    own = row.own if row.cause == DEPARTS else ""
    other = row.other if row.lost is None else ""
    key = (own, other) if part.name == "test" else (other, own)
    return key if any(key) else None


def _note_astray(connection: Connection, part: ReferencePart, places: Sequence[str]) -> None:
    """Store what the rows may mean that name something unknown."""
    found = (
        (*(_readable_key(part, row) or ("", "")), f"{places[row.feed]} {row.line}")
        for row in _read_rows(connection, part)
        if row.cause != DEPARTS
    )
    for chunk in chunks(found):
        insert(connection, "astray", ("k1", "k2", "place"), chunk, kind=part.kind.value)


def _note_astray_row_errors(connection: Connection, kind: Kind) -> None:
    there = dict.fromkeys(("k1", "k2"), "1 = 1")
    for column, part in zip(("k1", "k2"), parts_of(kind), strict=False):
        there[column] = (
            f"(f.{column} = '' OR EXISTS (SELECT 1 FROM wanted_{part.named} w"
            f" WHERE w.key = f.{column})"
            f" OR EXISTS (SELECT 1 FROM known_{part.named} k WHERE k.key = f.{column})"
            f" OR EXISTS (SELECT 1 FROM row_error n WHERE n.kind = '{part.named}'"
            f" AND n.k1 = f.{column}))"
        )
    connection.execute(
        text(
            "INSERT INTO astray (kind, k1, k2, place)"
            f" SELECT f.kind, CASE WHEN {there['k1']} THEN f.k1 ELSE '' END,"
            f" CASE WHEN {there['k2']} THEN f.k2 ELSE '' END, f.place FROM row_error f"
            f" WHERE f.kind = :kind AND f.cause <> '{DEPARTS}' AND f.k1 <> ''"
            f" AND NOT ({there['k1']} AND {there['k2']})"
        ),
        {"kind": kind.value},
    )


def _explain(connection: Connection, part: ReferencePart) -> None:
    """Store why each unknown value is unknown: the key that it resembles, or what else it is."""
    looks, example = _describe_known(connection, part.named)
    _explain_departing(connection, part)
    _explain_resembling(connection, part)
    for other in (Kind.LEARNER, Kind.STAFF, Kind.TEST):
        if other is not part.named:
            reason = (
                f"no feed makes the {_NOUN[part.named]} in this row: the value is the key of "
                f"a {_NOUN[other]}"
            )
            remedy = (
                f"map '{part.name}' to the column with the key of a {_NOUN[part.named]}; are "
                "two columns swapped?"
            )
            _set_cause(
                connection, part, f"key of {other}", _keys_sql(other), f"{reason}{looks}", remedy
            )
    for name in _CONFUSED_FIELDS[part.named]:
        reason = (
            f"no feed makes the {_NOUN[part.named]} in this row: the value is a {name} and "
            "not a key"
        )
        remedy = (
            f"map '{part.name}' to the column with the key, or map that {name} as 'key' of "
            f"the {part.named} feed"
        )
        tables = (
            f"SELECT {name} FROM {side}_{part.named} WHERE {name} <> ''"
            for side in ("wanted", "known")
        )
        _set_cause(connection, part, name, " UNION ".join(tables), f"{reason}{looks}", remedy)
    _explain_rest(connection, part, looks, shape(example))


def _keys_sql(kind: Kind) -> str:
    return f"SELECT key FROM wanted_{kind} UNION SELECT key FROM known_{kind}"


def _describe_known(connection: Connection, kind: Kind) -> tuple[str, str]:
    """Return a description of the existing keys, and one of the most common shape."""
    rows = connection.execute(text(f"SELECT key FROM ({_keys_sql(kind)}) AS there LIMIT {_SAMPLE}"))
    found, example = commonest(row[0] for row in rows)
    if not found:
        return f"; no {_NOUN[kind]} exists yet", ""
    shown = f"{example}: " if may_be_shown(example) else ""
    return f"; known keys look like {shown}{found}", example


def _explain_departing(connection: Connection, part: ReferencePart) -> None:
    reason = f"the {_NOUN[part.named]} that this row names departs by its own row"
    departure = f"SELECT k1 FROM departed WHERE kind = '{part.named}'"
    _set_cause(
        connection,
        part,
        DEPARTS,
        departure,
        reason,
        "take this row out of the source, or correct the other one",
    )


def _set_cause(
    connection: Connection, part: ReferencePart, cause: str, values: str, reason: str, remedy: str
) -> None:
    """Give this cause to the values that a query has, unless they have one."""
    statement = (
        "UPDATE unknown SET cause = :cause, reason = :reason, remedy = :remedy"
        f" WHERE kind = :kind AND part = :part AND cause = '' AND value IN ({values})"
    )
    connection.execute(
        text(statement), {**part.values, "cause": cause, "reason": reason, "remedy": remedy}
    )


def _explain_resembling(connection: Connection, part: ReferencePart) -> None:
    """Explain values that differ from a known key only by what spreadsheets and exports change."""
    query = f"{_VALUES} AND cause = '' ORDER BY value LIMIT {MOST_COMPARED}"
    meant: dict[str, list[str]] = {}
    for (value,) in connection.execute(text(query), part.values):
        meant.setdefault(loose(value), []).append(value)
    found: dict[str, str] = {}
    for (key,) in stream(connection, _keys_sql(part.named)):
        for value in meant.get(loose(key), ()):
            found[value] = min(key, found.get(value, key))
    remedy = f"write it as in the {part.named}'s own row; in a spreadsheet make the column text"
    updates = []
    for value, key in found.items():
        by = " and ".join(differences(value, key))
        reason = (
            f"no feed makes the {_NOUN[part.named]} {value!r}, and this state does not know it:"
            f" it differs only by {by} from {key}"
        )
        updates.append(
            {**part.values, "value": value, "cause": f"by {by}", "reason": reason, "remedy": remedy}
        )
    _update_causes(connection, updates)


def _explain_rest(connection: Connection, part: ReferencePart, looks: str, usual: str) -> None:
    """Explain the rest by its shape; show the value itself only if it is a code like known ones."""
    query = text(f"{_VALUES} AND cause = '' LIMIT 2000")
    while page := connection.execute(query, part.values).fetchall():
        _update_causes(
            connection,
            [
                {**part.values, "value": row[0], **_describe(row[0], part, looks, usual)}
                for row in page
            ],
        )


def _describe(value: str, part: ReferencePart, looks: str, usual: str) -> dict[str, str]:
    noun, own = _NOUN[part.named], shape(value)
    shown = repr(value) if may_be_shown(value) and own == usual else f"in this row ({own})"
    reason = f"no feed makes the {noun} {shown}, and this state does not know it"
    cause = (
        "scientific notation" if is_scientific(value) else "unknown" if own == usual else "shape"
    )
    if is_scientific(value):
        reason += ": it is a number that a spreadsheet has shortened"
    who = "them" if part.named in PEOPLE else "it"
    remedy = f"correct the row, bring the {noun} into a feed, or leave {who} out with `where`"
    return {"cause": cause, "reason": f"{reason}{looks}", "remedy": remedy}


def _update_causes(connection: Connection, updates: list[dict[str, object]]) -> None:
    statement = (
        "UPDATE unknown SET cause = :cause, reason = :reason, remedy = :remedy"
        " WHERE kind = :kind AND part = :part AND value = :value"
    )
    if updates:
        connection.execute(text(statement), updates)
