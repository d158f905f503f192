"""What each target was last notified of, so that a restart repeats nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Notified:
    """What a target knows: the concerns by identity, with their text.

    `at` is when it was last notified (text in UTC); empty for never.
    """

    at: str = ""
    concerns: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the concerns as text for a table or file."""
        return json.dumps(dict(self.concerns), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, at: str, text: str) -> "Notified":
        """Return what `to_json` has written.

        Raises:
            ValueError: it is something else; or `TypeError`.
        """
        content = dict(json.loads(text))
        return cls(at, {str(key): str(value) for key, value in content.items()})
