"""The doubts by the times of tests: the freeze around a test, and impossible times. Pure.

A test is frozen from a while before its start until its end. An update of a test sends all its
times again, so within the freeze nothing may shorten, move or rename it unless a person allows
exactly that change. Once it has ended it stays as it is; after a while nothing on it changes any
more (rules 16 and 35).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sync.planning.plausible import PlausibleTimes, span_text
from sync.records.base import Kind, listed, utc_text, utc_time
from sync.records.changes import Action, Change, Fields
from sync.records.kinds import RECORD_TYPES

LONGEST_OPEN = timedelta(days=60)
"""How long a test may be open; `longest_duration` of its feed extends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRules:
    """Settings for the times of tests.

    Attributes:
        before: how long before its start a test is frozen.
        after: how long after its end contributors, committees and options still change.
        longest: the longest duration in minutes.
        activate: how long before its start a test is activated; None for never.
        plausible: the times at which tests may be.
    """

    before: timedelta = timedelta(hours=2)
    after: timedelta = timedelta(days=14)
    longest: int = 24 * 60
    activate: timedelta | None = None
    plausible: PlausibleTimes = field(default_factory=PlausibleTimes)


@dataclass(frozen=True, slots=True)
class Moment:
    """The present by two clocks, this machine's and Inspera's, which differ when one is wrong.

    What has begun is judged by the later one, what has ended by the earlier one: each is the
    careful choice.
    """

    earliest: datetime
    latest: datetime

    @classmethod
    def of(cls, now: datetime) -> "Moment":
        """Return the moment by one clock alone."""
        return cls(now, now)


@dataclass(frozen=True, slots=True)
class TimeFacts:
    """When a test runs, as UTC text, and the moment and the rules by which that is judged.

    `start` is the earliest start that may hold; `ends` the latest end that may hold, with the
    longest extra time on the test. Both are empty when unknown.
    """

    moment: Moment
    start: str = ""
    ends: str = ""
    rules: TimeRules = TimeRules()

    @property
    def begun(self) -> bool:
        """Return whether the test has started."""
        return bool(self.start) and self.start <= utc_text(self.moment.latest)

    @property
    def ended(self) -> bool:
        """Return whether the test is over, its longest extra time included."""
        return bool(self.ends) and self.ends <= utc_text(self.moment.earliest)

    @property
    def closed(self) -> bool:
        """Return whether the test ended so long ago that nothing on it changes any more."""
        return self.ended and self.ends <= utc_text(self.moment.earliest - self.rules.after)

    @property
    def frozen(self) -> bool:
        """Return whether the test is under way or starts within the freeze."""
        return bool(self.start and self.ends) and self.near(self.start) and not self.ended

    def near(self, start: str) -> bool:
        """Return whether a test with this start has started, or starts within the freeze."""
        return start <= utc_text(self.moment.latest + self.rules.before)

    def word(self) -> str:
        """Return how the frozen test stands, for a message."""
        return (
            "the test is under way"
            if self.begun
            else f"the test starts within {span_text(self.rules.before)}"
        )


def doubts(change: Change, timing: TimeFacts) -> str:
    """Return why a person must look before an existing test is updated; empty if not."""
    if change.kind is not Kind.TEST:
        return ""
    if change.action is Action.CREATE:
        return " and ".join((*_impossible(change, timing), *_late(change, timing)))
    if change.action is not Action.UPDATE:
        return ""
    return " and ".join(
        (*_frozen(change, timing), *_moved(change, timing), *_impossible(change, timing))
    )


def stays_ended(change: Change, timing: TimeFacts) -> bool:
    """Return whether an update is of a test that has ended, and leaves it so.

    A later end that has not passed makes the test run again: it corrects a wrong end, and is judged
    as any other change of times.
    """
    if change.action is not Action.UPDATE or not change.changed or not timing.ended:
        return False
    return not (_moves(change, "end") and _runs_again(change, timing))


def _runs_again(change: Change, timing: TimeFacts) -> bool:
    return _time(change.after, "end") > utc_text(timing.moment.earliest)


def doubts_of_found(wanted: Change, there: Fields, timing: TimeFacts) -> str:
    """Return why a person must look before an existing test is updated; empty if not.

    Its times are the wanted ones: others are drift. What Inspera does not show may be anything, so
    it is doubted too.
    """
    differing = tuple(
        name
        for name in ("title", "duration")
        if wanted.after.get(name) not in (None, there.get(name))
    )
    before = {**wanted.after, **{name: there.get(name) for name in differing}}
    update = replace(wanted, action=Action.UPDATE, before=before, changed=differing)
    return " and ".join((*_frozen(update, timing), *_impossible(update, timing)))


def _frozen(change: Change, timing: TimeFacts) -> Iterator[str]:
    """Yield what the update would do to a test within the freeze."""
    before, after = change.before, change.after
    moves = _moves(change, "start")
    again = timing.ended and not moves and timing.near(timing.start) and _runs_again(change, timing)
    if not (timing.frozen or again):
        if moves and timing.near(_time(after, "start")) and _runs_again(change, timing):
            yield f"it would move to a start that is past or within {span_text(timing.rules.before)}"
        return
    what = ["move its start"] if moves else []
    if _moves(change, "end") and _time(after, "end") < _time(before, "end"):
        what.append("end it earlier")
    if "duration" in change.changed and int(after.get("duration") or 0) < int(
        before.get("duration") or 10**6
    ):
        what.append("shorten it")  # a duration that is not known may be longer than this one
    if "title" in change.changed:
        what.append("rename it")
    if what:
        yield f"{timing.word()}, and this would {' and '.join(what)}"


def _moved(change: Change, timing: TimeFacts) -> Iterator[str]:
    """Yield what is wrong with the new times compared with the old ones."""
    for name in ("start", "end"):
        if not _moves(change, name):
            continue
        was, now = _time(change.before, name), _time(change.after, name)
        days = abs(utc_time(now) - utc_time(was)) // timedelta(days=1)
        if abs(utc_time(now) - utc_time(was)) > timing.rules.plausible.move:
            yield f"its {name} would move by {days:,} days"
        if now <= utc_text(timing.moment.latest) < was:
            yield f"its {name} would be in the past"


def _impossible(change: Change, timing: TimeFacts) -> Iterator[str]:
    """Yield what is wrong with the wanted times by themselves."""
    after, longest = change.after, timedelta(minutes=timing.rules.longest)
    minutes = after.get("duration")
    if "duration" in change.changed and minutes is not None:
        if not int(minutes):
            yield "its duration would be 0"
        elif timedelta(minutes=int(minutes)) > longest:
            yield (
                f"its duration would be {span_text(timedelta(minutes=int(minutes)))}, above "
                f"{span_text(longest)} ({_LONGEST})"
            )
    if {"start", "end"} & set(change.changed) and after.get("start") and after.get("end"):
        window = utc_time(_time(after, "end")) - utc_time(_time(after, "start"))
        if window > max(LONGEST_OPEN, longest):
            yield f"it would be open for {window.days:,} days"
    yield from _implausible(change, timing)


def _implausible(change: Change, timing: TimeFacts) -> Iterator[str]:
    """Yield which new times lie outside of the plausible ones.

    An extension of a test that is frozen is not asked about its hours: it must not wait.
    """
    if timing.frozen and change.action is Action.UPDATE and not _moves(change, "start"):
        return
    for name in ("start", "end"):
        if name in change.changed and change.after.get(name):
            plausible = timing.rules.plausible
            yield from plausible.doubts_about(name, utc_time(_time(change.after, name)))


_LONGEST = "if the feed has longer ones, set its longest_duration"


def _late(change: Change, timing: TimeFacts) -> Iterator[str]:
    """Yield why a test that was never sent is too late to be a late registration."""
    start = change.after.get("start")
    if (
        start
        and utc_time(str(start)) + timedelta(minutes=timing.rules.longest) < timing.moment.latest
    ):
        days = (timing.moment.latest - utc_time(str(start))) // timedelta(days=1)
        yield f"it would start {days:,} days ago"


def additive(change: Change) -> bool:
    """Return whether an update on a test only adds: minutes, roles, committees or a first value.

    A first candidate number does not count: Inspera may have given out one of its own already.
    """
    return all(_adds(change, name) for name in change.changed)


def _adds(change: Change, name: str) -> bool:
    was, now = change.before.get(name), change.after.get(name)
    spec = RECORD_TYPES[change.kind].fields[name]
    if spec.many:
        return set(listed(was)) <= set(listed(now))
    if spec.adds == "more":
        return int(now or 0) >= int(was or 0)
    return spec.adds == "first" and was in (None, "")


def adding_part(change: Change) -> Change | None:
    """Return the part of an update that only adds; None without one, or when it is all.

    More extra time must not be deferred because of a change of room in the same row.
    """
    adds = tuple(name for name in change.changed if _adds(change, name))
    if not adds or len(adds) == len(change.changed):
        return None
    kept = {name: change.before.get(name) for name in change.changed if name not in adds}
    stays = "stays as it is" if len(kept) == 1 else "stay as they are"
    reason = f"{' and '.join(sorted(kept))} {stays} for now"
    return replace(change, after={**change.after, **kept}, changed=adds, reason=reason)


def digest_of(change: Change) -> str:
    """Return the hash of exactly this change, by which a person allows it."""
    before, after = (
        {name: value for name, value in side.items() if value is not None}
        for side in (change.before, change.after)
    )
    content = [change.kind, change.key, change.action, change.changed, before, after]
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=6).hexdigest()


def _moves(change: Change, name: str) -> bool:
    return name in change.changed and bool(change.before.get(name)) and bool(change.after.get(name))


def _time(fields: Fields, name: str) -> str:
    return str(fields.get(name) or "")
