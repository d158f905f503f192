"""Reads every feed, row by row, into the store's staging: what is wanted, and what can't be used and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sync.engine.doors import Feed, Origin, Progress, Store
from sync.errors import SourceError
from sync.extract import Extract
from sync.mapping import CompiledFeed
from sync.model import Fault, Kind, Record, Row

REPORT_EVERY = 10_000
"""Rows between two words to whoever watches."""


@dataclass(slots=True)
class Reading:
    """How the reading of one feed went. `unhealthy` says why its absences prove nothing; empty when they do."""

    place: str
    kind: Kind
    rows: int = 0
    records: int = 0
    faults: int = 0
    unhealthy: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """All feeds' readings, and for each kind why absence proves nothing (kinds where it does are left out)."""

    readings: Sequence[Reading]
    trouble: Mapping[Kind, str] = field(default_factory=dict)

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds that have a feed."""
        return frozenset(reading.kind for reading in self.readings)

    @property
    def unhealthy(self) -> list[str]:
        """What is wrong with sources, one text each."""
        return [reading.unhealthy for reading in self.readings if reading.unhealthy]


def gather(feeds: Sequence[Feed], store: Store, progress: Progress) -> Gathered:
    """Stages what all feeds want. A feed that can't be read to its end adds nothing, and its kind loses nothing."""
    readings = [_read(number, feed, store, progress) for number, feed in enumerate(feeds)]
    store.close_staging()
    trouble = {kind: _trouble(kind, readings, store) for kind in Kind}
    naming = {feed.kind for feed in feeds if feed.names_committees}
    if naming:  # committees are named by others, too, so their absence rests on all of these
        trouble[Kind.COMMITTEE] = next((trouble[kind] for kind in sorted(naming) if trouble[kind]), "")
    return Gathered(readings, {kind: why for kind, why in trouble.items() if why})


def _trouble(kind: Kind, readings: Sequence[Reading], store: Store) -> str:
    """Why absence of this kind proves nothing in this run; empty when it does."""
    mine = [reading for reading in readings if reading.kind is kind]
    if not mine:
        return f"no feed of kind {kind}"
    ill = next((f"{reading.place} can't be relied on in this run" for reading in mine if reading.unhealthy), "")
    keyless = "" if ill else store.keyless(kind)
    return ill or (f"the key in {keyless} can't be read, so no {kind}'s absence proves anything" if keyless else "")


def _read(number: int, feed: Feed, store: Store, progress: Progress) -> Reading:
    reading = Reading(feed.place, feed.kind)
    faults: list[Fault] = []
    try:
        with feed.open(None) as extract:
            _need_columns(feed, extract)
            place = f"{extract.place} {feed.unit}"
            store.name_place(number, place)
            records = _records(feed.mapper.at(place), extract.rows, reading, faults, store, progress)
            reading.records = store.stage(feed.kind, number, records)
    except SourceError as error:
        store.discard(feed.kind, number)
        reading.records = 0
        reading.unhealthy = f"{error}; nothing of it is used in this run, and nothing that rests on it is removed"
    store.add_faults(faults)
    if not reading.unhealthy and not reading.records and not reading.faults and not feed.may_be_empty:
        reading.unhealthy = (
            f"{feed.place}: no row is left after `where` ({reading.rows} read); nothing that rests on it is removed; "
            "if it may rightly be empty, say may_be_empty: true"
        )
    return reading


def _need_columns(feed: Feed, extract: Extract) -> None:
    missing = feed.mapper.missing(extract.columns)
    if missing:
        names = ", ".join(repr(name) for name in missing)
        remedy = f"its columns are {', '.join(extract.columns)}: correct the source or the feed's map and where"
        raise SourceError(extract.place, f"column {names} is missing", remedy)


def _records(
    mapper: CompiledFeed,
    rows: Iterator[Row],
    reading: Reading,
    faults: list[Fault],
    store: Store,
    progress: Progress,
) -> Iterator[tuple[Record, Origin | None, int]]:
    convert, origin = mapper.map, mapper.origin
    phase = f"reading {reading.place}"
    for row in rows:
        reading.rows += 1
        if reading.rows % REPORT_EVERY == 0:
            progress(phase, reading.rows)
        made = convert(row)
        if made is None:
            continue
        if isinstance(made, list):
            reading.faults += 1
            faults.extend(made)
            if len(faults) >= REPORT_EVERY:
                store.add_faults(faults)
                faults.clear()
            continue
        yield made, origin(row), row.line
    progress(phase, reading.rows, reading.rows)
