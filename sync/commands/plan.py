"""`plan`, the dry run: what `apply` would do, said and not done.

Changes no byte of the state, makes no call.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.engine.plan import PlanResult, plan_status
from sync.engine.run import plan_only
from sync.exit_codes import Exit
from sync.mapping import fingerprint
from sync.progress import Progress
from sync.records.base import Kind
from sync.records.changes import Verdict
from sync.report.plan_json import plan_json
from sync.report.plan_text import (
    CHECKED_AT_APPLY,
    MOST,
    ReasonGroup,
    plan_text,
    row_errors_text,
    scopes_text,
    summary_text,
    waiting_text,
)
from sync.report.stays_text import FIRST, stays_json, stays_text
from sync.report.wording import plural
from sync.state.store import Store
from sync.text.masking import masked

WOULD_DO = "Would do"
"""Heads what a plan would do, as opposed to what an `apply` is about to do."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the plan command was asked for."""

    as_json: bool = False
    exit_code: bool = False
    accepted: tuple[str, ...] = ()
    changed: bool = False
    show_all: bool = False
    allowed: tuple[str, ...] = ()


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
        locked_options=app.locked_options,
        digest_key=app.state.load_digest_key(write=write),
        rules=app.time_rules(kinds),
        leave_out=leave_out,
    )


def plan(app: App, options: PlanOptions, say: Say, write: Say, progress: Progress) -> Exit:
    """Make a plan and show it.

    `write` receives JSON in pieces, `say` receives lines of text.
    """
    read_options = app.read_options(options.accepted, changed=options.changed)
    policy = app.policy(options.allowed, read_options)
    app.prepare()
    with app.state.open_to_read() as connection:
        store = make_store(app, connection)
        planning = plan_only(app.feeds, store, policy, now(), progress)
        planning.check_hashes(options.allowed)
        if options.as_json:
            for piece in plan_json(
                store.plan.read(), store.staging.row_errors(), json_summary(store, planning)
            ):
                write(piece)
        else:
            most = None if options.show_all else MOST
            show_plan(store, planning, say, most, zone=app.test_zone)
        changes = any(verdict is Verdict.PASS for _, _, verdict in store.plan.tally())
        status = plan_status(store, planning)
        if options.exit_code and status is Exit.OK and changes:
            status = Exit.CHANGES
        if not options.as_json:
            if changes and not store.earlier_runs.recovery_need():
                say(CHECKED_AT_APPLY)
            row_errors, left_out = store.staging.row_error_count(), planning.left_out
            say(
                summary_text(
                    store.plan.tally(), row_errors, planning.ignored, status, left_out=left_out
                )
            )
    return status


def show_plan(
    store: Store,
    planning: PlanResult,
    say: Say,
    most: int | None,
    heading: str = WOULD_DO,
    zone: ZoneInfo | None = None,
) -> None:
    """Show the plan except its summary, with times in `zone`.

    `heading` precedes the changes that the guard allows.
    """
    older = store.earlier_runs.recovery_need()
    if older and heading == WOULD_DO:  # `apply` says it where it ends
        say(f"Held: {older}.")
    for line in store.comparison.lost_zeros():
        say(f"Leading zeros are lost: {masked(line)}")
    for problem in planning.extracted.unhealthy:
        say(f"Source: {problem}")
    for line in planning.extracted.partial:
        say(f"Changes: {line}")
    pending = store.earlier_runs.open_intent_count()
    if pending:
        say(
            f"{plural(pending, 'call')} of an earlier run without a known outcome: `apply` finds "
            "out about that first."
        )
    totals = Counter[Verdict]()
    for (_, _, verdict), number in store.plan.tally().items():
        totals[verdict] += number
    others = (one for one in Verdict if one is not Verdict.PASS)
    stopped: dict[Verdict, Iterator[ReasonGroup]] = {
        one: store.plan.groups(one, most) for one in others
    }
    passed, sound = totals[Verdict.PASS], bool(totals) or plan_status(store, planning) is Exit.OK
    for line in plan_text(
        store.plan.read(Verdict.PASS), stopped, most, heading, passed, sound=sound, zone=zone
    ):
        say(line)
    rest = (
        scopes_text(planning.held_scopes),
        row_errors_text(store.staging.row_errors(), most),
        stays_text(store.comparison.stays(), None if most is None else FIRST),
        ("",),
        waiting_text(*store.plan.waiting()),
    )
    for line in chain.from_iterable(rest):
        say(line)


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
        "ignored": planning.ignored,
        "waiting": {"all": waiting, "within_7_days": soon},
        "left_out": dict(planning.left_out),
        "unhealthy": planning.extracted.unhealthy,
        "partial": planning.extracted.partial,
        "held_scopes": [
            {
                "scope": held.scope.name,
                "why": held.excess,
                "hash": held.digest,
                "allowed": held.allowed,
            }
            for held in planning.held_scopes
        ],
        "stays": stays_json(store.comparison.stays()),
        "unsettled": store.earlier_runs.open_intent_count(),
        "older_copy": str(store.earlier_runs.recovery_need() or ""),
        "planned_at": planning.now.isoformat(timespec="seconds"),
    }
