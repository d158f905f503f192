"""What a change of the configuration does, as text and as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any

from sync.planning.configuration import ConfigurationImpact
from sync.records.changes import PlannedChange, Verdict
from sync.report.lines import Line, Tone, muted
from sync.report.wording import change_row


def impact_text(impact: ConfigurationImpact) -> Iterator[Line]:
    """Yield what only the new configuration changes; what is held says so with its scope."""
    if not impact.excess():
        yield Line(
            f"Configuration: this change of the configuration {impact.effect()}; "
            f"changed: {impact.settings}"
        )
        yield from (Line(f"Configuration: {reason}") for reason in impact.trouble)


def impact_details(impact: ConfigurationImpact) -> Iterator[Line]:
    """Yield the impact of a change that is not applied yet: settings, numbers and examples."""
    yield Line(f"Configuration: changed: {impact.settings}")
    yield Line(f"Configuration: this change of the configuration {impact.effect()}.")
    for (kind, action), examples in impact.examples.items():
        for change in examples:
            line = PlannedChange(0, change, Verdict.PASS, "", "", "", 0, None, None)
            yield change_row(line)
        if more := impact.counts[kind, action] - len(examples):
            yield muted(f"  … and {more:,} more of these")
    yield from (Line(f"Configuration: {reason}", Tone.HELD) for reason in impact.trouble)
    if excess := impact.excess():
        yield Line(f"Configuration: the next `apply` would hold this: {excess}", Tone.HELD)
    else:
        yield Line("Configuration: within the limits, so the next `apply` sends it.")


def impact_json(impact: ConfigurationImpact | None) -> Mapping[str, Any] | None:
    """Return the impact for programs; None without a change of the configuration."""
    if impact is None:
        return None
    return {
        "changed": impact.settings,
        "counts": [
            {"kind": kind, "action": action, "count": number}
            for (kind, action), number in impact.counts.items()
        ],
        "why": impact.excess(),
        "held": impact.held,
        "trouble": list(impact.trouble),
    }
