"""The values and times of a report, as people read them."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from sync.records.base import listed, utc_time
from sync.records.changes import Action, Value, Verdict
from sync.records.kinds import LISTS

MINUTES = frozenset({"duration", "extra_time"})
"""Fields that hold minutes."""

OUTCOMES: Mapping[str, str] = {
    **dict.fromkeys((Action.CREATE, Action.ENABLE), "added"),
    **dict.fromkeys((Action.UPDATE, Action.ACTIVATE), "changed"),
    **dict.fromkeys((Action.REMOVE, Action.DISABLE, Action.DELETE), "removed"),
    Verdict.HELD: "held",
    Verdict.WAITING: "waiting",
    Verdict.DEFERRED: "deferred",
}
"""What a change comes to, by its action where it goes ahead and else by its verdict."""

NOTED = "noted"
"""What comes of a change that makes no call: only what is remembered changes."""

SERIES = ("added", "changed", "removed", NOTED, "held", "waiting", "deferred")
"""The outcomes in the order in which pictures show them."""


def outcome_of(action: str, verdict: Verdict = Verdict.PASS) -> str:
    """Return what a change comes to, as one of `SERIES`."""
    return OUTCOMES.get(action if verdict is Verdict.PASS else verdict, NOTED)


def time_parts(utc: str, zone: ZoneInfo | None) -> tuple[str, str] | None:
    """Return a time on the clock of the zone, and in UTC; None for another text.

    Without a zone the first part is in UTC and the second is empty.
    """
    try:
        moment = utc_time(utc)
    except ValueError:
        return None
    if zone is None:
        return f"{moment:%Y-%m-%d %H:%M} UTC", ""
    local = moment.astimezone(zone)
    day = "" if local.date() == moment.date() else f"{moment:%Y-%m-%d} "
    return f"{local:%Y-%m-%d %H:%M}", f"{day}{moment:%H:%M} UTC"


def value_text(name: str, value: Value, zone: ZoneInfo | None) -> str:
    """Return a field's value: a list by commas, a time by the clock of the zone."""
    if value in (None, ""):
        return "(nothing)"
    if name in LISTS:
        return ", ".join(listed(value))
    if isinstance(value, str) and (parts := time_parts(value, zone)):
        return parts[0] if not parts[1] else f"{parts[0]} ({parts[1]})"
    return f"{value} min" if name in MINUTES else str(value)
