"""The interface of schedules, and their next times."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Protocol


class Schedule(Protocol):
    """The times at which a job runs."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time (UTC) after a moment (aware); otherwise None."""


def next_times(schedule: Schedule, now: datetime, most: int = 3) -> list[datetime]:
    """Return the next times (UTC) after `now`, at most `most`."""

    def times() -> Iterator[datetime]:
        moment = schedule.next_after(now)
        while moment is not None:
            yield moment
            moment = schedule.next_after(moment)

    return list(islice(times(), most))
