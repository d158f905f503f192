"""The notifier: tells each target once of each change, and tries again what was not delivered."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from sync.config.notifications import HEARTBEAT, NotificationSettings
from sync.config_base.secrets import SecretRef
from sync.errors import StateError, SyncError
from sync.notify.delivery import DeliveryError, deliver, request_heartbeat
from sync.notify.message import Message, Situation, make_message
from sync.state.notified import Notified

PERIOD = 30.0
"""The seconds from one look to the next while nothing happens."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)

_log = structlog.get_logger("notify")


class Memory(Protocol):
    """What targets were notified of, kept in the state."""

    def notified(self) -> Mapping[str, Notified]:
        """Return what each target was last notified of."""

    def keep_notified(self, target: str, notified: Notified) -> None:
        """Store what a target was notified of."""


@dataclass(frozen=True, slots=True)
class _Retry:
    attempts: int
    at: datetime


class Notifier:
    """Tells the targets what has changed. Only one thread may call `look`.

    Nothing is queued: what a target knows is compared with what is so, so a target that can't be
    reached costs no memory, and gets the newest when it can.

    Args:
        settings: returns the settings in use.
        folder: where relative paths of secrets start.
        memory: returns the state that keeps what was sent.
        situation: returns what a person should know now.
        clock: returns the time.
        count: is notified of each delivery with target and outcome.
    """

    def __init__(
        self,
        *,
        settings: Callable[[], NotificationSettings],
        folder: Path,
        memory: Callable[[], Memory],
        situation: Callable[[], Situation],
        clock: Callable[[], datetime],
        count: Callable[[str, str], None] = lambda _target, _outcome: None,
    ) -> None:
        self._settings, self._folder, self._memory = settings, folder, memory
        self._situation, self._clock, self._count = situation, clock, count
        self._retries: dict[str, _Retry] = {}
        self._known: dict[str, Notified] = {}
        self._unsaved: set[str] = set()
        self._heartbeat = threading.Event()

    @property
    def undelivered(self) -> Sequence[str]:
        """Return the targets whose newest notification could not be delivered."""
        return sorted(self._retries.copy())

    def run_succeeded(self) -> None:
        """Let the next look request the heartbeat. Thread-safe."""
        self._heartbeat.set()

    def look(self) -> None:
        """Tell each target what it does not know yet, and request the heartbeat."""
        settings = self._settings()
        names = {*settings.targets, *([HEARTBEAT] if settings.heartbeat else [])}
        self._retries = {key: one for key, one in self._retries.items() if key in names}
        if settings.heartbeat is None:
            self._heartbeat.clear()
        elif self._heartbeat.is_set() and self._is_due(HEARTBEAT):
            url = settings.heartbeat
            if self._attempt(HEARTBEAT, lambda: request_heartbeat(url.reveal(self._folder))):
                self._heartbeat.clear()
        if settings.targets:
            self._tell(settings)

    def _tell(self, settings: NotificationSettings) -> None:
        situation = self._situation()
        try:
            stored = self._memory().notified()
        except StateError:  # what this process has told still counts
            stored = {}
        else:
            if not situation.is_complete and not stored and not self._known:
                return  # a state that does not exist yet
        for name, target in settings.targets.items():
            known = self._known if name in self._unsaved or not stored else stored
            before = known.get(name, Notified())
            message = make_message(situation, before, name, settings, self._clock())
            if message is None or not self._is_due(name):
                self._save_again(name)
                continue
            if not message.title or self._attempt(name, self._delivery(target.url, message)):
                self._save(name, message.notified)

    def _delivery(self, url: SecretRef, message: Message) -> Callable[[], None]:
        return lambda: deliver(url.reveal(self._folder), message.title, message.body)

    def _is_due(self, name: str) -> bool:
        retry = self._retries.get(name)
        return retry is None or self._clock() >= retry.at

    def _attempt(self, name: str, send: Callable[[], None]) -> bool:
        """Send, and return whether it was delivered; otherwise it waits longer each time."""
        try:
            send()
        except (DeliveryError, SyncError) as error:
            attempts = self._retries[name].attempts + 1 if name in self._retries else 1
            pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE)
            self._retries = {**self._retries, name: _Retry(attempts, self._clock() + pause)}
            self._count(name, "failed")
            _log.warning("not delivered", target=name, why=str(error), attempts=attempts)
            return False
        self._retries = {key: one for key, one in self._retries.items() if key != name}
        self._count(name, "delivered")
        _log.info("delivered", target=name)
        return True

    def _save(self, name: str, notified: Notified) -> None:
        self._known[name] = notified
        self._unsaved.add(name)
        self._save_again(name)

    def _save_again(self, name: str) -> None:
        if name not in self._unsaved:
            return
        try:
            self._memory().keep_notified(name, self._known[name])
        except StateError as error:
            _log.warning("can't keep what was sent", target=name, error=str(error))
        else:
            self._unsaved.discard(name)


class NotifierThread:
    """A thread of its own for the notifier, so that a slow mail server delays no run.

    Args:
        notifier: what it calls.
        leads: tells whether this replica leads; only the leader tells.
    """

    def __init__(self, notifier: Notifier, leads: Callable[[], bool]) -> None:
        self._notifier, self._leads = notifier, leads
        self._wake, self._stopping = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name="notify", daemon=True)

    def __enter__(self) -> "NotifierThread":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=5)

    def run_ended(self, *, succeeded: bool) -> None:
        """Look soon, since a run has ended. Thread-safe, and returns at once."""
        if succeeded:
            self._notifier.run_succeeded()
        self._wake.set()

    def _work(self) -> None:
        while not self._stopping:
            self._wake.wait(PERIOD)
            self._wake.clear()
            if not self._stopping and self._leads():
                look_safely(self._notifier)


def look_safely(notifier: Notifier) -> None:
    """Look, and log a crash instead of ending the thread: silence would be the worst."""
    try:
        notifier.look()
    except Exception as error:
        # Only the type: an exception of a library may repeat a URL with its token.
        _log.error("notifying failed with an unexpected error", error=type(error).__name__)
