"""`plan`, the dry run: what `apply` would do, said and not done. Changes no byte of the state, makes no call."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from sync.commands.wiring import House, Say, now
from sync.engine.doors import Progress
from sync.engine.planning import Planning, make_plan
from sync.exits import Exit, worst
from sync.mapping import fingerprint
from sync.model import Kind
from sync.plan import Verdict
from sync.report.plan_json import plan_json
from sync.report.plan_text import CHECKED_AT_APPLY, MOST, faults_text, plan_text, scopes_text, summary_text
from sync.report.wording import plural
from sync.state.store import Store


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the plan command was asked for."""

    as_json: bool = False
    exit_code: bool = False
    accepted: tuple[str, ...] = ()
    changed: bool = False
    show_all: bool = False


def make_store(
    house: House, connection: Connection, kinds: Collection[Kind] = frozenset(), *, write: bool = False
) -> Store:
    """The store over an opened state; `write` says that it is the state itself, opened for writing.

    `kinds` are those that the run keeps in step; none for all.

    Raises:
        StateError: the key of the seals cannot be used.
    """
    places = [feed.place for feed in house.feeds_of(kinds or frozenset(Kind))]
    return Store(connection, places, fingerprint, house.locked_options, house.state.seal_key(write=write))


def plan(house: House, options: PlanOptions, say: Say, write: Say, progress: Progress) -> Exit:
    """Plans and tells. `write` takes JSON as it comes, `say` takes lines of text."""
    feeds, how = house.feeds, house.how(options.accepted, changed=options.changed)
    with house.state.open_to_read() as connection:
        store = make_store(house, connection)
        planning = make_plan(feeds, store, house.policy(how=how), now(), progress)
        if options.as_json:
            for piece in plan_json(store.planned(), store.faults(), json_summary(store, planning)):
                write(piece)
        else:
            tell_plan(store, planning, say, None if options.show_all else MOST)
            if any(verdict is Verdict.PASS for _, _, verdict in store.tally()):
                say(CHECKED_AT_APPLY)
        changes = any(verdict is Verdict.PASS for _, _, verdict in store.tally())
        status = plan_status(store, planning)
    return Exit.CHANGES if options.exit_code and status is Exit.OK and changes else status


def plan_status(store: Store, planning: Planning) -> Exit:
    """What a plan alone says of its sources, its holds and its faults."""
    held = any(verdict is Verdict.HELD for _, _, verdict in store.tally())
    waiting, soon = store.deferred_numbers()
    faults = store.fault_count() + store.refusals() + waiting > 0
    return worst(source=bool(planning.gathered.unhealthy), held=held or soon > 0, faults=faults)


def tell_plan(store: Store, planning: Planning, say: Say, most: int | None, passing: str = "Would do") -> None:
    """The whole plan as text; `passing` is the heading of what the guard lets pass."""
    for problem in planning.gathered.unhealthy:
        say(f"Source: {problem}")
    for told in planning.gathered.partial:
        say(f"Changes: {told}")
    pending = store.open_intent_count()
    if pending:
        say(f"{plural(pending, 'call')} of an earlier run without a known outcome: `apply` finds out about that first.")
    totals = Counter[Verdict]()
    for (_, _, verdict), number in store.tally().items():
        totals[verdict] += number
    for line in plan_text({verdict: store.planned(verdict) for verdict in Verdict}, most, passing, totals):
        say(line)
    for line in scopes_text(planning.held_scopes):
        say(line)
    for line in faults_text(store.faults(), most):
        say(line)
    say("")
    say(summary_text(store.tally(), store.fault_count(), planning.ignored))


def json_summary(store: Store, planning: Planning) -> Mapping[str, Any]:
    """The figures of a plan, for programs."""
    tally = store.tally()
    return {
        "changes": sum(number for (_, _, verdict), number in tally.items() if verdict is Verdict.PASS),
        "counts": [
            {"kind": kind, "action": action, "verdict": verdict, "count": number}
            for (kind, action, verdict), number in sorted(tally.items())
        ],
        "faults": store.fault_count(),
        "ignored": planning.ignored,
        "unhealthy": planning.gathered.unhealthy,
        "partial": planning.gathered.partial,
        "held_scopes": [
            {"scope": held.scope.name, "why": held.excess, "hash": held.digest, "allowed": held.allowed}
            for held in planning.held_scopes
        ],
        "unsettled": store.open_intent_count(),
        "planned_at": planning.now.isoformat(timespec="seconds"),
    }
