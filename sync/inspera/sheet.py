"""The arithmetic of batches: how seats are parted, narrowed down when refused, and what became of each. No calls."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sync.errors import CallError, Refused
from sync.found import Assignment
from sync.plan import Outcome, Result

_ABOUT_A_RECORD: Final = frozenset({400, 409, 422})


@dataclass(frozen=True, slots=True)
class Part:
    """Seats that go into one call, by their number on the sheet; `tries` counts the calls whose answer was lost."""

    numbers: tuple[int, ...]
    tries: int = 0


class Sheet:
    """The seats of one test that are to be sent, and the outcome of each as it becomes known.

    A seat is in doubt from when a call with it was lost until a reading or another answer tells what became of it.
    """

    def __init__(self, seats: Sequence[Assignment]) -> None:
        self._seats = seats
        self._outcomes: list[Outcome | None] = [None] * len(seats)
        self._doubts: dict[int, str] = {}
        self.refused_alone: set[int] = set()
        """Seats that Inspera refused on their own account."""

    @property
    def begun(self) -> bool:
        """Whether any outcome is known, or a call was lost that may have been carried out."""
        return bool(self._doubts) or any(outcome is not None for outcome in self._outcomes)

    def parts(self, size: int) -> list[Part]:
        """All seats in parts of one auth system and at most `size` each."""
        systems: dict[str, list[int]] = {}
        for number, seat in enumerate(self._seats):
            systems.setdefault(seat.auth_system, []).append(number)
        return [
            Part(tuple(numbers[first : first + size]))
            for numbers in systems.values()
            for first in range(0, len(numbers), size)
        ]

    def seats(self, part: Part) -> Iterator[tuple[int, Assignment]]:
        """The part's seats with their numbers."""
        return ((number, self._seats[number]) for number in part.numbers)

    def note(self, numbers: Sequence[int], outcome: Outcome) -> None:
        """These seats ended so; what was not sent now, but may have been before, is unknown."""
        for number in numbers:
            doubt = self._doubts.get(number)
            unknown = outcome.result is Result.NOT_SENT and doubt is not None
            self._outcomes[number] = Outcome(Result.UNKNOWN, doubt or "") if unknown else outcome

    def doubt(self, part: Part, error: CallError) -> None:
        """A call with these seats was lost."""
        self._doubts.update(dict.fromkeys(part.numbers, str(error)))

    def clear(self, number: int) -> None:
        """A reading has shown that the lost call did not carry this seat out."""
        self._doubts.pop(number, None)

    def refuse(self, part: Part, error: Refused) -> list[Part]:
        """Narrows a refused part down while the refusal may be about one record of it; else all of it is refused."""
        about_a_record = error.status in _ABOUT_A_RECORD or error.status < 300
        if about_a_record and len(part.numbers) > 1:
            return self._narrowed(part, error.named)
        self.note(part.numbers, Outcome(Result.REFUSED, str(error)))
        if about_a_record:
            self.refused_alone.update(part.numbers)
        return []

    def finish(self, outcome: Outcome) -> list[Outcome]:
        """All outcomes in the order of the seats; those that have none get this one."""
        self.note([number for number, known in enumerate(self._outcomes) if known is None], outcome)
        return [known or outcome for known in self._outcomes]

    def _narrowed(self, part: Part, named: frozenset[str]) -> list[Part]:
        """The rest together and each named one alone, or halves when the answer names none, or too many to believe."""
        numbers = part.numbers
        blamed = [number for number, seat in self.seats(part) if seat.external_id in named]
        if 0 < len(blamed) <= len(numbers) // 2:
            rest = tuple(number for number in numbers if number not in blamed)
            return [Part(rest, part.tries), *(Part((number,), part.tries) for number in blamed)]
        middle = len(numbers) // 2
        return [Part(numbers[:middle], part.tries), Part(numbers[middle:], part.tries)]
