"""What a person should know just now, of a service or after a command."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sync.app import App
from sync.concerns.certificate import Ending, certificate_end
from sync.concerns.concern import Facts, PauseFacts, concerns_to_notify, exam_identity
from sync.concerns.facts import JobFacts, read_facts
from sync.errors import Locked, StateError, UsageError
from sync.notify.message import Situation
from sync.service.health import Health


def job_facts(app: App, next_runs: Mapping[str, datetime]) -> Sequence[JobFacts]:
    """Return the jobs of the configuration in its order."""
    jobs = app.loaded.settings.jobs.items()
    return [JobFacts(name, next_runs.get(name), job.mode == "plan") for name, job in jobs]


def endings_of(app: App, now: datetime) -> Sequence[Ending]:
    """Return the certificate and the key that are about to end."""
    return [one for one in _endings(app) if one.is_near(now)]


def _endings(app: App) -> Iterator[Ending]:
    settings = app.loaded.settings
    page, key_end = settings.service.page, settings.inspera.api_key_end()
    if page and page.tls:
        file = app.loaded.folder / page.tls.certificate
        try:
            end = certificate_end(file.read_text("ascii"))
        except (OSError, ValueError):
            pass  # the web server does not start without it
        else:
            what = f"The certificate {page.tls.certificate} of the status page"
            remedy = "Put a new one in place, and restart the service."
            yield Ending("certificate", what, end, remedy)
    if key_end:
        remedy = "Make a new one in Inspera, and write its end into inspera.api_key_ends."
        yield Ending("api_key", "The API key of Inspera", key_end, remedy)


def situation_of(
    app: App, health: Health, next_runs: Mapping[str, datetime], now: datetime
) -> Situation:
    """Return what a person should know now, and whether the state could be read."""
    endings = endings_of(app, now)
    try:
        with app.state.open_to_read() as connection:
            facts = read_facts(
                connection,
                now=now,
                health=health,
                paused=None,
                jobs=job_facts(app, next_runs),
                endings=endings,
            )
    except (StateError, Locked, UsageError):
        paused: PauseFacts | None = None
        facts = Facts(now=now, health=health, paused=paused, holds=(), exams=(), endings=endings)
        return Situation(concerns_to_notify(facts), is_complete=False)
    solved = frozenset(exam_identity(one.key) for one in facts.exams if one.is_complete)
    return Situation(concerns_to_notify(facts), complete_exams=solved)
