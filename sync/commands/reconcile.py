"""`reconcile`: reads back what Inspera has and lists where it differs from what is known; `--repair` brings it back."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sync.app import App, Say, now
from sync.commands.apply import ApplyOptions, apply
from sync.commands.interruption import Interruption
from sync.commands.plan import make_store
from sync.engine.plan import make_plan
from sync.engine.protocols import Progress
from sync.engine.reconcile import Drift, DriftGroup, Reconciler
from sync.engine.repair import Repair
from sync.errors import CallError, StateBusy, StateError, SyncError
from sync.exit_codes import Exit, worst
from sync.planning.guard import Scope
from sync.records.base import Kind
from sync.records.changes import Action
from sync.records.kinds import PEOPLE
from sync.report.plan_text import MOST
from sync.report.stays_text import FIRST, stays_text
from sync.report.wording import key_text
from sync.state.backend import OpenState, Wait
from sync.state.journal import Journal
from sync.state.old_copy import clear
from sync.state.store import Store
from sync.text.masking import masked

_HEADINGS = {
    DriftGroup.CHANGED: "Changed in Inspera",
    DriftGroup.GONE: "Gone from Inspera",
    DriftGroup.FOREIGN: "In Inspera, and not ours (left alone)",
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


def reconcile(
    app: App, options: ReconcileOptions, say: Say, progress: Progress, interruption: Interruption
) -> Exit:
    """Lists drift, and repairs it when asked. Held when drift is left for a person to decide.

    As JSON, nothing but the drift is said: the exit status tells what became of a repair.
    """
    repair = options.repair or app.loaded.settings.reconcile.repair
    app.prepare()
    left, status = _read(app, options, say, progress, interruption, repair=repair)
    if status is Exit.OK and left.repaired and not left.older:
        words: Say = _nothing if options.as_json else say
        words("")
        words(
            f"Repair: {left.repaired:,} taken into the state; the apply that follows sends what the sources say."
        )
        status = apply(
            app,
            ApplyOptions(show_all=options.show_all, wait=options.wait),
            words,
            progress,
            interruption,
        )
    if status not in (Exit.OK, Exit.ERRORS):
        return status
    return worst(
        held=left.older or left.open > 0, row_errors=left.unread > 0 or status is Exit.ERRORS
    )


def _nothing(_line: str) -> None:
    """Says nothing."""


@dataclass(slots=True)
class _Remaining:
    """What a reading leaves: drift that nobody has settled, what was taken over to be repaired, what was not read.

    `older` says that the state may be an older copy, and was not recovered.
    """

    open: int = 0
    repaired: int = 0
    unread: int = 0
    older: bool = False


_KNOWN_AGAIN = (Kind.STAFF, Kind.TEST, Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE)
"""The kinds of which it matters who put them there: they are removed, or not."""


def _recovered(
    app: App,
    store: Store,
    opened: OpenState,
    left: _Remaining,
    options: ReconcileOptions,
    say: Say,
    progress: Progress,
) -> bool:
    """Allow sending again, if an older copy was held against all of Inspera and nothing of ours would become theirs."""
    older = store.recovery()
    assert older is not None  # noqa: S101 - the caller has asked
    why = (
        f"{left.unread:,} could not be read; run it again, or `reconcile --accept-unread`"
        if left.unread
        else ""
    )
    if options.accept_unread:
        why = ""
    if not older.adopted:
        planning = make_plan(app.feeds, store, app.policy(), now(), progress)
        new = sum(
            n
            for (kind, act, _), n in store.tally().items()
            if act is Action.CREATE and kind in _KNOWN_AGAIN
        )
        unsure = f"the sources name {new:,} records that it does not know" if new else ""
        why = why or (
            f"{planning.gathered.unhealthy[0]}" if planning.gathered.unhealthy else unsure
        )
    if why:
        say(f"Held: not recovered: {why}. {older}.")
        return False
    clear(opened.connection)
    opened.connection.commit()
    say("Recovered: this state was held against Inspera, so that the next `apply` sends again.")
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
    from sync.inspera.target import Target

    left, status, counts = _Remaining(), Exit.OK, Counter[str]()
    inspera = app.loaded.settings.inspera
    delay = inspera.read_after_write_delay
    with (
        app.state.open_to_write("reconcile", options.wait) as opened,
        Target(app.connection(), interruption.event, now) as target,
    ):
        connection = opened.connection
        store = make_store(app, connection, write=True)
        journal = Journal(connection, now, "reconcile", opened.confirm, opened.keep_mark)
        people = app.loaded.settings.reconcile.people
        reconciler = Reconciler(store, target, people, now(), delay, progress)
        repairing = Repair(store, journal, app.policy().limits.kind) if repair else None
        reasons: list[str] = []
        try:
            drift = _kept(reconciler.drift(), journal, left, counts, repairing)
            _tell(drift, options, say)
            words: Say = _nothing if options.as_json else say
            if repairing and not interruption.event.is_set():
                _finish(repairing, journal, left, words)
            for line in stays_text(store.stays_known(now()), None if options.show_all else FIRST):
                words(line)
            if store.recovery() and not interruption.event.is_set():
                left.older = not _recovered(app, store, opened, left, options, words, progress)
        except CallError as error:
            reasons.append(f"Inspera: {error}")
            say(reasons[-1])
            status = Exit.INSPERA
        except StateError as error:
            if not isinstance(error, StateBusy):  # which would be waited for once more
                journal.give_up("stopped", Exit.SOURCE, counts, [str(error)])
            raise
        except SyncError as error:
            journal.end("stopped", Exit.USAGE, counts, [str(error)])
            raise
        if interruption.event.is_set():
            status = interruption.status
        ended = (
            status
            if status is not Exit.OK
            else worst(held=left.older or left.open > 0, row_errors=left.unread > 0)
        )
        journal.end("done" if status is Exit.OK else "stopped", ended, counts, reasons)
    return left, status


def _kept(
    drift: Iterable[Drift],
    journal: Journal,
    left: _Remaining,
    counts: Counter[str],
    repair: Repair | None,
) -> Iterator[Drift]:
    """Counts each drift, notes it for `status`, and hands it to the repair where there is one."""
    for one in drift:
        counts[one.heap.value] += 1
        left.unread += one.heap is DriftGroup.UNREAD
        if one.heap is not DriftGroup.FOREIGN:
            journal.find(
                "drift" if one.ours else "unread", one.kind, one.key or None, "", _why(one)
            )
        if repair:
            repair.take(one)
        else:
            left.open += one.ours
        yield one


def _finish(repair: Repair, journal: Journal, left: _Remaining, say: Say) -> None:
    """Ends a repair, and says of which kinds too much is gone to be believed without a person's word."""
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


def _why(one: Drift) -> str:
    if one.heap is DriftGroup.CHANGED:
        return f"{', '.join(one.fields)} changed in Inspera"
    if one.heap is DriftGroup.GONE:
        return "is gone from Inspera"
    return one.text


def _tell(drift: Iterable[Drift], options: ReconcileOptions, say: Say) -> None:
    """All of it as JSON, line by line as it is met; or as text, heap by heap, each cut off at a count."""
    if options.as_json:
        for one in drift:
            said = {
                "heap": one.heap,
                "kind": one.kind,
                "key": list(one.key),
                "fields": list(one.fields),
            }
            say(
                masked(
                    json.dumps(
                        {**said, "text": one.text, "under_way": one.under_way}, ensure_ascii=False
                    )
                )
            )
        return
    most = None if options.show_all else MOST
    heaps: dict[DriftGroup, list[str]] = {heap: [] for heap in DriftGroup}
    counts: Counter[DriftGroup] = Counter()
    for one in drift:
        counts[one.heap] += 1
        if most is None or counts[one.heap] <= most:
            heaps[one.heap].append(_line(one))
    for heap, lines in heaps.items():
        if lines:
            say(f"{_HEADINGS[heap]}:")
            for line in lines:
                say(f"  {line}")
            if counts[heap] > len(lines):
                say(f"  … and {counts[heap] - len(lines):,} more (--all shows them)")
            say("")
    told = ", ".join(f"{number:,} {heap}" for heap, number in counts.items())
    say(f"Reconciled: {told or 'Inspera is as this state knows it'}.")


def _line(one: Drift) -> str:
    text = ", ".join(one.fields) or one.text
    running = "; its test is under way, so it is left alone" if one.under_way and one.ours else ""
    return masked(f"{one.kind} {key_text(one.key) or '(all)'}{': ' if text else ''}{text}{running}")
