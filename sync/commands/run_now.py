"""`run-now`: the running service starts a job at once."""

import structlog

from sync.app import App, Say, now
from sync.errors import UsageError
from sync.exit_codes import Exit

_log = structlog.get_logger("run")


def run_now(app: App, job: str, say: Say) -> Exit:
    """Ask the service to start a job at once; also while a run holds the state.

    Raises:
        UsageError: the configuration has no such job.
    """
    jobs = app.loaded.settings.jobs
    if job not in jobs:
        known = ", ".join(jobs) or "none"
        raise UsageError(f"run-now {job}: the configuration has no such job; the jobs are {known}")
    app.state.request_run(job, now())
    _log.info("asked to run a job now", job=job)
    say(
        f"Requested: the service that leads starts {job} within seconds, or as soon as the run "
        "before it ends; `status` shows it. Without a service nothing starts it."
    )
    return Exit.OK
