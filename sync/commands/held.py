"""`held`: what waits for a person to decide, and by which command."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.planning.decided import DecidedChange
from sync.planning.guard import may_be_approved
from sync.records.base import Kind, listed
from sync.records.changes import Action, Cause, Change, PlannedChange, Verdict
from sync.records.kinds import LISTS
from sync.report.lines import Line, Tone, capped, muted
from sync.report.local_time import with_local_times
from sync.report.plan_text import MOST
from sync.report.wording import change_row, hidden, key_text, plural
from sync.state.history import PastRun, read_run
from sync.state.holds import HeldChange, Hold, read_changes, read_holds
from sync.text.masking import masked

LEAST = 4
"""The fewest letters of a hash that name a hold."""

_COMMAND = re.compile(r"`?\b((?:adopt|reconcile|apply) [^`;]+)`?")

_OF_MANY = {
    Cause.IDENTITY_CHANGE: "adopt --held --show",
    Cause.DRIFT: "adopt --held --show",
}
"""The commands that decide about many changes at once."""


@dataclass(frozen=True, slots=True)
class HeldOptions:
    """What the held command was asked for."""

    id: str | None = None
    show_all: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the state contains: holds with their runs, and the decisions that count."""

    holds: Sequence[Hold]
    runs: Mapping[int, PastRun]
    decided: Sequence[DecidedChange]


def held(app: App, options: HeldOptions, say: Say) -> Exit:
    """Show what is held; change nothing."""
    with app.state.open_to_read() as connection:
        holds = read_holds(connection)
        decided = list(app.state.read_decided(connection, now()))
        rejected = {one.digest for one in decided if one.rejected}
        if options.id:
            holds = [find_hold(holds, options.id)]
        runs = {one.run_id: read_run(connection, one.run_id) for one in holds}
        seen = _Seen(holds, {id_: run for id_, run in runs.items() if run}, decided)
        if options.as_json:
            say(masked(json.dumps(_document(connection, seen), ensure_ascii=False, indent=1)))
            return Exit.OK
        most = None if options.show_all else MOST
        for line in _text(connection, seen, options, rejected, most):
            say(line.rewritten(lambda text: with_local_times(text, app.test_zone)))
    return Exit.OK


def find_hold(holds: Sequence[Hold], prefix: str) -> Hold:
    """Return the hold whose hash begins so.

    Raises:
        UsageError: there is none, or several.
    """
    found = [one for one in holds if one.id.startswith(prefix)]
    exact = [one for one in found if one.id == prefix]
    if exact or (len(found) == 1 and len(prefix) >= LEAST):
        return (exact or found)[0]
    ids = ", ".join(one.id for one in (found or holds)[:10])
    if len(found) > 1:
        raise UsageError(f"{prefix}: several holds begin so: {ids}; write more of the hash")
    if found:
        raise UsageError(f"{prefix}: too short; write at least {LEAST} letters, such as {ids}")
    there = f"the holds are {ids}" if holds else "nothing is held"
    raise UsageError(f"{prefix}: no hold has this hash; {there}; `held` lists them")


def command_of(hold: Hold, changes: Iterable[HeldChange]) -> str:
    """Return the command by which a person decides about a hold."""
    if may_be_approved(hold.cause):
        return f"approve {hold.id} --why TEXT"
    found = list(islice(changes, 2))
    if len(found) == 1 and (command := _COMMAND.search(found[0].reason)):
        return command[1].strip()
    return _OF_MANY.get(hold.cause, f"held {hold.id}")


def sizes_text(sizes: Mapping[tuple[Action, Kind], int]) -> str:
    """Return how many changes of which kind: `remove 20 candidates, update 1 test`."""
    return ", ".join(f"{action} {plural(number, kind)}" for (action, kind), number in sizes.items())


def _text(
    connection: Connection,
    seen: _Seen,
    options: HeldOptions,
    rejected: set[str],
    most: int | None,
) -> Iterator[Line]:
    total = sum(sum(one.sizes.values()) for one in seen.holds)
    if not seen.holds:
        yield Line("Nothing is held.", Tone.GOOD)
    elif not options.id:
        yield Line(f"Held: {plural(total, 'change')} in {plural(len(seen.holds), 'hold')}.")
    for hold in seen.holds:
        yield Line("")
        yield from _hold_text(connection, seen, hold)
        if options.id:
            yield from _changes_text(connection, hold, rejected, most)
    if options.show_all and not options.id:
        yield from _rejected_text(seen.decided)


def _hold_text(connection: Connection, seen: _Seen, hold: Hold) -> Iterator[Line]:
    run = seen.runs.get(hold.run_id)
    soonest = f"; the soonest test is {hold.test}, {hold.start}" if hold.test else ""
    yield Line(
        f"{hold.id}: {sizes_text(hold.sizes)}, since {hold.since}{soonest}", Tone.HELD
    ).rewritten(masked)
    name = f"{hold.name}: " if hold.name else ""
    yield Line(f"  {name}{hold.reason}").rewritten(masked)
    if run:
        found = "found while sending, by" if hold.sending else "held by"
        yield muted(f"  {found} run {run.id} ({run.command}, {run.started})")
    for text, number in _decided_on(seen.decided, read_changes(connection, hold.id)).items():
        yield Line(f"  {plural(number, 'change')} {text}").rewritten(masked)
    command = command_of(hold, read_changes(connection, hold.id))
    yield Line(f"  to decide: {command}")
    if may_be_approved(hold.cause):
        yield Line(f"  if it is wrong: reject {hold.id} --why TEXT")


def _decided_on(
    decided: Iterable[DecidedChange], changes: Iterable[HeldChange]
) -> Mapping[str, int]:
    """Return the decisions about these changes as text, each with how many it is about."""
    texts: Counter[str] = Counter()
    if by_digest := {one.digest: one for one in decided}:
        for one in filter(None, (by_digest.get(change.digest) for change in changes)):
            texts[f"{one}{f'; counts until {one.expires}' if one.expires else ''}"] += 1
    return texts


def _changes_text(
    connection: Connection, hold: Hold, rejected: set[str], most: int | None
) -> Iterator[Line]:
    rows = (
        change_row(_as_planned(one), "" if hold.name else one.reason, indent=4)
        for one in read_changes(connection, hold.id)
        if one.digest not in rejected
    )
    return capped(rows, most, indent="    ")


def _as_planned(held_change: HeldChange) -> PlannedChange:
    return PlannedChange(
        0, held_change.change, Verdict.HELD, held_change.reason, "", "", 0, None, None
    )


def _rejected_text(decided: Iterable[DecidedChange]) -> Iterator[Line]:
    rejected = [one for one in decided if one.rejected]
    if rejected:
        yield Line("")
        yield Line("Rejected, and not sent until the row changes:", Tone.HEADING)
    for one in rejected:
        text = f"  {one.kind} {key_text(one.key)}: {one}; approve {one.digest} --why TEXT sends it"
        yield Line(text).rewritten(masked)


def _document(connection: Connection, seen: _Seen) -> Mapping[str, object]:
    """Return what is held for programs."""
    return {
        "holds": [_hold_json(connection, seen, hold) for hold in seen.holds],
        "rejected": [_decided_json(one) for one in seen.decided if one.rejected],
    }


def _hold_json(connection: Connection, seen: _Seen, hold: Hold) -> Mapping[str, object]:
    run = seen.runs.get(hold.run_id)
    changes = list(read_changes(connection, hold.id))
    digests = {one.digest for one in changes}
    return {
        "id": hold.id,
        "since": hold.since,
        "run": hold.run_id,
        "command": run.command if run else None,
        "cause": hold.cause,
        "scope": hold.name or None,
        "reason": hold.reason,
        "while_sending": hold.sending,
        "test": hold.test,
        "start": hold.start,
        "counts": [
            {"action": action, "kind": kind, "count": number}
            for (action, kind), number in hold.sizes.items()
        ],
        "decide": command_of(hold, changes),
        "decisions": [_decided_json(one) for one in seen.decided if one.digest in digests],
        "changes": [_change_json(one) for one in changes],
    }


def _decided_json(one: DecidedChange) -> Mapping[str, object]:
    return {
        "kind": one.kind,
        "key": list(one.key),
        "hash": one.digest,
        "verdict": one.verdict,
        "by": one.person,
        "why": one.why,
        "at": one.at,
        "expires": one.expires,
    }


def _change_json(one: HeldChange) -> Mapping[str, object]:
    change = one.change
    return {
        "action": change.action,
        "kind": change.kind,
        "key": list(change.key),
        "hash": one.digest,
        "where": change.where,
        "reason": one.reason,
        "changed": {name: _sides(change, name) for name in change.changed},
    }


def _sides(change: Change, name: str) -> Sequence[object] | None:
    if hidden(change, name):
        return None
    sides = (change.before.get(name), change.after.get(name))
    return [list(listed(value)) if name in LISTS else value for value in sides]
