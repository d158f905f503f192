"""`sample`: the first rows of one source, as they are read and as each feed makes records of them.

This shows people's data, on purpose. It sends nothing, keeps nothing and logs nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count, islice

from sync.app import App
from sync.commands.sample_values import hidden_columns, hidden_fields, hidden_for, made_of
from sync.config import Feed as FeedSettings
from sync.config.guide import suggest
from sync.console import put, say, write
from sync.engine.extract.completeness import CompletenessCheck
from sync.engine.extract.join import JoinedSource, RowOrErrors, columns_of, load, with_columns
from sync.engine.protocols import Feed
from sync.errors import UsageError
from sync.exit_codes import Exit, worst
from sync.records.base import Row
from sync.records.extract import Extract, lacking
from sync.report.sample_json import sample_json
from sync.report.sample_text import sample_text
from sync.report.sampled import HIDDEN, MappedRecord, Sample, SampledRow, SampleOutcome
from sync.state.store import Store
from sync.text.masking import masked


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """What the sample command was asked for."""

    source: str
    rows: int = 5
    as_json: bool = False


def sample(app: App, options: SampleOptions, width: int | None = None) -> Exit:
    """Print the rows; `width` is the terminal's in characters, None when the text goes elsewhere.

    Raises:
        UsageError: the source does not exist, or a feed's rules can't be followed.
        SourceError: the source, or one that is joined to it, can't be read.
    """
    taken = take_sample(app, options.source, options.rows)
    status = worst(source=bool(taken.problems), row_errors=taken.row_errors > 0)
    if options.as_json:
        say(sample_json(taken, status))
        return status
    # On a terminal the text has colours, and its values are escaped already.
    show = write if width is None else put
    for line in sample_text(taken, width):
        show(f"{line}\n")
    return status


def take_sample(app: App, name: str, most: int) -> Sample:
    """Return at most `most` rows of the source with this name.

    Raises:
        UsageError, SourceError: as above.
    """
    sources = app.loaded.settings.sources
    if name not in sources:
        raise UsageError(
            f"sample {name}: this source does not exist; {suggest(name, tuple(sources))}"
        )
    numbers = count()
    feeds = [
        _SampleReading(number, feed, settings, numbers)
        for number, (feed, settings) in enumerate(
            zip(app.feeds, app.loaded.settings.feeds, strict=True), start=1
        )
        if settings.source == name
    ]
    folder, source = app.loaded.folder, sources[name]
    hidden = hidden_columns(app.loaded, source.place(folder))
    with source.open(folder) as extract, ExitStack() as stack:
        store = _scratch(app, stack) if any(one.feed.joins for one in feeds) else None
        rows = list(islice(extract.rows, most))
        usable, problems = _usable(feeds, extract)
        mapped = [_map_rows(app, one, extract, rows, store) for one in usable]
        place = f"{extract.place} {source.unit}"
        sampled = [
            SampledRow(
                f"{place} {row.line}", _cells(row.values, hidden), [each[at] for each in mapped]
            )
            for at, row in enumerate(rows)
        ]
        return Sample(
            name, extract.place, extract.columns, sampled, problems, _notes(app, name, extract)
        )


@dataclass(frozen=True, slots=True)
class _SampleReading:
    """A feed of this source, its number in the configuration, and those of its joined sources."""

    number: int
    feed: Feed
    settings: FeedSettings
    numbers: Iterator[int]


def _scratch(app: App, stack: ExitStack) -> Store:
    """Yield a place to look joined sources up in while this command runs; only read the state."""
    from sync.commands.plan import make_store

    return make_store(app, stack.enter_context(app.state.open_to_read()))


def _usable(
    feeds: Sequence[_SampleReading], extract: Extract
) -> tuple[list[_SampleReading], list[str]]:
    """Return the feeds whose columns are all there, and why the others are not usable."""
    usable, problems = list[_SampleReading](), list[str]()
    for one in feeds:
        joins = one.feed.joins
        joined = {
            f"{join.source.name}.{name}"
            for join in joins
            for name in columns_of(join, one.feed.mapper)
        }
        own = {column for join in joins for column in join.on}
        missing = {
            *one.feed.mapper.missing({*extract.columns, *joined}),
            *own.difference(extract.columns),
        }
        if missing:
            reason, remedy = lacking(sorted(missing), extract.columns, "the feed's map and where")
            problems.append(f"{extract.place}: feeds[{one.number}]: {reason}; {remedy}")
        else:
            usable.append(one)
    return usable, problems


def _map_rows(
    app: App, one: _SampleReading, extract: Extract, rows: Sequence[Row], store: Store | None
) -> list[MappedRecord]:
    """Return what a feed makes of each of these rows."""
    place = one.feed.source.rows_at(extract.place)
    secret = hidden_for(app.loaded, one.settings)
    hidden = hidden_fields(one.settings, app.options, secret)
    mapper = one.feed.mapper.at(place)
    mapped: list[MappedRecord] = []
    for judged in _judged(one, rows, store):
        if judged is None:
            mapped.append(MappedRecord(one.number, one.feed.kind, SampleOutcome.SKIPPED))
        elif isinstance(judged, list):
            mapped.append(
                MappedRecord(one.number, one.feed.kind, SampleOutcome.ROW_ERRORS, row_errors=judged)
            )
        else:
            more = {
                column: text
                for column, text in judged.values.items()
                if column not in extract.columns
            }
            mapped.append(
                made_of(one.number, one.settings, mapper, judged, _cells(more, secret), hidden)
            )
    return mapped


def _judged(
    one: _SampleReading, rows: Sequence[Row], store: Store | None
) -> Iterator[RowOrErrors | None]:
    """Yield each row with its joined columns; None for one that lacks them and is skipped.

    The only place where a feed's rows are put together here.
    """
    if store is None or not one.feed.joins:
        yield from rows
        return
    joins = [
        JoinedSource(join, next(one.numbers), columns_of(join, one.feed.mapper))
        for join in one.feed.joins
    ]
    for joined in joins:
        load(joined, store, CompletenessCheck(joined.join.source.proof))
    for row in rows:
        judged: Iterator[RowOrErrors] = iter([row])
        for joined in joins:
            judged = with_columns(joined, judged, one.feed.mapper, store)
        yield next(judged, None)


def _cells(values: Mapping[str, str], hidden: frozenset[str]) -> dict[str, str]:
    """Return values by column as they may be shown."""
    return {
        name: HIDDEN if name in hidden and text else masked(text) for name, text in values.items()
    }


def _notes(app: App, name: str, extract: Extract) -> list[str]:
    settings = app.loaded.settings
    notes = (
        [f"{extract.place} is not all that there is: {extract.partial}."] if extract.partial else []
    )
    joining = [
        f"feeds[{number}]"
        for number, feed in enumerate(settings.feeds, start=1)
        if name in feed.join
    ]
    if joining:
        notes.append(
            f"{', '.join(joining)} {'take' if len(joining) > 1 else 'takes'} columns from it "
            "(`join`)."
        )
    elif not any(feed.source == name for feed in settings.feeds):
        notes.append("No feed reads it.")
    return notes
