"""Joins: rows of a feed get the columns that it takes from other sources, found by key."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from sync.engine.extract.completeness import CompletenessCheck, torn
from sync.engine.protocols import Join, LookupRow
from sync.errors import SourceError
from sync.mapping import BadValueError, CompiledFeed, clean, seen
from sync.records.base import Row, RowError
from sync.records.extract import lacking
from sync.state.store import Store

CHUNK = 500

_BETWEEN = "\x1f"
"""Between the parts of a key; no sound value holds it."""


@dataclass(slots=True)
class JoinedSource:
    """One join, its source read.

    Attributes:
        columns: what the feed takes of it, by the names that the source has for them.
        unsure: why a missing row proves nothing; empty when it proves absence.
        torn: whether it may be cut off in its last row.
        unreadable: a row whose key can't be read, so that its owner is unknown.
    """

    join: Join
    number: int
    columns: tuple[str, ...]
    place: str = ""
    unsure: str = ""
    torn: bool = False
    unreadable: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Return the columns under the names that the feed has for them."""
        return frozenset(f"{self.join.source.name}.{column}" for column in self.columns)

    def own_names(self, columns: Iterable[str]) -> list[str]:
        """Return a feed's own columns that have names like those of this source."""
        return sorted(name for name in columns if name.startswith(f"{self.join.source.name}."))


def columns_of(join: Join, mapper: CompiledFeed) -> tuple[str, ...]:
    """Return the columns that a feed takes of a joined source."""
    prefix = f"{join.source.name}."
    return tuple(
        sorted(name.removeprefix(prefix) for name in mapper.columns if name.startswith(prefix))
    )


def load(
    joined: JoinedSource, store: Store, check: CompletenessCheck, *, accepted: bool = False
) -> None:
    """Read the joined source into the store.

    `accepted`: a person has said that it is correct as it is.

    Raises:
        SourceError: it can't be read to its end, or lacks a column.
    """
    source, on = joined.join.source, joined.join.on
    with source.open(None) as extract:
        joined.place = source.rows_at(extract.place)
        needed = {*on.values(), *joined.columns, *check.columns}
        missing = sorted(needed.difference(extract.columns))
        if missing:
            raise SourceError(extract.place, *lacking(missing, extract.columns, "the feed's join"))
        store.lookups.stage(joined.number, _cells(joined, check.watched(extract.rows)))
        doubts = [*extract.doubts]
        if extract.torn is not None:
            check.torn = extract.torn()
            if check.torn and (
                why := torn(store.baselines.ended_whole(source.name), accepted, source.name)
            ):
                joined.torn = True
                doubts.append(why)
                store.lookups.drop_line(joined.number, check.last.line if check.last else 0)
        joined.unsure = "; ".join(filter(None, [extract.partial, *doubts, joined.unreadable]))


def _cells(joined: JoinedSource, rows: Iterator[Row]) -> Iterator[tuple[str, tuple[str, ...], int]]:
    theirs = tuple(joined.join.on.values())
    for row in rows:
        try:
            key = _key(row.values, theirs, joined.join)
        except BadValueError as error:
            unreadable = f"the key in {joined.place} {row.line} can't be read: it {error.reason}"
            joined.unreadable = joined.unreadable or unreadable
            continue
        if key is not None:
            yield key, tuple(row.values[column] for column in joined.columns), row.line


def _key(values: Mapping[str, str], columns: Sequence[str], join: Join) -> str | None:
    """Return the text by which rows match; None when a part is blank, which matches nothing.

    Raises:
        BadValueError: a part can't be read.
    """
    parts = [seen(clean(values[column])) for column in columns]
    if not all(parts):
        return None
    text = _BETWEEN.join(parts)
    return text.lower() if join.ignore_case else text


RowOrErrors = Row | list[RowError]
"""A row, or the row errors of a row whose joined columns are uncertain."""


def with_columns(
    joined: JoinedSource, rows: Iterator[RowOrErrors], mapper: CompiledFeed, store: Store
) -> Iterator[RowOrErrors]:
    """Yield the rows with the joined columns, or the row errors of rows without a match."""
    while chunk := list(islice(rows, CHUNK)):
        judged = [_keyed(joined, row, mapper) for row in chunk]
        found = store.lookups.find(
            joined.number, sorted({key for _, key in judged if key is not None})
        )
        for row, key in judged:
            result = (
                _with(joined, row, found.get(key) if key else None, mapper)
                if isinstance(row, Row)
                else row
            )
            if result is not None:
                yield result


def find_row(joined: JoinedSource, row: Row, store: Store) -> LookupRow | None:
    """Return the row of the joined source that matches this row, if any."""
    with suppress(BadValueError, KeyError):
        if key := _key(row.values, tuple(joined.join.on), joined.join):
            return store.lookups.find(joined.number, [key]).get(key)
    return None


def _keyed(
    joined: JoinedSource, row: RowOrErrors, mapper: CompiledFeed
) -> tuple[RowOrErrors | None, str | None]:
    """Return the row with its lookup key, or its row errors if the key can't be read."""
    if isinstance(row, list):
        return row, None
    try:
        return row, _key(row.values, tuple(joined.join.on), joined.join)
    except BadValueError as error:
        return mapper.unsure(row, f"join.{joined.join.source.name}", error, joined.names), None


def _with(
    joined: JoinedSource, row: Row, found: LookupRow | None, mapper: CompiledFeed
) -> RowOrErrors | None:
    prefix, join = joined.join.source.name, joined.join
    wrong: BadValueError | None = None
    if found is None and joined.unsure:
        wrong = BadValueError(
            f"has no row in {join.source.place}, which can't be relied on now ({joined.unsure})",
            "see to that source",
        )
    elif found is None and join.missing == "error":
        wrong = BadValueError(
            f"has no row in {join.source.place}", "correct it in one of the two sources"
        )
    elif found is None and join.missing == "skip":
        return None
    elif found is not None and found.others:
        places = f"{joined.place} {found.line} and {', '.join(map(str, found.others[:3]))}"
        wrong = BadValueError(f"{places} say different things under its key", "correct that source")
    if wrong:
        return mapper.unsure(row, f"join.{prefix}", wrong, joined.names)
    cells = found.cells if found is not None else ("",) * len(joined.columns)
    more = {f"{prefix}.{column}": cell for column, cell in zip(joined.columns, cells, strict=True)}
    return Row(row.line, {**row.values, **more})
