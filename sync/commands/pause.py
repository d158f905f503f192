"""`pause` and `resume`: stop and allow all sending, at once and from any shell."""

import structlog

from sync.app import App, Say, now
from sync.commands.person import login_name
from sync.exit_codes import Exit
from sync.records.base import utc_text, utc_time
from sync.state.audit.chain import Event
from sync.state.audit.notes import Note
from sync.state.sqlite.backend import NOBODY_KNOWS
from sync.state.tenant_state import TenantState

_log = structlog.get_logger("pause")


def pause(app: App, reason: str, say: Say, by: str | None = None) -> Exit:
    """Stop all sending, also after a restart of the service; `by` is None for the login name.

    A second pause keeps since when the first one holds, and its reason unless it has one itself.
    """
    before, since = app.state.paused(), now()
    reason = reason.encode(errors="replace").decode()  # of a terminal that speaks another encoding
    if before and before.since != NOBODY_KNOWS:
        since, reason = utc_time(before.since), reason or before.reason
    app.state.pause(reason, since, _note(Event.PAUSED, by))
    _log.info("paused", reason=reason)
    say(
        f"Paused already. {pause_text(app.state)}"
        if before
        else "Paused: nothing is sent until `inspera-sync resume`."
    )
    return Exit.OK


def pause_text(state: TenantState) -> str:
    """Return why nothing is sent now; empty when sending is not paused."""
    paused = state.paused()
    if paused is None:
        return ""
    reason = f" ({paused.reason})" if paused.reason else ""
    return (
        f"All sending is paused since {paused.since}{reason}; `inspera-sync resume` allows it "
        "again."
    )


def _note(event: Event, by: str | None) -> Note:
    return Note(event, utc_text(now()), by or login_name())


def resume(app: App, say: Say, by: str | None = None) -> Exit:
    """Allow sending again; `by` is None for the login name."""
    resumed = app.state.resume(_note(Event.RESUMED, by))
    _log.info("resumed", was_paused=resumed)
    say("Resumed: the next run sends what is due." if resumed else "It was not paused.")
    return Exit.OK
