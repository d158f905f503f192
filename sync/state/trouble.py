"""One way to report a state that cannot be used, for all databases."""

from dataclasses import dataclass

from sync.errors import StateBusy, StateError, StateUnreachable


@dataclass(frozen=True, slots=True)
class Trouble:
    """A reason why a state cannot be used.

    Attributes:
        reason: completes "the state …".
        remedy: what a person can do; `{}` is the place of the state.
        passes: whether it may pass by itself, so that it is waited for (rules 39).
        held: whether another program holds the state.
        details: whether the database's own words may be shown: they contain no row.
    """

    reason: str
    remedy: str
    passes: bool = True
    held: bool = False
    details: bool = True

    def error(self, place: object, details: str = "") -> StateError:
        """Return the error for the state at `place`, with the database's own words, if any."""
        kind = StateBusy if self.held else StateUnreachable if self.passes else StateError
        shown = f" ({details})" if details else ""
        return kind(f"{place}: the state {self.reason}{shown}; {self.remedy.format(place)}")
