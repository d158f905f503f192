"""A schedule, and the times at which it is next."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Protocol


class Schedule(Protocol):
    """Says when a job is next to run."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time (UTC) after a moment (aware); None when there is none any more."""


def next_times(schedule: Schedule, now: datetime, most: int = 3) -> list[datetime]:
    """The next times (UTC) after `now`."""

    def every() -> Iterator[datetime]:
        moment = schedule.next_after(now)
        while moment is not None:
            yield moment
            moment = schedule.next_after(moment)

    return list(islice(every(), most))
