"""The watch on sources: jobs start as soon as one of their sources has something new.

Each source is asked in a thread of its own, since a network share may answer after minutes.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from sync.errors import SyncError

INTERVAL = 0.5
"""The seconds between two questions."""

LONGEST_PAUSE = 60.0
"""The most seconds between two questions to a source that can't be asked."""

_log = structlog.get_logger("service")


class Watcher(Protocol):
    """Notices that a source has something new (see `sync.sources.base.Watcher`)."""

    def is_new(self) -> bool: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class WatchedSource:
    """A source with its watcher, and the jobs that it starts."""

    name: str
    watcher: Watcher
    jobs: Sequence[str]


class Deliveries:
    """Watches sources, and requests their jobs.

    Args:
        request: starts a job; returns whether this replica leads and has the job.
        interval: the seconds between two questions.
    """

    def __init__(self, request: Callable[[str], bool], interval: float = INTERVAL) -> None:
        self._request, self._interval = request, interval
        self._ending = threading.Event()

    def replace(self, sources: Sequence[WatchedSource]) -> None:
        """Watch these sources, and no others."""
        self.close()
        self._ending = threading.Event()
        for source in sources:
            threading.Thread(
                target=self._watch,
                args=(source, self._ending),
                name=f"watch {source.name}",
                daemon=True,
            ).start()

    def close(self) -> None:
        """Watch no more. A thread that waits for a share ends when that answers."""
        self._ending.set()

    def _watch(self, source: WatchedSource, ending: threading.Event) -> None:
        pause, failed = self._interval, False
        waiting: set[str] = set()
        while not ending.wait(pause):
            try:
                if source.watcher.is_new():
                    _log.info("a source has something new", source=source.name)
                    waiting = set(source.jobs)
                pause = self._interval
                if failed:
                    _log.info("a source can be watched again", source=source.name)
                failed = False
            except Exception as error:  # whatever a share or a driver raises, ask again later
                text = str(error) if isinstance(error, SyncError) else type(error).__name__
                if not failed:
                    _log.warning("a source can't be watched", source=source.name, error=text)
                failed, pause = True, min(LONGEST_PAUSE, 2 * max(pause, self._interval))
            # A replica on standby keeps it in mind: it may lead a moment later.
            waiting = {job for job in waiting if not self._request(job)}
        source.watcher.close()
