"""How a service stands to its state: whether it leads, and whether the state is ready for its jobs."""

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
"""Seconds without an answer after which the state counts as out of reach."""

_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between two attempts to use the state."""

_RUN_PAUSES = (*_PAUSES, 60.0, 120.0, 300.0)
"""The same when the state seems sound and runs fail on it all the same: each of them reads all sources."""

_PROVEN = 60.0
"""Seconds without a new trouble after which one that a run met counts as over, also when no run has ended yet."""

_log = structlog.get_logger("service")


class Leadership:
    """Asks the state, again and again, without ever hanging on it.

    Attributes:
        leads: whether this service is the one that may run jobs.
        ready: whether the state is, since this service began to lead.
        unreachable: why the state can't be used just now; empty when it can, or is not needed.
    """

    def __init__(self, state: ServiceState) -> None:
        self._state = state
        self._leading = BackgroundCall(state.leads, "lead")
        self._preparing = BackgroundCall(state.prepare, "prepare")
        self.leads = self.ready = False
        self.unreachable = ""
        self._has_asked = self._was_ready = False
        self._again, self._attempts = 0.0, 0
        self._runs: SimpleQueue[StateError | None] = SimpleQueue()
        self._doubted_until: float | None = None
        self._said: set[str] = set()
        self._saying = Lock()

    def look(self, seconds: float) -> Mapping[str, JobHistory] | None:
        """Looks, for so many seconds at most. When the state has become ready, gives what it remembers of the jobs.

        Raises:
            Locked: another service runs on this state.
            StateError: the state can't be used, and never could since this service began.
        """
        self._hear_runs()
        led, self.leads = self.leads, self._ask_lead(seconds)
        if led and not self.leads:
            self.ready = False
            self._preparing = BackgroundCall(
                self._state.prepare, "prepare"
            )  # what it says now is of another time
        if not self.leads or self.ready or time.monotonic() < self._again:
            return None
        return self._prepare(seconds)

    def doubt(self, error: StateError) -> bool:
        """Have the state made ready anew before the next run, as a run could not use it. Thread-safe.

        Returns whether nobody has heard of this trouble yet.
        """
        self._runs.put(error)
        self.ready = False  # nothing is started before the next look
        return self._is_news(error)

    def trust(self) -> None:
        """Take the state for sound again, as a run could use it to its end. Thread-safe."""
        self._runs.put(None)

    @property
    def answers(self) -> bool:
        """Whether no question is open."""
        return not (self._leading.open_for or self._preparing.open_for)

    def _hear_runs(self) -> None:
        while not self._runs.empty():
            error = self._runs.get()
            if error is None:
                self._end_doubt()
            else:
                self.ready = False
                self._doubted_until = math.inf
                self._bear(error, passes=True, pauses=_RUN_PAUSES)
        if (
            self._doubted_until is not None
            and self.ready
            and time.monotonic() >= self._doubted_until
        ):
            self._end_doubt()

    def _end_doubt(self) -> None:
        if self._doubted_until is not None:
            self._doubted_until = None
            if self.ready:
                self._recover()

    def _ask_lead(self, seconds: float) -> bool:
        try:
            leads = self._leading.answer(seconds)
        except TimeoutError:
            if self._leading.open_for < PATIENCE:
                return self.leads
            self._bear(
                StateUnreachable("the state does not answer; see how its server is"), passes=True
            )
            return False
        except StateError as error:
            self._bear(error, passes=self._has_asked)
            return False
        self._has_asked = True
        if leads != self.leads:
            self._again, self._attempts = 0.0, 0
        if not leads:
            self._recover()
        return leads

    def _prepare(self, seconds: float) -> Mapping[str, JobHistory] | None:
        try:
            past = self._preparing.answer(seconds)
        except TimeoutError:
            return None  # migrations take their time
        except (StateError, Locked) as error:
            self._bear(error, passes=self._was_ready)
            return None
        self.unreachable, self.ready, self._was_ready = "", True, True
        if self._doubted_until is None:
            self._recover()
        else:  # it was ready before as well, and a run failed: only a run can prove it
            self._doubted_until = time.monotonic() + _PROVEN
        return past

    def _recover(self) -> None:
        self.unreachable, self._attempts = "", 0
        with self._saying:
            troubled = bool(self._said)
            self._said.clear()
        if troubled:
            _log.warning("the state can be used again")

    def _bear(self, error: SyncError, *, passes: bool, pauses: Sequence[float] = _PAUSES) -> None:
        """Goes on without the state. What once worked may do so again, whatever is wrong with it just now."""
        if not passes and not isinstance(error, StateUnreachable | Locked):
            raise error
        if self._is_news(error):
            _log.error("the state can't be used just now; tried again", error=str(error))
        self.unreachable = str(error)
        self._again = time.monotonic() + pauses[min(self._attempts, len(pauses) - 1)]
        self._attempts += 1

    def _is_news(self, error: SyncError) -> bool:
        """Whether this trouble is said for the first time since the state was last sound."""
        with self._saying:
            news = str(error) not in self._said
            self._said.add(str(error))
        return news
