"""Feeds: which rows of a source become records of one kind, and how each field is made."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sync.config.fields import FieldSettings
from sync.config.maps import (
    CandidateMap,
    CommitteeMap,
    ContributorMap,
    LearnerMap,
    OptionMap,
    StaffMap,
    TestMap,
)
from sync.config.patterns import checked_expression
from sync.config_base.base import Filled, Named, Strict, Values, filled, told_one
from sync.config_base.durations import Duration, between
from sync.records.base import Kind
from sync.records.kinds import KEY_FROM
from sync.text.characters import Damage


class JoinSettings(Strict):
    """Columns from another source, for the rows that agree with this feed's own.

    Named `{source}.{column}`.
    """

    by: Annotated[dict[Named, Named], AfterValidator(filled)]
    """Which columns agree: this feed's own, each with the other source's."""
    ignore_case: bool = False
    """Whether upper and lower case are the same in them."""
    missing: Literal["blank", "error", "skip"] = "blank"
    """What it means when the other source has no such row: its columns are `blank`, the row is a
    `error`, or `skip` the row."""


class ConditionSettings(Strict):
    """Which values of a column are meant, where a list of them does not say it."""

    any_of: Values | None = None
    """One value, or a list of them."""
    pattern: str | None = None
    """A regular expression that the whole value must match, such as `act.*|exchange`."""
    ignore_case: bool = False
    """Whether upper and lower case are the same."""

    @field_validator("pattern")
    @classmethod
    def _sound_pattern(cls, value: str | None) -> str | None:
        return None if value is None else checked_expression(value)

    @model_validator(mode="after")
    def _names_something(self) -> "ConditionSettings":
        if self.any_of is None and self.pattern is None:
            raise told_one("names no value", "add 'any_of' or 'pattern'")
        return self

    @property
    def plain(self) -> tuple[str, ...] | None:
        """Return the values, when nothing else is said; None otherwise."""
        return None if self.pattern is not None or self.ignore_case else self.any_of


def _condition(value: object) -> object:
    return value if isinstance(value, dict) else {"any_of": value}


class _ValuesOrSettings:
    """Tells editors that one value, or a list of them, will do, too."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        value = {"type": ["string", "number", "boolean"]}
        return {"anyOf": [value, {"type": "array", "minItems": 1, "items": value}, handler(schema)]}


Condition = Annotated[ConditionSettings, BeforeValidator(_condition), _ValuesOrSettings]
"""The values of a column: one, a list of them, or settings."""


class FeedSettings(Strict):
    """What every feed says, whatever its kind."""

    source: Annotated[str, Field(min_length=1)]
    """The name of a source, as it stands under `sources`."""
    where: Annotated[dict[Named, Condition], Field(default_factory=dict)]
    """Takes only the rows whose columns hold one of these values. Without it, every row. Instead of
    values, a column may have `any_of`, `pattern` and `ignore_case`."""
    where_not: Annotated[dict[Named, Condition], Field(default_factory=dict)]
    """Leaves out the rows of which one of these columns holds one of these values."""
    join: Annotated[dict[str, JoinSettings], Field(default_factory=dict)]
    """Other sources, by their names, from which columns are taken."""
    on_conflict: Literal["error", "skip", "fill"] = "error"
    """What it means when a feed above, of the same kind, has a record with the same key: `error` if
    the two differ, `skip` its own, or `fill` what is blank there."""
    departure: Annotated[dict[Named, Condition], Field(default_factory=dict)]
    """Columns with the values by which a row says that its record departs: it may be removed
    without a full reading."""
    updated_column: Named | None = None
    """The column that says when a row last changed. `plan --changed` and `apply --changed` then
    read no more than what changed since the last time; nothing is removed on such a reading."""
    allow_empty: bool = False
    """Whether it can be right that this feed has no row at all. Otherwise its source counts as
    unhealthy then."""
    blank: Literal["keep", "clear"] = "keep"
    """What a blank value means: `keep` leaves Inspera's value alone, `clear` empties it (not for
    options and committees, which have nothing that can be emptied)."""

    allow_text: tuple[Damage, ...] = ()
    """Damage that text may have and that is an error otherwise: `mojibake` (`Ã¸` for ø), `html`
    (`&aring;`), `escape` (`\\u00e5`, `%C3%A5`), `null` (`\\N`, `(null)`, `#N/A`; as identifiers
    also `NULL`), `replacement` (a character that was lost, U+FFFD)."""

    @property
    def clear_blanks(self) -> bool:
        """Tell whether a blank value empties Inspera's."""
        return self.blank == "clear"

    def fields(self) -> dict[str, FieldSettings]:
        """Return every field that is made, by name.

        `key` is there, too, where it is made from another field.
        """
        feed: Any = self  # each kind of feed declares its own `kind` and `map`
        made: dict[str, FieldSettings] = feed.map.mapped()
        source = KEY_FROM.get(feed.kind)
        return {"key": made[source], **made} if source else made


class PeopleFeed(FeedSettings):
    """What the feeds of learners and of staff have in common."""

    auth_system: Filled | None = None
    """The auth system that every person of this feed logs in with, as the tenant names it, such as
    `FEIDE`."""

    def fields(self) -> dict[str, FieldSettings]:
        """Return every field that is made, by name.

        `auth_system` is there once the configuration is loaded.
        """
        made = super().fields()
        if self.auth_system is not None:
            made["auth_system"] = FieldSettings(constant=self.auth_system)
        return made


class LearnerFeed(PeopleFeed):
    """A feed of learners: the people who sit exams."""

    kind: Literal[Kind.LEARNER]
    """`learner`."""
    map: LearnerMap
    """Where each field comes from."""


class StaffFeed(PeopleFeed):
    """A feed of staff: the people who make, run and grade exams, as administrative users."""

    kind: Literal[Kind.STAFF]
    """`staff`."""
    map: StaffMap
    """Where each field comes from."""


class TestFeed(FeedSettings):
    """A feed of tests: the exams as events in time."""

    __test__ = False  # not a test case, whatever pytest thinks of its name

    kind: Literal[Kind.TEST]
    """`test`."""
    longest_duration: Annotated[Duration, between(timedelta(minutes=1), timedelta(days=366))] = (
        timedelta(hours=24)
    )
    """How long a test of this feed may last. A longer one is held for a person; home exams may need
    `7d`."""
    map: TestMap
    """Where each field comes from."""


class OptionFeed(FeedSettings):
    """A feed of options: settings of tests, such as the lock-down browser and its pin."""

    kind: Literal[Kind.OPTION]
    """`option`."""
    map: OptionMap
    """Where each part comes from."""


class CommitteeFeed(FeedSettings):
    """A feed of committees. None is needed for those that contributors and candidates name."""

    kind: Literal[Kind.COMMITTEE]
    """`committee`."""
    map: CommitteeMap
    """Where each field comes from."""


class ContributorFeed(FeedSettings):
    """A feed of contributors: what staff do on tests.

    Several roles of one person are a list, or several rows.
    """

    kind: Literal[Kind.CONTRIBUTOR]
    """`contributor`."""
    notify: bool = False
    """Whether Inspera tells each person of this feed, once, that they are on the test."""
    map: ContributorMap
    """Where each field comes from."""

    def fields(self) -> dict[str, FieldSettings]:
        """Return every field that is made, by name.

        `notify` is there only when people are to be notified.
        """
        made = super().fields()
        return {**made, "notify": FieldSettings(constant="true")} if self.notify else made


class CandidateFeed(FeedSettings):
    """A feed of candidates: learners' seats on tests."""

    kind: Literal[Kind.CANDIDATE]
    """`candidate`."""
    map: CandidateMap
    """Where each field comes from."""


Feed = Annotated[
    LearnerFeed
    | StaffFeed
    | TestFeed
    | OptionFeed
    | CommitteeFeed
    | ContributorFeed
    | CandidateFeed,
    Field(discriminator="kind"),
]
"""A feed of any kind; `kind` says which."""
