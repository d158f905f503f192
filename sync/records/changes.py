"""A change, what is to become of it, and what became of it.

And the order in which changes are carried out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sync.records.base import Key, Kind

Value = str | int | None
"""A field as it is stored, compared and shown; times are text such as `2024-10-18T07:00:00Z` (UTC,
whole seconds)."""

Fields = Mapping[str, Value]


class Action(StrEnum):
    """What a change does. Those in `CALLING` make calls; the others change what we remember."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    RETIRE = "retire"
    RESTORE = "restore"
    IDENTITY_CHANGE = "identity change"
    ACTIVATE = "activate"


ADDITIONS = frozenset({Action.CREATE, Action.UPDATE, Action.ENABLE, Action.ACTIVATE})
"""Actions that put something into Inspera, or keep it in step."""

REMOVALS = frozenset({Action.REMOVE, Action.DISABLE, Action.DELETE})
"""Actions that take something away in Inspera."""

SOON = "0"
"""How the wave of what is for a test begins that starts within 7 days or is under way."""

CALLING = ADDITIONS | REMOVALS
"""Actions that make calls."""


class Verdict(StrEnum):
    """What becomes of a change in this run."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WAITING = "waiting"
    DEFERRED = "deferred"
    HELD = "held"


class Cause(StrEnum):
    """Why a change does not go ahead, in one word, by which they are counted.

    Its reason says it in full.
    """

    NONE = ""
    SOURCE = (
        "source"  # absence proves nothing: a feed is unread or doubtful, a row has no readable key
    )
    NEEDS = "needs"  # what it needs is not in Inspera yet, or what needs it is still there
    BEGUN = "begun"
    STARTED = "started"  # Inspera keeps a candidate who has started the test
    FREEZE = "freeze"  # its test is under way or starts soon
    ENDED = "ended"  # its test has ended, and only what concerns grading still changes
    CLOSED = "closed"  # its test ended so long ago that nothing on it changes any more
    TIMES = "times"  # the times of a test would change it while it is frozen, or cannot be right
    CLOCK = "clock"  # this machine's clock and Inspera's differ
    FULL = "full"
    NUMBER = "number"  # somebody who stays on the test has the candidate number
    REFUSED = "refused"
    ARCHIVED = "archived"  # Inspera takes no change of a test that is archived there
    FRESH = "fresh"
    OUTDATED = "outdated"  # calls had to wait so long that Inspera must be read again first
    LIMIT = "limit"
    GRACE = "grace"  # it is absent, but not yet in enough readings or for long enough
    PROTECTED = "protected"  # the configuration protects the record
    PILOT = "pilot"  # it is outside the pilot group
    CONFIGURATION = "configuration"  # only a new configuration makes it, and it makes many
    ZEROS = "zeros"  # a value differs from the known one only by lost leading zeros
    IDENTITY_CHANGE = "identity_change"
    DRIFT = "drift"
    DOUBTFUL = "doubtful"  # several in Inspera match, or one that matches in part
    FOUND = "found"
    SHARED = "shared"  # somebody else has the same account
    TAKEN = "taken"  # the username that was to be created exists in Inspera
    UPDATES = "updates"  # this tenant refuses a username that exists, so it takes no updates
    PARENT = "parent"  # its test is a parent of other tests, which have the candidates
    LAST = "last"  # a test without this committee could not be graded
    NAMED = "named"  # other sources still name it
    UNDONE = "undone"  # a person has taken exactly this back
    ONE_WAY = "one_way"  # switching the option off takes nothing back
    LOST = "lost"  # nothing is known here, but Inspera has our records
    REJECTED = "rejected"  # a person has said no to exactly this change


NOT_BY_ITSELF = frozenset(
    {
        Cause.SOURCE,
        Cause.CLOCK,
        Cause.FULL,
        Cause.NUMBER,
        Cause.ENDED,
        Cause.CLOSED,
        Cause.STARTED,
        Cause.ARCHIVED,
        Cause.PARENT,
        Cause.REJECTED,
        Cause.UPDATES,
    }
)
"""Causes for which a change is deferred until somebody fixes them; of others it clears in time."""


UNWRITABLE = frozenset({Cause.ARCHIVED, Cause.PARENT})
"""Causes for which a test takes no change, until a person corrects it or the source."""


ALLOWED = "allowed"
"""The scope of a planned change that a person has allowed by its hash."""


def line_key(action: Action, key: Key) -> Key:
    """Return the key of a change's line in the plan, the journal and the refusals.

    A test can be changed and activated by one plan, so an activation has a second part.
    """
    return (*key, Action.ACTIVATE) if action is Action.ACTIVATE else key


@dataclass(frozen=True, slots=True)
class Change:
    """What turns known into wanted for one record.

    `before` holds what is known, `after` what is wanted (with everything known that the feeds leave
    alone); `changed` names the fields that differ. `where` is the row that asked for it, empty when
    its absence did.
    """

    action: Action
    kind: Kind
    key: Key
    before: Fields = field(default_factory=dict)
    after: Fields = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    where: str = ""
    reason: str = ""

    @property
    def line_key(self) -> Key:
        """Return the key of its line in the plan, the journal and the refusals."""
        return line_key(self.action, self.key)


class Result(StrEnum):
    """How a change ended. Whatever is not done is tried again, or decided anew, in the next run."""

    DONE = "done"
    FOUND = "found"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    DEFERRED = "deferred"
    WAITING = "waiting"
    NOT_SENT = "not sent"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change, in words fit for an operator.

    `remote_id` is Inspera's id when the answer gave one. `there` holds Inspera's own values where
    they were read and are to be remembered instead of what was wanted (an existing record).
    `disputed` names the fields that somebody has changed there, of which a person has to decide.
    `is_parent` tells of a test that was looked up whether it is a parent of others; `None` when it
    was not looked up.
    """

    result: Result
    message: str = ""
    remote_id: str | None = None
    there: Fields = field(default_factory=dict)
    cause: Cause = Cause.NONE
    disputed: tuple[str, ...] = ()
    is_parent: bool | None = None


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One line of the plan.

    `secret` is for the call alone and is never shown, logged or stored in the state.
    """

    seq: int
    change: Change
    verdict: Verdict
    reason: str
    scope: str
    wave: str
    layer: int
    fingerprint: bytes | None
    secret: str | None
    cause: Cause = Cause.NONE

    def __repr__(self) -> str:
        return f"Planned({self.seq}, {self.change.action} {self.change.kind}, {self.verdict})"


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """A call of an earlier run whose outcome is not known.

    `at` is when it was about to be made (UTC), and `until` when its run ended, after which it was not
    made; None for a run that was cut off.
    """

    id: int
    kind: Kind
    key: Key
    action: Action
    fields: Fields
    at: datetime
    until: datetime | None = None

    @property
    def line_key(self) -> Key:
        """Return the key of its line, as a change has one."""
        return line_key(self.action, self.key)


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """A record that this run has written, and when that was done (aware)."""

    kind: Kind
    key: Key
    action: Action
    at: datetime
