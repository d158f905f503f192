"""How a service stands to its state: whether it leads, and whether the state is ready for its jobs."""

import time
from collections.abc import Mapping

import structlog

from sync.daemon.doors import Past, State
from sync.daemon.inquiry import Inquiry
from sync.errors import Locked, StateError, StateUnreachable, SyncError

PATIENCE = 10.0
"""Seconds without an answer after which the state counts as out of reach."""

_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between two attempts to use the state."""

_log = structlog.get_logger("service")


class Standing:
    """Asks the state, again and again, without ever hanging on it.

    Attributes:
        leads: whether this service is the one that may run jobs.
        ready: whether the state is, since this service began to lead.
        unreachable: why the state can't be used just now; empty when it can, or is not needed.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._leading = Inquiry(state.leads, "lead")
        self._preparing = Inquiry(state.prepare, "prepare")
        self.leads = self.ready = False
        self.unreachable = ""
        self._has_asked = self._was_ready = False
        self._again, self._attempts = 0.0, 0

    def look(self, seconds: float) -> Mapping[str, Past] | None:
        """Looks, for so many seconds at most. When the state has become ready, gives what it remembers of the jobs.

        Raises:
            StateError: the state can't be used, and never could since this service began.
        """
        led, self.leads = self.leads, self._ask_lead(seconds)
        if led and not self.leads:
            self.ready = False
            self._preparing = Inquiry(self._state.prepare, "prepare")  # what it says now is of another time
        if not self.leads or self.ready or time.monotonic() < self._again:
            return None
        return self._prepare(seconds)

    def doubt(self) -> None:
        """A run found something wrong with the state, so it is looked at anew before the next one."""
        self.ready = False

    @property
    def answers(self) -> bool:
        """Whether no question is open."""
        return not (self._leading.open_for or self._preparing.open_for)

    def _ask_lead(self, seconds: float) -> bool:
        try:
            leads = self._leading.answer(seconds)
        except TimeoutError:
            if self._leading.open_for < PATIENCE:
                return self.leads
            self._bear(StateUnreachable("the state does not answer; see how its server is"), passes=True)
            return False
        except StateError as error:
            self._bear(error, passes=self._has_asked)
            return False
        self._has_asked = True
        if leads != self.leads:
            self._again, self._attempts = 0.0, 0
        if not leads:
            self.unreachable = ""
        return leads

    def _prepare(self, seconds: float) -> Mapping[str, Past] | None:
        try:
            past = self._preparing.answer(seconds)
        except TimeoutError:
            return None  # migrations take their time
        except (StateError, Locked) as error:
            self._bear(error, passes=self._was_ready)
            return None
        self.unreachable, self.ready, self._was_ready = "", True, True
        return past

    def _bear(self, error: SyncError, *, passes: bool) -> None:
        """Goes on without the state. What once worked may do so again, whatever is wrong with it just now."""
        if not passes and not isinstance(error, StateUnreachable | Locked):
            raise error
        if str(error) != self.unreachable:
            _log.error("the state can't be used just now; tried again", error=str(error))
        self.unreachable = str(error)
        self._again = time.monotonic() + _PAUSES[min(self._attempts, len(_PAUSES) - 1)]
        self._attempts += 1
