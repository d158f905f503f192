"""The start of a run for what people have approved: it has no schedule, and is due at once."""

import time
from collections.abc import Callable
from threading import Thread

from sync.service.protocols import ServiceState

APPROVED = "approved changes"
"""The name of that run. No job can have it, since it contains a space."""

_LEAST_PAUSE = 10.0
"""Seconds between two starts: a run that could not begin leaves the approvals as they were."""


class ApprovalStarter:
    """Starts the run of approved changes in a thread of its own.

    Args:
        state: knows whether approvals wait.
        run: runs the job of this name to its end.
        failed: receives the job's name and an unexpected error.
    """

    def __init__(
        self,
        state: ServiceState,
        run: Callable[[str], None],
        failed: Callable[[str, BaseException], None],
    ) -> None:
        self._state, self._run, self._failed = state, run, failed
        self._thread: Thread | None = None
        self._next_start = 0.0

    def start_if_due(self) -> None:
        """Start the run if something was approved since the last one began."""
        busy = self._thread is not None and self._thread.is_alive()
        if busy or time.monotonic() < self._next_start or not self._state.approvals_wait():
            return
        self._next_start = time.monotonic() + _LEAST_PAUSE
        self._thread = Thread(target=self._run_logged, name=APPROVED, daemon=True)
        self._thread.start()

    def _run_logged(self) -> None:
        try:
            self._run(APPROVED)
        except Exception as error:  # nobody else would learn of it
            self._failed(APPROVED, error)
