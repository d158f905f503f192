"""`plan`, the dry run: shows what `apply` would do. Makes no call, leaves the state unchanged."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.commands.earlier import gate_of
from sync.commands.pause import pause_text
from sync.commands.plan_file import check_place, write_plan_file
from sync.engine.candidate_numbers import defer_as_before
from sync.engine.plan import PlanResult, plan_status
from sync.engine.run import plan_only
from sync.exit_codes import Exit
from sync.mapping import fingerprint
from sync.planning.activation import FIRST_MAILS
from sync.planning.selection import Selection
from sync.progress import Progress
from sync.records.base import Kind
from sync.records.changes import NOT_BY_ITSELF, Action, Cause, Verdict
from sync.report.call_estimate import CallEstimate, CallRules, estimate_calls
from sync.report.calls_text import calls_json, calls_text
from sync.report.clashes_text import clashes_text
from sync.report.impact_text import impact_json, impact_text
from sync.report.lines import Line, Tone
from sync.report.plan_json import plan_json
from sync.report.plan_text import (
    CHECKED_AT_APPLY,
    MOST,
    NOTHING,
    ReasonGroup,
    plan_text,
    row_errors_text,
    scopes_text,
    summary_text,
    waiting_text,
)
from sync.report.stays_text import FIRST, stays_json, stays_text
from sync.report.tenant_roles_text import FIRST as FIRST_OF_ROLE
from sync.report.tenant_roles_text import role_gains_json, role_gains_text
from sync.report.wording import lost_zeros_text, plural
from sync.state.store import Store

WOULD_DO = "Would do"
"""The heading of a plan that nobody carries out; `apply` has another one."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the plan command was asked for.

    `out` is the file that the changes are written to, for a review. With `quiet`, only what needs
    a person is shown.
    """

    as_json: bool = False
    exit_code: bool = False
    accepted: tuple[str, ...] = ()
    changed: bool = False
    show_all: bool = False
    allowed: tuple[str, ...] = ()
    out: Path | None = None
    selection: Selection | None = None
    quiet: bool = False


def make_store(
    app: App,
    connection: Connection,
    kinds: Collection[Kind] = frozenset(),
    *,
    write: bool = False,
    leave_out: bool = True,
) -> Store:
    """Return the store over an opened state.

    Args:
        app: the configuration.
        connection: the opened state.
        kinds: the kinds that the run keeps in step; empty for all.
        write: whether this is the state itself, opened to write, and not a copy.
        leave_out: whether tests that had ended before they were ever sent are left out of the plan.

    Raises:
        StateError: the key of the secret digests cannot be used.
    """
    kinds = kinds or frozenset(Kind)
    return Store(
        connection,
        places=[feed.place for feed in app.feeds_of(kinds)],
        fingerprint=fingerprint,
        options=app.options,
        digest_key=app.state.load_digest_key(write=write),
        rules=app.time_rules(kinds),
        leave_out=leave_out,
    )


def plan(app: App, options: PlanOptions, say: Say, write: Say, progress: Progress) -> Exit:
    """Make a plan and show it.

    `write` receives JSON in pieces, `say` receives lines of text.
    """
    read_options = app.read_options(options.accepted, changed=options.changed)
    policy = app.policy(options.allowed, read_options, selection=options.selection)
    policy = replace(policy, gate=gate_of(app, make_store))
    app.prepare()
    if options.out:
        check_place(options.out)
    paused = pause_text(app.state)
    with app.state.open_to_read() as connection:
        store = make_store(app, connection)
        policy = replace(policy, decided=app.state.read_decided(connection, now()))
        planning = plan_only(app.feeds, store, policy, now(), progress)
        planning.check_hashes(options.allowed)
        written = ""
        if options.out:  # before the next step, which no run has
            number = write_plan_file(app, store, planning, options, options.out)
            written = f"Written: {options.out} ({plural(number, 'change')}). "
            written += f"To carry out exactly these: apply {options.out}"
        defer_as_before(store)
        changes = any(verdict is Verdict.PASS for _, _, verdict in store.plan.tally())
        status = plan_status(store, planning)
        if options.exit_code and status is Exit.OK and changes:
            status = Exit.CHANGES
        if options.as_json:
            for piece in plan_json(
                store.plan.read(),
                store.staging.row_errors(),
                {
                    **json_summary(store, planning),
                    "calls": calls_json(estimate_of(app, store)),
                    "paused": paused,
                },
                store.clashes.read_all(),
            ):
                write(piece)
            return status
        if options.quiet and status is Exit.OK:
            return status
        if options.quiet:
            show_needs(store, planning, say, None if options.show_all else MOST, app.test_zone)
        else:
            _show(app, options, store, planning, say, (paused, written))
        say(plan_summary(store, planning, status))
    return status


def _show(
    app: App,
    options: PlanOptions,
    store: Store,
    planning: PlanResult,
    say: Say,
    around: tuple[str, str],
) -> None:
    """Show the plan, between two lines of which each may be empty."""
    before, after = around
    if before:
        say(Line(before, Tone.HELD))
    show_plan(store, planning, say, None if options.show_all else MOST, zone=app.test_zone)
    changes = any(verdict is Verdict.PASS for _, _, verdict in store.plan.tally())
    if changes and not store.earlier_runs.recovery_need():
        for note in _notes(app, store):
            say(note)
    if after:
        say(after)


def _notes(app: App, store: Store) -> Iterator[str]:
    """Yield what is to be known of changes before they are sent."""
    yield CHECKED_AT_APPLY
    if store.plan.tally().get((Kind.TEST, Action.ACTIVATE, Verdict.PASS)):
        yield f"Activation: {FIRST_MAILS}."
    yield from calls_text(estimate_of(app, store))


def estimate_of(app: App, store: Store) -> CallEstimate:
    """Return about how many calls `apply` makes for the plan in the store."""
    settings = app.loaded.settings
    inspera, existing = settings.inspera, settings.existing
    security = [name for name, rule in app.options.items() if rule.group == "security"]
    size = store.plan.size(inspera.batch_size, security, blank=store.known.is_blank())
    rules = CallRules(
        calls_per_second=inspera.calls_per_second,
        look_up_learners=existing.look_up_learners,
        export_above=existing.export_above,
        verify=settings.verify,
    )
    return estimate_calls(size, rules)


def plan_summary(store: Store, planning: PlanResult, status: Exit | None = None) -> Line:
    """Return the figures of a plan in one line, with the exit status if the command ends there."""
    return summary_text(
        store.plan.tally(),
        store.staging.row_error_count(),
        planning.ignored,
        status,
        left_out=planning.left_out,
        unasked=planning.unasked,
    )


def show_plan(
    store: Store,
    planning: PlanResult,
    say: Say,
    most: int | None,
    title: str = WOULD_DO,
    zone: ZoneInfo | None = None,
    nothing: str = NOTHING,
) -> None:
    """Show the plan except its summary, with times in `zone`.

    `title` is above the changes that the guard allows; `nothing` is shown without any change.
    """
    tally = store.plan.tally()
    passing = sum(number for (_, _, verdict), number in tally.items() if verdict is Verdict.PASS)
    fleeting = frozenset(Cause) - NOT_BY_ITSELF - {Cause.PILOT}
    groups: dict[Verdict, Iterator[ReasonGroup]] = {
        Verdict.WAITING: store.plan.groups(Verdict.WAITING, most),
        Verdict.DEFERRED: store.plan.groups(Verdict.DEFERRED, most, fleeting),
        Verdict.HELD: store.plan.groups(Verdict.HELD, most),
    }
    sound = bool(tally) or plan_status(store, planning) is Exit.OK
    lines = chain(
        # `apply` reports a state that may be an older copy at its end
        doubts_text(store, planning, with_older=title == WOULD_DO),
        plan_text(
            store.plan.read(Verdict.PASS),
            groups,
            most,
            title,
            passing,
            blocked=store.plan.groups(Verdict.DEFERRED, most, NOT_BY_ITSELF),
            left_alone=store.plan.groups(Verdict.DEFERRED, most, {Cause.PILOT}),
            sound=sound,
            narrowed=planning.narrowed,
            zone=zone,
            nothing=nothing,
        ),
        scopes_text(planning.shown_scopes, most),
        row_errors_text(store.staging.row_errors(), most),
        clashes_text(store.clashes.counts(), store.clashes.read, most, zone),
        stays_text(store.comparison.stays(), None if most is None else FIRST),
        role_gains_text(store.plan.role_gains(None if most is None else FIRST_OF_ROLE)),
        ("",),
        waiting_text(*store.plan.waiting()),
    )
    for line in lines:
        say(line)


def show_needs(
    store: Store, planning: PlanResult, say: Say, most: int | None, zone: ZoneInfo | None = None
) -> None:
    """Show only what of the plan needs a person; nothing of what goes ahead or clears by itself."""
    held = {Verdict.HELD: store.plan.groups(Verdict.HELD, most)}
    blocked = store.plan.groups(Verdict.DEFERRED, most, NOT_BY_ITSELF)
    for line in chain(
        doubts_text(store, planning, with_older=True),
        plan_text((), held, most, blocked=blocked, zone=zone, nothing=""),
        scopes_text(planning.shown_scopes, most),
        row_errors_text(store.staging.row_errors(), most),
        clashes_text(store.clashes.counts(), store.clashes.read, most, zone),
    ):
        say(line)


def doubts_text(store: Store, planning: PlanResult, *, with_older: bool) -> Iterator[Line]:
    """Yield what must be known before the plan is read: what it may lack, and why."""
    older = store.earlier_runs.recovery_need()
    if older and with_older:
        yield Line(f"Held: {older}.", Tone.HELD)
    for lost in store.comparison.lost_zeros():
        yield Line(lost_zeros_text(lost), Tone.ERROR)
    for problem in planning.extracted.unhealthy:
        yield Line(f"Source: {problem}", Tone.ERROR)
    for partial in planning.extracted.partial:
        yield Line(f"Changes: {partial}")
    if planning.configuration:
        yield from impact_text(planning.configuration)
    if pending := store.earlier_runs.open_intent_count():
        text = f"{plural(pending, 'call')} of an earlier run without a known outcome: "
        yield Line(f"{text}`apply` finds out about that first.")


def json_summary(store: Store, planning: PlanResult) -> Mapping[str, Any]:
    """Return the figures of a plan, for programs."""
    tally, (waiting, soon) = store.plan.tally(), store.plan.waiting()
    return {
        "changes": sum(
            number for (_, _, verdict), number in tally.items() if verdict is Verdict.PASS
        ),
        "counts": [
            {"kind": kind, "action": action, "verdict": verdict, "count": number}
            for (kind, action, verdict), number in sorted(tally.items())
        ],
        "row_errors": store.staging.row_error_count(),
        "tenant_roles": role_gains_json(store.plan.role_gains(None)),
        "ignored": planning.ignored,
        "waiting": {"all": waiting, "within_7_days": soon},
        "left_out": dict(planning.left_out),
        "not_asked_for": planning.unasked,
        "unhealthy": planning.extracted.unhealthy,
        "partial": planning.extracted.partial,
        "held_scopes": [
            {
                "scope": held.scope.name,
                "why": held.excess,
                "hash": held.digest,
                "allowed": held.allowed,
            }
            for held in planning.shown_scopes
        ],
        "stays": stays_json(store.comparison.stays()),
        "configuration": impact_json(planning.configuration),
        "unsettled": store.earlier_runs.open_intent_count(),
        "older_copy": str(store.earlier_runs.recovery_need() or ""),
        "planned_at": planning.now.isoformat(timespec="seconds"),
    }
