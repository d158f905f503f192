"""What every command needs from its invocation: the configuration, the signals and the statuses."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sync.console import say, warn
from sync.errors import (
    CallError,
    Deposed,
    Locked,
    SourceError,
    StateBusy,
    StateUnreachable,
    SyncError,
    UsageError,
)
from sync.exit_codes import Exit

if TYPE_CHECKING:
    from sync.app import App
    from sync.engine.interruption import Interruption
    from sync.state.backend import Wait

PLACES = (Path("inspera-sync.yaml"), Path("/etc/inspera-sync/inspera-sync.yaml"))
"""Where the configuration is looked for without `--config` and `INSPERA_SYNC_CONFIG`."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options that come before a command.

    Attributes:
        config: the configuration's file; None to look for it.
        verbose: whether each step is logged.
    """

    config: Path | None = None
    verbose: bool = False

    def open_app(self) -> "App":
        """Open the configuration, and log to standard error from now on."""
        from sync.app import App
        from sync.log import configure

        configure(level="info" if self.verbose else "warning")
        return App.open(self.config_path(), warn)

    def config_path(self) -> Path:
        """Return the configuration's file: the one that was named, or the first that exists.

        Raises:
            UsageError: none was named, and none exists.
        """
        # os.path: a current folder that this user may not enter (`sudo -u` from /root) must not
        # raise an error.
        existing = (place for place in PLACES if os.path.exists(place))  # noqa: PTH110
        path = self.config or next(existing, None)
        if path is None:
            looked = " nor ".join(str(place) for place in PLACES)
            raise UsageError(
                f"no configuration: neither {looked} exists; name one with --config FILE"
            )
        return path


def handle_signals() -> "Interruption":
    """Let SIGINT and SIGTERM end the run in order: calls under way finish; a second kills."""
    from sync.engine.interruption import Interruption

    interruption = Interruption()

    def stop(number: int, _frame: object) -> None:
        if interruption.event.is_set():
            os._exit(128 + number)
        interruption.end(
            "stopped by a signal", Exit.TERMINATED if number == signal.SIGTERM else Exit.INTERRUPTED
        )
        warn("stopping: the calls under way are finished and recorded first")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return interruption


def lock_waiter(interruption: "Interruption") -> "Wait":
    """Return a function that waits for another run's lock, and names that run once."""
    named: set[str] = set()

    def wait(holder: str) -> bool:
        if holder not in named:
            named.add(holder)
            warn(f"waiting for {holder}")
        return not interruption.event.wait(1)

    return wait


def status_of(error: SyncError) -> Exit:
    """Return the exit status for an error; 2 only for what a person must fix (rules 39)."""
    kinds: tuple[tuple[tuple[type[SyncError], ...], Exit], ...] = (
        ((Locked, StateBusy, Deposed), Exit.LOCKED),
        ((SourceError, StateUnreachable), Exit.SOURCE),
        ((CallError,), Exit.INSPERA),
    )
    return next((code for kind, code in kinds if isinstance(error, kind)), Exit.USAGE)


def with_verdict(what: str, run: Callable[[], Exit]) -> Exit:
    """Return the exit status of a command whose last line is its verdict, also after an error.

    `what` is the command's name, such as `Check`.
    """
    try:
        return run()
    except SyncError as error:
        from sync.report.verdict import verdict_text

        status = status_of(error)
        warn(str(error))
        say(verdict_text(what, "not finished", status))
        return status
