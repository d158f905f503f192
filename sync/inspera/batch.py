"""The arithmetic of batches: how entries are parted, narrowed down when refused, and what became of each. No calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync.errors import Refused
from sync.records.changes import Outcome, Result
from sync.records.remote import Assignment


@dataclass(frozen=True, slots=True)
class Slice:
    """Entries that go into one call, by their number on the sheet; `tries` counts the calls whose answer was lost."""

    numbers: tuple[int, ...]
    tries: int = 0


class Batch:
    """The entries that are to be sent for one test, and the outcome of each as it becomes known.

    An entry is in doubt from when a call with it was lost until a reading or another answer tells what became of it.
    """

    def __init__(self, entries: Sequence[Assignment]) -> None:
        self.all = entries
        self._outcomes: list[Outcome | None] = [None] * len(entries)
        self._doubts: dict[int, str] = {}
        self.refused_alone: set[int] = set()
        """Entries that Inspera refused on their own account."""

    @property
    def begun(self) -> bool:
        """Whether any outcome is known, or a call was lost that may have been carried out."""
        return bool(self._doubts) or any(outcome is not None for outcome in self._outcomes)

    def parts(self, size: int) -> list[Slice]:
        """All entries in parts of at most `size`, each of one auth system, and apart where somebody is to be told."""
        together: dict[tuple[str, bool], list[int]] = {}
        for number, entry in enumerate(self.all):
            together.setdefault((entry.auth_system, bool(entry.fields.get("notify"))), []).append(
                number
            )
        return [
            Slice(tuple(numbers[first : first + size]))
            for numbers in together.values()
            for first in range(0, len(numbers), size)
        ]

    def entries(self, part: Slice) -> Iterator[tuple[int, Assignment]]:
        """The part's entries with their numbers."""
        return ((number, self.all[number]) for number in part.numbers)

    def note(self, numbers: Sequence[int], outcome: Outcome) -> None:
        """These entries ended so; what was not sent now, but may have been before, is unknown."""
        for number in numbers:
            doubt = self._doubts.get(number)
            unknown = outcome.result is Result.NOT_SENT and doubt is not None
            self._outcomes[number] = Outcome(Result.UNKNOWN, doubt or "") if unknown else outcome

    def doubt(self, part: Slice, why: str) -> None:
        """A call with these entries may have been carried out."""
        self._doubts.update(dict.fromkeys(part.numbers, why))

    def clear(self, number: int) -> None:
        """A reading has shown that the lost call did not carry this entry out."""
        self._doubts.pop(number, None)

    def refuse(self, part: Slice, error: Refused, *, narrows: bool) -> list[Slice]:
        """Narrows a refused part down while that `narrows` (see `recovery`); else all of it is refused."""
        if narrows and len(part.numbers) > 1 and not self.all[part.numbers[0]].together:
            return self._narrowed(part, error.named)
        self.note(part.numbers, Outcome(Result.REFUSED, str(error)))
        if narrows:
            self.refused_alone.update(part.numbers)
        return []

    def finish(self, outcome: Outcome) -> list[Outcome]:
        """All outcomes in the order of the entries; those that have none get this one."""
        self.note([number for number, known in enumerate(self._outcomes) if known is None], outcome)
        return [known or outcome for known in self._outcomes]

    def _narrowed(self, part: Slice, named: frozenset[str]) -> list[Slice]:
        """The rest together and each named one alone, or halves when the answer names none, or too many to believe."""
        numbers = part.numbers
        blamed = [number for number, entry in self.entries(part) if entry.external_id in named]
        if 0 < len(blamed) <= len(numbers) // 2:
            rest = tuple(number for number in numbers if number not in blamed)
            return [Slice(rest, part.tries), *(Slice((number,), part.tries) for number in blamed)]
        middle = len(numbers) // 2
        return [Slice(numbers[:middle], part.tries), Slice(numbers[middle:], part.tries)]
