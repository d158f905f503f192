"""The state of everything in one line, and what to do about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from sync.exit_codes import Exit
from sync.page.desk import PauseFacts
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
    """Something that a person should know, what to do, and the page about it."""

    urgency: Urgency
    text: str
    remedy: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the headline is made of.

    Attributes:
        failed: the newest run of each job and of `apply`, when it did not succeed.
        troubled: the names of the sources whose newest reading was in trouble.
        late: the jobs whose next run should have begun.
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
    unended: Sequence[PastRun] = ()
    never_applied: bool = False
    plans_only: bool = False


ALL_WELL = "All is well: everything wanted is in Inspera."


def concerns(facts: Facts) -> list[Concern]:
    """Return what a person should know, the most urgent first; nothing when all is well."""
    found = [*_of_service(facts), *_of_exams(facts), *_of_runs(facts), *_of_holds(facts)]
    return sorted(found, key=lambda one: one.urgency)


def _of_service(facts: Facts) -> Iterator[Concern]:
    health = facts.health
    if not health.alive:
        yield Concern(
            Urgency.NOW, "The service hangs: its loop is silent.", "Restart it, and keep its log."
        )
    if health.unreachable:
        yield Concern(
            Urgency.NOW,
            f"The state can't be used: {health.unreachable}.",
            "Nothing is sent until then. See to the database or the file.",
        )
    if health.clock_trouble:
        yield Concern(Urgency.NOW, f"Clock: {health.clock_trouble}.", "Correct the clock.")
    if facts.paused:
        reason = f" ({facts.paused.reason})" if facts.paused.reason else ""
        yield Concern(
            Urgency.TODAY,
            f"All sending is paused since {facts.paused.since}{reason}.",
            "Resume it below once the reason is gone.",
            "#sending",
        )
    if health.reload_failed:
        yield Concern(
            Urgency.TODAY,
            "The newest configuration can't be used; the one before it stays in use.",
            "Run `inspera-sync check`, correct the file, and send SIGHUP.",
        )
    for name in facts.late:
        yield Concern(Urgency.TODAY, f"The job {name} is late.", "Look at the log of the service.")


def _of_exams(facts: Facts) -> Iterator[Concern]:
    for one in facts.exams:
        if one.is_complete:
            continue
        soon = bool(one.start) and utc_time(one.start) - facts.now <= SOON
        if not one.in_inspera:
            text = f"{one.key} is not in Inspera"
        elif one.missing:
            are = "is" if one.missing == 1 else "are"
            text = f"{one.key}: {plural(one.missing, 'record')} {are} missing or not as wanted"
        elif not one.counted:
            text = f"no run has counted who is to be on {one.key}"
        else:
            text = f"{one.key} has candidates who should be taken off"
        yield Concern(
            Urgency.NOW if soon else Urgency.KNOW,
            f"{text}; it starts {one.start or 'at an unknown time'}.",
            "See what keeps it back.",
            f"/exams#{one.key}",
        )
    if facts.nameless:
        yield Concern(
            Urgency.TODAY,
            f"{plural(facts.nameless, 'row')} can't be used and name no test that can be read.",
            "Correct them in the source.",
            "/errors",
        )


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
        )
    for run in facts.failed:
        if run.exit_status == Exit.INSPERA:
            text, remedy = (
                "can't reach Inspera, or its key is refused",
                "Run `inspera-sync doctor`.",
            )
        elif run.exit_status in (Exit.ERRORS, Exit.HELD):
            text, remedy = "left errors", "See each with what to do about it."
        elif run.exit_status == Exit.SOURCE:
            continue  # said of the source itself
        else:
            text, remedy = "did not come to its end", "See its reason; the next run goes on."
        yield Concern(Urgency.TODAY, f"Run {run.id} ({run.command}) {text}.", remedy, "/errors")


def _of_holds(facts: Facts) -> Iterator[Concern]:
    if not facts.holds:
        return
    total = sum(sum(one.sizes.values()) for one in facts.holds)
    urgent = any(one.start and utc_time(one.start) - facts.now <= SOON for one in facts.holds)
    yield Concern(
        Urgency.NOW if urgent else Urgency.TODAY,
        f"{plural(total, 'change')} {'waits' if total == 1 else 'wait'} for a decision.",
        "Approve or reject them.",
        "/held",
    )
