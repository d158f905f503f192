"""One request to Inspera."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from sync.contract import Call


@dataclass(frozen=True, slots=True)
class Request:
    """One call with its values.

    Attributes:
        call: the call, as the operator has it.
        places: the values for the placeholders in the call's path.
        query: the query parameters.
        body: the body, as JSON.
        hide: texts that must not be repeated in a message when the response contains them.
        ids: the external ids (or names) in the body, to recognise those that a refusal names.
        may_go: tells right before it is sent whether what it rests on still holds.
    """

    call: Call
    places: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: object = field(default=None, repr=False)
    hide: tuple[str, ...] = field(default=(), repr=False)
    ids: frozenset[str] = frozenset()
    may_go: Callable[[], bool] | None = field(default=None, repr=False)

    @property
    def path(self) -> str:
        """Return the path with its placeholders filled, each as one segment whatever its value."""
        return self.call.path.format(
            **{name: quote(value, safe="") for name, value in self.places.items()}
        )
