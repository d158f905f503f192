"""`pause` and `resume`: stop and allow all sending, at once and from any shell."""

import structlog

from sync.app import App, Say, now
from sync.exit_codes import Exit

_log = structlog.get_logger("pause")


def pause(app: App, reason: str, say: Say) -> Exit:
    """Stop all sending, also after a restart of the service."""
    before = app.state.paused()
    reason = reason.encode(errors="replace").decode()  # of a terminal that speaks another encoding
    app.state.pause(reason, now())
    _log.info("paused", reason=reason)
    say(
        "Paused already; the new reason is kept."
        if before
        else "Paused: nothing is sent until `inspera-sync resume`."
    )
    return Exit.OK


def resume(app: App, say: Say) -> Exit:
    """Allow sending again."""
    resumed = app.state.resume()
    _log.info("resumed", was_paused=resumed)
    say("Resumed: the next run sends what is due." if resumed else "It was not paused.")
    return Exit.OK
