"""A state in memory with its journal, for the parts of the engine that write to it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sync.mapping import fingerprint
from sync.records.base import Key, Kind
from sync.records.changes import Action, Change, Outcome, PlannedChange, Result, Verdict
from sync.state.journal import Journal
from sync.state.sqlite.open import open_copy
from sync.state.store import Store

from ...support.tenant import NOW
from ..state.databases import empty_file


@dataclass
class StateWithJournal:
    """A state in memory with its journal; `clock` gives `now`, and `slept` are the seconds that were waited."""

    store: Store
    journal: Journal
    now: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def know(
        self,
        kind: Kind,
        *key: str,
        managed: bool = True,
        remote_id: str | None = "9",
        **fields: Any,
    ) -> None:
        self.journal.known.remember(kind, key, fields, remote_id=remote_id, managed=managed)

    def know_test(self, hours: float = 24, managed: bool = True, length: float = 4) -> None:
        """Test T, which begins so many hours from now."""
        start, end = (text_of(hours), text_of(hours + length))
        self.know(
            Kind.TEST,
            "T",
            managed=managed,
            remote_id="284",
            external_test_id="x1",
            title="Ø",
            start=start,
            end=end,
        )

    def know_person(self, kind: Kind, n: int = 7, **fields: Any) -> None:
        whole = {
            "username": f"login{n}",
            "auth_system": "FEIDE",
            "external_id": f"p{n}@example.edu",
        }
        self.know(
            kind,
            str(n),
            remote_id=f"u{n}",
            **{**whole, "first_name": "Åse", "last_name": "Ø", **fields},
        )

    def open_intents(self) -> list[Key]:
        return [intent.key for intent in self.store.earlier_runs.open_intents()]


def text_of(hours: float) -> str:
    """The time so many hours from now, as it is stored."""
    return datetime.fromtimestamp(NOW.timestamp() + hours * 3600, UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


@contextmanager
def opened(at: datetime = NOW) -> Iterator[StateWithJournal]:
    """An empty state; what is remembered in it was written long before now."""
    with open_copy(empty_file()) as connection:
        long_ago = at.replace(year=at.year - 1)
        journal = Journal(connection, lambda: long_ago, "apply")
        yield StateWithJournal(Store(connection, places=[], fingerprint=fingerprint), journal, at)


def line(
    kind: Kind, key: Key, action: Action = Action.CREATE, secret: str | None = None, **after: Any
) -> PlannedChange:
    """A planned change to these values; of an update they are all new."""
    changed = tuple(name for name, value in after.items() if value is not None)
    change = Change(action, kind, key, {}, after, changed)
    return PlannedChange(1, change, Verdict.PASS, "", "", "0", 1, b"print", secret)


def results(ended: Sequence[tuple[PlannedChange, Outcome]]) -> dict[Key, tuple[Result, str]]:
    """What became of each, by key."""
    return {one.change.key: (outcome.result, outcome.message) for one, outcome in ended}
