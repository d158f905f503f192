"""What the pages need from the service and from the commands behind them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from sync.concerns.certificate import Ending
from sync.concerns.concern import PauseFacts
from sync.concerns.facts import JobFacts
from sync.planning.decided import DecidedChanges
from sync.records.base import Key, Kind
from sync.report.lines import Line
from sync.service.health import Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decides on the page about a hold.

    Attributes:
        hold: its hash, which names exactly these changes.
        digests: hashes of single changes, when the decision is about a part of the hold.
        approve: whether the changes may be sent; otherwise they are rejected.
        person: who decides.
        why: the reason.
        duration: how long an approval counts, such as `24h`.
    """

    hold: str
    digests: Sequence[str]
    approve: bool
    person: str
    why: str
    duration: str = "24h"


class Desk(Protocol):
    """The service behind the pages. Its methods may be called from any thread."""

    @property
    def tenant(self) -> str:
        """Return the address of the tenant, without a password."""

    @property
    def zone(self) -> ZoneInfo | None:
        """Return the zone of the tests, if they share one."""

    def now(self) -> datetime:
        """Return the time."""

    def health(self) -> Health:
        """Return the health of the service at its last round."""

    def jobs(self) -> Sequence[JobFacts]:
        """Return the jobs of the configuration in its order."""

    def running(self) -> str:
        """Return the name of the job that runs; empty for none."""

    def paused(self) -> PauseFacts | None:
        """Return whether all sending is stopped."""

    def endings(self) -> Sequence[Ending]:
        """Return the certificates and keys that are about to end."""

    def undelivered(self) -> Sequence[str]:
        """Return the targets whose newest notification could not be delivered."""

    def open_to_read(self) -> AbstractContextManager[Connection]:
        """Open the state for reading.

        Raises:
            StateError: it can't be used just now.
        """

    def decided(self, connection: Connection) -> DecidedChanges:
        """Return the decisions that count now, also those that no run has taken over yet."""

    def command_for(self, connection: Connection, hold: str) -> str:
        """Return the command that decides about a hold on which the page can't."""

    def decide(self, decision: Decision) -> str:
        """Record a decision, and return what follows.

        Raises:
            UsageError: the hold is no longer this one, or the page can't decide about it.
        """

    def pause(self, reason: str, person: str) -> None:
        """Stop all sending."""

    def resume(self, person: str) -> None:
        """Allow sending again."""

    def run_now(self, job: str) -> None:
        """Start a job at once.

        Raises:
            UsageError: this replica doesn't lead, or has no such job.
        """

    def explain(self, kind: Kind, key: Key) -> Sequence[Line]:
        """Read the sources and return what would be done about a record, and why. Takes long."""

    def report(self, run_id: int) -> AbstractContextManager[tuple[str, Iterator[str]]]:
        """Return the content security policy and the HTML of the report on a run.

        Raises:
            UsageError: there is no such run.
        """

    def counts(self) -> Mapping[str, int]:
        """Return how many records are known, by kind, at most a minute old."""
