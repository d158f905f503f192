"""The lines of the audit log, and the hash that ties each to all lines before it."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

START = "0" * 64
"""The hash that stands before the first line."""


class Event(StrEnum):
    """What a line is about."""

    CHANGE = "change"
    APPROVED = "approved"
    REJECTED = "rejected"
    ADOPTED = "adopted"
    UNDONE = "undone"
    FORGOTTEN = "forgotten"
    PAUSED = "paused"
    RESUMED = "resumed"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """A line of the audit log. Text that does not apply is empty.

    Attributes:
        number: its place in the log; the first is 1.
        at: when it happened (UTC).
        who: the login name of the operator, or `service`.
        run: the run that did it.
        event: what it is about.
        kind: the kind of record.
        action: what was done with the record.
        record: the parts of its key that do not name a person.
        person: the pseudonym of the person of the record.
        scope: the hash by which a person had allowed a change.
        outcome: how it ended.
        content: the hash of the values, keyed where they belong to a person.
        details: JSON of what else belongs to the event.
    """

    number: int
    at: str
    who: str
    run: int | None
    event: str
    kind: str = ""
    action: str = ""
    record: str = ""
    person: str = ""
    scope: str = ""
    outcome: str = ""
    content: str = ""
    details: str = ""

    def digest(self, before: str) -> str:
        """Return the hash of this line after the line with the hash `before`."""
        canonical = json.dumps(
            {**asdict(self), "before": before}, sort_keys=True, separators=(",", ":")
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Anchor:
    """The newest line of a log, by which a truncated log is recognised later."""

    lines: int
    digest: str

    def __str__(self) -> str:
        return f"{self.lines}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> "Anchor":
        """Return the anchor in a text such as `17:5e8d…`.

        Raises:
            ValueError: it is not an anchor.
        """
        number, _, digest = text.strip().partition(":")
        if len(digest) != len(START) or set(digest) - set("0123456789abcdef"):
            raise ValueError
        return cls(int(number), digest)


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first place where a log is not what was written, and what is wrong there."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


@dataclass(slots=True)
class Verifier:
    """A check of a log, line by line. `end` is the newest line that was checked."""

    anchor: Anchor | None = None
    end: Anchor = Anchor(0, START)

    def find_break(self, lines: Iterable[tuple[AuditLine, str]]) -> ChainBreak | None:
        """Return the first place at which the log is broken; None for a whole one."""
        return next(self._breaks(lines), None) or self._find_missing_end()

    def _breaks(self, lines: Iterable[tuple[AuditLine, str]]) -> Iterator[ChainBreak]:
        for line, digest in lines:
            expected = self.end.lines + 1
            if line.number != expected:
                word = "is missing" if line.number > expected else "was inserted"
                yield ChainBreak(min(expected, line.number), word)
            if line.digest(self.end.digest) != digest:
                yield ChainBreak(line.number, "was changed, or the line before it")
            self.end = Anchor(line.number, digest)
            if self.anchor and self.anchor.lines == line.number and self.anchor.digest != digest:
                yield ChainBreak(line.number, "differs from the anchor: lines were replaced")

    def _find_missing_end(self) -> ChainBreak | None:
        if self.anchor is None or self.anchor.lines <= self.end.lines:
            return None
        return ChainBreak(
            self.end.lines + 1, f"is missing: by the anchor there were {self.anchor.lines:,} lines"
        )


def to_json(details: dict[str, Any]) -> str:
    """Return the details of a line as canonical JSON; empty without any."""
    return json.dumps(details, sort_keys=True, separators=(",", ":")) if details else ""
