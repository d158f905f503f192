"""The members of a test in two steps: read the test, then send what the guard still allows.

The reading comes before the intents, so that an open intent of a create always means: it was not
there before us.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial

from sync.contract import Stage
from sync.engine.candidate_numbers import Needs, NumberQueue, ended, hand_over
from sync.engine.changes_on_test import ChangesOnTest, MemberChange, MembershipPolicy
from sync.engine.prepared_work import ExistingRecord, PreparedWork
from sync.engine.protocols import MayGo, Target
from sync.engine.reading_age import while_recent
from sync.errors import CallError, Stop
from sync.planning.activation import unknown_status
from sync.planning.diff import ENSURED
from sync.planning.freeze import TimeFacts
from sync.planning.guard import ACTIVATED, PASS, judge_times
from sync.planning.member_guard import (
    MemberRuling,
    judge_candidate,
    judge_member,
    judge_removal,
    unless_fresh,
)
from sync.planning.remedies import PARENT, adopt
from sync.records.base import Kind
from sync.records.candidate import MAX_CANDIDATES
from sync.records.changes import ALLOWED, Action, Cause, Outcome, PlannedChange, Result
from sync.records.kinds import COMPARED, RECORD_TYPES
from sync.records.remote import Assignment, Member, Members, RemoteTest

_TYPE = "a committee's type can't be changed, and which it has can't be read"

_UNREAD_COMMITTEES = (
    "the test was in Inspera before this tool, and its committees can't be read: none is created"
)

Sent = Sequence[tuple[MemberChange, str]]
"""What is sent, each with why it is unmanaged (empty when it is)."""


def read_and_judge(
    changes: ChangesOnTest, target: Target, policy: MembershipPolicy
) -> PreparedWork:
    """Read what is on the test (and the test, before removals), and ask the guard again.

    Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    ready = PreparedWork(ended=list(changes.waiting))
    if not changes.places:
        return ready
    changes = _without_stopped(changes, ready)
    if not changes.places:
        return ready
    needs: Needs = {}
    try:
        target.clock_trouble()  # so that Inspera's time counts, too
        changes = _without_frozen(changes, ready, target)
        if not changes.places:
            return ready
        if removals := changes.removals:
            changes, sent = _judge_removals(changes, ready, target)
        elif changes.kind is Kind.OPTION:
            sent = _judge_options(changes, ready, target)
        else:
            sent, needs = _judge_additions(changes, ready, target, policy)
    except Stop:
        raise
    except CallError as error:
        ready.ended.extend(
            (place.line, Outcome(Result.NOT_SENT, str(error))) for place in changes.places
        )
        return ready
    ready.lines = [place.line for place, _ in sent]
    may_go = while_recent(changes.timing, target)
    ready.send = partial(_remove if removals else _send, changes, sent, target, may_go)
    if needs:
        ready.send = partial(
            _send_in_turns, changes, sent, target, may_go, needs, policy.batch_size
        )
    return ready


def _without_stopped(changes: ChangesOnTest, ready: PreparedWork) -> ChangesOnTest:
    """End changes of an archived test, and those of the candidates of a parent (rules 7 and 22)."""
    if changes.archived:
        outcome = Outcome(Result.DEFERRED, changes.archived, cause=Cause.ARCHIVED)
        ready.ended.extend((place.line, outcome) for place in changes.places)
        return replace(changes, places=[])
    if not (changes.is_parent and changes.kind is Kind.CANDIDATE):
        return changes
    outcome = Outcome(Result.HELD, _PARENT, cause=Cause.PARENT)
    asked = [place for place in changes.places if place.line.scope != ALLOWED]
    ready.ended.extend((place.line, outcome) for place in asked)
    return replace(
        changes, places=[place for place in changes.places if place.line.scope == ALLOWED]
    )


_PARENT = f"{PARENT}; if they are meant: the next `plan` shows the hash that allows them"


def _without_frozen(changes: ChangesOnTest, ready: PreparedWork, target: Target) -> ChangesOnTest:
    """End changes whose test came into the freeze or ended after planning.

    Removals are judged later.
    """
    if changes.removals:
        return changes
    timing, places = replace(changes.timing, moment=target.moment()), []
    for place in changes.places:
        allowed = place.line.scope == ALLOWED
        ruling = PASS if allowed else judge_times(place.line.change, timing)
        if ruling == PASS:
            places.append(place)
        else:
            ready.ended.append(
                (place.line, Outcome(Result.DEFERRED, ruling.reason, cause=ruling.cause))
            )
    return replace(changes, places=places)


def _judge_removals(
    changes: ChangesOnTest, ready: PreparedWork, target: Target
) -> tuple[ChangesOnTest, Sent]:
    found = target.find_test(str(changes.known["external_test_id"]))
    seats = target.members(changes.remote_id, changes.kind)
    if not found:
        text = (
            "Inspera does not have this test any more; look there first; "
            f"{adopt(Kind.TEST, (changes.test,), '--as-new')} forgets it and all that is on it here"
        )
        ready.ended.extend((place.line, Outcome(Result.NOT_SENT, text)) for place in changes.places)
        return changes, []
    if trouble := target.clock_trouble():
        ready.ended.extend(
            (place.line, Outcome(Result.DEFERRED, trouble, cause=Cause.CLOCK))
            for place in changes.places
        )
        return changes, []
    changes = _without_stopped(_as_shown(changes, found), ready)
    timing, candidates = _timing_there(changes, found, target), changes.kind is Kind.CANDIDATE
    begun = (timing.begun or not timing.start) and (candidates or not timing.ended)
    provable = seats.readable and not seats.unnamed
    sent: list[tuple[MemberChange, str]] = []
    for place in changes.places:
        seat, frozen = seats.there.get(place.who), timing if place.line.scope != ALLOWED else None
        ruling = judge_removal(
            provable, seat, begun, place.fresh, candidate=candidates, timing=frozen
        )
        if ruling.send:
            sent.append((place, ""))
        else:
            ready.ended.append(
                (place.line, Outcome(ruling.result, ruling.reason, cause=ruling.cause))
            )
    return replace(changes, timing=timing), sent


def _as_shown(changes: ChangesOnTest, found: Sequence[RemoteTest]) -> ChangesOnTest:
    """Return the changes with what a look-up shows of their test now."""
    archived = (test.status for test in found if test.stage is Stage.ARCHIVED)
    return replace(
        changes,
        archived="".join(f"Inspera shows the status '{status}'" for status in archived),
        is_parent=changes.is_parent or any(test.is_parent for test in found),
    )


def _timing_there(changes: ChangesOnTest, found: Sequence[RemoteTest], target: Target) -> TimeFacts:
    """Return when the test runs, as known and as Inspera shows.

    Somebody may have moved it by hand.
    """
    starts = [start for start in (changes.timing.start, *(test.start for test in found)) if start]
    ends = max([changes.timing.ends, *(test.end or "" for test in found)])
    return replace(changes.timing, moment=target.moment(), start=min(starts, default=""), ends=ends)


def _judge_options(changes: ChangesOnTest, ready: PreparedWork, target: Target) -> Sent:
    """Judge options, which can't be read: security ones change only until the activation."""
    security = [place for place in changes.places if place.fields["group"] == "security"]
    found = target.find_test(str(changes.known["external_test_id"])) if security else []
    begun = _timing_there(changes, found, target).begun
    stopped = next(filter(None, map(_why_fixed, found)), None)
    # A test that we activate, and have not, can change after its start, too.
    open_there = any(test.stage is Stage.NOT_ACTIVATED for test in found)
    open_there = open_there and changes.timing.rules.activate is not None
    if stopped is None and begun and not open_there:
        stopped = Outcome(Result.DEFERRED, ACTIVATED, cause=Cause.BEGUN)
    if stopped is None:
        return [(place, "") for place in changes.places]
    ready.ended.extend((place.line, stopped) for place in security)
    return [(place, "") for place in changes.places if place not in security]


def _why_fixed(test: RemoteTest) -> Outcome | None:
    """Return why the security options stay, by a test's status; None when the times decide.

    An unknown status is the vendor's new word for a state of which nothing is known.
    """
    shown = f"Inspera shows the status '{test.status}'"
    if test.stage is Stage.ARCHIVED:
        return Outcome(Result.DEFERRED, shown, cause=Cause.ARCHIVED)
    if test.stage is Stage.ACTIVATED:
        return Outcome(Result.DEFERRED, f"{ACTIVATED} ({shown})", cause=Cause.BEGUN)
    if test.stage is Stage.UNKNOWN:
        return Outcome(Result.WAITING, unknown_status(test.status), cause=Cause.NEEDS)
    return None


def _judge_additions(
    changes: ChangesOnTest, ready: PreparedWork, target: Target, policy: MembershipPolicy
) -> tuple[Sent, Needs]:
    seats = target.recent_members(changes.remote_id, changes.kind)
    left = MAX_CANDIDATES - seats.taken
    claimed = any(fnmatchcase(changes.test, pattern) for pattern in policy.claim)
    sent: list[tuple[MemberChange, str]] = []
    for place in changes.places:
        line, seat = place.line, seats.there.get(place.who)
        if line.change.reason == ENSURED and (kept := _instead_of_ensured(changes, line, seats)):
            reason, others = kept
            ready.already.extend(others)
            ready.ended.append((line, Outcome(Result.NOT_NEEDED, reason)))
            continue
        if seat is None and not (seats.readable and not seats.unnamed):
            if (
                line.change.kind is Kind.COMMITTEE
                and line.change.changed
                and line.change.action is Action.UPDATE
            ):
                ready.ended.append((line, Outcome(Result.DEFERRED, _TYPE, cause=Cause.DOUBTFUL)))
            else:
                sent.append((place, _assumed(line, changes, policy)))
            continue
        ruling = unless_fresh(_judge(place, seat, left, claimed), place.fresh)
        if not ruling.send:
            there, disputed = _there(line, seat), ruling.disputed
            outcome = Outcome(
                ruling.result, ruling.reason, there=there, cause=ruling.cause, disputed=disputed
            )
            ready.ended.append((line, outcome))
            continue
        left -= seat is None
        if seat is not None and place.fields.get("notify"):
            place = replace(place, fields={**place.fields, "notify": None})  # noqa: PLW2901 - nobody is put on it now
        if seat is None:
            place = _without_removals(place)  # noqa: PLW2901 - there is nothing to take away
        not_managed = ruling.existing and line.change.action is Action.CREATE
        sent.append((place, "was there before our first assignment" if not_managed else ""))
        if not_managed and seat:
            there = {name: getattr(seat, name) for name in COMPARED[changes.kind]}
            ready.already.append(
                ExistingRecord(changes.kind, line.change.key, there, seat.remote_user_id)
            )
    return _numbered(changes, seats, sent, ready)


def _instead_of_ensured(
    changes: ChangesOnTest, line: PlannedChange, seats: Members
) -> tuple[str, list[ExistingRecord]] | None:
    """Return why a test needs no committee after all, and those that it has; None if it needs one.

    Those that it has are remembered as existing, so that the next plan knows of them.
    """
    if not seats.readable:
        return None if changes.known["managed"] else (_UNREAD_COMMITTEES, [])
    others = [
        ExistingRecord(changes.kind, (changes.test, name), {"type": member.type})
        for (_, name), member in seats.there.items()
        if name != line.change.key[1]
    ]
    if not others or ("", line.change.key[1]) in seats.there:
        return None
    names = ", ".join(one.key[1] for one in others)
    return f"Inspera has a committee of this test already ({names}): none is created", others


def _without_removals(place: MemberChange) -> MemberChange:
    removed = RECORD_TYPES[place.line.change.kind].removed
    kept = {
        name: value for name, value in place.fields.items() if not (name in removed and value == "")
    }
    return replace(place, fields=kept)


def _numbered(
    changes: ChangesOnTest, seats: Members, sent: Sent, ready: PreparedWork
) -> tuple[Sent, Needs]:
    """Return what may be sent by its candidate number, and in which order; end the rest."""
    if changes.kind is not Kind.CANDIDATE:
        return sent, {}
    places = [place for place, _ in sent]
    handover = hand_over(changes, seats, places)
    ready.ended.extend(ended(places, handover.deferred))
    kept = [n for n in range(len(sent)) if n not in handover.deferred]
    place_of = {n: position for position, n in enumerate(kept)}
    needs = {
        place_of[n]: {place_of[one] for one in others}
        for n, others in handover.needs.items()
        if n in place_of
    }
    return [sent[n] for n in kept], needs


def _judge(place: MemberChange, seat: Member | None, left: int, claimed: bool) -> MemberRuling:
    change = place.line.change
    if change.kind is Kind.CANDIDATE:
        return judge_candidate(change, seat, left, claimed, existing=not place.managed)
    return judge_member(change, seat, claimed)


def _assumed(line: PlannedChange, changes: ChangesOnTest, policy: MembershipPolicy) -> str:
    """Return why an unreadable member counts as unmanaged; empty when it counts as managed."""
    managed = bool(changes.known["managed"]) or policy.unread_is_managed
    if managed or line.change.action is not Action.CREATE:
        return ""
    return (
        f"its test's {changes.kind}s can't be read: assumed to have been there before "
        "(existing.unread: unmanaged)"
    )


def _there(line: PlannedChange, seat: Member | None) -> Mapping[str, str | int | None]:
    """Return what Inspera has and the feeds leave alone, so that later requests contain it.

    A committee's type as Inspera shows it, too, since it can't be changed: then the next plan says
    that it differs.
    """
    kind, after = line.change.kind, line.change.after
    has = {name: getattr(seat, name) for name in COMPARED[kind]} if seat else {}
    return {
        n: v
        for n, v in has.items()
        if after.get(n) is None or (kind is Kind.COMMITTEE and v is not None)
    }


def _send(changes: ChangesOnTest, sent: Sent, target: Target, may_go: MayGo) -> list[Outcome]:
    """Send what the guard allowed, in batches, and return one outcome for each line.

    Runs on a worker, after the intents are durable.
    """
    entries = [Assignment(*place.who, place.fields) for place, _ in sent]
    return _as_found(target.assign(changes.remote_id, entries, changes.kind, may_go), sent)


def _remove(changes: ChangesOnTest, sent: Sent, target: Target, may_go: MayGo) -> list[Outcome]:
    """Take off what the guard allowed, in batches, and return one outcome for each line."""
    entries = [Assignment(*place.who) for place, _ in sent]
    return target.remove(changes.remote_id, entries, changes.kind, may_go)


def _send_in_turns(
    changes: ChangesOnTest, sent: Sent, target: Target, may_go: MayGo, needs: Needs, most: int
) -> list[Outcome]:
    """Send candidates whose numbers change hands among them, in turns.

    Runs on a worker, as `_send` does.
    """

    def assign(entries: Sequence[Assignment]) -> list[Outcome]:
        return target.assign(changes.remote_id, entries, changes.kind, may_go)

    return _as_found(
        NumberQueue([place for place, _ in sent], needs, assign, most).carry_out(), sent
    )


def _as_found(outcomes: Sequence[Outcome], sent: Sent) -> list[Outcome]:
    """Return the outcomes; what was sent and is unmanaged is *found* and not *done*.

    What is worth a note has it as its message.
    """
    ended: list[Outcome] = []
    for outcome, (place, found) in zip(outcomes, sent, strict=True):
        if outcome.result is Result.DONE and found:
            ended.append(Outcome(Result.FOUND, found))
        elif outcome.result is Result.DONE and place.fields.get("note"):
            ended.append(replace(outcome, message=str(place.fields["note"])))
        else:
            ended.append(outcome)
    return ended
