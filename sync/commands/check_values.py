"""Values that `check` warns about: those in no condition, and keys like identity numbers."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import islice

from sync.engine.protocols import Feed
from sync.records.base import Kind, Row
from sync.records.extract import Extract, Since
from sync.records.kinds import PEOPLE
from sync.state.store import Store
from sync.text.masking import masked, national_ids, quoted_value

MOST_NAMED = 10
"""Values of a column that are listed."""

MOST_COUNTED = 1_000
"""Different values of a column that are counted: one with more holds no words such as a status."""

_OFTEN = 5
_SAMPLED = 2_000


class ValueReport:
    """A feed whose values in the columns of `where` and `departure` no condition names."""

    def __init__(self, feed: Feed) -> None:
        self._named = feed.mapper.named_words
        self._counts: dict[str, Counter[str]] = {column: Counter() for column in self._named}
        self._place = feed.place
        source = replace(feed.source, open=self._opened(feed)) if self._named else feed.source
        self.feed = replace(feed, source=source)

    def unnamed(self) -> Iterator[str]:
        """Yield a line for each column that has such values, the most frequent values first."""
        for column, counts in self._counts.items():
            if counts:
                few = len(counts) <= MOST_NAMED * 2
                shown = [
                    f"{_shown(text, few and n >= _OFTEN)} ({n:,})"
                    for text, n in counts.most_common(MOST_NAMED)
                ]
                more = f" and {len(counts) - MOST_NAMED:,} more" if len(counts) > MOST_NAMED else ""
                values = "1 value" if len(counts) == 1 else f"{len(counts):,} values"
                named = f"{', '.join(shown)}{more}"
                yield f"{self._place}: {column}: {values} named by no condition: {named}"

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
                    if len(counts) < MOST_COUNTED or text.strip() in counts:
                        counts[text.strip()] += 1
            yield row


def _shown(text: str, common: bool) -> str:
    """Yield a warning for each key column with few values: a value of many rows names nobody."""
    if not text:
        return "(blank)"
    return f"'{masked(text)}'" if common and "@" not in text else quoted_value(text, code=True)


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
