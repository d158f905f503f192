"""The creation of people in two steps: look them up, then send.

The look-up comes first so that no second account is made.

Staff who were there before us are never disabled or deleted by us.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sync.engine.account_match import has_all, match_person, unlike, values_of
from sync.engine.prepared_work import ExistingRecord, PreparedWork
from sync.engine.protocols import Target
from sync.errors import CallError, CallMissing, Refused, Stop
from sync.planning.freeze import TimeFacts, digest_of, doubts_of_found
from sync.planning.guard import PASS, judge_times
from sync.records.base import Key, Kind
from sync.records.changes import (
    ALLOWED,
    Action,
    Cause,
    Change,
    Outcome,
    PlannedChange,
    Result,
    Verdict,
)
from sync.records.kinds import COMPARED
from sync.records.remote import RemotePerson, RemoteTest
from sync.records.rule_numbers import rule_of
from sync.state.journal import Journal

_UNSURE = (
    "can't be looked up in this tenant, so assumed to have been there before us, and "
    "never disabled or deleted"
)
_FOUND_SO = "was there before us, as wanted; it is never disabled or deleted"
_NOBODY = "no look-up finds its account: look for the username in Inspera"
_FOUND = "was there before us; it was brought up to date, and is never disabled or deleted"


NO_UPDATES = "no updates"
"""The type of the finding that this tenant takes no updates of people of a kind: one a run."""

_PLURAL = {Kind.LEARNER: "learners", Kind.STAFF: "staff"}


def keep_no_updates(
    journal: Journal, kind: Kind, action: Action, number: int, message: str
) -> None:
    """Record that this tenant takes no such changes of people, in one line for all of them."""
    call = f"{kind}.{action}"
    text = (
        f"this tenant takes no updates of {_PLURAL[kind]} by {call}: {message}. {number:,} of them "
        "differ from the sources and stay as they are in Inspera; set the call under "
        f"inspera.calls: {call} to one that your tenant takes, or correct them in Inspera. "
        "Each run tries one again"
    )
    journal.find(NO_UPDATES, kind, None, "", text, rule_of(Cause.UPDATES, kind))


def look_up(line: PlannedChange, target: Target) -> PreparedWork:
    """Look up an account by external id or login.

    Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    change = line.change
    send = partial(create_person, line, target)
    try:
        found, trouble = _match(change, target)
    except Stop:
        raise
    except (CallMissing, Refused) as error:
        if change.kind is Kind.STAFF:
            return PreparedWork(ended=[(line, Outcome(Result.NOT_SENT, f"not looked up: {error}"))])
        # This tenant can't be asked; saving a learner by username makes no second one
        found, trouble = None, ""
    except CallError as error:
        return PreparedWork(ended=[(line, Outcome(Result.NOT_SENT, f"not looked up: {error}"))])
    if trouble:
        return PreparedWork(ended=[(line, Outcome(Result.HELD, trouble, cause=Cause.DOUBTFUL))])
    if found is None:
        if change.kind is Kind.STAFF and not target.has_found_people():
            return PreparedWork(lines=[line], send=partial(_send_unsure, send))
        return PreparedWork(lines=[line], send=send)
    there = ExistingRecord(change.kind, change.key, values_of(change.after, found), found.remote_id)
    return PreparedWork(
        already=[there], lines=[line], send=partial(_bring_up_to_date, change, found, target)
    )


def _match(change: Change, target: Target) -> tuple[RemotePerson | None, str]:
    """Return the account of this person, or why it may be somebody else's (rules 32)."""
    found, trouble = match_person(target, change.after)
    if found and not trouble:
        differing = unlike(change.after, values_of(change.after, found))
        trouble = somebody_elses(change.kind, change.key, differing) if differing else ""
    return found, trouble


def somebody_elses(kind: Kind, key: Key, differing: Sequence[str]) -> str:
    """Return why an account is not taken for this person's, and how to decide.

    Only the command shows both.
    """
    command = f"adopt {kind} {' '.join(key)}"
    return (
        f"the account in Inspera has {' and '.join(differing)}, and may be somebody else's; "
        f"`{command} --show` shows"
        f" both: if it is theirs, run `{command}`; otherwise correct the source, or Inspera"
    )


def let_go(line: PlannedChange, target: Target) -> list[Outcome]:
    """Disable or delete a member of staff, unless this machine's clock is wrong. Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    try:
        trouble = target.clock_trouble()
    except Stop:
        raise
    except CallError as error:
        return [Outcome(Result.NOT_SENT, str(error))]
    if trouble:
        return [Outcome(Result.DEFERRED, trouble, cause=Cause.CLOCK)]
    return [target.save_staff(line.change, None)]


def update_test(line: PlannedChange, timing: TimeFacts, target: Target) -> list[Outcome]:
    """Send a test's title and times, unless since the plan it came into the freeze or has ended.

    Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    try:
        target.clock_trouble()  # so that Inspera's time counts, too
    except Stop:
        raise
    except CallError as error:
        return [Outcome(Result.NOT_SENT, str(error))]
    ruling = judge_times(line.change, replace(timing, moment=target.moment()))
    if ruling == PASS or line.scope == ALLOWED:
        return [target.update_test(line.change)]
    if ruling.verdict is Verdict.HELD:
        return [_held(ruling.reason, line.change)]
    return [Outcome(Result.DEFERRED, ruling.reason, cause=ruling.cause)]


def _held(doubt: str, change: Change) -> Outcome:
    return Outcome(
        Result.HELD,
        f"{doubt}; if that is right: apply --allow {digest_of(change)}",
        cause=Cause.TIMES,
    )


def look_for_test(line: PlannedChange, timing: TimeFacts, target: Target) -> PreparedWork:
    """Look up a test by its external id, before an intent says that we make one.

    Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    change = line.change
    try:
        found = target.find_test(str(change.after["external_test_id"]))
    except Stop:
        raise
    except CallError as error:
        return PreparedWork(ended=[(line, Outcome(Result.NOT_SENT, f"not looked up: {error}"))])
    doubt = _doubt_found(line, found, replace(timing, moment=target.moment()))
    if doubt:
        return PreparedWork(ended=[(line, _held(doubt, change))])
    ready = PreparedWork(lines=[line], send=lambda: [target.create_test(change)])
    # One with other times is drift and held. It is not remembered, or its times would count as
    # confirmed.
    if len(found) == 1 and all(
        getattr(found[0], name) in (None, change.after[name]) for name in ("start", "end")
    ):
        fields = {name: getattr(found[0], name) for name in COMPARED[Kind.TEST]}
        ready.already.append(ExistingRecord(Kind.TEST, change.key, fields, found[0].remote_id))
    return ready


def _doubt_found(line: PlannedChange, found: list[RemoteTest], timing: TimeFacts) -> str:
    """Return why a test that Inspera has already is not updated now.

    Other times are drift, which is reported later.
    """
    if line.scope == ALLOWED or len(found) != 1:
        return ""
    there = {name: getattr(found[0], name) for name in COMPARED[Kind.TEST]}
    return doubts_of_found(line.change, there, timing)


def _send(change: Change, secret: str | None, target: Target) -> list[Outcome]:
    call = target.save_staff if change.kind is Kind.STAFF else target.save_learner
    return [call(change, secret)]


def _send_unsure(send: Callable[[], list[Outcome]]) -> list[Outcome]:
    """Return the outcome for a person who cannot be looked up.

    Their account may have been there before: they are kept in step, and never disabled by us.
    """
    (outcome,) = send()
    if outcome.result is Result.DONE:
        return [replace(outcome, result=Result.FOUND, message=_UNSURE)]
    return [outcome]


def _bring_up_to_date(change: Change, found: RemotePerson, target: Target) -> list[Outcome]:
    """Send what is wanted to an account that exists.

    Its password is not changed: it belongs to its owner.
    """
    (outcome,) = _send(replace(change, action=Action.UPDATE), None, target)
    if outcome.result is Result.DONE:
        return [Outcome(Result.FOUND, _FOUND, outcome.remote_id or found.remote_id)]
    if outcome.cause is Cause.UPDATES and has_all(change.after, values_of(change.after, found)):
        return [Outcome(Result.FOUND, _FOUND_SO, found.remote_id)]
    return [outcome]


def create_person(line: PlannedChange, target: Target, *, tried: bool = False) -> list[Outcome]:
    """Create a person; where the username exists, use the account if it is this person's.

    `tried` says that an earlier run may have created it. Then that may be why it is refused now,
    whatever the words of the refusal are. Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    (outcome,) = _send(line.change, line.secret, target)
    if outcome.cause is not Cause.TAKEN and not (tried and outcome.result is Result.REFUSED):
        return [outcome]
    return [_settle_taken(line.change, outcome, target, tried=tried)]


def _settle_taken(change: Change, refused: Outcome, target: Target, *, tried: bool) -> Outcome:
    """Look up the account of a username that exists: a create is never sent twice for it."""
    try:
        found, trouble = _match(change, target)
    except Stop:
        return refused  # of the create something is known, and the next call raises it again
    except CallError as error:
        return replace(refused, message=f"{refused.message}; not looked up: {error}")
    if trouble:
        return Outcome(Result.HELD, trouble, cause=Cause.DOUBTFUL)
    if found is None:
        # After a lost attempt Inspera may not show it yet: the intent stays open.
        hint = f"; {_NOBODY}" if refused.cause is Cause.TAKEN else ""
        return replace(refused, message=f"{refused.message}{hint}")
    return _taken_in(change, found, target, ours=tried or refused.result is Result.UNKNOWN)


def _taken_in(change: Change, found: RemotePerson, target: Target, *, ours: bool) -> Outcome:
    """Bring the account up to date, and return how its create ended.

    `ours` says that an earlier attempt of the create has made it.
    """
    there = values_of(change.after, found)
    if ours and has_all(change.after, there):
        return Outcome(Result.DONE, remote_id=found.remote_id)
    (updated,) = _bring_up_to_date(change, found, target)
    if updated.result not in (Result.FOUND, Result.DEFERRED):
        return updated
    # Inspera's own values, except where they were just brought up to date.
    seen = {} if updated.result is Result.FOUND else there
    result = Result.DONE if ours else Result.FOUND
    message = "" if ours else updated.message
    return Outcome(result, message, found.remote_id, there=seen, cause=updated.cause)
