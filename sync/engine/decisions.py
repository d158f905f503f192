"""The decisions of people with which a run begins: which are over, and which miss their change."""

from sync.engine.context import RunContext, RunSettings
from sync.engine.plan import PlanResult
from sync.engine.result import RunResult
from sync.planning.decided import DecidedChange
from sync.text.masking import masked

LOOK = "look at it again with `held`"


def keep_holds(
    settings: RunSettings, context: RunContext, plan: PlanResult, result: RunResult
) -> None:
    """Store what the plan holds, and name each decision that does not count any more."""
    holds, run_id, now = context.store.holds, context.journal.run_id, context.clock()
    holds.keep_planned(run_id, now, settings.policy.kinds, plan.held_scopes)
    for one in holds.take_expired(now):
        text = f"its approval expired on {one.expires} and counts no more; {LOOK}"
        _report(context, result, one, text)
    for one in plan.passed_over:
        # Once: the first run that begins with it names it.
        if one.approved and not one.tried:
            _report(context, result, one, f"approved, but {_moved(result, context, one)}")
    # What it was about does not come back unnoticed: it would be held again.
    holds.forget(plan.passed_over)
    holds.mark_tried(run_id, settings.policy.kinds)


def _moved(result: RunResult, context: RunContext, one: DecidedChange) -> str:
    """Return what has become of a change that was approved and is not planned any more."""
    if context.store.holds.is_drafted(one.kind, one.key):
        result.counts["held"] += 1  # a person has to look at it again
        return f"its row has changed since: {LOOK}"
    return "there is nothing to change any more"


def _report(context: RunContext, result: RunResult, one: DecidedChange, text: str) -> None:
    """Show a line about a decision, and keep it for `status`.

    The line is logged too, so it does not name who decided.
    """
    context.observer.note(masked(f"{one.kind} {' / '.join(one.key)}: {text}"))
    context.journal.find("note", one.kind, one.key, "", text)
    result.planned_findings += 1
