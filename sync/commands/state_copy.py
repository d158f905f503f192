"""`state copy`: moves the state to another database."""

from pathlib import Path

import structlog
from pydantic_core import PydanticCustomError

from sync.app import App, Say, now
from sync.config.addresses import check_state
from sync.config_base.secrets import SecretRef
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.report.wording import plural
from sync.state.open import SQLITE, backend_for
from sync.state.transfer.move import copy_state

_log = structlog.get_logger("state")


def copy(app: App, url: str, say: Say, *, password_file: Path | None = None) -> Exit:
    """Copy the state into the empty database of this URL, and stop sending from the first one.

    Raises:
        UsageError: the URL names no database, or one that has a state.
        Locked: a service or a run holds one of them.
        StateError: one of them can't be read or written.
    """
    target = backend_for(_checked(url), lambda: _password(password_file))
    copied = copy_state(app.state, target, now())
    _log.info("state copied", rows=copied.rows)
    filled = sum(table.rows > 0 for table in copied.contents.values())
    say(
        f"Copied and compared: {app.state} to {target}: {plural(copied.rows, 'row')} in "
        f"{plural(filled, 'table')}."
    )
    say(f"Nothing is sent from {app.state} any more. Set 'state: {url}' in the configuration now.")
    return Exit.OK


def _checked(url: str) -> str:
    try:
        checked = check_state(url)
    except PydanticCustomError as error:
        raise UsageError(f"the URL of the new state {error}") from None
    if not checked.startswith(SQLITE):
        return checked
    return f"{SQLITE}{Path(checked.removeprefix(SQLITE)).absolute()}"


def _password(file: Path | None) -> str:
    return "" if file is None else SecretRef(f"${{file:{file.absolute()}}}").reveal(Path())
