"""A test's candidates in two steps: read the test and its seats, then send only what the guard still lets pass.

The reading comes before the intents, so that an open intent of a create always means: the seat was not there before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from sync.engine.doors import Clock, Store, Target
from sync.errors import CallError, Stop
from sync.found import Assignment, Seat, Seats
from sync.guard import judge_removal, judge_seat, unless_fresh
from sync.model import MAX_CANDIDATES, Key, Kind, utc_text, utc_time
from sync.plan import Action, Fields, Outcome, Planned, Result


@dataclass(frozen=True, slots=True)
class SeatPolicy:
    """Whose a seat is that was there before us, and how long a write may stay unreadable.

    `claim` are patterns of test keys whose found candidates become ours. `unread_is_ours` decides on tests that we
    found and whose candidates can't be read.
    """

    claim: Sequence[str] = ()
    unread_is_ours: bool = False
    visibility_delay: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Sitting:
    """One test with the planned lines of its candidates, ready to be read and judged; `people` are their identities."""

    test: str
    known: Fields
    start: str
    lines: Sequence[Planned]
    people: Sequence[tuple[str, str]]
    fresh: Sequence[bool]
    ours: Sequence[bool]

    @property
    def remote_id(self) -> str:
        """Inspera's id of the test."""
        return str(self.known["remote_id"])


@dataclass(slots=True)
class Judged:
    """What is to be sent, and what ends without a call. `found` tells, for each one sent, why it is not ours.

    `already` are new candidates among those sent who have a seat that is not ours. It is to be remembered as such
    before anything is sent: an open intent alone would make it look like one that we made.
    """

    sitting: Sitting
    send: list[tuple[Planned, Assignment]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    ended: list[tuple[Planned, Outcome]] = field(default_factory=list)
    already: list[tuple[Key, Seat]] = field(default_factory=list)


def prepare(store: Store, test: str, lines: Sequence[Planned], policy: SeatPolicy, now: datetime) -> Judged:
    """What the store knows about these lines; those whose test or learner is not in Inspera end as waiting."""
    known = store.known(Kind.TEST, (test,))
    ready: list[tuple[Planned, tuple[str, str], bool, bool]] = []
    waiting: list[tuple[Planned, Outcome]] = []
    people = store.people(test, [line.change.key[1] for line in lines])
    for line in lines:
        person = people.get(line.change.key[1])
        if not known or not known["remote_id"] or not person or not person["external_id"]:
            waiting.append((line, Outcome(Result.WAITING, _missing(test, line, known, person))))
            continue
        seated = person["updated"] is not None
        fresh = seated and utc_time(str(person["updated"])) + policy.visibility_delay > now
        ready.append((line, (str(person["auth_system"]), str(person["external_id"])), fresh, bool(person["ours"])))
    columns = list(zip(*ready, strict=True)) or [(), (), (), ()]
    start = store.window(test)[0]
    sitting = Sitting(test, known or {}, start, *columns)
    return Judged(sitting, ended=waiting)


def _missing(test: str, line: Planned, known: Fields | None, person: Fields | None) -> str:
    if not known or not known["remote_id"]:
        return f"waits for test {test}, which is not in Inspera yet"
    if not person:
        return f"waits for learner {line.change.key[1]}, who is not in Inspera yet"
    return f"waits for learner {line.change.key[1]}, who has no external id"


def read_and_judge(judged: Judged, target: Target, policy: SeatPolicy, clock: Clock) -> Judged:
    """Reads the test's candidates (and the test, before removals) and asks the guard again. Runs on a worker.

    Raises:
        Stop: nothing more can be sent in this run.
    """
    sitting = judged.sitting
    if not sitting.lines:
        return judged
    removals = sitting.lines[0].change.action is Action.REMOVE
    try:
        trouble, begun = _look_up(sitting, target, clock) if removals else ("", False)
        seats = target.seats(sitting.remote_id)
    except Stop:
        raise
    except CallError as error:
        trouble, begun, seats = str(error), False, Seats(False)
    if trouble:
        judged.ended.extend((line, Outcome(Result.NOT_SENT, trouble)) for line in sitting.lines)
    elif removals:
        _judge_removals(judged, seats, begun)
    else:
        _judge_additions(judged, seats, policy)
    return judged


def _look_up(sitting: Sitting, target: Target, clock: Clock) -> tuple[str, bool]:
    """Why removals must not go ahead, and whether the test has begun by what is known or by what Inspera says."""
    found = target.find_test(str(sitting.known["external_test_id"]))
    if not found:
        return "Inspera does not have this test any more; look at it and use `adopt`", False
    starts = [sitting.start, *(str(test.start) for test in found if test.start)]
    return "", min((start for start in starts if start), default="") <= utc_text(clock())


def _judge_removals(judged: Judged, seats: Seats, begun: bool) -> None:
    sitting = judged.sitting
    provable = seats.readable and not seats.unnamed
    for line, person, fresh in zip(sitting.lines, sitting.people, sitting.fresh, strict=True):
        ruling = judge_removal(provable, seats.there.get(person), begun, fresh)
        if ruling.send:
            judged.send.append((line, Assignment(*person)))
            judged.found.append("")
        else:
            judged.ended.append((line, Outcome(ruling.result, ruling.reason)))


def _judge_additions(judged: Judged, seats: Seats, policy: SeatPolicy) -> None:
    sitting = judged.sitting
    left = MAX_CANDIDATES - seats.taken
    claimed = any(fnmatchcase(sitting.test, pattern) for pattern in policy.claim)
    columns = (sitting.lines, sitting.people, sitting.ours, sitting.fresh)
    for line, person, ours, fresh in zip(*columns, strict=True):
        seat = seats.there.get(person)
        if seat is None and not (seats.readable and not seats.unnamed):
            judged.send.append((line, _assignment(person, line)))
            judged.found.append(_assumed(line, sitting, policy))
            continue
        ruling = unless_fresh(judge_seat(line.change, seat, left, claimed, found=not ours), fresh)
        if ruling.send:
            left -= seat is None
            judged.send.append((line, _assignment(person, line)))
            not_ours = ruling.found and line.change.action is Action.CREATE
            judged.found.append("was there before our first assignment" if not_ours else "")
            if not_ours and seat:
                judged.already.append((line.change.key, seat))
        else:
            judged.ended.append((line, Outcome(ruling.result, ruling.reason, there=_there(line, seat))))


def _assignment(person: tuple[str, str], line: Planned) -> Assignment:
    fields = {name: value for name, value in line.change.after.items() if name != "extra_percent"}
    return Assignment(*person, fields)


def _assumed(line: Planned, sitting: Sitting, policy: SeatPolicy) -> str:
    """Why a seat that nobody could read before is taken for somebody else's; empty when it is taken for ours."""
    ours = bool(sitting.known["ours"]) or policy.unread_is_ours
    if ours or line.change.action is not Action.CREATE:
        return ""
    return "its test's candidates can't be read: assumed to have been there before (found.unread: theirs)"


def _there(line: Planned, seat: Seat | None) -> Mapping[str, str | int | None]:
    """What Inspera has and the feeds leave alone, so that later posts and comparisons know of it."""
    names = ("candidate_id", "extra_time", "room", "building")
    return {name: getattr(seat, name) for name in names if seat and line.change.after.get(name) is None}


def send(judged: Judged, target: Target) -> list[Outcome]:
    """Sends what passed, in batches. Runs on a worker, after the intents are durable. One outcome for each."""
    sitting = judged.sitting
    call: Callable[[str, Sequence[Assignment]], list[Outcome]] = target.assign
    if sitting.lines[0].change.action is Action.REMOVE:
        call = target.remove
    outcomes = call(sitting.remote_id, [assignment for _, assignment in judged.send])
    return [
        Outcome(Result.FOUND, found) if found and outcome.result is Result.DONE else outcome
        for outcome, found in zip(outcomes, judged.found, strict=True)
    ]
