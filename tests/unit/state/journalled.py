"""A state that runs open, leave and crash, and a model of its journal in plain dictionaries."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sync.mapping import fingerprint
from sync.records.base import Key, Kind
from sync.records.changes import Action, Change, Fields, Outcome, PlannedChange, Result, Verdict
from sync.records.kinds import COMPARED, KEY_FIELDS
from sync.state.journal import Journal
from sync.state.store import Store

from .databases import kept

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
Identity = tuple[Kind, Key]

RECORDS: tuple[Identity, ...] = (
    (Kind.LEARNER, ("1001",)),
    (Kind.LEARNER, ("1002",)),
    (Kind.TEST, ("PRV1-H26",)),
    (Kind.CANDIDATE, ("PRV1-H26", "1001")),
    (Kind.CANDIDATE, ("PRV1-H26", "1002")),
    (Kind.STAFF, ("7",)),
    (Kind.OPTION, ("PRV1-H26", "LOCKDOWN_BROWSER")),
    (Kind.COMMITTEE, ("PRV1-H26", "Å")),
    (Kind.CONTRIBUTOR, ("PRV1-H26", "7")),
)
ONLY_STAFF = {
    Action.ENABLE: Action.UPDATE,
    Action.DISABLE: Action.UPDATE,
    Action.DELETE: Action.REMOVE,
}
"""What only staff can undergo, and what that is for others."""


class State:
    """A state, opened by one run after another; each run has a store and a journal."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self._opened = ExitStack()
        self._kept = kept(folder)
        self._open()

    def _open(self) -> None:
        self.now += timedelta(seconds=1)
        self._connection = connection = self._opened.enter_context(self._kept.open())
        self.store = Store(connection, places=[], fingerprint=fingerprint)
        self.journal = Journal(connection, self._clock, "apply")

    def _clock(self) -> datetime:
        return self.now

    def run_again(self) -> None:
        """End the run in order, and begin the next one."""
        self.journal.end("done", 0, {})
        self._opened.close()
        self._open()

    def crash(self) -> None:
        """Begin the next run with the state as it is now, whatever was not committed."""
        self._kept.crash()
        self._opened.close()
        self._open()

    def close(self) -> None:
        """Lets go of the state."""
        self._opened.close()

    def open(self) -> dict[int, tuple[Kind, Key, Action, Fields]]:
        """Return the open intents as a run sees them."""
        return {
            one.id: (one.kind, one.key, one.action, one.fields)
            for one in self.store.earlier_runs.open_intents()
        }

    def known(self, identity: Identity) -> Fields | None:
        """What a run sees as known of a record, but for when it was written and whether as a source said it."""
        known = self.store.known.find(*identity)
        return known and {
            name: value for name, value in known.items() if name not in ("updated", "as_sent")
        }

    def fingerprint(self, identity: Identity) -> bytes | None:
        """Return the fingerprint of an unchanged record."""
        kind, key = identity
        same = " AND ".join(f"{name} = :{name}" for name in KEY_FIELDS[kind])
        found: bytes | None = self._connection.execute(
            text(f"SELECT fingerprint FROM known_{kind} WHERE {same}"),
            dict(zip(KEY_FIELDS[kind], key, strict=True)),
        ).scalar_one()
        return found


def fields_of(kind: Kind, value: str | None) -> dict[str, Any]:
    """Return a record's fields, which all have this value."""
    whole = {"duration": 240, "extra_time": 15}
    return {name: whole.get(name, value) for name in COMPARED[kind]}


def line(identity: Identity, action: Action, value: str | None = "Åse") -> PlannedChange:
    """Return a planned change of a record to this value."""
    kind, key = identity
    fields = fields_of(kind, value)
    before, after = (fields, {}) if action in (Action.REMOVE, Action.DELETE) else ({}, fields)
    change = Change(action, kind, key, before, after)
    return PlannedChange(
        1, change, Verdict.PASS, "", "", "0", 1, b"\x01" + (value or "").encode(), None
    )


@dataclass
class Model:
    """What the journal must say, in plain dictionaries."""

    open: dict[int, tuple[Kind, Key, Action, Fields]] = field(default_factory=dict)
    known: dict[Identity, dict[str, Any]] = field(default_factory=dict)

    def copy(self) -> "Model":
        return replace(
            self,
            open=dict(self.open),
            known={one: dict(fields) for one, fields in self.known.items()},
        )

    def record(
        self, intent: int, change: Change, outcome: Outcome, open_before: Iterable[int]
    ) -> None:
        """Store an outcome; a good one settles open intents of earlier runs for the record."""
        if outcome.result is Result.UNKNOWN:
            return
        del self.open[intent]
        if outcome.result not in (Result.DONE, Result.FOUND):
            return
        identity = change.kind, change.key
        for earlier in open_before:
            if earlier in self.open and self.open[earlier][:2] == identity:
                del self.open[earlier]
        if change.action in (Action.REMOVE, Action.DELETE):
            self.known.pop(identity, None)
        elif change.action is Action.DISABLE:
            if identity in self.known:
                self.known[identity] |= {"lifecycle": "disabled", "status": "disabled"}
        else:
            self.known[identity] = self._fold(identity, change, outcome)

    def _fold(self, identity: Identity, change: Change, outcome: Outcome) -> dict[str, Any]:
        old = self.known.get(identity, {"remote_id": None, "managed": 1})
        managed = (
            old["managed"]
            if change.action is not Action.CREATE
            else int(outcome.result is Result.DONE)
        )
        remote_id = outcome.remote_id or old["remote_id"]
        return {
            **change.after,
            **outcome.there,
            "remote_id": remote_id,
            "managed": managed,
            "lifecycle": "active",
        }
