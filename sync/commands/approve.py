"""`approve` and `reject`: a person decides about single changes that are held."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.commands.apply import ApplyOptions, run_once
from sync.commands.held import command_of, find_hold
from sync.commands.person import login_name
from sync.engine.interruption import Interruption
from sync.errors import Locked, StateBusy, UsageError
from sync.exit_codes import Exit
from sync.planning.decided import APPROVED, OPEN, REJECTED, DecidedChange
from sync.planning.guard import may_be_approved
from sync.progress import Progress
from sync.records.base import Key, Kind, utc_text
from sync.records.changes import CALLING
from sync.report.wording import key_text, plural
from sync.state import decisions
from sync.state.holds import HeldChange, Hold, find_hold_of, read_changes, read_holds
from sync.text.durations import parse_duration

LONGEST = timedelta(days=14)
"""How long an approval counts at most: later nobody remembers what it was about."""

MOST_NAMED = 10
"""How many keys an error names."""

_log = structlog.get_logger("decision")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOptions:
    """What was decided.

    Attributes:
        id: the hash of a hold or of a change, or how it begins.
        only: keys, when the decision is about a part of the hold.
        digests: hashes of changes, when it is about these of the hold.
        why: the reason.
        by: the person who decides; None for the login name.
        for_: how long an approval counts.
        show_all: whether all lines of each list are shown.
    """

    id: str
    why: str
    only: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    by: str | None = None
    for_: str = "24h"
    show_all: bool = False


def approve(
    app: App, options: DecisionOptions, say: Say, progress: Progress, interruption: Interruption
) -> Exit:
    """Record an approval, and carry it out unless another run holds the state."""
    at, duration = now(), _duration(options.for_)
    decided, silent = _decide(app, options, APPROVED, at, utc_text(at + duration))
    approved = [one for one in decided if one.approved]
    app.state.queue(decided)
    _log.info("approved", hash=options.id, changes=len(approved))
    say(f"Approved: {plural(len(approved), 'change')}, until {approved[0].expires}.")
    run_options = ApplyOptions(approved=True, show_all=options.show_all, by=options.by)
    try:
        status = run_once(app, run_options, say, progress, interruption).status
    except (Locked, StateBusy):
        say(f"Queued: {_holder(app)} holds the state; the next run, or the service, sends it.")
        return Exit.OK
    if not silent:
        return status
    say(_left_to_a_whole_run(silent))
    return status or Exit.ERRORS


def reject(app: App, options: DecisionOptions, say: Say) -> Exit:
    """Record that changes are not sent as long as their rows stay the same."""
    decided, _ = _decide(app, options, REJECTED, now(), None)
    rejected = [one for one in decided if one.rejected]
    app.state.queue(decided)
    _log.info("rejected", hash=options.id, changes=len(rejected))
    say(
        f"Rejected: {plural(len(rejected), 'change')}; not sent and not held until the row "
        "changes; `held --all` lists what is rejected."
    )
    try:
        with app.state.open_to_write("reject") as opened:
            app.state.take_decided(opened.connection, now())
    except (Locked, StateBusy):
        say(f"Queued: {_holder(app)} holds the state; the next run takes it over.")
    return Exit.OK


def decide(app: App, options: DecisionOptions, *, approve: bool) -> str:
    """Record a decision without carrying it out, and return what follows.

    The service carries out what is approved. What somebody has rejected is not approved with the
    rest of its hold: the person may not have seen it, or the decision.

    Raises:
        UsageError: it names nothing that is held, or what this can't decide about.
    """
    at = now()
    if not approve:
        lines: list[str] = []
        reject(app, options, lines.append)
        return " ".join(lines)
    expires = utc_text(at + _duration(options.for_))
    decided, silent = _decide(app, options, APPROVED, at, expires, keep_rejected=True)
    approved = [one for one in decided if one.approved]
    app.state.queue(decided)
    _log.info("approved", hash=options.id, changes=len(approved))
    text = (
        f"Approved: {plural(len(approved), 'change')}, until {expires}. The service sends it now."
    )
    return f"{text} {_left_to_a_whole_run(silent)}" if silent else text


def _left_to_a_whole_run(silent: int) -> str:
    """Return what became of approved changes that make no call, such as withdrawals.

    They only change what is known, and rest on a whole plan, which `approve` does not carry out.
    """
    which = "this change makes no call and waits"
    if silent > 1:
        which = f"{silent:,} of these changes make no call and wait"
    return f"Not done yet: {which} for a whole run; run `inspera-sync apply`."


def _holder(app: App) -> str:
    return app.state.holder() or "another process"


def _duration(given: str) -> timedelta:
    """Return how long an approval counts.

    Raises:
        UsageError: it is not a duration, or is too long.
    """
    try:
        duration = parse_duration(given)
    except ValueError:
        raise UsageError(f"--for {given}: is not a duration; write it as 24h or 90m") from None
    if not timedelta(0) < duration <= LONGEST:
        raise UsageError(f"--for {given}: an approval counts up to {LONGEST.days} days")
    return duration


@dataclass(frozen=True, slots=True)
class _Target:
    """A change that a person can decide about: its hash, its record, and whether it makes a call."""

    digest: str
    kind: Kind
    key: Key
    calls: bool = True

    def decided(
        self, verdict: str, person: str, why: str, at: str, expires: str | None = None
    ) -> DecidedChange:
        """Return a person's decision about it."""
        return DecidedChange(self.digest, self.kind, self.key, verdict, person, why, at, expires)


def _decide(
    app: App,
    options: DecisionOptions,
    verdict: str,
    at: datetime,
    expires: str | None,
    *,
    keep_rejected: bool = False,
) -> tuple[list[DecidedChange], int]:
    """Return the decisions about the changes that the options name, and how many make no call.

    The others of their hold are open, unless somebody has decided about them before. With
    `keep_rejected` those that somebody has rejected stay so.

    Raises:
        UsageError: they name none, or one that this command cannot decide about.
    """
    why = options.why.encode(errors="replace").decode().strip()
    if not why:
        raise UsageError("--why: is empty; write why, for those who look at this later")
    person = (options.by or login_name()).strip()
    with app.state.open_to_read() as connection:
        found = _find(app, connection, options.id, verdict)
        before = {one.digest: one for one in _stored(app, connection)}
    named = _named(found, options.only)
    if options.digests:
        named = _picked(named, options.digests)
    if keep_rejected:
        named = _not_rejected(named, {one.digest for one in before.values() if one.rejected})
    chosen = {one.digest for one in named}
    others = (one for one in found if one.digest not in chosen and one.digest not in before)
    when = utc_text(at)
    decided = [
        *(one.decided(verdict, person, why, when, expires) for one in named),
        *(one.decided(OPEN, person, why, when) for one in others),
    ]
    return decided, sum(not one.calls for one in named)


def _find(app: App, connection: Connection, id_: str, verdict: str) -> list[_Target]:
    """Return the changes of the hold with this hash, or the one change that has it."""
    holds = read_holds(connection)
    of_change = find_hold_of(connection, id_)
    for one in () if of_change else _stored(app, connection):
        if one.digest == id_:
            return [_Target(id_, one.kind, one.key)]  # a rejected change is in no hold any more
    hold = find_hold(holds, of_change or id_)
    if verdict == APPROVED and not may_be_approved(hold.cause):
        raise UsageError(_refusal(hold, read_changes(connection, hold.id)))
    whole = of_change is None or hold.id == id_
    return [
        _Target(one.digest, one.change.kind, one.change.key, one.change.action in CALLING)
        for one in read_changes(connection, hold.id)
        if whole or one.digest == id_
    ]


def _stored(app: App, connection: Connection) -> list[DecidedChange]:
    return [*decisions.read(connection), *app.state.place.queued()]


def _refusal(hold: Hold, changes: Iterable[HeldChange]) -> str:
    """Return why `approve` cannot decide about a hold, with the command that can."""
    command = command_of(hold, changes)
    what = str(hold.cause).replace("_", " ")
    return f"{hold.id}: approve does not decide about this ({what}): {hold.reason}; run `{command}`"


def _picked(found: Sequence[_Target], digests: Collection[str]) -> Sequence[_Target]:
    """Return the changes with these hashes.

    Raises:
        UsageError: one is not in the hold any more.
    """
    picked = [one for one in found if one.digest in digests]
    if len(picked) < len(set(digests)):
        raise UsageError("the hold has changed since it was looked at; look at it again")
    return picked


def _not_rejected(named: Sequence[_Target], rejected: Collection[str]) -> Sequence[_Target]:
    """Return the changes that nobody has rejected.

    Raises:
        UsageError: all of them were rejected.
    """
    left = [one for one in named if one.digest not in rejected]
    if not left:
        raise UsageError("somebody has rejected this since it was looked at; look at it again")
    return left


def _named(found: Sequence[_Target], only: Sequence[str]) -> Sequence[_Target]:
    """Return the changes whose key, or a part of it, is named; all without names.

    Raises:
        UsageError: a name is not in the hold.
    """
    if not only:
        return found
    wanted = {"/".join(part.strip() for part in name.split("/")) for name in only}
    names = [{"/".join(one.key), *one.key} for one in found]
    if missing := sorted(wanted.difference(*names)):
        keys = ", ".join(key_text(one.key) for one in found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
        raise UsageError(f"--only {missing[0]}: is not in this hold, which has {keys}{more}")
    return [one for one, of in zip(found, names, strict=True) if of & wanted]
