"""`adopt`: takes what Inspera already has into the state. Sends nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.commands.person import login_name
from sync.commands.plan import make_store
from sync.engine.adopt import DOUBTFUL, TAKEN, Adopter, AdoptionResult
from sync.engine.ending import Ending, recording_errors
from sync.engine.interruption import Interruption
from sync.engine.resolve import Resolution, Resolver
from sync.engine.run import plan_only
from sync.errors import UsageError
from sync.exit_codes import Exit, worst
from sync.planning.zeros import lost_identity
from sync.progress import Progress
from sync.records.base import Key, Kind
from sync.records.changes import Action, PlannedChange, Verdict
from sync.records.kinds import KEY_FIELDS
from sync.report.plan_text import MOST
from sync.report.wording import key_text, lost_zeros_text, plural
from sync.state.audit.chain import Event
from sync.state.audit.log import Entry
from sync.state.backend import OpenState, Wait
from sync.state.history import read_findings, read_last_runs
from sync.state.journal import Journal
from sync.state.old_copy import clear, note_adopted
from sync.state.store import Store
from sync.text.masking import masked


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    """What the adopt command was asked for.

    Attributes:
        record: the kind and the key of the one record; empty for all.
        held: whether everything that is held is settled.
        managed: whether this tool has put there what is taken in.
        as_new: whether the record is a new one, and not the vanished one whose identity it has.
        keep: whether Inspera's values stay.
        show: whether nothing is changed, and only shown.
        show_all: whether all lines are shown.
        wait: how to wait for a lock that somebody else holds; None not to.
    """

    record: tuple[str, ...] = ()
    held: bool = False
    managed: bool = False
    as_new: bool = False
    keep: bool = False
    show: bool = False
    show_all: bool = False
    wait: Wait | None = None


def adopt(
    app: App, options: AdoptOptions, say: Say, progress: Progress, interruption: Interruption
) -> Exit:
    """Take in what Inspera has, or show what would be taken in. Held when something is doubtful."""
    from sync.inspera.target import InsperaTarget

    record = _record(options)
    app.prepare()
    ending = Ending()
    with (
        _opened(app, options) as opened,
        InsperaTarget(app.connection(), interruption.event, now) as target,
    ):
        connection = opened.connection
        # Tests that have ended are left in: after a loss of the state they must be known again.
        store = make_store(app, connection, write=not options.show, leave_out=False)
        journal = Journal(connection, now, "adopt", opened.confirm, opened.keep_mark, login_name())
        policy, decided = app.policy(), app.state.read_decided(connection, now())
        if options.held:  # what a person has rejected is decided; naming one record decides anew
            policy = replace(policy, decided=decided)
        plan = plan_only(app.feeds, store, policy, now(), progress)
        for line in store.comparison.lost_zeros():
            say(lost_zeros_text(line))
        for problem in plan.extracted.unhealthy:
            say(f"Source: {problem}")
        ending.reasons += plan.extracted.unhealthy
        by_email = app.loaded.settings.existing.match_email
        adopter = Adopter(store, journal, target, managed=options.managed, by_email=by_email)
        with recording_errors(journal, ending, say):
            if record or options.held:
                resolver = Resolver(store, journal, target, adopter)
                held = (
                    resolution
                    for resolution in _held(store, connection, journal.run_id, keep=options.keep)
                    if not decided.is_rejected(resolution.kind, resolution.key)
                )
                results: Iterable[AdoptionResult] = (
                    resolver.settle(resolution, store.plan.find(resolution.kind, resolution.key))
                    for resolution in ([record] if record else list(held))
                )
            else:
                results = adopter.take_in(progress)
            results = _audited(results, journal)
            _show(results, ending.counts, say, None if options.show_all else MOST)
            if not record and not options.held:
                _show_held(store, say)
            unhealthy = bool(plan.extracted.unhealthy)
            ending.status = worst(source=unhealthy, held=ending.counts[DOUBTFUL] > 0)
            everything = not record and not options.held and not interruption.event.is_set()
            if everything and ending.status in (Exit.OK, Exit.HELD):
                _note_adopted(store, connection, say)
        ending.record(journal, interruption)
    say(f"{'Would be: ' if options.show else ''}{_figures(ending)}.")
    return ending.status


def _audited(results: Iterable[AdoptionResult], journal: Journal) -> Iterator[AdoptionResult]:
    """Yield results, with a line of the audit log for each record that is taken in."""
    for result in results:
        if result.word == TAKEN:
            journal.audit.append([Entry(event=Event.ADOPTED, kind=result.kind, key=result.key)])
        yield result


def _figures(ending: Ending) -> str:
    words = (f"{number:,} {word}" for word, number in sorted(ending.counts.items()))
    complete = ending.status in (Exit.OK, Exit.HELD)
    return ", ".join(words) or f"nothing {'to take in' if complete else 'was taken in'}"


def _show_held(store: Store, say: Say) -> None:
    """Name the command for the identity changes that are held: without it none is settled."""
    tally = store.plan.tally().items()
    held = sum(
        number
        for (_, action, verdict), number in tally
        if action is Action.IDENTITY_CHANGE and verdict is Verdict.HELD
    )
    if held:
        say(
            f"Held: {plural(held, 'identity change')}; `adopt --held --show` shows what "
            "`adopt --held` does about them."
        )


def _note_adopted(store: Store, connection: Connection, say: Say) -> None:
    """Note the adoption: of an empty state, it is all that is needed to recover."""
    older = store.earlier_runs.recovery_need()
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
    """Return the one record that the command names; None when it names none.

    Raises:
        UsageError: the kind or the key is not valid, or options contradict each other.
    """
    if not options.record:
        if options.as_new:
            raise UsageError("--as-new needs one record: adopt KIND KEY… --as-new")
        if options.keep and not options.held:
            raise UsageError("--keep needs one record, or --held: adopt KIND KEY… --keep")
        return None
    if options.as_new and options.keep:
        raise UsageError(
            "--as-new and --keep contradict each other: a new record has nothing of Inspera's to "
            "keep"
        )
    kind, *key = options.record
    if kind not in list(Kind):
        raise UsageError(f"{kind!r} is not a kind of record; use {', '.join(Kind)}")
    names = KEY_FIELDS[Kind(kind)]
    if len(key) != len(names):
        raise UsageError(
            f"a {kind} is named by {len(names)} key{'s' * (len(names) > 1)}: adopt {kind} "
            f"{' '.join(names).upper()}"
        )
    return Resolution(Kind(kind), tuple(key), options.as_new, options.keep)


def _held(store: Store, connection: Connection, run_id: int, *, keep: bool) -> Iterator[Resolution]:
    """Yield every held identity change, and every drift that the last `apply` met."""
    held: set[tuple[Kind, Key]] = set()
    for line in store.plan.read(Verdict.HELD):
        if line.change.action is Action.IDENTITY_CHANGE:
            held.add((line.change.kind, line.change.key))
    applied = next(
        (run for run in read_last_runs(connection, 50) if run.applies and run.id != run_id), None
    )
    for finding in read_findings(connection, applied.id, "held") if applied else ():
        if (
            finding.key
            and "adopt" in finding.text  # the text of limits names `apply --allow` instead
            and not _waits_for_identity(store.plan.find(finding.kind, finding.key))
        ):
            held.add((finding.kind, finding.key))
    for kind, key in sorted(held, key=lambda name: (list(Kind).index(name[0]), name[1])):
        if not _lost_zeros(store, kind, key):
            yield Resolution(kind, key, keep=keep, named=False)


def _lost_zeros(store: Store, kind: Kind, key: Key) -> bool:
    """Tell whether the record only lost leading zeros: its file is to be corrected instead."""
    line = store.plan.find(kind, key)
    return store.comparison.is_zeroed(kind, key) or bool(line and lost_identity(line.change))


def _waits_for_identity(line: PlannedChange | None) -> bool:
    """Tell whether this line is held only until the identity change of another is settled."""
    return line is not None and line.verdict is Verdict.HELD and not line.change.after


def _show(
    results: Iterable[AdoptionResult], counts: Counter[str], say: Say, most: int | None
) -> None:
    """Show what became of each record, and count it; up to `most`, but all doubtful ones."""
    for result in results:
        word = result.word
        counts[word] += 1
        if most is None or counts[word] <= most or word == DOUBTFUL:
            text = f": {result.text}" if result.text else ""
            say(masked(f"{word}: {result.kind} {key_text(result.key)}{text}"))
            for line in result.both:
                say(masked(line))
        elif counts[word] == most + 1:
            say(f"… (--all shows every record that is {word})")
