"""The creation of people in two steps: look them up, then send.

The look-up comes first so that no second account is made.

Staff who were there before us are never disabled or deleted by us.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sync.engine.account_match import match_person, unlike, values_of
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

_UNSURE = (
    "can't be looked up in this tenant, so assumed to have been there before us, and "
    "never disabled or deleted"
)
_FOUND = "was there before us; it was brought up to date, and is never disabled or deleted"


def look_up(line: PlannedChange, target: Target) -> PreparedWork:
    """Look up an account by external id or login.

    Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    change = line.change
    send = partial(_send, change, line.secret, target)
    try:
        found, trouble = match_person(target, change.after)
    except Stop:
        raise
    except (CallMissing, Refused) as error:
        if change.kind is Kind.STAFF:
            return PreparedWork(ended=[(line, Outcome(Result.NOT_SENT, f"not looked up: {error}"))])
        # This tenant can't be asked; saving a learner by username makes no second one
        found, trouble = None, ""
    except CallError as error:
        return PreparedWork(ended=[(line, Outcome(Result.NOT_SENT, f"not looked up: {error}"))])
    if (
        found
        and not trouble
        and (differing := unlike(change.after, values_of(change.after, found)))
    ):
        trouble = somebody_elses(change.kind, change.key, differing)
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
    return [outcome]
