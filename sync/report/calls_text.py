"""About how many calls a plan takes, and how long, as text and as JSON."""

from collections.abc import Iterator
from typing import Any

from sync.planning.export_need import UNSEEN
from sync.report.call_estimate import CallEstimate
from sync.report.wording import plural

_MINUTE, _HOURS_FROM = 60.0, 7200.0


def calls_text(estimate: CallEstimate) -> Iterator[str]:
    """Yield a line about the calls and their time, and one about exports where one is made."""
    if not estimate.total:
        return
    rate = f"{estimate.calls_per_second:g} a second (`inspera.calls_per_second`)"
    yield f"About {plural(estimate.total, 'call')} to Inspera, {_time(estimate.seconds)} at {rate}."
    if estimate.proven:
        people = " and ".join(plural(n, f"new {kind}") for kind, n in estimate.proven.items())
        yield (
            f"Whether {people} exist is taken from an export of Inspera's logins, and only existing "
            f"ones are looked up. {UNSEEN}"
        )


def calls_json(estimate: CallEstimate) -> dict[str, Any]:
    """Return the estimate for programs."""
    return {
        "about": estimate.total,
        "seconds": round(estimate.seconds),
        "calls_per_second": estimate.calls_per_second,
        "by_name": dict(sorted(estimate.by_name.items())),
        "proven_new_by_export": dict(estimate.proven),
    }


def _time(seconds: float) -> str:
    if seconds < _MINUTE:
        return "less than a minute"
    if seconds < _HOURS_FROM:
        return f"about {seconds / _MINUTE:.0f} min"
    return f"about {seconds / 3600:.1f} h"
