"""The connection to a tenant, as plain values that do not depend on the configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sync.contract import (
    CALLS,
    DEFAULT_EXTERNAL_SYSTEM,
    FLAT,
    STATUSES,
    Call,
    StaffBody,
    Stage,
)


class CallObserver(Protocol):
    """What is notified of calls, by any thread."""

    def call(self, name: str, status: str, seconds: float) -> None:
        """Take a request's call and duration, and the response's status.

        Without a response the status is `unreachable`, `lost` or `stopped`.
        """

    def in_flight(self, now: int, allowed: int) -> None:
        """Take how many calls are in flight, and how many may be, when one of them changes."""

    def certificate(self, ends: datetime) -> None:
        """Take when the certificate of the tenant's address ends, once for each certificate."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One tenant's address and key, and the limits of its use. All durations are in seconds.

    Attributes:
        url: the tenant's address without `/api`.
        client_id: the client id that the key belongs to.
        api_key: returns the API key. It is called for each new token, so a replaced key is used.
        calls_per_second: the rate of all workers together.
        max_in_flight: how many calls are in flight at most: everything that is sent, tokens,
            export polls and downloads included. There is one connection in a process at a time.
        workers: how many threads make calls.
        external_system: under which name Inspera keeps the external ids of tests.
        batch_size: how many records one call carries at most.
        connect_timeout: how long one connection may take to be made.
        read_timeout: how long Inspera may be silent during one call.
        attempts: how often a call is sent at most, the first time included.
        retry_after_ceiling: the longest wait between two attempts, whatever Inspera asks for.
        read_after_write_delay: how long a write may take to be readable (vendor contract,
            Conventions).
        proxy: a URL, perhaps with a password; never taken from the environment.
        ca_bundle: the path of a PEM file; never taken from the environment.
        staff_body: the shape of the body that saves staff.
        statuses: what each status of a test means, with the operator's additions.
        calls: all calls by name, with the operator's overrides.
        observer: is notified of each request, for metrics.
    """

    url: str
    client_id: str
    api_key: Callable[[], str] = field(repr=False)
    calls_per_second: float = 5.0
    max_in_flight: int = 4
    workers: int = 8
    external_system: str = DEFAULT_EXTERNAL_SYSTEM
    batch_size: int = 100
    connect_timeout: float = 5.0
    read_timeout: float = 65.0
    attempts: int = 5
    retry_after_ceiling: float = 60.0
    read_after_write_delay: float = 10.0
    proxy: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    staff_body: StaffBody = FLAT
    statuses: Mapping[str, Stage] = field(default_factory=lambda: STATUSES, repr=False)
    calls: Mapping[str, Call] = field(default_factory=lambda: CALLS, repr=False)
    observer: CallObserver | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.calls_per_second < float("inf"):
            raise ValueError("calls_per_second must be above 0")
        if min(self.max_in_flight, self.workers, self.batch_size, self.attempts) < 1:
            raise ValueError("numbers of calls, workers and records must be at least 1")
        if min(self.connect_timeout, self.read_timeout) <= 0:
            raise ValueError("timeouts must be above 0")
        if min(self.retry_after_ceiling, self.read_after_write_delay) < 0:
            raise ValueError("waits must not be below 0")
        if "@" in self.url:
            # requests would send it as a login of its own, instead of our token.
            raise ValueError("url must not contain a user name")

    @property
    def base(self) -> str:
        """Return the address that call paths are appended to: `https://<domain>/api`."""
        return self.url.rstrip("/").removesuffix("/api").rstrip("/") + "/api"

    @property
    def external_query(self) -> dict[str, str]:
        """Return what a query adds that names a test by its external id: nothing by default."""
        usual = self.external_system == DEFAULT_EXTERNAL_SYSTEM
        return {} if usual else {"externalSystem": self.external_system}

    def named(self, call: Call) -> Call:
        """Return the call of this name with the operator's method, path and wrapper."""
        return self.calls[call.name]
