"""What a run has learnt about the tenant as a whole, shared by all workers: what it lacks, and why all sending ends."""

import threading

from sync.contract import Call
from sync.errors import CallMissing, Stop
from sync.inspera.answers import missing
from sync.inspera.circuit import Circuit

_MOST_THROTTLED = 500
_ENOUGH_TO_BELIEVE = 3


class TenantHealth:
    """Remembers stops, missing calls and calls that have worked. Thread-safe.

    `patience` is how many attempts in a row may find Inspera out of reach before nothing more is tried: no record can
    be to blame for that, and waiting out every single one of 100,000 would take days.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._stopped: str | None = None
        self._missing: dict[str, str] = {}
        self._worked: set[str] = set()
        self._not_there: dict[str, set[str]] = {}
        self._circuit = Circuit()
        self._out_of_reach = self._throttled = 0
        self._why_out_of_reach = ""

    @property
    def out_of_reach(self) -> str | None:
        """Why the last attempt found Inspera out of reach, `None` when it answered (or nothing was tried)."""
        with self._lock:
            return self._why_out_of_reach if self._out_of_reach else None

    @property
    def stopped(self) -> str | None:
        """Why nothing more can be sent in this run, `None` while it can."""
        return self._stopped

    def admit(self, call: Call) -> None:
        """Lets a call pass that may be sent.

        Raises:
            Stop: nothing may be sent any more in this run.
            CallMissing: the tenant does not seem to have this call.
        """
        with self._lock:
            if self._stopped is not None:
                raise Stop(self._stopped)
            if call.name in self._missing:
                raise CallMissing(self._missing[call.name])

    def stop(self, reason: Stop) -> None:
        """Nothing may be sent from now on; the first reason is kept."""
        with self._lock:
            self._stopped = self._stopped or str(reason)

    def lacks(self, call: Call, error: CallMissing) -> None:
        """The tenant does not have this call: it is not sent again in this run."""
        with self._lock:
            self._missing.setdefault(call.name, str(error))

    def not_there(self, call: Call, which: str) -> None:
        """A write answered 404 for a test (or a user) that a read shows to exist; after three the call is missing."""
        with self._lock:
            if call.name in self._worked:
                return
            there = self._not_there.setdefault(call.name, set())
            there.add(which)
            enough = len(there) >= _ENOUGH_TO_BELIEVE
        if enough:
            self.lacks(call, missing(call, 404))

    def worked(self, call: Call) -> None:
        """The call was carried out, so the tenant has it."""
        with self._lock:
            self._worked.add(call.name)
        self.attempted(failed=False)

    def attempted(self, *, failed: bool) -> None:
        """Inspera answered one more attempt, or failed on it; when it fails on most, nothing more is sent."""
        with self._lock:
            reason = self._circuit.note(failed=failed)
        if reason is not None:
            self.stop(Stop(reason))

    def has(self, call: Call) -> bool:
        """Whether the call has been carried out on this tenant before."""
        with self._lock:
            return call.name in self._worked

    def reached(self) -> None:
        """Inspera answered, whatever it said."""
        with self._lock:
            self._out_of_reach = self._throttled = 0

    def throttled(self) -> None:
        """Inspera wants fewer calls; when it wants none, nothing more is sent in this run."""
        with self._lock:
            self._out_of_reach = 0
            self._throttled += 1
            tries = self._throttled
        if tries >= _MOST_THROTTLED:
            self.stop(
                Stop(
                    f"Inspera asked for fewer calls (429) {tries} times in a row; nothing more is tried now"
                )
            )

    def unreachable(self, why: str) -> Stop | None:
        """One more attempt found Inspera out of reach; gives the reason to stop when that was one too many in a row."""
        with self._lock:
            self._out_of_reach += 1
            self._why_out_of_reach = why
            tries = self._out_of_reach
        if tries < self._patience:
            return None
        reason = Stop(
            f"{why}; so it went {tries} attempts in a row, and nothing more is tried in this run"
        )
        self.stop(reason)
        return reason
