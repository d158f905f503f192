"""`reconcile`: lists where Inspera differs from what is known; `--repair` repairs that."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sync.app import App, Say, now
from sync.commands.apply import ApplyOptions, apply, quietly, say_nothing
from sync.commands.person import login_name
from sync.commands.plan import make_store
from sync.engine.ending import Ending, recording_errors
from sync.engine.interruption import Interruption
from sync.engine.reconcile import Drift, DriftGroup, Reconciler
from sync.engine.repair import Repair
from sync.engine.run import plan_only
from sync.exit_codes import Exit, worst
from sync.planning.limits import Scope
from sync.planning.remedies import fields_text
from sync.progress import Progress
from sync.records.base import Kind
from sync.records.changes import Action
from sync.records.kinds import PEOPLE
from sync.report.plan_text import MOST
from sync.report.stays_text import FIRST, stays_text
from sync.report.wording import NAMES, key_text
from sync.state.backend import OpenState, Wait
from sync.state.journal import Journal
from sync.state.old_copy import clear
from sync.state.store import Store
from sync.text.masking import masked

_HEADINGS = {
    DriftGroup.CHANGED: "Changed in Inspera",
    DriftGroup.GONE: "Gone from Inspera",
    DriftGroup.FOREIGN: "In Inspera, and unmanaged (left alone)",
    DriftGroup.UNREAD: "Could not be read",
}


@dataclass(frozen=True, slots=True)
class ReconcileOptions:
    """What the reconcile command was asked for."""

    repair: bool = False
    accept_unread: bool = False
    as_json: bool = False
    show_all: bool = False
    wait: Wait | None = None
    quiet: bool = False


def reconcile(
    app: App, options: ReconcileOptions, say: Say, progress: Progress, interruption: Interruption
) -> Exit:
    """List drift, and repair it when asked (see `_reconcile`). A quiet one shows nothing at 0."""

    def work(show: Say) -> Exit:
        return _reconcile(app, options, show, progress, interruption)

    return quietly(say, work) if options.quiet else work(say)


def _reconcile(
    app: App, options: ReconcileOptions, say: Say, progress: Progress, interruption: Interruption
) -> Exit:
    """List drift, and repair it when asked. Held when drift is left for a person to decide.

    As JSON, only the drift is shown: the exit status tells what became of a repair.
    """
    repair = options.repair or app.loaded.settings.reconcile.repair
    show: Say = say_nothing if options.as_json else say
    app.prepare()
    left, status = _read(app, options, say, progress, interruption, repair=repair)
    if not left.repaired or left.older or status in (Exit.INSPERA, interruption.status):
        return status
    show("")
    show(
        f"Repair: {left.repaired:,} taken into the state; the apply that follows sends what "
        "the sources say."
    )
    apply_options = ApplyOptions(show_all=options.show_all, wait=options.wait, quiet=options.quiet)
    status = apply(app, apply_options, show, progress, interruption)
    if status not in (Exit.OK, Exit.ERRORS):
        return status
    return worst(held=left.open > 0, row_errors=left.unread > 0 or status is Exit.ERRORS)


@dataclass(slots=True)
class _Remaining:
    """What a reading leaves: open drift, repaired drift, and what was not read.

    `older` says that the state may be an older copy, and was not recovered.
    """

    open: int = 0
    repaired: int = 0
    unread: int = 0
    older: bool = False


_KNOWN_AGAIN = (Kind.STAFF, Kind.TEST, Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE)
"""The kinds of which it matters who put them there: they are removed, or not."""


def _recover(
    app: App,
    store: Store,
    opened: OpenState,
    left: _Remaining,
    options: ReconcileOptions,
    say: Say,
    progress: Progress,
) -> bool:
    """Allow sending again if the state was compared with all of Inspera.

    It stays held if managed records would count as somebody else's.
    """
    older = store.earlier_runs.recovery_need()
    assert older is not None  # noqa: S101 - the caller has asked
    why = (
        f"{left.unread:,} could not be read; run it again, or `reconcile --accept-unread`"
        if left.unread
        else ""
    )
    if options.accept_unread:
        why = ""
    if not older.adopted:
        plan = plan_only(app.feeds, store, app.policy(), now(), progress)
        new = sum(
            n
            for (kind, act, _), n in store.plan.tally().items()
            if act is Action.CREATE and kind in _KNOWN_AGAIN
        )
        unsure = f"the sources name {new:,} records that it does not know" if new else ""
        why = why or (f"{plan.extracted.unhealthy[0]}" if plan.extracted.unhealthy else unsure)
    if why:
        say(f"Held: not recovered: {why}. {older}.")
        return False
    clear(opened.connection)
    opened.connection.commit()
    say("Recovered: this state was compared with Inspera, so the next `apply` sends again.")
    return True


def _read(
    app: App,
    options: ReconcileOptions,
    say: Say,
    progress: Progress,
    interruption: Interruption,
    *,
    repair: bool,
) -> tuple[_Remaining, Exit]:
    from sync.inspera.target import InsperaTarget

    left, ending = _Remaining(), Ending()
    settings = app.loaded.settings
    show: Say = say_nothing if options.as_json else say
    with (
        app.state.open_to_write("reconcile", options.wait) as opened,
        InsperaTarget(app.connection(), interruption.event, now) as target,
    ):
        connection = opened.connection
        store = make_store(app, connection, write=True)
        journal = Journal(
            connection, now, "reconcile", opened.confirm, opened.keep_mark, login_name()
        )
        delay = app.membership_policy().read_after_write_delay
        reconciler = Reconciler(store, target, settings.reconcile.people, now(), delay, progress)
        repairer = Repair(store, journal, app.policy().limits.kind) if repair else None
        with recording_errors(journal, ending, say):
            drift = _record(reconciler.drift(), journal, left, ending.counts, repairer)
            _show(drift, options, say)
            if repairer and not interruption.event.is_set():
                _finish(repairer, journal, left, show)
            for line in stays_text(
                store.earlier_runs.stays(now()), None if options.show_all else FIRST
            ):
                show(line)
            if store.earlier_runs.recovery_need() and not interruption.event.is_set():
                left.older = not _recover(app, store, opened, left, options, show, progress)
            ending.status = worst(held=left.older or left.open > 0, row_errors=left.unread > 0)
        ending.record(journal, interruption)
    return left, ending.status


def _record(
    drift: Iterable[Drift],
    journal: Journal,
    left: _Remaining,
    counts: Counter[str],
    repair: Repair | None,
) -> Iterator[Drift]:
    """Count each drift, record it for `status`, and give it to the repair if there is one."""
    for item in drift:
        counts[item.heap.value] += 1
        left.unread += item.heap is DriftGroup.UNREAD
        if item.heap is not DriftGroup.FOREIGN:
            type_ = "drift" if item.managed else "unread"
            journal.find(type_, item.kind, item.key or None, "", _why(item))
        if repair:
            repair.take(item)
        else:
            left.open += item.managed
        yield item


def _finish(repair: Repair, journal: Journal, left: _Remaining, say: Say) -> None:
    """End a repair, and show the kinds of which so much is gone that a person has to confirm it."""
    for kind, scope in repair.finish():
        text = _too_much(kind, scope)
        journal.find("held", kind, None, "", text)
        say(f"Held: {kind}: {text}")
    left.open, left.repaired = repair.left, repair.taken


def _too_much(kind: Kind, scope: Scope) -> str:
    each = (
        f"adopt {kind} KEY --as-new" if kind in (*PEOPLE, Kind.TEST) else f"adopt {kind} TEST KEY"
    )
    # no limit lets the last of two or more go
    raised = "raise limits.kind for this once, or " if scope.count < max(scope.known, 2) else ""
    return (
        f"gone from Inspera: {scope.excess()}; so nothing of it is repaired. Look at Inspera; "
        f"if it is right, {raised}settle them one by one with `{each}`"
    )


def _why(item: Drift) -> str:
    if item.heap is DriftGroup.CHANGED:
        return f"{', '.join(item.fields)} changed in Inspera"
    if item.heap is DriftGroup.GONE:
        return "is gone from Inspera"
    return item.text


def _show(drift: Iterable[Drift], options: ReconcileOptions, say: Say) -> None:
    """Show all drift: as JSON, line by line, or as text by group."""
    if options.as_json:
        for item in drift:
            say(masked(json.dumps(_document(item), ensure_ascii=False)))
    else:
        _show_text(drift, None if options.show_all else MOST, say)


def _document(item: Drift) -> dict[str, object]:
    """Return drift for programs."""
    return {
        "heap": item.heap,
        "kind": item.kind,
        "key": list(item.key),
        "fields": list(item.fields),
        "text": item.text,
        "under_way": item.under_way,
    }


def _show_text(drift: Iterable[Drift], most: int | None, say: Say) -> None:
    """Show drift by group, of each up to a number, and then the figures."""
    groups: dict[DriftGroup, list[str]] = {group: [] for group in DriftGroup}
    counts: Counter[DriftGroup] = Counter()
    for item in drift:
        counts[item.heap] += 1
        if most is None or counts[item.heap] <= most:
            groups[item.heap].append(_line(item))
    for group, lines in groups.items():
        if lines:
            say(f"{_HEADINGS[group]}:")
            for line in lines:
                say(f"  {line}")
            if counts[group] > len(lines):
                say(f"  … and {counts[group] - len(lines):,} more (--all shows them)")
            if group is DriftGroup.CHANGED:
                say(f"  {_SETTLE}")
            say("")
    figures = ", ".join(f"{number:,} {group}" for group, number in counts.items())
    say(f"Reconciled: {figures or 'Inspera is as this state knows it'}.")


_SETTLE = (
    "Each: `adopt KIND KEY` lets the next `apply` send what the source says, with --keep Inspera's "
    "value stays. All: `reconcile --repair` sends what the source says."
)


def _difference(item: Drift, name: str) -> str:
    """Return a field with what is known and what Inspera has; of a person's names the field."""
    there = getattr(item.there, name, None)
    if name in NAMES or item.there is None or not hasattr(item.there, name):
        return name
    now_there = fields_text({name: there}, [name])[len(name) + 1 :]
    return f"{fields_text(item.known, [name])} → {now_there}"


def _line(item: Drift) -> str:
    text = ", ".join(_difference(item, name) for name in item.fields) or item.text
    running = (
        "; its test is under way, so it is left alone" if item.under_way and item.managed else ""
    )
    return masked(
        f"{item.kind} {key_text(item.key) or '(all)'}{': ' if text else ''}{text}{running}"
    )
