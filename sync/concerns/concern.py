"""The state of everything in one line, and what to do about it."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from sync.concerns.certificate import Ending
from sync.config.notifications import Event
from sync.exit_codes import Exit
from sync.records.base import utc_time
from sync.report.wording import plural
from sync.service.health import Health
from sync.state.exam_figures import ExamFigures
from sync.state.history import PastRun
from sync.state.holds import Hold

SOON = timedelta(hours=24)
"""How soon an exam must start for what is missing in it to come first."""


class Urgency(IntEnum):
    """How urgent something is, the most urgent first."""

    NOW = 0
    TODAY = 1
    KNOW = 2


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that a person should know, what to do, and the page about it.

    Attributes:
        identity: stays the same as long as it is the same concern, whatever its numbers are.
        event: what a notification of it counts as; None when only the page shows it.
        command: the command line that shows or solves it, if there is one.
    """

    urgency: Urgency
    text: str
    remedy: str
    link: str = ""
    identity: str = ""
    event: Event | None = None
    command: str = ""


@dataclass(frozen=True, slots=True)
class PauseFacts:
    """That all sending is stopped, since when (text in UTC), and why."""

    since: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the headline is made of.

    Attributes:
        failed: the newest run of each job and of `apply`, when it did not succeed.
        troubled: the names of the sources whose newest reading was in trouble.
        late: the jobs whose next run should have begun.
        nameless: how many rows can't be used and name no test that can be read.
        endings: certificates and keys that are about to end.
        undelivered: the targets whose newest notification could not be delivered.
        unended: the newest runs that have no end and that this service does not run.
        never_applied: whether no run has ever ended that sends something.
        plans_only: whether all jobs only plan.
    """

    now: datetime
    health: Health
    paused: PauseFacts | None
    holds: Sequence[Hold]
    exams: Sequence[ExamFigures]
    failed: Sequence[PastRun] = ()
    troubled: Sequence[str] = ()
    late: Sequence[str] = ()
    nameless: int = 0
    endings: Sequence[Ending] = ()
    undelivered: Sequence[str] = ()
    unended: Sequence[PastRun] = ()
    never_applied: bool = False
    plans_only: bool = False


STATE = "service:state"
"""The identity of the concern that the state can't be used."""

ALL_WELL = "All is well: everything wanted is in Inspera."


def concerns(facts: Facts) -> list[Concern]:
    """Return what a person should know, the most urgent first; nothing when all is well."""
    found = [
        *_of_service(facts),
        *_of_exams(facts),
        *_of_runs(facts),
        *_of_holds(facts),
        *_of_endings(facts),
        *_of_notifications(facts),
    ]
    return sorted(found, key=lambda one: one.urgency)


def concerns_to_notify(facts: Facts) -> list[Concern]:
    """Return what notifications are about: the same, but each hold for itself."""
    others = [one for one in concerns(facts) if one.event not in (None, Event.HELD)]
    return sorted([*others, *_each_hold(facts)], key=lambda one: one.urgency)


def _of_service(facts: Facts) -> Iterator[Concern]:
    health = facts.health
    if not health.alive:
        yield Concern(
            Urgency.NOW,
            "The service hangs: its loop is silent.",
            "Restart it, and keep its log.",
            identity="service:hangs",
            event=Event.SERVICE,
            command="systemctl restart inspera-sync",
        )
    if health.unreachable:
        yield Concern(
            Urgency.NOW,
            f"The state can't be used: {health.unreachable}.",
            "Nothing is sent until then. See to the database or the file.",
            identity=STATE,
            event=Event.SERVICE,
            command="inspera-sync doctor",
        )
    if health.clock_trouble:
        yield Concern(
            Urgency.NOW,
            f"Clock: {health.clock_trouble}.",
            "Correct the clock.",
            identity="service:clock",
            event=Event.SERVICE,
            command="inspera-sync doctor",
        )
    if facts.paused:
        reason = f" ({facts.paused.reason})" if facts.paused.reason else ""
        yield Concern(
            Urgency.TODAY,
            f"All sending is paused since {facts.paused.since}{reason}.",
            "Resume it below once the reason is gone.",
            "#sending",
            identity="service:paused",
        )
    if health.reload_failed:
        yield Concern(
            Urgency.TODAY,
            "The newest configuration can't be used; the one before it stays in use.",
            "Run `inspera-sync check`, correct the file, and send SIGHUP.",
            identity="service:configuration",
            event=Event.SERVICE,
            command="inspera-sync check",
        )
    for name in facts.late:
        yield Concern(
            Urgency.TODAY,
            f"The job {name} is late.",
            "Look at the log of the service.",
            identity=f"late:{name}",
            event=Event.LATE,
            command="journalctl -u inspera-sync --since -1h",
        )


def exam_identity(key: str) -> str:
    """Return the identity of the concern that this exam is incomplete."""
    return f"exam:{key}"


def _of_exams(facts: Facts) -> Iterator[Concern]:
    for one in facts.exams:
        if one.is_complete:
            continue
        soon = bool(one.start) and utc_time(one.start) - facts.now <= SOON
        yield Concern(
            Urgency.NOW if soon else Urgency.KNOW,
            f"{_exam_text(one)}; it starts {one.start or 'at an unknown time'}.",
            "See what keeps it back.",
            f"/exams#{one.key}",
            identity=exam_identity(one.key),
            event=Event.EXAM if soon else None,
            command=f"inspera-sync explain {shlex.quote(one.key)}",
        )
    if facts.nameless:
        yield Concern(
            Urgency.TODAY,
            f"{plural(facts.nameless, 'row')} can't be used and name no test that can be read.",
            "Correct them in the source.",
            "/errors",
            identity="errors:nameless",
            event=Event.ERRORS,
            command="inspera-sync check",
        )


def _exam_text(one: ExamFigures) -> str:
    if not one.in_inspera:
        return f"{one.key} is not in Inspera"
    if one.missing:
        are = "is" if one.missing == 1 else "are"
        return f"{one.key}: {plural(one.missing, 'record')} {are} missing or not as wanted"
    if not one.counted:
        return f"no run has counted who is to be on {one.key}"
    return f"{one.key} has candidates who should be taken off"


def _of_runs(facts: Facts) -> Iterator[Concern]:
    if facts.never_applied:
        yield Concern(
            Urgency.TODAY,
            "No run has come to its end yet, so nothing is known to be in Inspera.",
            "Start a job below, or wait for its time.",
            "#jobs",
        )
    if facts.plans_only:
        yield Concern(
            Urgency.TODAY,
            "No job sends anything: all of them only plan.",
            "Take `mode: plan` away from a job when its plans are as you want them.",
        )
    for run in facts.unended:
        yield Concern(
            Urgency.TODAY,
            f"Run {run.id} ({run.command}) has no end: it was cut off, or runs elsewhere.",
            "What it did not send may be missing. See the last runs.",
            "/runs",
        )
    for name in facts.troubled:
        yield Concern(
            Urgency.TODAY,
            f"The source {name} can't be used, or can't be relied on.",
            "Nothing is removed because of it. Deliver it again, complete.",
            "/sources",
            identity=f"source:{name}",
            event=Event.SOURCE,
            command="inspera-sync check",
        )
    for run in facts.failed:
        event, command = Event.RUN, f"inspera-sync report run {run.id}"
        if run.exit_status == Exit.INSPERA:
            text, remedy = (
                "can't reach Inspera, or its key is refused",
                "Run `inspera-sync doctor`.",
            )
            command = "inspera-sync doctor"
        elif run.exit_status in (Exit.ERRORS, Exit.HELD):
            text, remedy = "left errors", "See each with what to do about it."
            event = Event.ERRORS
        elif run.exit_status == Exit.SOURCE:
            continue  # said of the source itself
        else:
            text, remedy = "did not come to its end", "See its reason; the next run goes on."
        yield Concern(
            Urgency.TODAY,
            f"Run {run.id} ({run.command}) {text}.",
            remedy,
            "/errors",
            identity=f"{event}:{run.command}",
            event=event,
            command=command,
        )


def _of_holds(facts: Facts) -> Iterator[Concern]:
    if not facts.holds:
        return
    total = sum(sum(one.sizes.values()) for one in facts.holds)
    urgent = any(_is_urgent(one, facts.now) for one in facts.holds)
    yield Concern(
        Urgency.NOW if urgent else Urgency.TODAY,
        f"{plural(total, 'change')} {'waits' if total == 1 else 'wait'} for a decision.",
        "Approve or reject them.",
        "/held",
        identity="held",
        event=Event.HELD,
        command="inspera-sync held",
    )


def _each_hold(facts: Facts) -> Iterator[Concern]:
    """Yield each hold. The reason is left out, since it may name people."""
    for one in facts.holds:
        total = sum(one.sizes.values())
        about = f", for {one.test} that starts {one.start}" if one.test and one.start else ""
        yield Concern(
            Urgency.NOW if _is_urgent(one, facts.now) else Urgency.TODAY,
            f"{plural(total, 'change')} {'waits' if total == 1 else 'wait'} for a decision "
            f"({one.cause}{about}).",
            "Approve or reject them.",
            "/held",
            identity=f"held:{one.id}",
            event=Event.HELD,
            command=f"inspera-sync held {one.id}",
        )


def _is_urgent(hold: Hold, now: datetime) -> bool:
    return bool(hold.start) and utc_time(str(hold.start)) - now <= SOON


def _of_endings(facts: Facts) -> Iterator[Concern]:
    for one in facts.endings:
        ended = one.at <= facts.now
        yield Concern(
            Urgency.NOW if ended else Urgency.TODAY,
            f"{one.what} {'has ended' if ended else 'ends'} ({one.at:%Y-%m-%d}).",
            one.remedy,
            identity=f"expiry:{one.name}",
            event=Event.EXPIRY,
            command="inspera-sync doctor",
        )


def _of_notifications(facts: Facts) -> Iterator[Concern]:
    for name in facts.undelivered:
        yield Concern(
            Urgency.TODAY,
            f"A notification to {name} could not be delivered; it is tried again.",
            f"Run `inspera-sync notify --test {name}`.",
            identity=f"undelivered:{name}",
        )
