"""What of a test is worked out from its other times.

An end on the next day, an end or a duration that is computed.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sync.mapping.rules import FieldRule, RuleError
from sync.mapping.times import next_day
from sync.records.fields import FieldValue

END, DURATION = "start + duration", "end - start"
_COMPUTED = {"end": END, "duration": DURATION}
_DAY = timedelta(days=1)

Complete = Callable[[dict[str, FieldValue]], None]
"""A function that completes a test's fields in place, as far as the others could be read.

It raises `BadValueError` for a time that a clock change skips or repeats.
"""


def _computed(fields: Mapping[str, FieldRule]) -> frozenset[str]:
    """Return the fields that are computed: `end`, or `duration`, or neither."""
    computed = {name: rule.computed for name, rule in fields.items() if rule.computed is not None}
    for name, sum_ in computed.items():
        if sum_ != _COMPUTED.get(name):
            right = _COMPUTED.get(name, END)
            raise RuleError(f"computed: can't be '{sum_}' for '{name}'; use '{right}' for it")
    if len(computed) > 1:
        raise RuleError(
            "computed: 'end' and 'duration' are each computed from the other; map one of them"
        )
    return frozenset(computed)


def compile_windows(fields: Mapping[str, FieldRule]) -> Complete | None:
    """Return what completes the fields of a test by these rules.

    `None` when nothing is to be worked out.

    Raises:
        RuleError: both are computed, each from the other, or one by another sum.
    """
    computed = _computed(fields)
    end = fields.get("end")
    later = next_day(end) if end is not None and end.next_day else None
    if not computed and later is None:
        return None

    def complete(made: dict[str, FieldValue]) -> None:
        start, end, duration = (made.get(name) for name in ("start", "end", "duration"))
        if (
            later
            and isinstance(start, datetime)
            and isinstance(end, datetime)
            and start - _DAY < end < start
        ):
            made["end"] = end = later(end)
        if "end" in computed and isinstance(start, datetime) and isinstance(duration, int):
            made["end"] = start + timedelta(minutes=duration)
        if (
            "duration" in computed
            and isinstance(start, datetime)
            and isinstance(end, datetime)
            and end > start
        ):
            made["duration"] = int((end - start).total_seconds()) // 60

    return complete
