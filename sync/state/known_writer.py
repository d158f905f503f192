"""What is written of the records that Inspera holds, and of a person's decisions on them."""

from collections.abc import Callable
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, TextClause, text

from sync.records.base import Key, Kind, utc_text
from sync.records.changes import Fields
from sync.records.kinds import COMPARED, KEY_FIELDS, ON_A_TEST, PEOPLE, PERSON_OF
from sync.state import kept_values, traits
from sync.state.compare import absence_counts
from sync.state.staging import snapshot
from sync.state.staging.scratch import key_columns

Clock = Callable[[], datetime]


class KnownWriter:
    """The known records, as outcomes, readings and people change them.

    Nothing is durable before the next commit.
    """

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection, self._clock = connection, clock

    def remember(
        self,
        kind: Kind,
        key: Key,
        fields: Fields,
        *,
        fingerprint: bytes | None = None,
        remote_id: str | None = None,
        managed: bool | None = None,
    ) -> None:
        """Store a record as Inspera holds it; None keeps `managed` and `remote_id` as they are."""
        values: dict[str, object] = dict(zip(KEY_FIELDS[kind], key, strict=True))
        values.update({name: fields.get(name) for name in COMPARED[kind]})
        values.update(
            fingerprint=fingerprint,
            remote_id=remote_id,
            lifecycle="active",
            updated=utc_text(self._clock()),
        )
        values["managed"] = True if managed is None else managed
        self._connection.execute(_upsert_sql(kind, keep_managed=managed is None), values)

    def note_parent(self, test: str, *, is_parent: bool | None) -> None:
        """Store whether other tests are parts of this one; None keeps what is known of that."""
        if is_parent is not None:
            traits.note_parent(self._connection, test, self._clock(), is_parent=is_parent)

    def disable(self, key: Key, fingerprint: bytes | None) -> None:
        """Store that a member of staff is disabled in Inspera."""
        self._connection.execute(
            text(
                "UPDATE known_staff SET lifecycle = 'disabled', status = 'disabled', fingerprint = "
                ":fingerprint, updated = :at WHERE key = :key"
            ),
            {"fingerprint": fingerprint, "at": utc_text(self._clock()), "key": key[0]},
        )
        absence_counts.forget(self._connection, Kind.STAFF, key)

    def activate(self, key: Key) -> None:
        """Store that a test is activated in Inspera, and when that was first known."""
        self._connection.execute(
            text("UPDATE known_test SET activated = coalesce(activated, :at) WHERE key = :key"),
            {"at": utc_text(self._clock()), "key": key[0]},
        )

    def refuse(self, kind: Kind, key: Key) -> None:
        """Mark an existing person as refused if nothing that was sent to Inspera was accepted.

        Then all of their record is sent again, although what Inspera shows is as wanted.
        """
        if kind in PEOPLE:
            self._connection.execute(
                text(
                    f"UPDATE known_{kind} SET lifecycle = 'refused'"
                    " WHERE key = :key AND lifecycle = 'active' AND fingerprint IS NULL"
                ),
                {"key": key[0]},
            )

    def forget(self, kind: Kind, key: Key) -> None:
        """Delete a record from what is known, with a person's kept username."""
        self._connection.execute(
            text("DELETE FROM alias WHERE kind = :kind AND key = :key"),
            {"kind": kind, "key": key[0]},
        )
        kept_values.forget(self._connection, kind, key)
        absence_counts.forget(self._connection, kind, key)
        if kind is Kind.TEST:
            traits.forget(self._connection, key[0])
        condition = " AND ".join(f"{name} = :{name}" for name in KEY_FIELDS[kind])
        self._connection.execute(
            text(f"DELETE FROM known_{kind} WHERE {condition}"),
            dict(zip(KEY_FIELDS[kind], key, strict=True)),
        )

    def forget_with_candidates(self, kind: Kind, key: Key) -> None:
        """Delete a person or a test, and what names it on tests and is not retired."""
        for other in _kinds_naming(kind):
            self._connection.execute(
                text(f"DELETE FROM known_{other} WHERE {kind} = :key AND lifecycle <> 'retired'"),
                {"key": key[0]},
            )
        self.forget(kind, key)

    def rename(self, kind: Kind, old: Key, new: Key) -> None:
        """Give a known person or test its new key, and what names it on tests too."""
        keys = {"old": old[0], "new": new[0]}
        self._connection.execute(
            # Without a fingerprint, so that the next plan compares the values of the new row.
            text(f"UPDATE known_{kind} SET key = :new, fingerprint = NULL WHERE key = :old"),
            keys,
        )
        for other in _kinds_naming(kind):
            self._connection.execute(
                text(f"UPDATE known_{other} SET {kind} = :new WHERE {kind} = :old"), keys
            )
        if kind is Kind.TEST:
            traits.rename(self._connection, old[0], new[0])
        moved = f"UPDATE alias SET key = :new WHERE kind = '{kind}' AND key = :old"
        self._connection.execute(text(moved), keys)
        snapshot.forget(self._connection, kind, *key_columns(old))
        kept_values.rename(self._connection, kind, old[0], new[0])

    def keep(self, kind: Kind, key: Key, wanted: Fields) -> None:
        """Make these fields keep Inspera's value until the source's changes.

        An empty `wanted` ends that for all fields.
        """
        kept_values.store(self._connection, kind, key, wanted)

    def alias(self, kind: Kind, key: Key, wanted: str, username: str) -> None:
        """Store that Inspera has another username for a person than the source, and keeps it."""
        self._connection.execute(
            text(
                "INSERT INTO alias (kind, key, wanted, username)"
                " VALUES (:kind, :key, :wanted, :username)"
                " ON CONFLICT (kind, key) DO UPDATE SET wanted = excluded.wanted, username = "
                "excluded.username"
            ),
            {"kind": kind, "key": key[0], "wanted": wanted, "username": username},
        )

    def accept(self, kind: Kind, key: Key) -> None:
        """Store a person's decision that a record is new, although it looks like one that vanished.

        Of a candidate: that the known extra time need not stay, although this tool did not give it.
        """
        k1, k2 = key_columns(key)
        self._connection.execute(
            text(
                "INSERT INTO accepted (kind, k1, k2, at) VALUES (:kind, :k1, :k2, :at)"
                " ON CONFLICT DO NOTHING"
            ),
            {"kind": kind, "k1": k1, "k2": k2, "at": utc_text(self._clock())},
        )


@cache
def _upsert_sql(kind: Kind, *, keep_managed: bool) -> TextClause:
    keys = KEY_FIELDS[kind]
    columns = [
        *keys,
        *COMPARED[kind],
        "fingerprint",
        "remote_id",
        "lifecycle",
        "managed",
        "updated",
    ]
    # Not every answer of Inspera contains the id, so one without it keeps the known one.
    kept = {"remote_id": f"coalesce(excluded.remote_id, known_{kind}.remote_id)"}
    if keep_managed:
        kept["managed"] = f"known_{kind}.managed"
    updates = ", ".join(
        f'"{name}" = ' + kept.get(name, f'excluded."{name}"') for name in columns[len(keys) :]
    )
    quoted = ", ".join(f'"{name}"' for name in columns)  # Quoted: `end` is a keyword of SQL.
    return text(
        f"INSERT INTO known_{kind} ({quoted}) VALUES ({', '.join(':' + name for name in columns)})"
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {updates}"
    )


def _kinds_naming(kind: Kind) -> tuple[Kind, ...]:
    """Return the kinds whose records name one of this kind by its key."""
    return (
        ON_A_TEST
        if kind is Kind.TEST
        else tuple(other for other, person in PERSON_OF.items() if person is kind)
    )
