"""Comparison of this machine's clock with Inspera's, by the `Date` of every response."""

import threading
from datetime import datetime, timedelta
from typing import Final

import structlog

from sync.planning.freeze import Moment

WRONG: Final = timedelta(seconds=60)
"""How far the clocks may differ. Responses are late, and a `Date` has whole seconds."""

_SECOND = timedelta(seconds=1)
_log = structlog.get_logger("inspera.clock")


class ClockCheck:
    """The difference of the two clocks, by the responses of a run (rules 38). Thread-safe.

    One response with a large difference counts for the rest of the run, because it is not known
    which response is right. The next run starts afresh, so a corrected clock is trusted again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = self._behind = timedelta(0)
        self._seen = self._warned = False

    def note(self, sent_at: datetime, received_at: datetime, theirs: datetime | None) -> None:
        """Record a response's `Date`, with our times before the request and after the response.

        Inspera may have responded at any time in between, so only what lies outside counts as a
        difference. A response without a readable `Date` shows nothing.
        """
        if theirs is None:
            return
        with self._lock:
            self._seen = True
            self._behind = max(self._behind, theirs - received_at)
            self._ahead = max(self._ahead, sent_at - (theirs + _SECOND))
            is_new = self._wrong and not self._warned
            self._warned = self._warned or self._wrong
        if is_new:
            _log.warning("the clocks differ", trouble=self.trouble)

    @property
    def _wrong(self) -> bool:
        return max(self._behind, self._ahead) > WRONG

    @property
    def seen(self) -> bool:
        """Tell whether any response has shown Inspera's time."""
        return self._seen

    @property
    def offset(self) -> timedelta:
        """Return how far our clock is ahead of Inspera's; below 0 when it is behind."""
        with self._lock:
            return self._ahead if self._ahead >= self._behind else -self._behind

    @property
    def trouble(self) -> str:
        """Return the error of the clock and its remedy; empty while the clocks agree."""
        with self._lock:
            if not self._wrong:
                return ""
            difference, word = max((self._behind, "behind"), (self._ahead, "ahead of"))
        return (
            f"this machine's clock is {_length(difference)} {word} Inspera's; set it by NTP "
            "(`timedatectl`); until then nothing is removed"
        )

    def moment(self, now: datetime) -> Moment:
        """Return the time now by both clocks, ignoring small differences; `now` is by ours."""
        with self._lock:
            if not self._wrong:
                return Moment.of(now)
            return Moment(now - self._ahead, now + self._behind)


def _length(time: timedelta) -> str:
    """Return a length of time in words, such as `2 h 5 min` or `90 s`."""
    seconds = int(time.total_seconds())
    if seconds < 300:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"
