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
from sync.mapping import late_faults, nameless
from sync.records.base import key_of
from sync.report.plan_text import MOST, faults_text, left_out_text
from sync.report.schedule_text import schedule_text
from sync.report.verdict import verdict_text
from sync.report.wording import plural
from sync.state.store import Store


def check(house: App, say: Say, progress: Progress, *, show_all: bool) -> Exit:
    """Read everything, send nothing, leave the state alone. The last line is the verdict."""
    sources = plural(len(house.loaded.settings.sources), "source")
    say(f"Configuration: {sources}, {plural(len(house.feeds), 'feed')}, sound.")
    secrets = _unreadable_secrets(house)
    for line in secrets:
        say(f"Configuration: {line}")
    with house.state.open_to_read() as connection:
        store = make_store(house, connection)
        watched = [ValueReport(feed) for feed in house.feeds]
        gathered = gather([one.feed for one in watched], store, now(), progress)
        _judge_people(store)
        for problem in gathered.unhealthy:
            say(f"Source: {problem}")
        _tell_readings(gathered.readings, store, say)
        for line in chain(*(one.unnamed() for one in watched), key_warnings(store)):
            say(line)
        for line in faults_text(store.faults(), None if show_all else MOST):
            say(line)
        if left_out := left_out_text(store.left_out()):
            say(f"{left_out}.")
        number = store.fault_count()
    for line in schedule_text(house.schedules, now()):
        say(line)
    status = Exit.USAGE if secrets else worst(source=bool(gathered.unhealthy), faults=number > 0)
    say(verdict_text("Check", _found(len(secrets), len(gathered.unhealthy), number), status))
    return status


def _unreadable_secrets(house: App) -> list[str]:
    """Return what is wrong with the keys and passwords that the configuration names, a line each."""
    try:
        read_secrets(house)
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
        if wrong := store.faulty_rows(reading.kind, reading.place):
            line += f", {plural(wrong, 'row')} in error"
        say(line)


def _found(secrets: int, sources: int, faults: int) -> str:
    parts = [plural(faults, "fault") if faults else "no faults"]
    if sources:
        parts.insert(0, f"{plural(sources, 'source')} can't be used")
    if secrets:
        parts.insert(0, f"{plural(secrets, 'secret')} can't be read")
    return ", ".join(parts)


def _judge_people(store: Store) -> None:
    """Looks for what is too dear to look for in every row."""
    for record, where in store.staged_people():
        store.add_faults(late_faults(record, where))
        if store.known(record.kind, key_of(record)) is None:
            store.add_faults(nameless(record, where))
