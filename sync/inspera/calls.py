"""One call with all that it carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from sync.contract import Call


@dataclass(frozen=True, slots=True)
class Request:
    """One call with all that it carries.

    `hide` holds what must not be repeated to anybody when the vendor's answer echoes it; `ids` are the external ids
    (or names) in the body, so that the ones that a refusal names can be told.
    """

    call: Call
    places: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: object = field(default=None, repr=False)
    hide: tuple[str, ...] = field(default=(), repr=False)
    ids: frozenset[str] = frozenset()

    @property
    def path(self) -> str:
        """The path with its places filled, each as one segment whatever it holds."""
        return self.call.path.format(
            **{name: quote(value, safe="") for name, value in self.places.items()}
        )
