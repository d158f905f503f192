"""What is wrong with a configuration file: where, what, and what to do, all of it at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sync.errors import UsageError

Steps = tuple[str | int, ...]
"""The way to a setting, from the top of the file: names of settings, and positions in lists counted
from zero."""

MOST_PRINTED = 100
MOST_OF_A_NAME = 60


class SettingError(NamedTuple):
    """Something wrong at a setting, before its line is known.

    `on_name` puts it at the name, not at the value.
    """

    steps: Steps
    reason: str
    remedy: str
    on_name: bool = False


@dataclass(frozen=True, slots=True)
class ConfigurationError:
    """One thing that is wrong (or, as a warning, unwise) in a configuration file.

    `line` and `column` count from 1; each is None when the error is about the file as a whole.
    `path` names the setting as `feeds[1].map.start`, lists counted from 1; it is empty when the
    text is not even YAML. No value is ever shown.
    """

    file: str
    line: int | None
    column: int | None
    path: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        what = f"{self.reason}, {self.remedy}"
        return f"{place}: {self.path}: {what}" if self.path else f"{place}: {what}"


class ConfigurationErrors(UsageError):  # noqa: N818 - named, like all errors here, by what it means
    """The configuration can't be used.

    `errors` holds everything that is wrong with it, in the file's order.
    """

    def __init__(self, errors: Sequence[ConfigurationError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.line or 0, error.column or 0)))
        lines = [str(error) for error in self.errors[:MOST_PRINTED]]
        if len(self.errors) > MOST_PRINTED:
            lines.append(f"and {len(self.errors) - MOST_PRINTED} more")
        super().__init__("\n".join(lines))


def path_text(steps: Steps) -> str:
    """Return the way to a setting as people read it: `feeds[1].map.start`."""
    text = ""
    for step in steps:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{_quoted(name_text(step))}"
    return text.removeprefix(".")


def _quoted(name: str) -> str:
    """Return the name, in quotes when it would not stand out as one in a path.

    Blank, or with dots or spaces in it.
    """
    return name if re.fullmatch(r"[\w-]+", name) else f"'{name}'"


def name_text(name: str) -> str:
    """Return a name from the file, made fit for one line.

    Unprintable characters escaped, and cut when it is very long.
    """
    seen = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name
    )
    return seen if len(seen) <= MOST_OF_A_NAME else seen[:MOST_OF_A_NAME] + "…"
