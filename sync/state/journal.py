"""Runs, intents and outcomes: what was about to be sent, what became of it, and what Inspera therefore holds.

An intent is committed before its call and its outcome after it, together with what is then known. Only the thread
that owns the connection writes here, many records to a commit.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import SQLAlchemyError

from sync.errors import StateError
from sync.planning.diff import remembered
from sync.records.base import Key, Kind, utc_text, utc_time
from sync.records.changes import (
    REMOVALS,
    Action,
    Fields,
    OpenIntent,
    Outcome,
    PlannedChange,
    Result,
)
from sync.records.kinds import COMPARED, KEY_FIELDS, ON_A_TEST, PEOPLE, PERSON_OF
from sync.state import kept_values, refusals
from sync.state.compare import recent_removals
from sync.state.dialect import analyse, create_index
from sync.state.sqlite.open import count
from sync.state.staging import snapshot
from sync.state.staging.scratch import columns_of, from_json, key_from, to_json

Clock = Callable[[], datetime]

MOST_FINDINGS = 50_000
"""What one run keeps at most for `status`; the counts of the run are of all."""

_INTEND = text(
    "INSERT INTO intent (id, run_id, kind, k1, k2, action, fields, at, message)"
    " VALUES (:id, :run, :kind, :k1, :k2, :action, :fields, :at, '')"
)
_CLOSE = text("UPDATE intent SET outcome = :o, outcome_at = :at, message = :m WHERE id = :id")


class Journal:
    """Writes one run's intents, outcomes and findings, and promotes what is done to known.

    `confirm` raises `Deposed` when another process has taken over, so that nothing more may be sent. `keep_mark` notes
    the newest run apart from the state.
    """

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        command: str,
        confirm: Callable[[], None] | None = None,
        keep_mark: Callable[[], None] | None = None,
    ) -> None:
        self._connection, self._clock, self._confirm, self._keep_mark = (
            connection,
            clock,
            confirm,
            keep_mark,
        )
        connection.execute(
            text(
                "INSERT INTO run (command, started, status, counts) VALUES (:c, :at, 'running', '{}')"
            ),
            {"c": command, "at": utc_text(clock())},
        )
        self.run_id = count(connection, "SELECT max(id) FROM run")  # nobody else writes here
        self._findings = 0
        self._refused = set(refusals.standing(connection))
        self._open_before = {(intent.kind, intent.key) for intent in open_intents(connection)}
        connection.commit()
        if keep_mark:
            keep_mark()  # before anything is sent: a copy from before this run is older

    def intend(self, lines: Sequence[PlannedChange]) -> list[int]:
        """Commits intents for lines that are about to be sent; gives their ids, in order.

        Raises:
            Deposed: another process has taken over.
        """
        first = 1 + count(self._connection, "SELECT max(id) FROM intent")  # nobody else writes here
        at = utc_text(self._clock())
        rows: list[dict[str, object]] = []
        for number, line in enumerate(lines, first):
            change = line.change
            k1, k2 = columns_of(change.key)
            fields = to_json(remembered(change.kind, change.after or change.before))
            rows.append(
                {"id": number, "run": self.run_id, "kind": change.kind, "k1": k1, "k2": k2}
                | {"action": change.action, "fields": fields, "at": at}
            )
        if rows and self._confirm:
            self._confirm()  # first, so that no later commit keeps intents of what is not sent
        if rows:
            self._connection.execute(_INTEND, rows)
        self._connection.commit()
        return list(range(first, first + len(rows)))

    def record(self, results: Iterable[tuple[int | None, PlannedChange, Outcome]]) -> None:
        """Notes outcomes, and with each what Inspera now holds; durable with the next commit.

        An unknown outcome leaves its intent open. A line that needed no call has no intent (None).
        """
        at = utc_text(self._clock())
        closed: list[dict[str, object]] = []
        for intent, line, outcome in results:
            if outcome.result is Result.UNKNOWN:
                self._connection.execute(
                    text("UPDATE intent SET message = :m WHERE id = :id"),
                    {"m": outcome.message, "id": intent},
                )
                continue
            record = (line.change.kind, line.change.key)
            if outcome.result is Result.REFUSED:
                refusals.note(self._connection, line, outcome.message, self._clock())
                self._refused.add(record)
                self._refuse(*record)
            elif outcome.result in (Result.DONE, Result.FOUND):
                self._promote(line, outcome)
                if record in self._refused:
                    self._refused.discard(record)
                    refusals.lift(self._connection, *record)
                if record in self._open_before:
                    self.close_earlier(*record)
            if intent is not None:
                closed.append(
                    {"o": outcome.result.value, "at": at, "m": outcome.message, "id": intent}
                )
        if closed:
            self._connection.execute(_CLOSE, closed)

    def _refuse(self, kind: Kind, key: Key) -> None:
        """Let nobody pass for active who was found in Inspera, and of whom nothing that was sent has been taken."""
        if kind in PEOPLE:
            self._connection.execute(
                text(
                    f"UPDATE known_{kind} SET standing = 'refused'"
                    " WHERE key = :key AND standing = 'active' AND fingerprint IS NULL"
                ),
                {"key": key[0]},
            )

    def stay_refused(self, kind: Kind, key: Key) -> None:
        """Let a person who was refused be sent again, although Inspera shows an account that looks like theirs."""
        self._refuse(kind, key)

    def close_earlier(self, kind: Kind, key: Key) -> None:
        """Closes open intents of earlier runs for a record, now that it is known what became of it."""
        k1, k2 = columns_of(key)
        self._connection.execute(
            text(
                "UPDATE intent SET outcome = 'settled', outcome_at = :at"
                " WHERE kind = :kind AND k1 = :k1 AND k2 = :k2 AND outcome IS NULL"
            ),
            {"kind": kind, "k1": k1, "k2": k2, "at": utc_text(self._clock())},
        )

    def _promote(self, line: PlannedChange, outcome: Outcome) -> None:
        change = line.change
        if change.action in REMOVALS:  # with a scope, its removal was allowed
            recent_removals.note(
                self._connection, change.kind, change.key, self._clock(), approved=bool(line.scope)
            )
        if change.action in (Action.REMOVE, Action.DELETE):
            self.forget(change.kind, change.key)
            return
        if change.action is Action.DISABLE:
            self._disable(line)
            return
        fields = {**remembered(change.kind, change.after), **outcome.there}
        same = all(
            fields[name] == change.after.get(name) for name in fields if name in change.after
        )
        ours = outcome.result is Result.DONE if change.action is Action.CREATE else None
        self.remember(
            change.kind,
            change.key,
            fields,
            fingerprint=line.fingerprint if same else None,
            remote_id=outcome.remote_id,
            ours=ours,
        )

    def _disable(self, line: PlannedChange) -> None:
        self._connection.execute(
            text(
                "UPDATE known_staff SET standing = 'disabled', status = 'disabled', fingerprint = :fingerprint,"
                " updated = :at WHERE key = :key"
            ),
            {
                "fingerprint": line.fingerprint,
                "at": utc_text(self._clock()),
                "key": line.change.key[0],
            },
        )

    def remember(
        self,
        kind: Kind,
        key: Key,
        fields: Fields,
        *,
        fingerprint: bytes | None = None,
        remote_id: str | None = None,
        ours: bool | None = None,
    ) -> None:
        """Makes a record known as Inspera holds it; `ours` and `remote_id` are kept as they are when None."""
        values: dict[str, object] = dict(zip(KEY_FIELDS[kind], key, strict=True))
        values.update({name: fields.get(name) for name in COMPARED[kind]})
        values.update(
            fingerprint=fingerprint,
            remote_id=remote_id,
            standing="active",
            updated=utc_text(self._clock()),
        )
        values["ours"] = True if ours is None else ours
        self._connection.execute(_upsert(kind, keep_ours=ours is None), values)

    def forget(self, kind: Kind, key: Key) -> None:
        """Removes a record from what is known; a person's kept username goes with it."""
        self._connection.execute(
            text("DELETE FROM alias WHERE kind = :kind AND key = :key"),
            {"kind": kind, "key": key[0]},
        )
        kept_values.drop(self._connection, kind, key)
        condition = " AND ".join(f"{name} = :{name}" for name in KEY_FIELDS[kind])
        self._connection.execute(
            text(f"DELETE FROM known_{kind} WHERE {condition}"),
            dict(zip(KEY_FIELDS[kind], key, strict=True)),
        )

    def forget_with_candidates(self, kind: Kind, key: Key) -> None:
        """Forgets a person or a test, and what names it on tests and is not retired."""
        for other in _naming(kind):
            self._connection.execute(
                text(f"DELETE FROM known_{other} WHERE {kind} = :key AND standing <> 'retired'"),
                {"key": key[0]},
            )
        self.forget(kind, key)

    def rename(self, kind: Kind, old: Key, new: Key) -> None:
        """Gives a known person or test its new key, and what names it on tests with it."""
        keys = {"old": old[0], "new": new[0]}
        self._connection.execute(
            text(f"UPDATE known_{kind} SET key = :new, fingerprint = NULL WHERE key = :old"), keys
        )
        for other in _naming(kind):
            self._connection.execute(
                text(f"UPDATE known_{other} SET {kind} = :new WHERE {kind} = :old"), keys
            )
        moved = f"UPDATE alias SET key = :new WHERE kind = '{kind}' AND key = :old"
        self._connection.execute(text(moved), keys)
        snapshot.forget(self._connection, kind, *columns_of(old))
        kept_values.rename(self._connection, kind, old[0], new[0])

    def keep(self, kind: Kind, key: Key, wanted: Fields) -> None:
        """Lets these fields keep Inspera's value until the source says something else; without any, none does."""
        kept_values.keep(self._connection, kind, key, wanted)

    def alias(self, kind: Kind, key: Key, wanted: str, username: str) -> None:
        """Remembers that Inspera has another username for a person than the source, and that it is kept."""
        self._connection.execute(
            text(
                "INSERT INTO alias (kind, key, wanted, username) VALUES (:kind, :key, :wanted, :username)"
                " ON CONFLICT (kind, key) DO UPDATE SET wanted = excluded.wanted, username = excluded.username"
            ),
            {"kind": kind, "key": key[0], "wanted": wanted, "username": username},
        )

    def accept(self, kind: Kind, key: Key) -> None:
        """Remembers a person's word: that this record is a new one, although it looks like one that vanished.

        Or, of a candidate: that the extra time which is known need not stay, although we did not give it.
        """
        k1, k2 = columns_of(key)
        self._connection.execute(
            text(
                "INSERT INTO accepted (kind, k1, k2, at) VALUES (:kind, :k1, :k2, :at) ON CONFLICT DO NOTHING"
            ),
            {"kind": kind, "k1": k1, "k2": k2, "at": utc_text(self._clock())},
        )

    def settle(self, intent: OpenIntent, outcome: str, message: str = "") -> None:
        """Closes an intent of an earlier run, now that its outcome is known."""
        if outcome == "done" and intent.action in REMOVALS:
            recent_removals.note(
                self._connection, intent.kind, intent.key, self._clock(), approved=False
            )
        self._connection.execute(
            _CLOSE, {"o": outcome, "at": utc_text(self._clock()), "m": message, "id": intent.id}
        )

    def lapse(self, unsure: Collection[Kind] = ()) -> None:
        """Closes open intents and refusals of earlier runs that nothing asks for any more.

        Those of `unsure` kinds stay: not all that is wanted of these was read.
        """
        for kind in (kind for kind in (*PEOPLE, Kind.OPTION) if kind not in unsure):
            self._connection.execute(
                text(_lapse(kind)), {"at": utc_text(self._clock()), "run": self.run_id}
            )
        refusals.lapse(self._connection, unsure)

    def commit(self) -> None:
        """Makes what was remembered, forgotten or settled durable."""
        self._connection.commit()

    def promote_silent(self, *, leaving: bool = True) -> None:
        """Carries out what makes no call: releases, withdrawals, retirements, restorations, refreshed fingerprints.

        With `leaving` false, nobody is released and nothing is withdrawn or retired.
        """
        at = utc_text(self._clock())
        create_index(self._connection, "ix_refresh", "refresh (kind, k1, k2)")
        analyse(self._connection, "refresh", "draft")
        if leaving:
            recent_removals.note_withdrawn(self._connection, self._clock())
        for statement in _SILENT if leaving else _RESTORED:
            self._connection.execute(text(statement), {"at": at})
        for kind in Kind:
            keys = KEY_FIELDS[kind]
            same = f"r.kind = '{kind}' AND r.k1 = known_{kind}.{keys[0]}"
            if len(keys) > 1:
                same += f" AND r.k2 = known_{kind}.{keys[1]}"
            self._connection.execute(
                text(
                    f"UPDATE known_{kind} SET fingerprint = (SELECT r.fingerprint FROM refresh r WHERE {same})"
                    f" WHERE EXISTS (SELECT 1 FROM refresh r WHERE {same})"
                )
            )
        self._connection.commit()

    def find(self, type_: str, kind: Kind, key: Key | None, place: str, message: str) -> None:
        """Notes something of this run for `status`; committed with the next commit; at most `MOST_FINDINGS`."""
        self._findings += 1
        if self._findings > MOST_FINDINGS:
            return
        k1, k2 = columns_of(key) if key else ("", "")
        self._connection.execute(
            text(
                "INSERT INTO finding (run_id, type, kind, k1, k2, place, text)"
                " VALUES (:run, :type, :kind, :k1, :k2, :place, :text)"
            ),
            {
                "run": self.run_id,
                "type": type_,
                "kind": kind,
                "k1": k1,
                "k2": k2,
                "place": place,
                "text": message,
            },
        )

    def end(
        self, status: str, exit_status: int, counts: Mapping[str, int], reasons: Sequence[str] = ()
    ) -> None:
        """Close the run; `reasons` are what stopped it, or why its exit status is what it is, a line each."""
        recent_removals.forget_old(self._connection, self._clock())
        self._connection.execute(
            text(
                "UPDATE run SET ended = :at, status = :s, exit_status = :e, counts = :c, reason = :r WHERE id = :id"
            ),
            {
                "at": utc_text(self._clock()),
                "s": status,
                "e": exit_status,
                "c": json.dumps(dict(counts)),
                "r": "\n".join(reasons),
                "id": self.run_id,
            },
        )
        self._connection.commit()
        if self._keep_mark:
            with suppress(StateError):  # the run is over, and stays noted as one that had begun
                self._keep_mark()

    def give_up(
        self, status: str, exit_status: int, counts: Mapping[str, int], reasons: Sequence[str]
    ) -> None:
        """Close a run that the state failed. Where not even that can be written, it counts as killed."""
        with suppress(StateError, SQLAlchemyError):
            self._connection.rollback()
            self.end(status, exit_status, counts, reasons)


def _lapse(kind: Kind) -> str:
    same = " AND ".join(
        f"w.{name} = intent.{of}" for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )
    wanted = f"SELECT 1 FROM wanted_{kind} w WHERE {same}"
    wanted += (
        " AND w.value IS NOT NULL" if kind is Kind.OPTION else ""
    )  # blank: nothing is sent for it
    lapse = (
        f"UPDATE intent SET outcome = 'lapsed', outcome_at = :at WHERE outcome IS NULL AND kind = '{kind}'"
        f" AND run_id <> :run AND NOT EXISTS ({wanted})"
        f" AND NOT EXISTS (SELECT 1 FROM row_error f WHERE f.kind = '{kind}' AND f.k1 = intent.k1"
        " AND coalesce(f.k2, '') IN ('', intent.k2))"
    )
    if (
        kind is Kind.STAFF
    ):  # until they are out, what became of a call that let them in or out matters
        lapse += (
            " AND (action NOT IN ('enable', 'disable', 'delete')"
            " OR NOT EXISTS (SELECT 1 FROM known_staff k WHERE k.key = intent.k1 AND k.ours))"
        )
    return lapse


@cache
def _upsert(kind: Kind, *, keep_ours: bool) -> TextClause:
    keys = KEY_FIELDS[kind]
    columns = [*keys, *COMPARED[kind], "fingerprint", "remote_id", "standing", "ours", "updated"]
    kept = {"remote_id": f"coalesce(excluded.remote_id, known_{kind}.remote_id)"}
    if keep_ours:
        kept["ours"] = f"known_{kind}.ours"
    updates = ", ".join(
        f'"{name}" = ' + kept.get(name, f'excluded."{name}"') for name in columns[len(keys) :]
    )
    quoted = ", ".join(f'"{name}"' for name in columns)  # `end` is a word of SQL
    return text(
        f"INSERT INTO known_{kind} ({quoted})"
        f" VALUES ({', '.join(':' + name for name in columns)})"
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {updates}"
    )


def open_intents(connection: Connection) -> Iterator[OpenIntent]:
    """Intents of earlier runs without an outcome, oldest first."""
    query = (
        "SELECT id, kind, k1, k2, action, fields, at FROM intent WHERE outcome IS NULL ORDER BY id"
    )
    for row in connection.execute(text(query)).fetchall():
        kind = Kind(row.kind)
        yield OpenIntent(
            row.id,
            kind,
            key_from(kind, row.k1, row.k2),
            Action(row.action),
            from_json(row.fields),
            utc_time(row.at),
        )


def _naming(kind: Kind) -> tuple[Kind, ...]:
    """The kinds whose records name one of this kind by its key."""
    return (
        ON_A_TEST
        if kind is Kind.TEST
        else tuple(other for other, person in PERSON_OF.items() if person is kind)
    )


_PASSED = "d.verdict = 'pass' AND d.k1 = known_{kind}.{key} AND d.kind = '{kind}'"
_TO = (
    "UPDATE known_{kind} SET standing = '{standing}', updated = :at WHERE EXISTS (SELECT 1 FROM draft d WHERE "
    + _PASSED
)
_WITH_ITS_TEST = (
    "UPDATE known_{kind} SET standing = 'retired', updated = :at WHERE standing = 'active' AND EXISTS ("
    "SELECT 1 FROM known_test t JOIN draft d ON d.kind = 'test' AND d.k1 = t.key AND d.action = 'retire'"
    " AND d.verdict = 'pass' WHERE t.key = known_{kind}.test)"
)
_OF_A_TEST = _TO + " AND d.action = '{action}' AND d.k2 = known_{kind}.{part})"


def _on_tests(action: Action, standing: str) -> Iterator[str]:
    for kind in ON_A_TEST:
        yield _OF_A_TEST.format(
            kind=kind, key="test", part=KEY_FIELDS[kind][1], action=action, standing=standing
        )


_RESTORED = (
    *(
        (_TO + " AND d.action = 'restore')").format(kind=k, key="key", standing="active")
        for k in (Kind.TEST, *PEOPLE)
    ),
    *_on_tests(Action.RESTORE, "active"),
)
_SILENT = (
    (_TO + " AND d.action = 'withdraw')").format(kind="test", key="key", standing="withdrawn"),
    (_TO + " AND d.action = 'retire')").format(kind="test", key="key", standing="retired"),
    *_RESTORED,
    *_on_tests(Action.RETIRE, "retired"),
    *(_WITH_ITS_TEST.format(kind=kind) for kind in ON_A_TEST),
    # last, so that a learner whose last seat has just gone is released in the same run
    (_TO + " AND d.action = 'release')").format(kind="learner", key="key", standing="released")
    + " AND NOT EXISTS (SELECT 1 FROM known_candidate c WHERE c.learner = known_learner.key AND c.standing = 'active')",
)
