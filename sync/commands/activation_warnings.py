"""What `check` says about the activation of tests: that it mails graders, and whether a job does it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from sync.config.feeds import TestFeed
from sync.config.jobs import JobSettings
from sync.config.model import Settings
from sync.planning.activation import FIRST_MAILS
from sync.planning.plausible import span_text
from sync.records.base import Kind
from sync.records.kinds import ON_A_TEST
from sync.schedule import next_times

_RUNS = 50
"""The number of coming runs of a job between which the longest pause is looked for."""


def activation_warnings(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield what a person should know before tests are activated. `now` is aware."""
    windows = [
        feed.activate.before
        for feed in settings.feeds
        if isinstance(feed, TestFeed) and feed.activate
    ]
    if not windows:
        return
    before = min(windows)
    yield f"Activation: tests are activated from {span_text(max(windows))} before their start; {FIRST_MAILS}."
    if not settings.jobs:
        return
    pauses = [
        _longest_pause(job, now) for job in settings.jobs.values() if _activates(settings, job)
    ]
    if not pauses:
        yield (
            "Activation: no job activates tests, since none applies tests and all that is on "
            "them; remove 'kinds' from a job, or name all of them in it."
        )
    elif min(pauses) >= before:
        yield (
            f"Activation: the jobs leave up to {span_text(min(pauses))} between two runs, but "
            f"tests are activated from {span_text(before)} before their start, so a run may come "
            "too late; let a job run more often, or set 'activate: before' to more."
        )


def _activates(settings: Settings, job: JobSettings) -> bool:
    """Tell whether a job keeps in step tests and all that feeds put on them."""
    needed = {Kind(feed.kind) for feed in settings.feeds}.intersection({Kind.TEST, *ON_A_TEST})
    return job.mode == "apply" and (job.kinds is None or needed.issubset(job.kinds))


def _longest_pause(job: JobSettings, now: datetime) -> timedelta:
    times = next_times(job.schedule, now, _RUNS)
    return max((after - before for before, after in pairwise(times)), default=timedelta.max)
