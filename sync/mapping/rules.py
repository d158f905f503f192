"""How a feed is to be mapped, as the configuration says it. Pure values: `compile_feed` gives them their meaning."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.contract import OPTIONS, OptionRule
from sync.model import Kind


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field is made: from a column, a template over columns (or over a pattern's groups), or a constant.

    The value then goes through `pattern` (a regular expression that must match all of it), `lookup` (a table of
    values), `case` (`lower` or `upper`) and, when blank, `default`. Date-times take `format` (as in `strptime`) and
    `zone` (an IANA name, for local times); durations take `minutes`: `number`, `hh:mm`, `hours` or `iso8601`. A list
    is split at `separator` (by default `;`), and each of its items goes through `lookup`, `case` and `default`.

    A pattern over a column with a template fills the template from the pattern's named groups; without a template,
    the value becomes the group named `value`, or the only group, or all of the match when there is no group.

    Values that stand in the rule itself may be secrets, so its repr leaves them out.
    """

    column: str | None = None
    template: str | None = None
    constant: str | None = field(default=None, repr=False)
    default: str | None = field(default=None, repr=False)
    lookup: Mapping[str, str] | None = field(default=None, repr=False)
    case: str | None = None
    pattern: str | None = None
    format: str | None = None
    zone: str | None = None
    minutes: str | None = None
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class FeedRule:
    """How the rows of one feed become records of one kind.

    `where` names columns and the values that select a row; every column must hold one of its values. `clear_blanks`
    turns a blank into "clear it" (`""`, or 0 minutes of extra time) for the mapped fields that can be cleared.
    `options` are the options that a test can have, by name. `departs` names columns and the values by which a row says
    that its record departs. `allow_text` names the damage that its text may have (see `sync.mapping.texts`).
    """

    kind: Kind
    fields: Mapping[str, FieldRule]
    where: Mapping[str, tuple[str, ...]]
    clear_blanks: bool = False
    options: Mapping[str, OptionRule] = field(default_factory=lambda: OPTIONS)
    departs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allow_text: tuple[str, ...] = ()


class RuleError(ValueError):
    """A rule that can't be followed; `str()` says why and what to do. `compile_feed` turns it into a `UsageError`."""
