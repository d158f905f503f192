"""`notify`: tries the targets of notifications; and what a command tells when it ends."""

import threading
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from sync.app import App, Say, now
from sync.commands.situation import situation_of
from sync.config.notifications import HEARTBEAT
from sync.errors import Locked, StateError, SyncError, UsageError
from sync.exit_codes import Exit
from sync.service.health import Health

if TYPE_CHECKING:
    from sync.notify.notifier import Notifier

PATIENCE = 30.0
"""The most seconds that a command waits for its notifications before it ends."""

_log = structlog.get_logger("notify")


def check_targets(app: App) -> None:
    """Make sure that Apprise understands the URL of each target.

    Raises:
        UsageError: some can't be used; names all of them, a line each.
    """
    if not app.loaded.settings.notifications.targets:
        return
    from sync.notify.delivery import check_url

    wrong = []
    for name, target in app.loaded.settings.notifications.targets.items():
        try:
            check_url(target.url.reveal(app.loaded.folder))
        except SyncError as error:
            wrong.append(f"notifications.targets.{name}.url: {error}")
    if wrong:
        raise UsageError("\n".join(wrong))


def try_targets(app: App, chosen: str | None, say: Say) -> Exit:
    """Send a test notification to one target, or to all, and say what became of each.

    Raises:
        UsageError: there is no such target, or none at all.
    """
    from sync.notify.delivery import DeliveryError, deliver, request_heartbeat

    settings = app.loaded.settings.notifications
    urls = {name: target.url for name, target in settings.targets.items()}
    if settings.heartbeat:
        urls[HEARTBEAT] = settings.heartbeat
    if not urls:
        raise UsageError(
            "notifications.targets: names no target; add one as "
            "`inspera-sync help notifications` shows"
        )
    if chosen is not None and chosen not in urls:
        raise UsageError(f"{chosen}: is not one of notifications.targets; choose {', '.join(urls)}")
    status = Exit.OK
    for name in [chosen] if chosen else urls:
        try:
            url = urls[name].reveal(app.loaded.folder)
            if name == HEARTBEAT:
                request_heartbeat(url)
            else:
                deliver(url, "inspera-sync: test", f"This is a test of the target {name}.")
        except (SyncError, DeliveryError) as error:
            say(f"{name}: not delivered: {error}")
            status = Exit.ERRORS
        else:
            say(f"{name}: delivered")
    return status


def notify_after_run(app: App, status: Exit | None) -> None:
    """Tell the targets what a run by hand or by cron has changed, within a bound of time.

    A service that leads on this state tells it itself. `status` is None if the run raised an error.
    """
    settings = app.loaded.settings.notifications
    if not (settings.targets or settings.heartbeat) or _is_served(app):
        return
    notifier = make_notifier(app)
    if status in (Exit.OK, Exit.HELD, Exit.ERRORS):
        notifier.run_succeeded()
    from sync.notify.notifier import look_safely

    # A daemon, so that a server that never answers does not keep the process.
    thread = threading.Thread(target=look_safely, args=[notifier], daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        _log.warning("not all notifications were sent in time", seconds=PATIENCE)


def make_notifier(app: App) -> "Notifier":
    """Return the notifier of a command."""
    from sync.notify.notifier import Notifier

    return Notifier(
        settings=lambda: app.loaded.settings.notifications,
        folder=app.loaded.folder,
        memory=lambda: app.state,
        situation=lambda: situation_of(app, _healthy(now()), {}, now()),
        clock=now,
    )


def _healthy(moment: datetime) -> Health:
    return Health(alive=True, unreachable="", migrated=True, role="leader", loaded=moment)


def _is_served(app: App) -> bool:
    """Tell whether a service leads on this state."""
    try:
        with app.state.service() as service:
            return not service.try_lead()
    except Locked:
        return True
    except StateError:
        return False
