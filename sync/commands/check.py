"""`check`: tests the configuration, every source, and every mapping on every row."""

from collections.abc import Sequence
from itertools import chain

from sync.app import App, Say, now
from sync.commands.activation_warnings import activation_warnings
from sync.commands.check_values import ValueReport, access_warnings, key_warnings
from sync.commands.impact import show_impact
from sync.commands.plan import make_store
from sync.commands.secrets import read_secrets
from sync.engine.extract.extract import extract
from sync.engine.extract.feed_reader import FeedReport
from sync.errors import UsageError
from sync.exit_codes import Exit, worst
from sync.progress import Progress
from sync.records.checks import email_errors, name_errors
from sync.records.kinds import key_of
from sync.report.plan_text import MOST, left_out_text, row_errors_text
from sync.report.schedule_text import schedule_text
from sync.report.verdict import verdict_text
from sync.report.wording import lost_zeros_text, plural
from sync.state.store import Store


def check(app: App, say: Say, progress: Progress, *, show_all: bool, impact: bool = False) -> Exit:
    """Read everything, send nothing, leave the state alone. The last line is the verdict.

    With `impact`, show what a change of the configuration would do as well.
    """
    sources = plural(len(app.loaded.settings.sources), "source")
    say(f"Configuration: {sources}, {plural(len(app.feeds), 'feed')}, sound.")
    secrets = _unreadable_secrets(app)
    for line in secrets:
        say(f"Configuration: {line}")
    with app.state.open_to_read() as connection:
        store = make_store(app, connection)
        watched = [ValueReport(feed) for feed in app.feeds]
        extracted = extract([one.feed for one in watched], store, now(), progress)
        _judge_people(store)
        zeros = list(store.comparison.lost_zeros())
        for line in zeros:
            say(lost_zeros_text(line))
        for problem in extracted.unhealthy:
            say(f"Source: {problem}")
        _show_reports(extracted.reports, store, say)
        for line in chain(
            *(one.unnamed() for one in watched),
            *(one.missing() for one in watched),
            key_warnings(store),
            access_warnings(store),
        ):
            say(line)
        for line in row_errors_text(store.staging.row_errors(), None if show_all else MOST):
            say(line)
        if left_out := left_out_text(store.comparison.left_out()):
            say(f"{left_out}.")
        number = store.staging.row_error_count()
    held = impact and show_impact(app, say, progress)
    for line in activation_warnings(app.loaded.settings, now()):
        say(line)
    for line in schedule_text(app.schedules, now()):
        say(line)
    status = (
        Exit.USAGE
        if secrets
        else worst(
            source=bool(extracted.unhealthy), held=held or bool(zeros), row_errors=number > 0
        )
    )
    found = _found(len(secrets), len(extracted.unhealthy), number)
    counts = {"row error": number, "change of the configuration held": int(held)}
    say(verdict_text("Check", found, status, counts))
    return status


def _unreadable_secrets(app: App) -> list[str]:
    """Return what is wrong with the configured keys and passwords, a line each."""
    try:
        read_secrets(app)
    except UsageError as error:
        return str(error).splitlines()
    return []


def _show_reports(reports: Sequence[FeedReport], store: Store, say: Say) -> None:
    """Show how many rows each feed has, how many records are valid, how many rows are in error."""
    for number, report in enumerate(reports):
        if report.unread:
            continue
        line = f"{report.place}: {plural(report.rows, 'row')}, "
        line += plural(store.staging.valid_count(report.kind, number), report.kind).replace(
            " ", " valid ", 1
        )
        if wrong := store.staging.invalid_rows(report.kind, report.place):
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
    """Add the row errors of people that take too long to look for in every row."""
    for record, where in store.staging.people():
        store.staging.add_row_errors(email_errors(record, where))
        if store.known.find(record.kind, key_of(record)) is None:
            store.staging.add_row_errors(name_errors(record, where))
