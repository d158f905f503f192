"""What is on a test in two steps: read the test, then send only what the guard still lets pass.

The reading comes before the intents, so that an open intent of a create always means: it was not there before us.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial

from sync.engine.candidate_numbers import Needs, NumberQueue, ended, hand_over
from sync.engine.changes_on_test import ChangesOnTest, MemberChange, MembershipPolicy
from sync.engine.protocols import Target
from sync.engine.steps import OnTest, Ready
from sync.errors import CallError, Stop
from sync.planning.freeze import TimeFacts
from sync.planning.guard import (
    ACTIVATED,
    PASS,
    MemberRuling,
    judge_member,
    judge_removal,
    judge_seat,
    judge_times,
    unless_fresh,
)
from sync.planning.remedies import adopt
from sync.records.base import Kind
from sync.records.candidate import MAX_CANDIDATES
from sync.records.changes import ALLOWED, Action, Cause, Outcome, PlannedChange, Result
from sync.records.kinds import COMPARED
from sync.records.remote import Assignment, Member, Members, RemoteTest

_NOT_ACTIVATED = frozenset({"", "created", "scheduled"})
"""A test's status while its security options can still change (vendor contract, Test API: search, settings)."""

_TYPE = "a committee's type can't be changed, and which it has can't be read"

Sent = Sequence[tuple[MemberChange, str]]
"""What is sent, each with why it is not ours (empty when it is)."""


def read_and_judge(sitting: ChangesOnTest, target: Target, policy: MembershipPolicy) -> Ready:
    """Reads what is on the test (and the test, before removals) and asks the guard again. Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    ready = Ready(ended=list(sitting.waiting))
    if not sitting.places:
        return ready
    needs: Needs = {}
    try:
        target.clock_trouble()  # so that Inspera's time counts, too
        sitting = _without_frozen(sitting, ready, target)
        if not sitting.places:
            return ready
        if sitting.removals:
            sent = _judge_removals(sitting, ready, target)
        elif sitting.kind is Kind.OPTION:
            sent = _judge_options(sitting, ready, target)
        else:
            sent, needs = _judge_additions(sitting, ready, target, policy)
    except Stop:
        raise
    except CallError as error:
        ready.ended.extend(
            (place.line, Outcome(Result.NOT_SENT, str(error))) for place in sitting.places
        )
        return ready
    ready.lines = [place.line for place, _ in sent]
    ready.send = partial(_send, sitting, sent, target)
    if needs:
        ready.send = partial(_send_in_turns, sitting, sent, target, needs, policy.batch_size)
    return ready


def _without_frozen(sitting: ChangesOnTest, ready: Ready, target: Target) -> ChangesOnTest:
    """End the updates whose test came into the freeze after they were planned; removals are judged later."""
    if sitting.removals:
        return sitting
    timing, places = replace(sitting.timing, moment=target.moment()), []
    for place in sitting.places:
        update = place.line.change.action is Action.UPDATE and place.line.scope != ALLOWED
        ruling = judge_times(place.line.change, timing) if update else PASS
        if ruling == PASS:
            places.append(place)
        else:
            ready.ended.append(
                (place.line, Outcome(Result.DEFERRED, ruling.reason, cause=ruling.cause))
            )
    return replace(sitting, places=places)


def _judge_removals(sitting: ChangesOnTest, ready: Ready, target: Target) -> Sent:
    found = target.find_test(str(sitting.known["external_test_id"]))
    seats = target.seats(sitting.remote_id, sitting.kind)
    if not found:
        text = (
            "Inspera does not have this test any more; look there first; "
            f"{adopt(Kind.TEST, (sitting.test,), '--as-new')} forgets it and all that is on it here"
        )
        ready.ended.extend((place.line, Outcome(Result.NOT_SENT, text)) for place in sitting.places)
        return []
    if trouble := target.clock_trouble():
        ready.ended.extend(
            (place.line, Outcome(Result.DEFERRED, trouble, cause=Cause.CLOCK))
            for place in sitting.places
        )
        return []
    timing, candidates = _timing_there(sitting, found, target), sitting.kind is Kind.CANDIDATE
    begun = (timing.begun or not timing.start) and (candidates or not timing.ended)
    provable = seats.readable and not seats.unnamed
    sent: list[tuple[MemberChange, str]] = []
    for place in sitting.places:
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
    return sent


def _timing_there(sitting: ChangesOnTest, found: Sequence[RemoteTest], target: Target) -> TimeFacts:
    """Return when the test runs by what is known and by what Inspera shows: somebody may have moved it by hand."""
    starts = [start for start in (sitting.timing.start, *(test.start for test in found)) if start]
    ends = max([sitting.timing.ends, *(test.end or "" for test in found)])
    return replace(sitting.timing, moment=target.moment(), start=min(starts, default=""), ends=ends)


def _judge_options(sitting: ChangesOnTest, ready: Ready, target: Target) -> Sent:
    """Options can't be read; but security options can change only until the test is activated."""
    security = [place for place in sitting.places if place.fields["group"] == "security"]
    found = target.find_test(str(sitting.known["external_test_id"])) if security else []
    activated = any((test.status or "").lower() not in _NOT_ACTIVATED for test in found)
    activated = activated or _timing_there(sitting, found, target).begun
    if activated:
        ready.ended.extend(
            (place.line, Outcome(Result.DEFERRED, ACTIVATED, cause=Cause.BEGUN))
            for place in security
        )
    return [(place, "") for place in sitting.places if not activated or place not in security]


def _judge_additions(
    sitting: ChangesOnTest, ready: Ready, target: Target, policy: MembershipPolicy
) -> tuple[Sent, Needs]:
    seats = target.seats(sitting.remote_id, sitting.kind)
    left = MAX_CANDIDATES - seats.taken
    claimed = any(fnmatchcase(sitting.test, pattern) for pattern in policy.claim)
    sent: list[tuple[MemberChange, str]] = []
    for place in sitting.places:
        line, seat = place.line, seats.there.get(place.who)
        if seat is None and not (seats.readable and not seats.unnamed):
            if (
                line.change.kind is Kind.COMMITTEE
                and line.change.changed
                and line.change.action is Action.UPDATE
            ):
                ready.ended.append((line, Outcome(Result.DEFERRED, _TYPE, cause=Cause.DOUBTFUL)))
            else:
                sent.append((place, _assumed(line, sitting, policy)))
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
        not_ours = ruling.found and line.change.action is Action.CREATE
        sent.append((place, "was there before our first assignment" if not_ours else ""))
        if not_ours and seat:
            there = {name: getattr(seat, name) for name in COMPARED[sitting.kind]}
            ready.already.append(OnTest(sitting.kind, line.change.key, there, seat.remote_user_id))
    return _numbered(sitting, seats, sent, ready)


def _numbered(
    sitting: ChangesOnTest, seats: Members, sent: Sent, ready: Ready
) -> tuple[Sent, Needs]:
    """Return what may be sent as far as candidate numbers go, and what must be sent first; ends the rest."""
    if sitting.kind is not Kind.CANDIDATE:
        return sent, {}
    places = [place for place, _ in sent]
    handover = hand_over(sitting, seats, places)
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
        return judge_seat(change, seat, left, claimed, found=not place.ours)
    return judge_member(change, seat, claimed)


def _assumed(line: PlannedChange, sitting: ChangesOnTest, policy: MembershipPolicy) -> str:
    """Why what nobody could read before is taken for somebody else's; empty when it is taken for ours."""
    ours = bool(sitting.known["ours"]) or policy.unread_is_ours
    if ours or line.change.action is not Action.CREATE:
        return ""
    return f"its test's {sitting.kind}s can't be read: assumed to have been there before (existing.unread: theirs)"


def _there(line: PlannedChange, seat: Member | None) -> Mapping[str, str | int | None]:
    """What Inspera has and the feeds leave alone, so that later posts and comparisons know of it.

    A committee's type as Inspera shows it, too, since it can't be changed: then the next plan says that it differs.
    """
    kind, after = line.change.kind, line.change.after
    has = {name: getattr(seat, name) for name in COMPARED[kind]} if seat else {}
    return {
        n: v
        for n, v in has.items()
        if after.get(n) is None or (kind is Kind.COMMITTEE and v is not None)
    }


def _send(sitting: ChangesOnTest, sent: Sent, target: Target) -> list[Outcome]:
    """Sends what passed, in batches. Runs on a worker, after the intents are durable. One outcome for each."""
    call: Callable[[str, Sequence[Assignment], Kind], list[Outcome]] = target.assign
    if sitting.removals:
        call = target.remove
    entries = [
        Assignment(*place.who, {} if sitting.removals else place.fields) for place, _ in sent
    ]
    return _as_found(call(sitting.remote_id, entries, sitting.kind), sent)


def _send_in_turns(
    sitting: ChangesOnTest, sent: Sent, target: Target, needs: Needs, most: int
) -> list[Outcome]:
    """Send candidates whose numbers change hands among them, in turns. Runs on a worker, as `_send` does."""

    def assign(entries: Sequence[Assignment]) -> list[Outcome]:
        return target.assign(sitting.remote_id, entries, sitting.kind)

    return _as_found(
        NumberQueue([place for place, _ in sent], needs, assign, most).carry_out(), sent
    )


def _as_found(outcomes: Sequence[Outcome], sent: Sent) -> list[Outcome]:
    """Return the outcomes, with those done as *found* where what was sent is not ours."""
    return [
        Outcome(Result.FOUND, found) if found and outcome.result is Result.DONE else outcome
        for outcome, (_, found) in zip(outcomes, sent, strict=True)
    ]
