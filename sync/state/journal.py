"""Runs, intents and outcomes, and what Inspera therefore holds (rules 24).

An intent is committed before its call, and its outcome after it, together with what is then
known. Only the thread that owns the connection writes here, many records in a commit.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from sync.errors import StateError
from sync.planning.diff import remembered
from sync.planning.freeze import digest_of
from sync.records.base import Key, Kind, utc_text, utc_time
from sync.records.changes import (
    ALLOWED,
    REMOVALS,
    Action,
    Cause,
    OpenIntent,
    Outcome,
    PlannedChange,
    Result,
)
from sync.records.kinds import KEY_FIELDS, PEOPLE
from sync.state import decisions, refusals, silent_changes, traits, undone
from sync.state.audit.chain import Event
from sync.state.audit.log import AuditLog, Entry, read_end
from sync.state.compare import recent_removals
from sync.state.known_writer import Clock, KnownWriter
from sync.state.sqlite.open import count
from sync.state.staging.scratch import from_json, key_columns, key_from, to_json

MOST_FINDINGS = 50_000
"""The most findings of a run that are stored for `status`; its counts are of all."""

TO_SEND = "to send"
"""The name of a run's count of the changes that it sends, until it ends."""

_INTEND = text(
    "INSERT INTO intent (id, run_id, kind, k1, k2, action, fields, before, approved, notified, at,"
    " message) VALUES (:id, :run, :kind, :k1, :k2, :action, :fields, :before, :approved,"
    " :notified, :at, '')"
)
_CLOSE = text("UPDATE intent SET outcome = :o, outcome_at = :at, message = :m WHERE id = :id")


class Journal:
    """A run's intents, outcomes and findings, and its lines of the audit log.

    What is done becomes known. `who` is the operator who started the run, or `service`.
    """

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        command: str,
        confirm: Callable[[], None] | None = None,
        keep_mark: Callable[[], None] | None = None,
        who: str = "service",
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._confirm = confirm
        self._keep_mark = keep_mark
        self.known = KnownWriter(connection, clock)
        connection.execute(
            text(
                "INSERT INTO run (command, started, status, counts, reason)"
                " VALUES (:c, :at, 'running', '{}', '')"
            ),
            {"c": command, "at": utc_text(clock())},
        )
        # Only this thread writes here, so the highest id is its own.
        self.run_id = count(connection, "SELECT max(id) FROM run")
        self.audit = AuditLog(connection, clock, who, self.run_id)
        self._findings = 0
        self._refused = set(refusals.read_keys(connection))
        self._archived = traits.archived(connection)
        self._open_before = {(one.kind, one.line_key) for one in open_intents(connection)}
        connection.commit()
        if keep_mark:
            # Before anything is sent: so a copy from before this run is known as older.
            keep_mark()

    def note_total(self, total: int) -> None:
        """Store how many changes this run is about to send, from which `status` tells how far it is.

        The counts of the end replace it.
        """
        self._connection.execute(
            text("UPDATE run SET counts = :counts WHERE id = :id"),
            {"counts": json.dumps({TO_SEND: total}), "id": self.run_id},
        )
        self._connection.commit()

    def intend(self, lines: Sequence[PlannedChange]) -> list[int]:
        """Commit intents for lines that are about to be sent. Return their ids, in order.

        Raises:
            Deposed: another process has taken over.
        """
        # Only this thread writes here, so the highest id is its own.
        first = 1 + count(self._connection, "SELECT max(id) FROM intent")
        at = utc_text(self._clock())
        rows: list[dict[str, object]] = []
        for number, line in enumerate(lines, first):
            change = line.change
            k1, k2 = key_columns(change.line_key)
            fields = to_json(remembered(change.kind, change.after or change.before))
            before = to_json(remembered(change.kind, change.before))
            rows.append(
                {"id": number, "run": self.run_id, "kind": change.kind, "k1": k1, "k2": k2}
                | {"action": change.action, "fields": fields, "before": before, "at": at}
                | {"approved": bool(line.scope), "notified": bool(change.after.get("notify"))}
            )
        if rows and self._confirm:
            self._confirm()  # First, so that no later commit stores intents of what is not sent.
        if rows:
            self._connection.execute(_INTEND, rows)
        self._connection.commit()
        return list(range(first, first + len(rows)))

    def withdraw(self, intents: Sequence[int]) -> None:
        """Delete intents of this run of which nothing was sent; durable with the next commit."""
        if intents:
            self._connection.execute(
                text("DELETE FROM intent WHERE id = :id"), [{"id": one} for one in intents]
            )

    def record(self, results: Iterable[tuple[int | None, PlannedChange, Outcome]]) -> None:
        """Store outcomes, and with each what Inspera now holds; durable with the next commit.

        An unknown outcome leaves its intent open. A line that needed no call has no intent (None).
        """
        at = utc_text(self._clock())
        closed: list[dict[str, object]] = []
        used: list[str] = []
        entries: list[Entry] = []
        for intent, line, outcome in results:
            if outcome.result is Result.UNKNOWN:
                self._connection.execute(
                    text("UPDATE intent SET message = :m WHERE id = :id"),
                    {"m": outcome.message, "id": intent},
                )
                continue
            record = (line.change.kind, line.change.line_key)
            self._note_traits(line, outcome)
            if outcome.result is Result.REFUSED:
                self._refuse(line, outcome)
            elif outcome.result in (Result.DONE, Result.FOUND):
                self._promote(line, outcome)
                if line.scope == ALLOWED:
                    used.append(digest_of(line.change))
                self._lift(*record)
            if intent is not None:
                closed.append(
                    {"o": outcome.result.value, "at": at, "m": outcome.message, "id": intent}
                )
                if outcome.result is not Result.NOT_SENT:
                    entries.append(_entry(line, outcome.result))
        if closed:
            self._connection.execute(_CLOSE, closed)
        decisions.use_up(self._connection, used)
        self.audit.append(entries)

    def _refuse(self, line: PlannedChange, outcome: Outcome) -> None:
        refusals.note(self._connection, line, outcome.message, self._clock(), outcome.cause)
        self._refused.add((line.change.kind, line.change.line_key))
        self.known.refuse(line.change.kind, line.change.key)

    def _lift(self, kind: Kind, line_key: Key) -> None:
        """Forget that a record was refused, and close its earlier intents."""
        if (kind, line_key) in self._refused:
            self._refused.discard((kind, line_key))
            refusals.lift(self._connection, kind, line_key)
        if (kind, line_key) in self._open_before:
            self.close_earlier(kind, line_key)

    def _note_traits(self, line: PlannedChange, outcome: Outcome) -> None:
        """Store what Inspera has shown of the test that this change is about, or is on."""
        kind, test = line.change.kind, line.change.key[0]
        if kind is Kind.TEST:
            self.known.note_parent(test, is_parent=outcome.is_parent)
        if kind in PEOPLE:
            return
        if outcome.cause is Cause.ARCHIVED:
            traits.note_archived(self._connection, test, outcome.message, self._clock())
            self._archived.add(test)
        elif outcome.result is Result.DONE and test in self._archived:
            traits.lift(self._connection, test, traits.ARCHIVED)
            self._archived.discard(test)

    def close_earlier(self, kind: Kind, key: Key) -> None:
        """Close open intents of earlier runs for a line's key whose outcome is known now."""
        k1, k2 = key_columns(key)
        self._close(
            "UPDATE intent SET outcome = 'settled', outcome_at = :at"
            " WHERE kind = :kind AND k1 = :k1 AND k2 = :k2 AND outcome IS NULL",
            "settled",
            kind=kind,
            k1=k1,
            k2=k2,
        )

    def _close(self, update: str, outcome: str, **values: object) -> None:
        """Close intents of earlier runs, with a line of the audit log for each."""
        closed = self._connection.execute(
            text(f"{update} RETURNING id, kind, k1, k2, action, fields, at, NULL AS ended"),
            {"at": utc_text(self._clock()), **values},
        ).fetchall()
        self.audit.append(
            [
                _entry_of(_open_intent(row), outcome)
                for row in sorted(closed, key=lambda row: row.id)
            ]
        )

    def _promote(self, line: PlannedChange, outcome: Outcome) -> None:
        change = line.change
        if change.action is Action.ACTIVATE:
            self.known.activate(change.key)
            return
        if change.action in REMOVALS:  # With a scope, a person has allowed the removal.
            recent_removals.note(
                self._connection, change.kind, change.key, self._clock(), approved=bool(line.scope)
            )
        if change.action in (Action.REMOVE, Action.DELETE):
            self.known.forget(change.kind, change.key)
            return
        if change.action is Action.DISABLE:
            self.known.disable(change.key, line.fingerprint)
            return
        fields = {**remembered(change.kind, change.after), **outcome.there}
        same = all(
            fields[name] == change.after.get(name) for name in fields if name in change.after
        )
        managed = outcome.result is Result.DONE if change.action is Action.CREATE else None
        self.known.remember(
            change.kind,
            change.key,
            fields,
            fingerprint=line.fingerprint if same else None,
            remote_id=outcome.remote_id,
            managed=managed,
        )

    def settle(self, intent: OpenIntent, outcome: str, message: str = "") -> None:
        """Close an intent of an earlier run, now that its outcome is known."""
        if outcome == "done" and intent.action in REMOVALS:
            recent_removals.note_settled(self._connection, intent.id, self._clock())
        self._connection.execute(
            _CLOSE, {"o": outcome, "at": utc_text(self._clock()), "m": message, "id": intent.id}
        )
        if outcome != Result.NOT_SENT:
            self.audit.append([_entry_of(intent, outcome)])

    def lapse(self, unsure: Collection[Kind] = (), *, activations: bool = True) -> None:
        """Close open intents and refusals of earlier runs that nothing needs any more.

        Those of `unsure` kinds stay: not all that is wanted of these was read. `activations` tells
        whether the plan decides about the activation of tests.
        """
        for kind in (kind for kind in (*PEOPLE, Kind.OPTION) if kind not in unsure):
            self._close(_lapse_sql(kind), "lapsed", run=self.run_id)
        refusals.lapse(self._connection, unsure, activations=activations)

    def forget_undone(self, unsure: Collection[Kind]) -> None:
        """Forget what was undone where the sources say something else by now, or it was sent again.

        Of `unsure` kinds not everything was read, so that nothing is known of what is missing.
        """
        undone.forget(self._connection, unsure)
        self._connection.commit()

    def commit(self) -> None:
        """Make all changes durable."""
        self._connection.commit()

    def promote_silent(self, *, leaving: bool = True) -> None:
        """Store the changes that make no call.

        They are releases, withdrawals, retirements, restorations and refreshed fingerprints.
        Without `leaving`, no record is released, withdrawn or retired.
        """
        silent_changes.store(self._connection, self._clock(), leaving=leaving)
        self._connection.commit()

    def find(
        self,
        type_: str,
        kind: Kind,
        key: Key | None,
        place: str,
        message: str,
        rule: int | None = None,
    ) -> None:
        """Store a finding of this run for `status`; at most `MOST_FINDINGS`.

        The next commit makes it durable. `key` is that of its line. `rule` is the number of the safety rule behind it.
        """
        self._findings += 1
        if self._findings > MOST_FINDINGS:
            return
        k1, k2 = key_columns(key) if key else ("", "")
        self._connection.execute(
            text(
                "INSERT INTO finding (run_id, type, kind, k1, k2, place, text, rule)"
                " VALUES (:run, :type, :kind, :k1, :k2, :place, :text, :rule)"
            ),
            {
                "run": self.run_id,
                "type": type_,
                "kind": kind,
                "k1": k1,
                "k2": k2,
                "place": place,
                "text": message,
                "rule": rule,
            },
        )

    def end(
        self, status: str, exit_status: int, counts: Mapping[str, int], reasons: Sequence[str] = ()
    ) -> None:
        """Close the run; `reasons` are what stopped it, or why its exit status is what it is."""
        recent_removals.forget_old(self._connection, self._clock())
        newest = read_end(self._connection)
        self._connection.execute(
            text(
                "UPDATE run SET ended = :at, status = :s, exit_status = :e, counts = :c,"
                " reason = :r, audit_lines = :lines, audit_hash = :hash WHERE id = :id"
            ),
            {
                "at": utc_text(self._clock()),
                "s": status,
                "e": exit_status,
                "c": json.dumps(dict(counts)),
                "r": "\n".join(reasons),
                "lines": newest.lines,
                "hash": newest.digest,
                "id": self.run_id,
            },
        )
        self._connection.commit()
        if self._keep_mark:
            # The run is over; its mark stays that of a run under way, which is harmless.
            with suppress(StateError):
                self._keep_mark()

    def give_up(
        self, status: str, exit_status: int, counts: Mapping[str, int], reasons: Sequence[str]
    ) -> None:
        """Close a run that the state failed. If even that fails, the run counts as killed."""
        with suppress(StateError, SQLAlchemyError):
            self._connection.rollback()
            self.end(status, exit_status, counts, reasons)


def _lapse_sql(kind: Kind) -> str:
    same = " AND ".join(
        f"w.{name} = intent.{of}" for name, of in zip(KEY_FIELDS[kind], ("k1", "k2"), strict=False)
    )
    wanted = f"SELECT 1 FROM wanted_{kind} w WHERE {same}"
    # Blank: nothing is sent for it.
    wanted += " AND w.value IS NOT NULL" if kind is Kind.OPTION else ""
    lapse = (
        "UPDATE intent SET outcome = 'lapsed', outcome_at = :at WHERE outcome IS NULL"
        f" AND kind = '{kind}' AND run_id <> :run AND NOT EXISTS ({wanted})"
        f" AND NOT EXISTS (SELECT 1 FROM row_error f WHERE f.kind = '{kind}' AND f.k1 = intent.k1"
        " AND coalesce(f.k2, '') IN ('', intent.k2))"
    )
    # Until they are disabled, the outcome of a call that enables or disables them matters.
    if kind is Kind.STAFF:
        lapse += (
            " AND (action NOT IN ('enable', 'disable', 'delete')"
            " OR NOT EXISTS (SELECT 1 FROM known_staff k WHERE k.key = intent.k1 AND k.managed))"
        )
    return lapse


def open_intents(connection: Connection) -> Iterator[OpenIntent]:
    """Yield the intents of earlier runs without an outcome, oldest first."""
    query = (
        "SELECT i.id, i.kind, i.k1, i.k2, i.action, i.fields, i.at, r.ended FROM intent i"
        " LEFT JOIN run r ON r.id = i.run_id WHERE i.outcome IS NULL ORDER BY i.id"
    )
    for row in connection.execute(text(query)).fetchall():
        yield _open_intent(row)


def _open_intent(row: Any) -> OpenIntent:
    kind = Kind(row.kind)
    return OpenIntent(
        row.id,
        kind,
        key_from(kind, row.k1, row.k2),
        Action(row.action),
        from_json(row.fields),
        utc_time(row.at),
        utc_time(row.ended) if row.ended else None,
    )


def _entry(line: PlannedChange, result: Result) -> Entry:
    """Return the audit line of a change that was sent."""
    change = line.change
    return Entry(
        event=Event.CHANGE,
        kind=change.kind,
        key=change.key,
        action=change.action.value,
        scope=line.scope,
        outcome=result.value,
        content=to_json(remembered(change.kind, change.after or change.before)),
    )


def _entry_of(intent: OpenIntent, outcome: str) -> Entry:
    """Return the audit line of a change whose outcome was found out later."""
    return Entry(
        event=Event.CHANGE,
        kind=intent.kind,
        key=intent.key,
        action=intent.action.value,
        outcome=outcome,
        content=to_json(intent.fields),
    )
