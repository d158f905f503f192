"""The five fields of crontab in a time zone, calculated by cronsim.

Cronsim works as Debian's cron, with one exception that is corrected here. There, a minute or an
hour that begins with `*` counts elapsed time, so `*/20 2 * * *` is lost in the night in which the
clock skips from 2 to 3. Here, named hours count by the clock: nothing that is due is ever lost.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day of the month": "1 to 31",
    "month": "1 to 12 or jan to dec",
    "day of the week": "0 to 7 or mon to sun",
}
_ANY_DAY = ["0", "0", "*", "*", "*"]
_LEAP_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


def crontab(text: str, zone: str) -> "Crontab":
    """Return the schedule of five fields, or of a word such as `@daily`, in a time zone.

    Raises:
        ValueError: the fields are not valid or match no day, or the zone is not known.
    """
    time_zone = _zone(zone)
    fields = WORDS.get(text.strip().lower(), text).split()
    if fields and fields[0].startswith("@"):
        raise ValueError(f"{fields[0]!r} is not known; use {', '.join(WORDS)}, or five fields")
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"has {len(fields)} fields instead of five (minute, hour, day of the month, month, day"
            " of the week), such as '15 2 * * *' for 02:15 every day"
        )
    terms = _for_cronsim(fields)
    for index, (name, limits) in enumerate(_FIELDS.items()):
        if not _is_valid([*_ANY_DAY[:index], terms[index], *_ANY_DAY[index + 1 :]]):
            raise ValueError(
                f"{name} {fields[index]!r} is not valid; use * or {limits}, in a list (1,3),"
                " a range from low to high (1-5) or a step (*/2)"
            )
    # Cronsim refuses some fields that match no day, and gives up after 50 years for the others.
    schedule = Crontab(" ".join(fields), " ".join(terms), time_zone)
    if not _is_valid(terms) or schedule.next_after(_LEAP_YEAR) is None:
        raise ValueError(
            "never fires: no such day exists; correct the day of the month or the month"
        )
    return schedule


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # KeyError: an unknown name
        raise ValueError(
            f"time zone {name!r} is not known; use a name such as Europe/Oslo"
        ) from None


def _for_cronsim(fields: list[str]) -> list[str]:
    """Return the fields with the same numbers, in a form that cronsim reads as we mean it."""
    minute, hour, day, month, weekday = fields
    if hour not in ("*", "*/1"):
        # Named hours count by the clock. Cronsim does so only where neither field begins with `*`.
        minute = re.sub(r"^\*", "0-59", minute)
        hour = re.sub(r"^\*", "0-23", hour)
    # In a range such as fri-sun, Sunday is the last day of the week.
    weekday = re.sub(r"(?<!sun)-sun\b", "-7", weekday, flags=re.IGNORECASE)
    return [minute, hour, day, month, weekday]


def _is_valid(fields: list[str]) -> bool:
    try:
        CronSim(" ".join(fields), _LEAP_YEAR)
    except CronSimError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Crontab:
    """A schedule by the local time of a zone.

    With any hour (`*`), it follows elapsed time through both clock changes. With certain hours,
    each local time occurs once. A repeated time occurs the first time. Skipped times occur
    together, at the moment of the change.
    """

    fields: str
    terms: str
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time (UTC) after a moment (aware); otherwise None."""
        times = CronSim(self.terms, moment.astimezone(self.zone))
        # Within a repeated hour, cronsim begins with the times of its first passing.
        return next((utc for time in times if (utc := time.astimezone(UTC)) > moment), None)
