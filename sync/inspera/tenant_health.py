"""The tenant's health in one run: the calls that it lacks, and why nothing more is sent."""

import threading
from collections.abc import Callable

from sync.contract import Call
from sync.errors import CallMissing, Stop
from sync.inspera.call_errors import call_missing
from sync.inspera.circuit_breaker import CircuitBreaker

_MAX_THROTTLED = 500
_ENOUGH_404S = 3
_LONGEST_OUTAGE = 300.0
"""Seconds without any answer after which a few attempts are enough: each may take a minute."""

_FEW_ATTEMPTS = 3


class TenantHealth:
    """Stops, missing calls and calls that have worked, for all workers. Thread-safe.

    `patience` is how many attempts in a row may find Inspera out of reach before nothing more is
    sent. No single record causes such failures, and retrying each of 100,000 would take days. Fewer
    are enough once `_LONGEST_OUTAGE` has passed. `monotonic` returns seconds from any origin.
    """

    def __init__(self, patience: int, monotonic: Callable[[], float]) -> None:
        self._patience, self._monotonic = patience, monotonic
        self._lock = threading.Lock()
        self._stopped: str | None = None
        self._missing: dict[str, str] = {}
        self._worked: set[str] = set()
        self._not_there: dict[str, set[str]] = {}
        self._circuit = CircuitBreaker()
        self._out_of_reach = self._throttled = 0
        self._why_out_of_reach = ""
        self._out_of_reach_since = 0.0

    @property
    def out_of_reach(self) -> str | None:
        """Return why the last attempt did not reach Inspera; `None` if it did, or at the start."""
        with self._lock:
            return self._why_out_of_reach if self._out_of_reach else None

    @property
    def stopped(self) -> str | None:
        """Return why nothing more can be sent in this run; `None` while it can."""
        return self._stopped

    def admit(self, call: Call) -> None:
        """Raise unless the call may be sent.

        Raises:
            Stop: nothing more may be sent in this run.
            CallMissing: the tenant does not seem to have this call.
        """
        with self._lock:
            if self._stopped is not None:
                raise Stop(self._stopped)
            if call.name in self._missing:
                raise CallMissing(self._missing[call.name])

    def stop(self, reason: Stop) -> None:
        """Send nothing from now on; keep the first reason."""
        with self._lock:
            self._stopped = self._stopped or str(reason)

    def lacks(self, call: Call, error: CallMissing) -> None:
        """Record that the tenant lacks this call, so it is not sent again in this run."""
        with self._lock:
            self._missing.setdefault(call.name, str(error))

    def not_there(self, call: Call, which: str) -> None:
        """Record a 404 of a write for a test (or user) that a read shows to exist.

        After three of them the call counts as missing.
        """
        with self._lock:
            if call.name in self._worked:
                return
            missing_on = self._not_there.setdefault(call.name, set())
            missing_on.add(which)
            enough = len(missing_on) >= _ENOUGH_404S
        if enough:
            self.lacks(call, call_missing(call, 404))

    def worked(self, call: Call) -> None:
        """Record that the call was carried out, so the tenant has it."""
        with self._lock:
            self._worked.add(call.name)
        self.attempted(failed=False)

    def attempted(self, *, failed: bool) -> None:
        """Count one more attempt; when Inspera fails on most, send nothing more."""
        with self._lock:
            reason = self._circuit.note(failed=failed)
        if reason is not None:
            self.stop(Stop(reason))

    def has(self, call: Call) -> bool:
        """Tell whether the call has been carried out on this tenant before."""
        with self._lock:
            return call.name in self._worked

    def reached(self) -> None:
        """Record that Inspera answered, with any status."""
        with self._lock:
            self._out_of_reach = self._throttled = 0

    def throttled(self) -> None:
        """Count a 429; when all calls get one, send nothing more in this run."""
        with self._lock:
            self._out_of_reach = 0
            self._throttled += 1
            count = self._throttled
        if count >= _MAX_THROTTLED:
            self.stop(
                Stop(
                    f"Inspera asked for fewer calls (429) {count} times in a row, so nothing more "
                    "is sent in this run; lower inspera.max_in_flight and "
                    "inspera.calls_per_second, or run again later"
                )
            )

    def unreachable(self, why: str) -> Stop | None:
        """Count an attempt that did not reach Inspera; return a `Stop` after too many of them."""
        with self._lock:
            if not self._out_of_reach:
                self._out_of_reach_since = self._monotonic()
            self._out_of_reach += 1
            self._why_out_of_reach = why
            count = self._out_of_reach
            outage = self._monotonic() - self._out_of_reach_since
        if count < self._patience and (count < _FEW_ATTEMPTS or outage < _LONGEST_OUTAGE):
            return None
        reason = Stop(
            f"{why}; this happened {count} times in a row, so nothing more is sent in this run"
        )
        self.stop(reason)
        return reason
