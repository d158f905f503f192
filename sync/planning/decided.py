"""What people have decided about single changes: to send exactly this one, or not to. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sync.planning.freeze import digest_of
from sync.records.base import Key, Kind
from sync.records.changes import Change

APPROVED, REJECTED, OPEN = "approved", "rejected", "open"
"""What a person decides. A change is open when others of its hold were decided about: it stays held,
also where it alone would be within a limit."""


@dataclass(frozen=True, slots=True)
class DecidedChange:
    """A person's decision about exactly one change, which its hash names.

    Attributes:
        digest: the hash of the change.
        kind: of its record.
        key: of its record.
        verdict: `approved`, `rejected` or `open`.
        person: the person who decided.
        why: the person's reason.
        at: when it was decided (UTC text).
        expires: until when an approval counts (UTC text); None for what has no end.
        tried: whether a run has begun with it.
    """

    digest: str
    kind: Kind
    key: Key
    verdict: str
    person: str
    why: str
    at: str
    expires: str | None = None
    tried: bool = False

    def __str__(self) -> str:
        if self.verdict == OPEN:
            return f"left open by {self.person} on {self.at}, who decided about others of its hold"
        return f"{self.verdict} by {self.person} on {self.at}: {self.why}"

    @property
    def approved(self) -> bool:
        """Tell whether the change may be sent."""
        return self.verdict == APPROVED

    @property
    def rejected(self) -> bool:
        """Tell whether the change must not be sent."""
        return self.verdict == REJECTED

    @property
    def reason(self) -> str:
        """Return why a change is not sent, and what to do."""
        if self.verdict == OPEN:
            return f"{self}; decide about it, too: `held` has the command"
        # Without its hash, so that all that were rejected at once are one line.
        return (
            f"{self}; it comes back when its row changes; to change your mind: `held --all` has "
            "the command that sends it"
        )


class DecidedChanges:
    """The decisions that count in a run, found by the change."""

    def __init__(self, decided: Iterable[DecidedChange] = ()) -> None:
        self._by_digest = {one.digest: one for one in decided}
        # Most records have no decision: their hash need not be computed.
        self._records = {(one.kind, one.key) for one in self._by_digest.values()}

    def __iter__(self) -> Iterator[DecidedChange]:
        return iter(self._by_digest.values())

    def __bool__(self) -> bool:
        return bool(self._by_digest)

    def find(self, change: Change) -> DecidedChange | None:
        """Return the decision about exactly this change; None without one."""
        if (change.kind, change.key) not in self._records:
            return None
        return self._by_digest.get(digest_of(change))

    def is_rejected(self, kind: Kind, key: Key) -> bool:
        """Tell whether a person has rejected a change of this record."""
        return any((one.kind, one.key) == (kind, key) for one in self if one.rejected)

    def approvals(self) -> Sequence[DecidedChange]:
        """Return the approvals."""
        return [one for one in self if one.approved]


NOTHING_DECIDED = DecidedChanges()
