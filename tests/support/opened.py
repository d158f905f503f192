"""Sources that are given as rows: what `Feed.open` takes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from sync.records.base import Row
from sync.records.extract import Extract, Since


def opened(
    place: str, columns: Sequence[str], rows: Callable[[], Iterator[Row]]
) -> Callable[[Since | None], AbstractContextManager[Extract]]:
    """Opens anew each time what `rows` gives."""

    @contextmanager
    def open_(_since: Since | None = None) -> Iterator[Extract]:
        yield Extract(place, tuple(columns), rows())

    return open_
