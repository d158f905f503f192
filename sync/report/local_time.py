"""Times of tests as people read them: by the clock of the tests' zone, with UTC in addition."""

import re
from collections.abc import Collection
from zoneinfo import ZoneInfo

from sync.records.base import utc_time

_UTC = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d):\d\dZ")


def common_zone(zones: Collection[str | None]) -> ZoneInfo | None:
    """Return the zone that all of these agree on; None without one.

    This machine's own zone is not used: it says nothing about the tests.
    """
    (zone,) = different if len(different := set(zones)) == 1 else (None,)
    return ZoneInfo(zone) if zone else None


def with_local_times(text: str, zone: ZoneInfo | None) -> str:
    """Return the text with each UTC time in it as `2026-12-01 09:00 Europe/Oslo (08:00Z)`.

    Without a zone the text stays as it is. The day in UTC is named where it is another one.
    """
    return _UTC.sub(lambda time: _local(time[0], zone), text) if zone else text


def _local(utc: str, zone: ZoneInfo) -> str:
    try:
        moment = utc_time(utc)
    except ValueError:  # a title or an answer of Inspera can contain what only looks like a time
        return utc
    local = moment.astimezone(zone)
    day = "" if local.date() == moment.date() else f"{moment:%Y-%m-%d} "
    return f"{local:%Y-%m-%d %H:%M} {zone.key} ({day}{moment:%H:%M}Z)"
