"""Values that `check` warns about: those in no condition, and keys like identity numbers."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import islice

from sync.contract import MANY_ACCESSES
from sync.engine.protocols import Feed
from sync.records.base import Kind, Row, listed
from sync.records.extract import Extract, Since
from sync.records.kinds import PEOPLE
from sync.records.staff import Staff
from sync.state.store import Store
from sync.text.masking import masked, national_ids, quoted_value

MOST_NAMED = 10
"""Values of a column that are listed."""

MOST_MISSING = 50
"""Words that a lookup does not know, of one field, that are listed."""

MOST_COUNTED = 1_000
"""Different values of a column that are counted: one with more holds no words such as a status."""

_OFTEN = 5
_SAMPLED = 2_000


class ValueReport:
    """A feed whose values no condition of `where` and `departure` names, or no lookup knows."""

    def __init__(self, feed: Feed) -> None:
        self._mapper, self._lookups = feed.mapper, feed.mapper.lookups
        self._missing: dict[str, Counter[str]] = {name: Counter() for name in self._lookups}
        self._named = feed.mapper.named_words
        self._counts: dict[str, Counter[str]] = {column: Counter() for column in self._named}
        self._place = feed.place
        source = (
            replace(feed.source, open=self._opened(feed))
            if self._named or self._lookups
            else feed.source
        )
        self.feed = replace(feed, source=source)

    def unnamed(self) -> Iterator[str]:
        """Yield a line for each column that has such values, the most frequent values first."""
        for column, counts in self._counts.items():
            if counts:
                yield f"{self._place}: {column}: {_listed(counts, 'named by no condition')}"

    def missing(self) -> Iterator[str]:
        """Yield a line for each lookup with the words that it does not know, all at once."""
        for name, counts in self._missing.items():
            if counts:
                place, lookup = f"{self._place}: {name}", self._lookups[name]
                found = _listed(counts, "not in its lookup", MOST_MISSING, lookup.personal)
                yield f"{place}: {found}; correct the source, or add them to the 'lookup'"

    def _opened(self, feed: Feed) -> Callable[[Since | None], AbstractContextManager[Extract]]:
        @contextmanager
        def opened(since: Since | None) -> Iterator[Extract]:
            with feed.source.open(since) as extract:
                extract.rows = self._counted(extract.rows)
                yield extract

        return opened

    def _counted(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            for column, named in self._named.items():
                text = row.values.get(column)
                if text is not None and not any(text.strip() in words for words in named):
                    counts = self._counts[column]
                    _count(counts, text.strip())
            self._count_missing(row)
            yield row

    def _count_missing(self, row: Row) -> None:
        """Count the words that no lookup knows, of a row that `where` selects."""
        found = [
            (name, word)
            for name, lookup in self._lookups.items()
            for word in lookup.missing(row.values.get(lookup.column, ""))
        ]
        if found and isinstance(self._mapper.map(row), list):
            for name, word in found:
                _count(self._missing[name], word)


def _count(counts: Counter[str], text: str) -> None:
    if len(counts) < MOST_COUNTED or text in counts:
        counts[text] += 1


def _listed(counts: Counter[str], what: str, most: int = MOST_NAMED, personal: bool = False) -> str:
    """Return values with how often each occurs, the most frequent first."""
    few = len(counts) <= most * 2 and not personal
    shown = [f"{_shown(text, few and n >= _OFTEN)} ({n:,})" for text, n in counts.most_common(most)]
    more = f" and {len(counts) - most:,} more" if len(counts) > most else ""
    values = "1 value" if len(counts) == 1 else f"{len(counts):,} values"
    return f"{values} {what}: {', '.join(shown)}{more}"


def _shown(text: str, common: bool) -> str:
    """Yield a warning for each key column with few values: a value of many rows names nobody."""
    if not text:
        return "(blank)"
    return f"'{masked(text)}'" if common and "@" not in text else quoted_value(text, code=True)


def access_warnings(store: Store) -> Iterator[str]:
    """Yield a warning for staff with very many accesses, and a count of those beyond some."""
    many = 0
    for record, where in store.staging.people():
        number = len(listed(record.accesses)) if isinstance(record, Staff) else 0
        if number <= MANY_ACCESSES:
            continue
        many += 1
        if many <= MOST_NAMED:
            yield (
                f"warning: {where}: {number} accesses of one person; Inspera advises at most "
                f"{MANY_ACCESSES}"
            )
    if many > MOST_NAMED:
        yield f"warning: {many - MOST_NAMED:,} more staff with more than {MANY_ACCESSES} accesses"


def key_warnings(store: Store) -> Iterator[str]:
    """Return a warning for each kind of people whose keys look like national identity numbers."""
    for kind in PEOPLE:
        keys = (record[0] for record, _ in store.staging.people() if record.kind is kind)
        whose = national_ids(str(key) for key in islice(keys, _SAMPLED))
        if whose:
            people = kind if kind is Kind.STAFF else f"{kind}s"
            yield (
                f"warning: the keys of {people} look like {whose} national identity numbers, "
                "which logs and reports "
                "should not carry; map 'key' to a student or employee number"
            )
