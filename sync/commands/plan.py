"""`plan`, the dry run: what `apply` would do, said and not done. Changes no byte of the state, makes no call."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.engine.plan import PlanResult, make_plan
from sync.engine.protocols import Progress
from sync.exit_codes import Exit, worst
from sync.mapping import fingerprint
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


def make_store(
    app: App,
    connection: Connection,
    kinds: Collection[Kind] = frozenset(),
    *,
    write: bool = False,
    leave_out: bool = True,
) -> Store:
    """The store over an opened state; `write` says that it is the state itself, opened for writing.

    `kinds` are those that the run keeps in step; none for all. `leave_out` says that tests which had ended before they
    were ever sent are no part of the plan.

    Raises:
        StateError: the key of the seals cannot be used.
    """
    kinds = kinds or frozenset(Kind)
    places, rules = [feed.place for feed in app.feeds_of(kinds)], app.time_rules(kinds)
    seal_key = app.state.seal_key(write=write)
    return Store(
        connection, places, fingerprint, app.locked_options, seal_key, rules, leave_out=leave_out
    )


def plan(app: App, options: PlanOptions, say: Say, write: Say, progress: Progress) -> Exit:
    """Plans and tells. `write` takes JSON as it comes, `say` takes lines of text."""
    feeds, how = app.feeds, app.how(options.accepted, changed=options.changed)
    with app.state.open_to_read() as connection:
        store = make_store(app, connection)
        planning = make_plan(feeds, store, app.policy(how=how), now(), progress)
        if options.as_json:
            for piece in plan_json(
                store.planned(), store.row_errors(), json_summary(store, planning)
            ):
                write(piece)
        else:
            most = None if options.show_all else MOST
            tell_plan(store, planning, say, most, zone=app.test_zone)
        changes = any(verdict is Verdict.PASS for _, _, verdict in store.tally())
        status = plan_status(store, planning)
        if options.exit_code and status is Exit.OK and changes:
            status = Exit.CHANGES
        if not options.as_json:
            if changes and not store.recovery():
                say(CHECKED_AT_APPLY)
            row_errors, left_out = store.row_error_count(), planning.left_out
            say(
                summary_text(store.tally(), row_errors, planning.ignored, status, left_out=left_out)
            )
    return status


def plan_status(store: Store, planning: PlanResult) -> Exit:
    """What a plan alone says of its sources, its holds and its row errors, and of what is wanted and waits."""
    waiting, soon = store.waiting()
    held = any(verdict is Verdict.HELD for _, _, verdict in store.tally())
    numbers, near = store.deferred_numbers()
    held = held or soon + near > 0 or store.recovery() is not None
    row_errors = store.row_error_count() + store.refusals() + waiting + numbers + store.missed() > 0
    return worst(source=bool(planning.gathered.unhealthy), held=held, row_errors=row_errors)


def tell_plan(
    store: Store,
    planning: PlanResult,
    say: Say,
    most: int | None,
    passing: str = WOULD_DO,
    zone: ZoneInfo | None = None,
) -> None:
    """Say the plan without its summary, with times in `zone`; `passing` heads what passes."""
    if (older := store.recovery()) and passing == WOULD_DO:  # `apply` says it where it ends
        say(f"Held: {older}.")
    for problem in planning.gathered.unhealthy:
        say(f"Source: {problem}")
    for told in planning.gathered.partial:
        say(f"Changes: {told}")
    pending = store.open_intent_count()
    if pending:
        say(
            f"{plural(pending, 'call')} of an earlier run without a known outcome: `apply` finds out about that first."
        )
    totals = Counter[Verdict]()
    for (_, _, verdict), number in store.tally().items():
        totals[verdict] += number
    others = (one for one in Verdict if one is not Verdict.PASS)
    stopped: dict[Verdict, Iterator[ReasonGroup]] = {one: store.groups(one, most) for one in others}
    passed, sound = totals[Verdict.PASS], bool(totals) or plan_status(store, planning) is Exit.OK
    for line in plan_text(
        store.planned(Verdict.PASS), stopped, most, passing, passed, sound=sound, zone=zone
    ):
        say(line)
    rest = (
        scopes_text(planning.held_scopes),
        row_errors_text(store.row_errors(), most),
        stays_text(store.stays(), None if most is None else FIRST),
        ("",),
        waiting_text(*store.waiting()),
    )
    for line in chain.from_iterable(rest):
        say(line)


def json_summary(store: Store, planning: PlanResult) -> Mapping[str, Any]:
    """The figures of a plan, for programs."""
    tally, (waiting, soon) = store.tally(), store.waiting()
    return {
        "changes": sum(
            number for (_, _, verdict), number in tally.items() if verdict is Verdict.PASS
        ),
        "counts": [
            {"kind": kind, "action": action, "verdict": verdict, "count": number}
            for (kind, action, verdict), number in sorted(tally.items())
        ],
        "row_errors": store.row_error_count(),
        "ignored": planning.ignored,
        "waiting": {"all": waiting, "within_7_days": soon},
        "left_out": dict(planning.left_out),
        "unhealthy": planning.gathered.unhealthy,
        "partial": planning.gathered.partial,
        "held_scopes": [
            {
                "scope": held.scope.name,
                "why": held.excess,
                "hash": held.digest,
                "allowed": held.allowed,
            }
            for held in planning.held_scopes
        ],
        "stays": stays_json(store.stays()),
        "unsettled": store.open_intent_count(),
        "older_copy": str(store.recovery() or ""),
        "planned_at": planning.now.isoformat(timespec="seconds"),
    }
