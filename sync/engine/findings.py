"""The findings of a plan for `status`: row errors, and changes that do not go ahead."""

from itertools import islice

from sync.engine.result import RunResult
from sync.records.base import Kind, by_cause
from sync.records.changes import Cause, Verdict
from sync.records.rule_numbers import rule_of
from sync.state.journal import Journal
from sync.state.store import Store

MOST_FINDINGS = 5_000
"""How many findings of each type a run keeps for `status`; the plan names all of them."""

CLASH = "clash"
"""The type of what is named and holds nothing, such as a learner on two tests at once."""


def keep_findings(store: Store, journal: Journal, result: RunResult) -> None:
    """Record the findings of the plan in the journal, and count them."""
    for row_error, others in islice(by_cause(store.staging.row_errors()), MOST_FINDINGS):
        reason = f"{row_error.field}: {row_error.reason}; {row_error.remedy}"
        more = f" and {others:,} more row{'' if others == 1 else 's'}" if others else ""
        where = f"{row_error.where}{more}"
        journal.find("row error", row_error.kind, row_error.key, where, reason, int(row_error.rule))
        result.planned_findings += 1
    for verdict in (Verdict.HELD, Verdict.WAITING, Verdict.DEFERRED):
        # Outside the pilot group may be a whole university: their number is enough.
        for line in islice(store.plan.read(verdict, {Cause.PILOT}), MOST_FINDINGS):
            change = line.change
            rule = rule_of(line.cause, change.kind)
            journal.find(verdict, change.kind, change.line_key, change.where, line.reason, rule)
            result.planned_findings += 1
        tally = store.plan.tally().items()
        result.counts[verdict] += sum(number for (_, _, of), number in tally if of is verdict)
    for clash in islice(store.clashes.read_all(), MOST_FINDINGS):
        journal.find(CLASH, Kind.TEST, (clash.test,), "", clash.reason)
        result.planned_findings += 1
    result.counts[CLASH] = sum(store.clashes.counts().values())
    result.counts["row error"] = store.staging.row_error_count()
    result.counts["stay (put there by hand)"] = sum(map(len, store.comparison.stays().values()))
    journal.commit()
