"""The errors of a configuration file, each with its place and remedy, all reported at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sync.errors import UsageError

Steps = tuple[str | int, ...]
"""The path of a setting from the top of the file: names, and positions in lists from zero."""

MOST_PRINTED = 100
MOST_OF_A_NAME = 60


class SettingError(NamedTuple):
    """An error of a setting whose line is not known yet.

    With `on_name` it is reported at the line of the name, otherwise at that of the value.
    """

    steps: Steps
    reason: str
    remedy: str
    on_name: bool = False


@dataclass(frozen=True, slots=True)
class ConfigurationError:
    """One error (or warning) of a configuration file.

    `line` and `column` count from 1; each is None if the error is about the whole file. `path`
    names the setting, such as `feeds[1].map.start`, where lists count from 1. It is empty if the
    text is not YAML. An error never contains a value: it may be a secret.
    """

    file: str
    line: int | None
    column: int | None
    path: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        what = f"{self.reason}; {self.remedy}"
        return f"{place}: {self.path}: {what}" if self.path else f"{place}: {what}"


class ConfigurationErrors(UsageError):  # noqa: N818 - named, like all errors here, by what it means
    """All errors of a configuration, in the order of the file."""

    def __init__(self, errors: Sequence[ConfigurationError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.line or 0, error.column or 0)))
        lines = [str(error) for error in self.errors[:MOST_PRINTED]]
        if len(self.errors) > MOST_PRINTED:
            lines.append(f"and {len(self.errors) - MOST_PRINTED} more")
        super().__init__("\n".join(lines))


def path_text(steps: Steps) -> str:
    """Return the path of a setting for people: `feeds[1].map.start`."""
    text = ""
    for step in steps:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{_quoted(name_text(step))}"
    return text.removeprefix(".")


def _quoted(name: str) -> str:
    """Return the name, in quotes if it is blank or contains dots or spaces."""
    return name if re.fullmatch(r"[\w-]+", name) else f"'{name}'"


def name_text(name: str) -> str:
    """Return a name from the file for one line: escaped, and cut if it is very long."""
    seen = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name
    )
    return seen if len(seen) <= MOST_OF_A_NAME else seen[:MOST_OF_A_NAME] + "…"
