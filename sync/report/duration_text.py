"""How long it takes to send a plan, estimated from the calls that each kind needs."""

from collections.abc import Iterable
from math import ceil

from sync.records.base import Kind
from sync.records.changes import CALLING, Action
from sync.records.kinds import ON_A_TEST, PEOPLE
from sync.report.wording import plural

_LEAST = 60.0
"""Seconds from which the duration is worth a line."""

Size = tuple[Kind, Action, int, int]
"""A kind and an action, with how many changes pass and how many tests they are on."""


def duration_text(
    sizes: Iterable[Size], *, calls_per_second: float, batch_size: int, look_up_learners: bool
) -> str:
    """Return about how long it takes to send the changes; empty when that is short."""
    calls = sum(
        _calls(size, batch_size, look_up_learners=look_up_learners)
        for size in sizes
        if size[1] in CALLING
    )
    seconds = calls / calls_per_second
    if seconds < _LEAST:
        return ""
    minutes = round(seconds / 60)
    long = plural(minutes, "minute") if minutes < 120 else f"{seconds / 3600:.1f} hours"
    rate = f"`inspera.calls_per_second` {calls_per_second:g}"
    return f"Sending this takes about {long}: {calls:,} calls at {rate}."


def _calls(size: Size, batch_size: int, *, look_up_learners: bool) -> int:
    """Return about how many calls are made, as measured: look-ups, requests and readings."""
    kind, action, changes, tests = size
    if kind in ON_A_TEST:
        return ceil(changes / batch_size) + 2 * tests  # read before and after
    if kind in PEOPLE and action is Action.CREATE:
        known = kind is Kind.LEARNER and not look_up_learners
        return changes if known else 3 * changes
    return changes * (2 if kind in PEOPLE else 3)
