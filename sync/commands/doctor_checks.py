"""The checks of `doctor`, one after the other: what was found, whether that is right, a remedy."""

import os
import ssl
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Final

from sync.app import App, now
from sync.commands.needed_calls import used_calls
from sync.contract import TEST_SEARCH
from sync.engine.account_lookup import NO_UPDATES
from sync.engine.extract.completeness import CompletenessCheck
from sync.engine.extract.join import columns_of
from sync.engine.protocols import BoundSource
from sync.errors import (
    CallError,
    CallMissing,
    Locked,
    NotThere,
    SourceError,
    StateError,
    StateUnreachable,
    UsageError,
)
from sync.exit_codes import Exit
from sync.records.extract import lacking
from sync.report.wording import plural
from sync.sources import SOURCES
from sync.state.migrations import head
from sync.state.old_copy import read_recovery_need
from sync.state.refusals import unanswered_findings
from sync.state.sqlite.backend import SqliteFile
from sync.state.sqlite.open import count
from sync.state.tenant_state import TenantState

FIRST_ROWS: Final = 100
"""Rows of each source that are read."""

NOTE_SKEW, WRONG_SKEW = timedelta(seconds=5), timedelta(seconds=60)
"""How far the clocks may be apart until it is worth a word, and until it is wrong."""

_ATTEMPTS: Final = 2
_PROXY_VARIABLES: Final = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


class CheckVerdict(StrEnum):
    """How what was looked at is."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `remedy` is empty where nothing is to be done; `status` counts if it is wrong."""

    what: str
    verdict: CheckVerdict
    found: str
    remedy: str = ""
    status: Exit = Exit.OK

    def __str__(self) -> str:
        text = f"{self.verdict:<5}  {self.what}: {self.found}"
        return f"{text}; {self.remedy}" if self.remedy else text


def _ok(what: str, found: str) -> Check:
    return Check(what, CheckVerdict.OK, found)


def _note(what: str, found: str, remedy: str = "") -> Check:
    return Check(what, CheckVerdict.NOTE, found, remedy)


def _wrong(what: str, status: Exit, found: object, remedy: str = "") -> Check:
    return Check(what, CheckVerdict.WRONG, str(found), remedy, status)


def checks(app: App, *, offline: bool) -> Iterator[Check]:
    """Yield all checks, causes before what they explain. Only reads."""
    yield from _configuration(app)
    yield from _state(app)
    yield from _sources(app)
    way = list(_way(app))
    yield from way
    if offline:
        yield _note("inspera", "not asked (--offline)")
    elif any(check.verdict is CheckVerdict.WRONG for check in way):
        yield _note("inspera", "not asked, as the way there is not sound")
    else:
        yield from _inspera(app)


def _configuration(app: App) -> Iterator[Check]:
    settings = app.loaded.settings
    yield _ok(
        "configuration",
        f"{plural(len(settings.sources), 'source')}, {plural(len(settings.feeds), 'feed')}",
    )
    for warning in app.loaded.warnings:
        yield _note("configuration", str(warning))


def _state(app: App) -> Iterator[Check]:
    try:
        yield from _looked_at(app.state)
    except Locked as error:
        yield _note("state", str(error))
    except StateUnreachable as error:
        yield _wrong("state", Exit.SOURCE, error)
    except (StateError, UsageError) as error:
        yield _wrong("state", Exit.USAGE, error)
    except OSError as error:
        yield _wrong("state", Exit.SOURCE, f"{app.state} can't be looked at ({error.strerror})")


def _looked_at(state: TenantState) -> Iterator[Check]:
    here = state.version()
    if here is None:
        yield _note("state", f"{state} is not there yet", "the first `apply` or `adopt` makes it")
        return
    with state.open_to_read() as connection:
        pending = count(connection, "SELECT count(*) FROM intent WHERE outcome IS NULL")
        older = read_recovery_need(connection)
        no_updates = list(unanswered_findings(connection, NO_UPDATES))
    state.load_digest_key(write=False)
    old = f"older than version {head()}, to which the next `apply` brings it"
    yield _ok("state", f"{state}, {f'version {here}' if here == head() else old}")
    if older:
        yield _wrong("state", Exit.HELD, older)
    if pending:
        remedy = "the next `apply` finds out about that first"
        yield _note(
            "state", f"{plural(pending, 'call')} of an earlier run without a known outcome", remedy
        )
    for kind, since, found in no_updates:
        yield _wrong(f"updates of {kind}", Exit.ERRORS, f"in the run of {since}: {found}")
    if holder := state.holder():
        yield _note(
            "state", f"in use by {holder}", "wait until it is done before you change anything"
        )
    if paused := state.paused():
        reason = f" ({paused.reason})" if paused.reason else ""
        yield _note(
            "state",
            f"all sending is paused since {paused.since}{reason}",
            "`resume` allows it again",
        )
    if isinstance(state.place, SqliteFile) and not os.access(state.place.path, os.W_OK):
        yield _note("state", "this user may not write it", "run `apply` as the user it belongs to")


def _sources(app: App) -> Iterator[Check]:
    try:
        feeds = app.feeds
    except UsageError as error:
        yield _wrong("sources", Exit.USAGE, error)
        return
    for word, why in SOURCES.broken.items():
        yield _note("sources", f"type '{word}': {why.reason}", why.remedy)
    for feed in feeds:
        prefixes = tuple(f"{join.source.name}." for join in feed.joins)
        named = {*feed.mapper.columns, *(column for join in feed.joins for column in join.on)}
        wanted = {column for column in named if not column.startswith(prefixes)}
        yield _source(feed.source, feed.kind, wanted, allow_empty=feed.allow_empty)
        for join in feed.joins:
            columns = {*join.on.values(), *columns_of(join, feed.mapper)}
            yield _source(join.source, f"joined by {feed.kind}", columns, allow_empty=False)


def _source(
    source: BoundSource, what_for: str, wanted: Collection[str], *, allow_empty: bool
) -> Check:
    what = f"{source.place} ({what_for})"
    try:
        with source.open(None) as extract:
            columns = extract.columns
            rows = sum(1 for _ in islice(extract.rows, FIRST_ROWS))
    except SourceError as error:
        return _wrong(what, Exit.SOURCE, error)
    missing = sorted({*wanted, *CompletenessCheck(source.proof).columns}.difference(columns))
    if missing:
        return _wrong(
            what, Exit.SOURCE, *lacking(missing, columns, "the feed's map, where and join")
        )
    if not rows and not allow_empty:
        return _note(what, "has no row", "if it may be empty, set allow_empty: true")
    read = "every row" if rows < FIRST_ROWS else f"the first {rows} rows"
    return _ok(
        what, f"{plural(len(columns), 'column')} and {read} can be read (`check` tries them all)"
    )


def _way(app: App) -> Iterator[Check]:
    """Yield what lies between this machine and Inspera: the key, the proxy and the certificates."""
    settings, folder = app.loaded.settings.inspera, app.loaded.folder
    yield _readable("api key", "can be read", lambda: settings.api_key.reveal(folder))
    if settings.proxy:
        asked = (
            f"{settings.proxy}, as a user with a password"
            if settings.proxy_user
            else settings.proxy
        )
        yield _readable("proxy", asked, lambda: settings.proxy_address(folder))
    elif any(os.environ.get(name) for name in _PROXY_VARIABLES) and not _on_this_machine(
        settings.url
    ):
        yield _note(
            "proxy",
            "none; the environment names one, and is not obeyed",
            "if it is needed, set inspera.proxy",
        )
    else:
        yield _ok("proxy", "none is set")
    if settings.ca_bundle:
        yield _certificates(folder / settings.ca_bundle)


def _readable(what: str, found: str, read: Callable[[], object]) -> Check:
    try:
        read()
    except UsageError as error:
        return _wrong(what, Exit.USAGE, error)
    return _ok(what, found)


def _certificates(path: Path) -> Check:
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ValueError) as error:
        cause = (error.strerror if isinstance(error, OSError) else "") or "it is not a PEM file"
        remedy = "set inspera.ca_bundle to a PEM file with certificates that this user may read"
        return _wrong("certificates", Exit.USAGE, f"{path} can't be used ({cause})", remedy)
    return _ok("certificates", f"{path} is trusted instead of the usual ones")


def _inspera(app: App) -> Iterator[Check]:
    from sync.inspera.target import InsperaTarget

    connection = replace(app.connection(), attempts=_ATTEMPTS)
    asked = now()
    try:
        with InsperaTarget(connection, Event(), now) as target:
            seen = target.probe()
    except (CallMissing, NotThere) as error:
        yield _ok("token", "the key is accepted")
        yield _without_search(app, error)
        return
    except CallError as error:
        yield _wrong("inspera", Exit.INSPERA, error)
        return
    yield _ok("token", "the key is accepted")
    found = "" if seen.hits is None else f", {plural(seen.hits, 'test')} found"
    yield _ok("inspera", f"{seen.status}{found}")
    yield _secured(app)
    yield clock_check(seen.date, asked, now())


def _without_search(app: App, error: CallError) -> Check:
    """Judge a search that failed: a 404 may only mean that no test was found."""
    remedy = "hold the calls against the tenant's schema: `doctor --apidoc FILE`"
    needed = any(
        one.needed and one.call.name == TEST_SEARCH.name for one in used_calls(app.loaded.settings)
    )
    if needed and isinstance(error, CallMissing):
        return _wrong("inspera", Exit.ERRORS, error, remedy)
    return _note("inspera", str(error), remedy)


def _secured(app: App) -> Check:
    settings = app.loaded.settings.inspera
    if settings.url.startswith("https://"):
        return _ok(
            "tls", f"the certificate was checked against {settings.ca_bundle or 'the usual ones'}"
        )
    return _note("tls", "none: plain HTTP, which only an address on this machine may have")


def clock_check(theirs: datetime | None, asked: datetime, answered: datetime) -> Check:
    """Compare Inspera's clock (whole seconds) with ours before the call and after it."""
    if theirs is None:
        return _note(
            "clock",
            "Inspera's answer bears no time",
            "make sure that this machine's clock is set by NTP",
        )
    ahead, behind = theirs - answered, asked - (theirs + timedelta(seconds=1))
    apart, word = max((ahead, "behind"), (behind, "ahead of"))
    seconds = round(apart.total_seconds())
    if apart <= NOTE_SKEW:
        return _ok("clock", f"within {NOTE_SKEW.seconds} s of Inspera's")
    found = f"this machine's clock is {seconds:,} s {word} Inspera's"
    remedy = "set it by NTP; what has begun and what has ended is decided by it"
    if apart <= WRONG_SKEW:
        return _note("clock", found, remedy)
    return _wrong("clock", Exit.SOURCE, found, f"{remedy}; until then `apply` removes nothing")


def _on_this_machine(url: str) -> bool:
    return url.startswith("http://")  # which no other address may have
