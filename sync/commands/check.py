"""`check`: is the configuration sound, can every source be read, and does every mapping work on every row?"""

from collections.abc import Sequence
from itertools import chain

from sync.app import App, Say, now
from sync.commands.check_values import ValueReport, key_warnings
from sync.commands.plan import make_store
from sync.commands.secrets import read_secrets
from sync.engine.extract.extract import gather
from sync.engine.extract.feed_reader import FeedReport
from sync.engine.protocols import Progress
from sync.errors import UsageError
from sync.exit_codes import Exit, worst
from sync.records.checks import email_errors, name_errors
from sync.records.kinds import key_of
from sync.report.plan_text import MOST, left_out_text, row_errors_text
from sync.report.schedule_text import schedule_text
from sync.report.verdict import verdict_text
from sync.report.wording import plural
from sync.state.store import Store


def check(app: App, say: Say, progress: Progress, *, show_all: bool) -> Exit:
    """Read everything, send nothing, leave the state alone. The last line is the verdict."""
    sources = plural(len(app.loaded.settings.sources), "source")
    say(f"Configuration: {sources}, {plural(len(app.feeds), 'feed')}, sound.")
    secrets = _unreadable_secrets(app)
    for line in secrets:
        say(f"Configuration: {line}")
    with app.state.open_to_read() as connection:
        store = make_store(app, connection)
        watched = [ValueReport(feed) for feed in app.feeds]
        gathered = gather([one.feed for one in watched], store, now(), progress)
        _judge_people(store)
        for problem in gathered.unhealthy:
            say(f"Source: {problem}")
        _tell_readings(gathered.readings, store, say)
        for line in chain(*(one.unnamed() for one in watched), key_warnings(store)):
            say(line)
        for line in row_errors_text(store.row_errors(), None if show_all else MOST):
            say(line)
        if left_out := left_out_text(store.left_out()):
            say(f"{left_out}.")
        number = store.row_error_count()
    for line in schedule_text(app.schedules, now()):
        say(line)
    status = (
        Exit.USAGE if secrets else worst(source=bool(gathered.unhealthy), row_errors=number > 0)
    )
    say(verdict_text("Check", _found(len(secrets), len(gathered.unhealthy), number), status))
    return status


def _unreadable_secrets(app: App) -> list[str]:
    """Return what is wrong with the keys and passwords that the configuration names, a line each."""
    try:
        read_secrets(app)
    except UsageError as error:
        return str(error).splitlines()
    return []


def _tell_readings(readings: Sequence[FeedReport], store: Store, say: Say) -> None:
    """Say how many rows each feed has, how many records of them are valid, and how many rows are in error."""
    for number, reading in enumerate(readings):
        if reading.unread:
            continue
        line = f"{reading.place}: {plural(reading.rows, 'row')} read, "
        line += plural(store.valid_count(reading.kind, number), reading.kind).replace(
            " ", " valid ", 1
        )
        if wrong := store.invalid_rows(reading.kind, reading.place):
            line += f", {plural(wrong, 'row')} in error"
        say(line)


def _found(secrets: int, sources: int, row_errors: int) -> str:
    parts = [plural(row_errors, "row error") if row_errors else "no row errors"]
    if sources:
        parts.insert(0, f"{plural(sources, 'source')} can't be used")
    if secrets:
        parts.insert(0, f"{plural(secrets, 'secret')} can't be read")
    return ", ".join(parts)


def _judge_people(store: Store) -> None:
    """Looks for what is too dear to look for in every row."""
    for record, where in store.staged_people():
        store.add_row_errors(email_errors(record, where))
        if store.known(record.kind, key_of(record)) is None:
            store.add_row_errors(name_errors(record, where))
