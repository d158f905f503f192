"""Comparison of this machine's clock with Inspera's, by the `Date` of every answer."""

import threading
from datetime import datetime, timedelta
from typing import Final

import structlog

from sync.planning.freeze import Moment

WRONG: Final = timedelta(seconds=60)
"""How far the clocks may be apart. Answers are late, and a `Date` has whole seconds."""

_SECOND = timedelta(seconds=1)
_log = structlog.get_logger("inspera.clock")


class ClockCheck:
    """What the answers of a run have shown of the two clocks. Thread-safe.

    One answer that is far off counts for the rest of the run: nobody knows which of the answers is right. The next run
    begins anew, so that a clock that has been set right is trusted again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = self._behind = timedelta(0)
        self._seen = self._told = False

    def note(self, asked: datetime, answered: datetime, theirs: datetime | None) -> None:
        """Note an answer's `Date`, with our own times just before the request and just after the answer.

        Inspera's clock is only off by what lies outside of these: it may have answered at any time in between. An
        answer without a readable `Date` shows nothing.
        """
        if theirs is None:
            return
        with self._lock:
            self._seen = True
            self._behind = max(
                self._behind, theirs - answered
            )  # a slow answer is no proof: the later time counts
            self._ahead = max(self._ahead, asked - (theirs + _SECOND))
            tell, self._told = self._wrong and not self._told, self._told or self._wrong
        if tell:
            _log.warning("the clocks differ", trouble=self.trouble)

    @property
    def _wrong(self) -> bool:
        return max(self._behind, self._ahead) > WRONG

    @property
    def seen(self) -> bool:
        """Return whether any answer has shown Inspera's time."""
        return self._seen

    @property
    def offset(self) -> timedelta:
        """Return how far our clock is ahead of Inspera's, less than 0 when it is behind, as far as the answers show."""
        with self._lock:
            return self._ahead if self._ahead >= self._behind else -self._behind

    @property
    def trouble(self) -> str:
        """Return what is wrong and what to do; empty while the clocks agree."""
        with self._lock:
            if not self._wrong:
                return ""
            far, word = max((self._behind, "behind"), (self._ahead, "ahead of"))
        return (
            f"this machine's clock is {_length(far)} {word} Inspera's; set it by NTP (`timedatectl`); "
            "until then nothing is removed"
        )

    def moment(self, now: datetime) -> Moment:
        """Return the present by both clocks; `now` is the time by ours. Small differences do not count."""
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
