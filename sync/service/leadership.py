"""The leadership of this service, and the readiness of the state for its jobs."""

import math
import time
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from threading import Lock

import structlog

from sync.errors import Locked, StateError, StateUnreachable, SyncError
from sync.service.background import BackgroundCall
from sync.service.protocols import JobHistory, ServiceState

PATIENCE = 10.0
"""Seconds without an answer after which the state counts as unreachable."""

_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between two attempts to use the state."""

_RUN_PAUSES = (*_PAUSES, 60.0, 120.0, 300.0)
"""Seconds before the next attempt if a run failed on a state that seems to work.

It is longer, because each run reads all sources.
"""

_PROVEN = 60.0
"""Seconds without a new error after which a run's error counts as over, even without a new run."""

_log = structlog.get_logger("service")


class Leadership:
    """A repeated check of the state that never blocks the service.

    Attributes:
        leads: whether this service may run jobs.
        ready: whether the state has been prepared since this service began to lead.
        unreachable: why the state can't be used just now; empty when it can, or is not needed.
    """

    def __init__(self, state: ServiceState) -> None:
        self._state = state
        self._leading = BackgroundCall(state.leads, "lead")
        self._preparing = BackgroundCall(state.prepare, "prepare")
        self.leads = self.ready = False
        self.unreachable = ""
        self._has_asked = self._was_ready = False
        self._next_attempt, self._attempts = 0.0, 0
        self._run_reports: SimpleQueue[StateError | None] = SimpleQueue()
        self._suspect_until: float | None = None
        self._logged: set[str] = set()
        self._log_lock = Lock()

    def check(self, timeout: float) -> Mapping[str, JobHistory] | None:
        """Check the state for at most `timeout` seconds.

        If the state has become ready, return the stored history of the jobs; otherwise None.

        Raises:
            Locked: another service runs on this state.
            StateError: the state can't be used, and never could be since this service began.
        """
        self._apply_run_reports()
        led, self.leads = self.leads, self._check_lead(timeout)
        if led and not self.leads:
            self.ready = False
            # A new call: the result of the present one would be about an earlier time.
            self._preparing = BackgroundCall(self._state.prepare, "prepare")
        if not self.leads or self.ready or time.monotonic() < self._next_attempt:
            return None
        return self._prepare(timeout)

    def report_failure(self, error: StateError) -> bool:
        """Prepare the state again before the next run, because a run could not use it. Thread-safe.

        Return whether this error is new since the state was last sound.
        """
        self._run_reports.put(error)
        self.ready = False  # nothing is started before the next check
        return self._is_new(error)

    def report_success(self) -> None:
        """Record that the state works again, because a run used it to its end. Thread-safe."""
        self._run_reports.put(None)

    @property
    def idle(self) -> bool:
        """Tell whether no call to the state is pending."""
        return not (self._leading.pending_for or self._preparing.pending_for)

    def _apply_run_reports(self) -> None:
        while not self._run_reports.empty():
            error = self._run_reports.get()
            if error is None:
                self._end_suspicion()
            else:
                self.ready = False
                self._suspect_until = math.inf
                self._tolerate(error, temporary=True, pauses=_RUN_PAUSES)
        over = self._suspect_until is not None and time.monotonic() >= self._suspect_until
        if over and self.ready:
            self._end_suspicion()

    def _end_suspicion(self) -> None:
        if self._suspect_until is not None:
            self._suspect_until = None
            if self.ready:
                self._recover()

    def _check_lead(self, timeout: float) -> bool:
        try:
            leads = self._leading.result(timeout)
        except TimeoutError:
            if self._leading.pending_for < PATIENCE:
                return self.leads
            error = StateUnreachable("the state does not answer; check its database server")
            self._tolerate(error, temporary=True, pauses=_PAUSES)
            return False
        except StateError as error:
            self._tolerate(error, temporary=self._has_asked, pauses=_PAUSES)
            return False
        self._has_asked = True
        if leads != self.leads:
            self._next_attempt, self._attempts = 0.0, 0
        if not leads:
            self._recover()
        return leads

    def _prepare(self, timeout: float) -> Mapping[str, JobHistory] | None:
        try:
            past = self._preparing.result(timeout)
        except TimeoutError:
            return None  # a migration may take long
        except (StateError, Locked) as error:
            self._tolerate(error, temporary=self._was_ready, pauses=_PAUSES)
            return None
        self.unreachable, self.ready, self._was_ready = "", True, True
        if self._suspect_until is None:
            self._recover()
        else:
            # It was ready before, and a run failed all the same: only a run can prove it sound.
            self._suspect_until = time.monotonic() + _PROVEN
        return past

    def _recover(self) -> None:
        self.unreachable, self._attempts = "", 0
        with self._log_lock:
            had_errors = bool(self._logged)
            self._logged.clear()
        if had_errors:
            _log.warning("the state can be used again")

    def _tolerate(self, error: SyncError, *, temporary: bool, pauses: Sequence[float]) -> None:
        """Continue without the state for a while; raise the error if it is permanent.

        With `temporary`, every error counts as temporary: a state that worked once may work again.
        """
        if not temporary and not isinstance(error, StateUnreachable | Locked):
            raise error
        if self._is_new(error):
            _log.error("the state can't be used just now; tried again", error=str(error))
        self.unreachable = str(error)
        self._next_attempt = time.monotonic() + pauses[min(self._attempts, len(pauses) - 1)]
        self._attempts += 1

    def _is_new(self, error: SyncError) -> bool:
        """Tell whether this error is new since the state was last sound; each is logged once."""
        with self._log_lock:
            new = str(error) not in self._logged
            self._logged.add(str(error))
        return new
