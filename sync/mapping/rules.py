"""How a feed is to be mapped, as the configuration says it.

Pure values: `compile_feed` gives them their meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.contract import OPTIONS, OptionRule, StaffBody
from sync.records.base import Kind


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field is made.

    From a column, a template over columns (or over a pattern's groups), or a constant.

    The value then goes through `pattern` (a regular expression that must match all of it), `lookup`
    (a table of values), `case` (`lower` or `upper`) and, when blank, `default`. Date-times take
    `format` (as in `strptime`) and `zone` (an IANA name, for local times); durations take
    `minutes`: `number`, `hh:mm`, `hours` or `iso8601`. A list is split at `separator` (by default
    `;`), and each of its items goes through `lookup`, `case` and `default`.

    `first_of` names columns, or templates, of which the first that is not blank counts. A test's
    `end` may be `computed` as `start + duration`, its `duration` as `end - start`; with `next_day`
    an `end` that is before the start is one day later. `languages` are those in which the source
    writes months and weekdays (`%B`, `%b`, `%A`, `%a`).

    A pattern over a column with a template fills the template from the pattern's named groups;
    without a template, the value becomes the group named `value`, or the only group, or all of the
    match when the pattern has no group.

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
    first_of: tuple[str, ...] | None = None
    computed: str | None = None
    next_day: bool = False
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """The values of a column that are meant, where a list of words does not say it.

    A value is meant when it is one of `values` or all of it matches `pattern`, a regular
    expression; with `ignore_case` in any case. `negated` means every other value.
    """

    values: tuple[str, ...] = ()
    pattern: str | None = None
    ignore_case: bool = False
    negated: bool = False


Meant = tuple[str, ...] | Words


@dataclass(frozen=True, slots=True)
class FeedRule:
    """How the rows of one feed become records of one kind.

    `where` names columns and the values that select a row; every column must hold one of its
    values. `clear_blanks` turns a blank into "clear it" (`""`, or 0 minutes of extra time) for the
    mapped fields that can be cleared. `options` are the options that a test can have, by name.
    `departure` names columns and the values by which a row says that its record departs.
    `where_not` names columns and the values that rule a row out. `allow_text` names the damage that
    its text may have (see `sync.mapping.texts`). With `needs_names` a person whose first name is
    put together, and is blank, is an error. `staff_body` is the form in which staff are sent.
    """

    kind: Kind
    fields: Mapping[str, FieldRule]
    where: Mapping[str, Meant]
    clear_blanks: bool = False
    options: Mapping[str, OptionRule] = field(default_factory=lambda: OPTIONS)
    departure: Mapping[str, Meant] = field(default_factory=dict)
    allow_text: tuple[str, ...] = ()
    where_not: Mapping[str, Meant] = field(default_factory=dict)
    needs_names: bool = True
    staff_body: StaffBody = "nested"


class RuleError(ValueError):
    """A rule that can't be followed; `str()` says why and what to do.

    `compile_feed` turns it into a `UsageError`.
    """
