"""The arithmetic of batches: how entries are divided, narrowed down when refused, and counted.

Pure: nothing here makes a call.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync.errors import Refused
from sync.records.changes import Cause, Outcome, Result
from sync.records.remote import Assignment


@dataclass(frozen=True, slots=True)
class Slice:
    """The entries of one call, by their position in the batch.

    `tries` counts the calls with these entries whose response was lost.
    """

    positions: tuple[int, ...]
    tries: int = 0


class Batch:
    """The entries that are to be sent for one test, and the outcome of each when it is known.

    An entry is in doubt after a call with it was lost, until a read or another response settles it.

    Attributes:
        all: the entries.
        refused_alone: the positions of entries that Inspera refused individually.
    """

    def __init__(self, entries: Sequence[Assignment]) -> None:
        self.all = entries
        self._outcomes: list[Outcome | None] = [None] * len(entries)
        self._doubts: dict[int, str] = {}
        self.refused_alone: set[int] = set()

    @property
    def begun(self) -> bool:
        """Tell whether any outcome is known, or a lost call may have been carried out."""
        return bool(self._doubts) or any(outcome is not None for outcome in self._outcomes)

    def slices(self, size: int) -> list[Slice]:
        """Divide the entries into slices of at most `size`.

        Each slice has one auth system, because the call has one. Entries that notify a person are
        kept apart, because such a call must not be repeated (rules 21).
        """
        groups: dict[tuple[str, bool], list[int]] = {}
        for position, entry in enumerate(self.all):
            group = (entry.auth_system, bool(entry.fields.get("notify")))
            groups.setdefault(group, []).append(position)
        return [
            Slice(tuple(positions[first : first + size]))
            for positions in groups.values()
            for first in range(0, len(positions), size)
        ]

    def entries(self, batch_slice: Slice) -> Iterator[tuple[int, Assignment]]:
        """Return the entries of a slice with their positions."""
        return ((position, self.all[position]) for position in batch_slice.positions)

    def note(self, positions: Sequence[int], outcome: Outcome) -> None:
        """Record an outcome for these entries.

        An entry that was not sent now, but may have been carried out before, becomes unknown.
        """
        for position in positions:
            doubt = self._doubts.get(position)
            unknown = outcome.result is Result.NOT_SENT and doubt is not None
            self._outcomes[position] = Outcome(Result.UNKNOWN, doubt or "") if unknown else outcome

    def doubt(self, batch_slice: Slice, reason: str) -> None:
        """Record that a call with these entries may have been carried out."""
        self._doubts.update(dict.fromkeys(batch_slice.positions, reason))

    def clear_doubt(self, position: int) -> None:
        """Record that, according to a read, the lost call did not carry this entry out."""
        self._doubts.pop(position, None)

    def refuse(
        self, batch_slice: Slice, error: Refused, *, narrows: bool, cause: Cause = Cause.NONE
    ) -> list[Slice]:
        """Return smaller slices to send after a refusal, or record that the whole slice is refused.

        A slice is narrowed down only when `narrows` allows it (see `recovery`). Entries that the
        refusal names are sent alone, and the rest together. When it names none, or most of them,
        the slice is halved: a response that blames nearly everybody is not about individual
        records. With a `cause`, the refusal is about each entry that it names, even if it names
        all.
        """
        positions = batch_slice.positions
        blamed = [n for n, entry in self.entries(batch_slice) if entry.external_id in error.named]
        alone = len(positions) == 1 or (cause and len(blamed) == len(positions))
        if not narrows or alone or self.all[positions[0]].together:
            self.note(positions, Outcome(Result.REFUSED, str(error), cause=cause))
            if narrows:
                self.refused_alone.update(positions)
            return []
        if 0 < len(blamed) <= len(positions) // 2:
            rest = tuple(position for position in positions if position not in blamed)
            parts = [rest, *((position,) for position in blamed)]
        else:
            middle = len(positions) // 2
            parts = [positions[:middle], positions[middle:]]
        return [Slice(part, batch_slice.tries) for part in parts]

    def finish(self, outcome: Outcome) -> list[Outcome]:
        """Return all outcomes in the order of the entries; those without one get this outcome."""
        missing = [n for n, known in enumerate(self._outcomes) if known is None]
        self.note(missing, outcome)
        return [known or outcome for known in self._outcomes]
