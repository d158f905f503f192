"""The grace before a removal: how often, and for how long, a record must be absent first. Pure.

A source may lack a record for one delivery and have it again in the next. So one absence causes no
call (rules 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync.records.base import Kind, utc_text, utc_time


@dataclass(frozen=True, slots=True)
class PastAbsence:
    """The healthy readings of earlier runs, in a row, that did not contain a record.

    `since` is the time of the first of them (UTC text), None when there was none.
    """

    since: str | None = None
    readings: int = 0


@dataclass(frozen=True, slots=True)
class GraceRules:
    """What a removal needs: so many readings without the record, the first of them so long ago.

    Attributes:
        readings: how many healthy readings in a row, this run's included.
        age: how long ago the first of them was, at least.
        ages: the same for kinds that differ, such as staff.
    """

    readings: int = 1
    age: timedelta = timedelta(0)
    ages: Mapping[Kind, timedelta] = field(default_factory=dict)

    def pending(self, kind: Kind, absence: PastAbsence, now: datetime) -> str:
        """Return why an absent record is not removed yet; empty when it may be.

        The reading of this run counts, whether or not it is recorded afterwards. `now` is aware.
        """
        seen = absence.readings + 1
        since = utc_time(absence.since) if absence.since else now
        due = since + self.ages.get(kind, self.age)
        if seen >= self.readings and due <= now:
            return ""
        left = self.readings - seen
        counted = f" in {seen} of {self.readings} readings" if left > 0 else ""
        when = f"first reading after {utc_text(due)}"
        if due <= now:
            when = "next reading" if left == 1 else f"next {left} readings"
        return f"absent{counted} since {utc_text(since)}; goes with the {when}"


NO_GRACE = GraceRules()
"""The first healthy reading without a record is enough."""
