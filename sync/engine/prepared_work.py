"""Work for one worker, and what a reading of Inspera leaves to be sent.

The reading comes before the intents, so that these tell what was not there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync.records.base import Key, Kind
from sync.records.changes import Fields, Outcome, PlannedChange


@dataclass(frozen=True, slots=True)
class ExistingRecord:
    """A record that Inspera had already, with its own values."""

    kind: Kind
    key: Key
    fields: Fields = field(repr=False)
    remote_id: str | None = None


@dataclass(slots=True)
class PreparedWork:
    """Work after its reading: what ended without a call, and what is to be sent.

    `already` are records which Inspera has, not put there by us: new ones among the lines, and
    committees instead of one that would have been ensured. They are to be
    remembered as such before anything is sent: an open intent alone would make them look like ones
    that we made. `send` runs on a worker and gives one outcome for each line.
    """

    ended: list[tuple[PlannedChange, Outcome]] = field(default_factory=list)
    already: list[ExistingRecord] = field(default_factory=list)
    lines: list[PlannedChange] = field(default_factory=list)
    send: Callable[[], list[Outcome]] = list


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Work for one worker, about some lines.

    With `lines` it sends, and each line has an intent; without, it only reads. `since` is when the
    reading ended that it rests on, and `again` how often that was repeated without any effect.
    """

    work: Callable[[], list[Outcome] | PreparedWork]
    about: Sequence[PlannedChange]
    lines: Sequence[PlannedChange] = ()
    intents: Sequence[int] = ()
    since: datetime | None = None
    again: int = 0
