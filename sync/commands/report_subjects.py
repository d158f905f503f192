"""The reports on a plan, a past run and what is held: their heads, figures and sections."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from sync.app import App
from sync.commands.pause import pause_text
from sync.commands.plan import doubts_text, estimate_of
from sync.commands.report_sections import (
    KINDS,
    Names,
    held_sections,
    hold_total,
    plan_sections,
    plan_totals,
    run_sections,
    run_totals,
)
from sync.engine.plan import PlanResult, plan_status
from sync.records.base import Kind, utc_time
from sync.records.changes import Verdict
from sync.report.calls_text import calls_text
from sync.report.clashes_text import clashes_text
from sync.report.plan_text import MOST, left_out_text, waiting_text
from sync.report.report_model import (
    DayTally,
    Report,
    RunFacts,
    SectionName,
    Subject,
    Tally,
)
from sync.report.report_words import outcome_of
from sync.report.stays_text import stays_text
from sync.report.tenant_roles_text import FIRST as FIRST_OF_ROLE
from sync.report.tenant_roles_text import role_gains_text
from sync.report.verdict import status_text
from sync.report.wording import plural
from sync.state import holds, past_changes
from sync.state.history import PastRun
from sync.state.store import Store


def plan_report(app: App, connection: Connection, store: Store, planning: PlanResult) -> Report:
    """Return the report on a plan that is in the store."""
    totals = plan_totals(store)
    status = plan_status(store, planning)
    counts = {"held": totals[SectionName.HELD], "row error": totals[SectionName.ERRORS]}
    counts |= {
        "waiting": totals[SectionName.WAITING],
        "deferred": totals[SectionName.DEFERRED],
    }
    tally = store.plan.tally().items()
    return Report(
        subject=Subject.PLAN,
        title="Plan: what would change in Inspera",
        statement="This is a plan. Nothing of it has been sent to Inspera.",
        tenant=_tenant(app),
        made_at=planning.now,
        zone=_zone(app),
        exit_status=status,
        meaning=status_text(status, counts),
        run=None,
        notices=list(_plan_notices(app, store, planning)),
        totals=totals,
        tallies=_tallies((kind, outcome_of(action, of), n) for (kind, action, of), n in tally),
        days=_days(
            ((start, outcome_of(action, of), n) for start, action, of, n in store.plan.starts()),
            app.test_zone,
        ),
        sections=plan_sections(store, planning, Names(connection)),
    )


def _plan_notices(app: App, store: Store, planning: PlanResult) -> Iterator[str]:
    """Yield what must be known before the plan is read."""
    ignored = (
        f"{plural(planning.ignored, 'registration')} of retired tests ignored."
        if planning.ignored
        else ""
    )
    texts: Iterable[str] = chain(
        [pause_text(app.state)],
        doubts_text(store, planning, with_older=True),
        stays_text(store.comparison.stays()),
        role_gains_text(store.plan.role_gains(FIRST_OF_ROLE)),
        waiting_text(*store.plan.waiting()),
        _clash_notices(app, store),
        [left_out_text(planning.left_out), ignored],
        calls_text(estimate_of(app, store)),
    )
    return (str(text) for text in texts if text)


def _clash_notices(app: App, store: Store) -> Iterator[str]:
    """Yield the clashes, of which everything is sent all the same."""
    clashes = clashes_text(store.clashes.counts(), store.clashes.read, MOST, app.test_zone)
    for line in islice(clashes, 2, None):  # without the empty line and the heading of the plan
        yield f"Look at: {str(line).strip()}"


def run_report(app: App, connection: Connection, past: PastRun, made_at: datetime) -> Report:
    """Return the report on a run in the journal."""
    done = past_changes.count_done(connection, past.id).items()
    found = past_changes.count_findings(connection, past.id).items()
    not_done = ((kind, type_, n) for (type_, kind), n in found if type_ in _VERDICTS)
    status = past.exit_status
    return Report(
        subject=Subject.RUN,
        title=f"Run {past.id}: what was changed in Inspera",
        statement=_run_statement(past),
        tenant=_tenant(app),
        made_at=made_at,
        zone=_zone(app),
        exit_status=status,
        meaning="" if status is None else status_text(status, past.counts, past.status),
        run=RunFacts(
            id=past.id,
            command=past.command,
            started=past.started,
            ended=past.ended,
            status=past.status,
            reasons=past.reason.splitlines(),
        ),
        notices=past.reason.splitlines(),
        totals=run_totals(connection, past.id),
        tallies=_tallies(
            chain(((kind, outcome_of(action), n) for (kind, action), n in done), not_done)
        ),
        days=_days(
            (
                (start, outcome_of(action), number)
                for start, action, number in past_changes.count_done_by_start(connection, past.id)
            ),
            app.test_zone,
        ),
        sections=run_sections(connection, past.id, Names(connection)),
    )


_VERDICTS = frozenset({Verdict.HELD, Verdict.WAITING, Verdict.DEFERRED})


def _run_statement(past: PastRun) -> str:
    if past.ended is None:
        return (
            f"This run ({past.command}) began {past.started} and has no end: it is still running, "
            "or it was killed."
        )
    return f"This run ({past.command}) began {past.started} and ended {past.ended}."


def held_report(app: App, connection: Connection, made_at: datetime) -> Report:
    """Return the report on what the newest plan of a run holds."""
    found = holds.read_holds(connection)
    held = ((kind, number) for hold in found for (_, kind), number in hold.sizes.items())
    return Report(
        subject=Subject.HELD,
        title="Held: what a person must decide",
        statement="This is what the newest run holds. Nothing of it has been sent to Inspera.",
        tenant=_tenant(app),
        made_at=made_at,
        zone=_zone(app),
        exit_status=None,
        meaning="",
        run=None,
        notices=[paused] if (paused := pause_text(app.state)) else [],
        totals={SectionName.HELD: sum(map(hold_total, found))},
        tallies=_tallies((kind, str(Verdict.HELD), number) for kind, number in held),
        days=[],
        sections=held_sections(connection, found, Names(connection)),
    )


def _tenant(app: App) -> str:
    return app.loaded.settings.inspera.url


def _zone(app: App) -> str | None:
    return app.test_zone.key if app.test_zone else None


def _tallies(counts: Iterable[tuple[Kind, str, int]]) -> Sequence[Tally]:
    found = Counter[tuple[Kind, str]]()
    for kind, outcome, number in counts:
        found[kind, outcome] += number
    return [
        Tally(kind, outcome, number)
        for (kind, outcome), number in sorted(
            found.items(), key=lambda one: (KINDS.index(one[0][0]), one[0][1])
        )
    ]


def _days(counts: Iterable[tuple[str, str, int]], zone: ZoneInfo | None) -> Sequence[DayTally]:
    """Return the counts by the day on which a test starts, by the clock of its zone."""
    found: dict[str, Counter[str]] = {}
    for start, outcome, number in counts:
        day = utc_time(start).astimezone(zone or utc_time(start).tzinfo).date().isoformat()
        found.setdefault(day, Counter())[outcome] += number
    return [DayTally(day, dict(of)) for day, of in sorted(found.items())]
