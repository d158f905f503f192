"""`adopt`: takes what Inspera already has into the state. Sends nothing to Inspera."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.commands.interruption import Interruption
from sync.commands.plan import make_store
from sync.engine.adopt import DOUBTFUL, Adopted, Adopter
from sync.engine.plan import make_plan
from sync.engine.protocols import Progress
from sync.engine.resolve import Resolution, Resolver
from sync.errors import CallError, StateBusy, StateError, SyncError, UsageError
from sync.exit_codes import Exit, worst
from sync.records.base import Key, Kind
from sync.records.changes import Action, PlannedChange, Verdict
from sync.records.kinds import KEY_FIELDS
from sync.report.plan_text import MOST
from sync.report.wording import key_text
from sync.state.backend import OpenState, Wait
from sync.state.history import findings, last_runs
from sync.state.journal import Journal
from sync.state.old_copy import clear, note_adopted
from sync.state.store import Store
from sync.text.masking import masked


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    """What the adopt command was asked for; `record` is a kind and its key."""

    record: tuple[str, ...] = ()
    held: bool = False
    ours: bool = False
    as_new: bool = False
    keep: bool = False
    show: bool = False
    show_all: bool = False
    wait: Wait | None = None


def adopt(
    app: App, options: AdoptOptions, say: Say, progress: Progress, interruption: Interruption
) -> Exit:
    """Takes in, or shows what would be taken in. Held when something is doubtful."""
    from sync.inspera.target import Target

    wanted = _record(options)
    feeds = app.feeds
    with (
        _opened(app, options) as opened,
        Target(app.connection(), interruption.event, now) as target,
    ):
        connection = opened.connection
        # also tests that have ended: after a loss of the state they are still to be known
        store = make_store(app, connection, write=not options.show, leave_out=False)
        journal = Journal(connection, now, "adopt", opened.confirm, opened.keep_mark)
        planning = make_plan(feeds, store, app.policy(), now(), progress)
        for problem in planning.gathered.unhealthy:
            say(f"Source: {problem}")
        adopter = Adopter(
            store,
            journal,
            target,
            ours=options.ours,
            by_email=app.loaded.settings.existing.match_email,
        )
        counts: Counter[str] = Counter()
        status, reasons = Exit.OK, list(planning.gathered.unhealthy)
        try:
            if wanted or options.held:
                records = (
                    [wanted]
                    if wanted
                    else list(_held(store, connection, journal.run_id, keep=options.keep))
                )
                settling = Resolver(store, journal, target, adopter)
                taken: Iterable[Adopted] = (
                    settling.settle(one, store.planned_for(one.kind, one.key)) for one in records
                )
            else:
                taken = adopter.take_in(progress)
            counts = _tell(taken, say, None if options.show_all else MOST)
            status = worst(source=bool(planning.gathered.unhealthy), held=counts[DOUBTFUL] > 0)
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
        if status in (Exit.OK, Exit.HELD) and not wanted and not options.held:
            _note_adopted(store, connection, say)
        journal.end(
            "done" if status in (Exit.OK, Exit.HELD) else "stopped", status, counts, reasons
        )
    told = (
        ", ".join(f"{number:,} {word}" for word, number in sorted(counts.items()))
        or "nothing to take in"
    )
    say(f"{'Would be: ' if options.show else ''}{told}.")
    return status


def _note_adopted(store: Store, connection: Connection, say: Say) -> None:
    """Note that what Inspera has was taken in: of an empty state that is all there is to be recovered."""
    older = store.recovery()
    if older is None:
        return
    if older.lost:
        clear(connection)
        say("Recovered: the next `apply` sends again.")
    else:
        note_adopted(connection)
        say(f"Held: {replace(older, adopted=True)}.")


@contextmanager
def _opened(app: App, options: AdoptOptions) -> Iterator[OpenState]:
    """Open the state, or, to show what would become of it, a copy that is thrown away."""
    if options.show:
        with app.state.open_copy() as connection:
            yield OpenState(connection, lambda: None, lambda: False)
        return
    with app.state.open_to_write("adopt", options.wait) as opened:
        yield opened


def _record(options: AdoptOptions) -> Resolution | None:
    """The one record that was named.

    Raises:
        UsageError: the kind or the key is not one.
    """
    if not options.record:
        if options.as_new:
            raise UsageError("--as-new needs one record: adopt KIND KEY… --as-new")
        if options.keep and not options.held:
            raise UsageError("--keep needs one record, or --held: adopt KIND KEY… --keep")
        return None
    if options.as_new and options.keep:
        raise UsageError(
            "--as-new and --keep contradict each other: a new record has nothing of Inspera's to keep"
        )
    kind, *key = options.record
    if kind not in list(Kind):
        raise UsageError(f"{kind!r} is not a kind of record; use {', '.join(Kind)}")
    names = KEY_FIELDS[Kind(kind)]
    if len(key) != len(names):
        raise UsageError(
            f"a {kind} is named by {len(names)} key{'s' * (len(names) > 1)}: adopt {kind} {' '.join(names).upper()}"
        )
    return Resolution(Kind(kind), tuple(key), options.as_new, options.keep)


def _held(store: Store, connection: Connection, run_id: int, *, keep: bool) -> Iterator[Resolution]:
    """Every identity change that this plan holds, and every drift that the last apply met."""
    seen: set[tuple[Kind, Key]] = set()
    for line in store.planned(Verdict.HELD):
        if line.change.action is Action.IDENTITY_CHANGE:
            seen.add((line.change.kind, line.change.key))
    applied = next(
        (run for run in last_runs(connection, 50) if run.applies and run.id != run_id), None
    )
    for found in findings(connection, applied.id, "held") if applied else ():
        if (
            found.key
            and "adopt" in found.text
            and not _hangs_on(store.planned_for(found.kind, found.key))
        ):
            seen.add((found.kind, found.key))  # limits name `apply --allow` instead
    for kind, key in sorted(seen, key=lambda one: (list(Kind).index(one[0]), one[1])):
        yield Resolution(kind, key, keep=keep, named=False)


def _hangs_on(line: PlannedChange | None) -> bool:
    """Whether the plan holds this line only until another record, a identity change, is settled."""
    return line is not None and line.verdict is Verdict.HELD and not line.change.after


def _tell(taken: Iterable[Adopted], say: Say, most: int | None) -> Counter[str]:
    counts: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for one in taken:
        counts[one.word] += 1
        said[one.word] += 1
        if most is None or said[one.word] <= most or one.word == DOUBTFUL:
            say(
                masked(
                    f"{one.word}: {one.kind} {key_text(one.key)}{': ' if one.text else ''}{one.text}"
                )
            )
            for line in one.both:
                say(masked(line))
        elif said[one.word] == most + 1:
            say(f"… (--all shows every record that is {one.word})")
    return counts
