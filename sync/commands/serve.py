"""`serve`: the long-running service, made of schedule, runs, health and metrics."""

import logging
import os
import signal
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from datetime import datetime
from pathlib import Path

import structlog

from sync.app import App, now
from sync.commands.invocation import Invocation, status_of
from sync.commands.jobs import ConfiguredJob
from sync.commands.notify import check_targets
from sync.commands.page_desk import PageDesk
from sync.commands.secrets import read_secrets
from sync.commands.situation import situation_of
from sync.config.page import SHORTEST_TOKEN, PageSettings
from sync.errors import Locked, StateError, StateUnreachable, SyncError, UsageError
from sync.exit_codes import Exit
from sync.log import configure
from sync.notify.notifier import Notifier, NotifierThread
from sync.records.base import utc_time
from sync.service import systemd
from sync.service.approvals import APPROVED
from sync.service.deliveries import WatchedSource
from sync.service.figure_reader import FigureReader
from sync.service.health import Health, Heartbeat
from sync.service.http import Certificate, serve_pages
from sync.service.loop import Service
from sync.service.metrics import ENDED, Metrics
from sync.service.protocols import ServiceSetup
from sync.state.backend import Pause, ServiceLock
from sync.state.history import PastJob, read_past_jobs
from sync.state.migrations import head
from sync.state.service_figures import ServiceFigures, read_figures

HANGS = 30.0
"""Seconds without a round of its loop after which the service says that it is not alive."""

_log = structlog.get_logger("service")


def serve(invocation: Invocation) -> Exit:
    """Run the configuration's jobs until SIGTERM. Return 0 when it was stopped.

    A service has only its log, so an error is logged, a line for each of its own.
    """
    try:
        return _serve(invocation.config_path())
    except SyncError as error:
        for line in str(error).splitlines():
            _log.error("service ended", why=line)
        return status_of(error)


def _serve(config: Path) -> Exit:
    """Run the service.

    Raises:
        ConfigurationErrors: the file can't be used; nothing was scheduled.
        Locked: another service runs on this state.
        StateError: the state can't be used, and time won't fix it.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to be read again
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    configure(level="info")
    logging.getLogger("apscheduler").setLevel(
        logging.ERROR
    )  # of runs that overlap, the service tells itself
    desk = ServiceMonitor(config)
    with ExitStack() as stack:
        app = desk.app
        state = _ServiceState(desk, stack.enter_context(app.state.service()))
        service = Service(desk.load, state, systemd.Notifier.from_environment(), desk, now)
        desk.notifying = stack.enter_context(NotifierThread(desk.notifier, lambda: desk.leads))
        stack.enter_context(_pages(desk, service))
        service.install_signal_handlers()
        if not service.run():
            os._exit(
                Exit.OK
            )  # a thread that hangs would keep the process; its open calls are in the journal
    return Exit.OK


def _pages(desk: "ServiceMonitor", service: Service) -> AbstractContextManager[object]:
    """Return the web server, which serves the pages that the configuration asks for."""
    settings = desk.app.loaded.settings.service
    if settings.listen is None:
        return nullcontext()
    if settings.page is None and settings.trigger_token is None:
        return serve_pages(settings.listen, desk.health, desk.metrics)
    from sync.page.access import Access
    from sync.page.application import make_pages
    from sync.page.guard import Reach
    from sync.page.triggers import make_triggers

    page, folder = settings.page, desk.app.loaded.folder
    tls = None
    if page and page.tls:
        tls = Certificate(folder / page.tls.certificate, folder / page.tls.key)
    reach = Reach(secure=tls is not None, proxy=(page and page.proxy) or "")
    back = PageDesk(
        lambda: desk.app,
        desk.health,
        lambda: desk.next_runs,
        lambda: service.run_queue.running,
        service.request_run,
        lambda: desk.notifier.undelivered,
    )
    pages = {}
    if settings.trigger_token:
        triggers = make_triggers(back.run_now, Access(lambda: desk.trigger_token), reach)
        pages["/trigger"] = triggers
    if page:
        pages["/"] = make_pages(back, Access(lambda: desk.token), reach)
    return serve_pages(settings.listen, desk.health, desk.metrics, pages=pages, tls=tls)


def _leave(_number: int, _frame: object) -> None:
    """End a service that has not begun to do anything."""
    raise SystemExit(int(Exit.OK))


class _ServiceState:
    """The state, as the service asks about it."""

    def __init__(self, desk: "ServiceMonitor", hold: ServiceLock) -> None:
        self._desk, self._hold = desk, hold

    def leads(self) -> bool:
        """Tell whether this service leads, or takes the free lead; check the state too."""
        leads = self._hold.try_lead()
        self._desk.look(leads)
        return leads

    def take_requested(self) -> Collection[str]:
        """Return the jobs that a person wants to run now, and forget them."""
        requested, self._desk.requested = self._desk.requested, []
        return requested

    def approvals_wait(self) -> bool:
        """Tell whether a person has approved something with which no run has begun."""
        return self._desk.approvals_wait

    def prepare(self) -> Mapping[str, PastJob]:
        """Migrate the state to this version. Return what it remembers of the jobs."""
        state = self._desk.app.state
        state.check_usable()
        try:
            with state.open_to_write("serve") as opened:
                past = read_past_jobs(opened.connection)
        except Locked:  # the process that holds it has migrated it to its version
            if state.version() != head():
                raise
            with state.open_to_read() as connection:
                past = read_past_jobs(connection)
        self._desk.remember(past)
        return past


class ServiceMonitor:
    """What the service needs of the other rooms, and what it tells them."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self.app = _sound(config)
        self._fresh = True
        self.metrics = Metrics(now)
        self._figures = FigureReader(self._read_figures, self.metrics.figures)
        self._pulse = Heartbeat(HANGS)
        self._loaded = now()
        self._reload_failed: datetime | None = None
        self._leads, self._unreachable, self._migrated = False, "", False
        self._trouble = ""
        self._paused: Pause | None = None
        self.approvals_wait = False
        self.next_runs: Mapping[str, datetime] = {}
        self.token, self.trigger_token = _read_tokens(self.app)
        self.requested: list[str] = []
        self.notifier = Notifier(
            settings=lambda: self.app.loaded.settings.notifications,
            folder=self.app.loaded.folder,
            memory=lambda: self.app.state,
            situation=lambda: situation_of(self.app, self.health(), self.next_runs, now()),
            clock=now,
            count=self.metrics.notified,
        )
        self.notifying: NotifierThread | None = None

    @property
    def leads(self) -> bool:
        """Tell whether this replica leads, over a state of this version."""
        return self._leads and self._migrated

    def load(self) -> ServiceSetup:
        """Return the configuration as it is now. The one in use stays if the new one is invalid."""
        app = self.app if self._fresh else _sound(self._config)
        self._fresh = False
        if app.loaded.state_url != self.app.loaded.state_url:
            raise UsageError("state: can't be changed while the service runs; restart it")
        if app.tenant != self.app.tenant:
            remedy = "restart it; the state says then whether it belongs to the new one"
            raise UsageError(
                f"inspera: the tenant can't be changed while the service runs; {remedy}"
            )
        old, new = self.app.loaded.settings.service, app.loaded.settings.service
        if old.listen != new.listen or _page_address(old.page) != _page_address(new.page):
            _log.warning("service.listen and service.page take effect when it is restarted")
        self.token, self.trigger_token = _read_tokens(app)
        self.app = app
        settings = app.loaded.settings
        self._loaded = now()
        jobs = {
            name: ConfiguredJob(app, name, job, self.metrics) for name, job in settings.jobs.items()
        }
        schedules = {name: job.timed.schedule.next_after for name, job in jobs.items()}
        self.metrics.keep(schedules, settings.sources.keys())
        self.metrics.api_key_ends(settings.inspera.api_key_end())
        approved = ConfiguredJob.of_approvals(app, self.metrics)
        return ServiceSetup(
            jobs, settings.service.shutdown_timeout, approved, list(_watched_sources(app))
        )

    def look(self, leads: bool) -> None:
        """Check whether all sending is stopped, and whether the state is of this version.

        The one that leads also takes the requests of people to run a job now.
        """
        try:
            self.app.state.check_usable()
            self._trouble = ""
        except StateUnreachable as error:
            self._trouble = str(error)
        with suppress(StateError, Locked):  # while it can't be asked, what it said last counts
            self._paused = self.app.state.paused()
            # While sending is paused, a run would leave them as they are.
            self.requested += self.app.state.take_requested() if leads else []
            self.approvals_wait = not self._paused and self.app.state.approvals_wait(now())
            self._migrated = self._migrated or self.app.state.version() == head()

    def remember(self, past: Mapping[str, PastJob]) -> None:
        """Note that the state is of this version, and remembers this of the jobs."""
        self._migrated = True
        for job, one in past.items():
            if job not in self.app.loaded.settings.jobs:
                continue
            if one.done is None:
                self.metrics.never_succeeded(job, one.first)
            else:
                self.metrics.succeeded(job, one.done)

    def health(self) -> Health:
        """Return the health of the service at its last round."""
        paused = self._paused
        return Health(
            alive=self._pulse.alive,
            unreachable=self._unreachable or self._trouble,
            migrated=self._migrated,
            role="leader" if self._leads else "standby",
            loaded=self._loaded,
            reload_failed=self._reload_failed,
            paused=None if paused is None else utc_time(paused.since),
            clock_trouble=self.metrics.clock_trouble,
        )

    def ended(self, job: str, outcome: str, seconds: float) -> None:
        """Note that a run ended. One of approved changes has no times, so none can be missed."""
        if job == APPROVED:
            return
        self.metrics.run_ended(job, outcome, seconds, now())
        self._figures.expire()
        if outcome == "yielded":
            self.metrics.yielded(job)
        if self.notifying:
            self.notifying.run_ended(succeeded=outcome in ENDED)

    def overlapped(self, job: str) -> None:
        """Note that a job was due while its earlier run was not over."""
        self.metrics.overlapped(job)

    def reloaded(self, ok: bool) -> None:
        """Note that the configuration was read again."""
        self._reload_failed = None if ok else now()
        self.metrics.reload(ok)

    def round(self, leads: bool, unreachable: str, next_runs: Mapping[str, datetime]) -> None:
        """Note that the loop came round."""
        self._pulse.beat()
        self.next_runs = dict(next_runs)
        self._leads, self._unreachable = leads, unreachable
        self.metrics.leads(leads)
        if self._migrated:
            self._figures.refresh()
        self.metrics.paused(self._paused is not None)
        for job in self.app.loaded.settings.jobs:
            self.metrics.next_run(job, next_runs.get(job))

    def _read_figures(self) -> ServiceFigures:
        with self.app.state.open_to_read() as connection:
            return read_figures(connection, now())

    def impediment(self) -> str:
        """Return since when sending is paused, and what is wrong with the clock; or empty."""
        paused = f"paused since {self._paused.since}" if self._paused else ""
        return "; ".join(filter(None, [paused, self.metrics.clock_trouble]))


def _read_tokens(app: App) -> tuple[str, str]:
    """Return the tokens of the page and of triggers; empty for one that is not configured.

    Raises:
        UsageError: one is too short to be safe.
    """
    service = app.loaded.settings.service
    secrets = {
        "service.page.token": service.page and service.page.token,
        "service.trigger_token": service.trigger_token,
    }
    tokens = [one.reveal(app.loaded.folder) if one else "" for one in secrets.values()]
    for name, token in zip(secrets, tokens, strict=True):
        if secrets[name] and len(token) < SHORTEST_TOKEN:
            raise UsageError(
                f"{name}: has fewer than {SHORTEST_TOKEN} characters; make one with "
                "`openssl rand -hex 24`"
            )
    return tokens[0], tokens[1]


def _watched_sources(app: App) -> Iterator[WatchedSource]:
    """Yield the sources that jobs watch, each with its jobs."""
    settings = app.loaded.settings
    for name, source in settings.sources.items():
        jobs = [job for job, of in settings.jobs.items() if name in of.watch]
        watcher = source.watcher(app.loaded.folder) if jobs else None
        if watcher is not None:
            yield WatchedSource(name, watcher, jobs)


def _page_address(page: PageSettings | None) -> object:
    """Return what of the page's settings a running server can't take over."""
    return page and (page.tls, page.proxy)


def _sound(config: Path) -> App:
    """Return the configuration, after a check of its jobs, its rules and its secrets.

    Raises:
        UsageError: jobs are missing, or a rule or a secret can't be used.
    """
    app = App.open(config, lambda text: _log.warning("configuration", warning=text))
    if not app.loaded.settings.jobs:
        raise UsageError(
            f"{config}: no jobs; add some under 'jobs', or run `inspera-sync apply` from cron"
        )
    app.prepare()
    read_secrets(app)
    check_targets(app)
    return app
