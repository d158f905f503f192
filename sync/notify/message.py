"""What a target is notified of now: the difference between what it knows and what is so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.concerns.concern import STATE, Concern, Urgency
from sync.config.notifications import Event, NotificationSettings, TargetSettings
from sync.records.base import utc_text, utc_time
from sync.state.notified import Notified

MOST = 20
"""The most concerns that one notification lists."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a person should know at one moment.

    Attributes:
        concerns: all of it, the most urgent first.
        is_complete: whether the state could be read; otherwise its concerns are unknown.
        complete_exams: identities of the exams that are complete.
    """

    concerns: Sequence[Concern]
    is_complete: bool = True
    complete_exams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Message:
    """What a target is notified of, and what it knows afterwards. Without a title nothing is sent."""

    title: str
    body: str
    notified: Notified


@dataclass(frozen=True, slots=True)
class _Difference:
    new: Sequence[Concern]
    gone: Sequence[str]
    solved: Sequence[str]


def make_message(
    situation: Situation,
    before: Notified,
    name: str,
    settings: NotificationSettings,
    now: datetime,
) -> Message | None:
    """Return what the target `name` is notified of now; None for nothing."""
    target = settings.targets[name]
    found = _difference(situation, before, target)
    quiet = settings.quiet_hours is not None and settings.quiet_hours.contain(now)
    soon = bool(before.at) and now < utc_time(before.at) + target.digest
    if quiet or soon:
        found = _Difference([one for one in found.new if _cannot_wait(one)], (), ())
    if not found.new and not found.gone:
        return None
    concerns = {key: text for key, text in before.concerns.items() if key not in found.gone}
    concerns |= {one.identity: _line(one.text) for one in found.new}
    if not found.new and not found.solved:
        return Message("", "", Notified(before.at, concerns))
    solved = [before.concerns[key] for key in found.solved]
    return Message(_title(found), _body(found.new, solved), Notified(utc_text(now), concerns))


def _difference(situation: Situation, before: Notified, target: TargetSettings) -> _Difference:
    new = [
        one
        for one in situation.concerns
        if one.event in target.events and one.identity not in before.concerns
    ]
    present = {one.identity for one in situation.concerns}
    gone = [key for key in before.concerns if key not in present]
    if not situation.is_complete:
        gone = [key for key in gone if key == STATE]
    # A hold gets another hash when its changes do; then it has moved on, and nobody has decided.
    moved = any(one.event is Event.HELD for one in new)
    unsolved = {key for key in gone if key.startswith("exam:")} - situation.complete_exams
    unsolved |= {key for key in gone if moved and key.startswith("held:")}
    solved = [key for key in gone if key not in unsolved]
    return _Difference(new, gone, solved if Event.RECOVERED in target.events else ())


def _cannot_wait(one: Concern) -> bool:
    """Tell whether it is about an exam that starts within 24 hours."""
    return one.event is Event.EXAM or (one.event is Event.HELD and one.urgency is Urgency.NOW)


def _title(found: _Difference) -> str:
    parts = []
    if found.new:
        parts.append(f"{len(found.new)} {'needs' if len(found.new) == 1 else 'need'} a person")
    if found.solved:
        parts.append(f"{len(found.solved)} solved")
    return f"inspera-sync: {', '.join(parts)}"


def _body(new: Sequence[Concern], solved: Sequence[str]) -> str:
    lines = []
    for one in new[:MOST]:
        lines.append(f"- {_line(one.text)} {_line(one.remedy)}")
        if one.command:
            lines.append(f"  {_line(one.command)}")
    if len(new) > MOST:
        lines.append(f"- {len(new) - MOST} more.\n  inspera-sync status")
    if solved:
        lines += [*([""] if lines else []), "Solved:", *(f"- {one}" for one in solved[:MOST])]
    if len(solved) > MOST:
        lines.append(f"- {len(solved) - MOST} more")
    return "\n".join(lines)


def _line(text: str) -> str:
    """Return the text in one line: a key may contain anything."""
    return "".join(one if one.isprintable() else " " for one in text)
