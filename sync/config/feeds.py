"""Feeds: which rows of a source become records of one kind, and where each field comes from."""

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

from sync.config.fields import FieldSettings, TimeSettings
from sync.config.limits import CommitteesSettings, FeedFreezeSettings
from sync.config.maps import (
    CandidateMap,
    CommitteeMap,
    ContributorMap,
    LearnerMap,
    OptionMap,
    StaffMap,
    TestMap,
)
from sync.config.patterns import check_expression
from sync.config.plausible import PlausibleSettings
from sync.config.selections import OnlySettings
from sync.config_base.base import (
    ColumnName,
    InvalidSetting,
    NonBlank,
    Strict,
    Values,
    empty_is_default,
    empty_is_none,
    require_entries,
    validation_error,
    validation_errors,
)
from sync.config_base.durations import Duration, between
from sync.records.base import Kind
from sync.records.kinds import KEY_FROM
from sync.text.characters import Damage


class JoinSettings(Strict):
    """Columns from the matching rows of another source, named `{source}.{column}`."""

    by: Annotated[dict[ColumnName, ColumnName], AfterValidator(require_entries)]
    """The columns that must be equal: each of this feed's source, with that of the other source."""
    ignore_case: bool = False
    """Whether these columns are compared without regard to upper and lower case."""
    missing: Literal["blank", "error", "skip"] = "blank"
    """What to do with a row that has no match in the other source: leave its columns `blank`, report
    an `error`, or `skip` the row."""


class ConditionSettings(Strict):
    """A condition on a column: a list of values, a pattern, or both."""

    any_of: Values | None = None
    """One value, or a list of them."""
    pattern: str | None = None
    """A regular expression that the whole value must match, such as `act.*|exchange`."""
    ignore_case: bool = False
    """Whether to compare without regard to upper and lower case."""

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, value: str | None) -> str | None:
        return None if value is None else check_expression(value)

    @model_validator(mode="after")
    def _require_values(self) -> "ConditionSettings":
        if self.any_of is None and self.pattern is None:
            raise validation_error("has neither 'any_of' nor 'pattern'", "add one of them")
        return self

    @property
    def plain(self) -> tuple[str, ...] | None:
        """Return the values if nothing else is set; otherwise None."""
        return None if self.pattern is not None or self.ignore_case else self.any_of


def _condition(value: object) -> object:
    return value if isinstance(value, dict) else {"any_of": value}


class _ValuesOrSettings:
    """The JSON Schema of settings for which one value or a list of values may be written, too."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        value = {"type": ["string", "number", "boolean"]}
        return {"anyOf": [value, {"type": "array", "minItems": 1, "items": value}, handler(schema)]}


Condition = Annotated[ConditionSettings, BeforeValidator(_condition), _ValuesOrSettings]
"""The values of a column: one, a list of them, or settings."""


class FeedSettings(Strict):
    """The settings that feeds of all kinds have."""

    source: Annotated[str, Field(min_length=1)]
    """The name of a source, as under `sources`."""
    where: Annotated[dict[ColumnName, Condition], Field(default_factory=dict)]
    """Use only the rows whose columns have one of these values; without it, every row. Instead of
    values, a column may have `any_of`, `pattern` and `ignore_case`."""
    where_not: Annotated[dict[ColumnName, Condition], Field(default_factory=dict)]
    """Leave out the rows in which any of these columns has one of these values."""
    join: Annotated[dict[str, JoinSettings], Field(default_factory=dict)]
    """Other sources, by their names, from which to add columns."""
    on_conflict: Literal["error", "skip", "fill"] = "error"
    """What to do if an earlier feed of the same kind has a record with the same key: report an
    `error` if the two differ, `skip` the record of this feed, or `fill` the blank fields of the
    other."""
    departure: Annotated[dict[ColumnName, Condition], Field(default_factory=dict)]
    """The columns and values by which a row marks its record as departed. Such a record may be
    removed even if the source was not read completely."""
    updated_column: ColumnName | None = None
    """The column with the time of a row's last change. `plan --changed` and `apply --changed` then
    read only the rows that changed since the last read. Such a read removes nothing."""
    allow_empty: bool = False
    """Whether this feed may have no rows. Otherwise its source is unhealthy if it has no rows."""
    blank: Literal["keep", "clear"] | None = None
    """What a blank value means: `keep` the value in Inspera, or `clear` it. Without it, a value is
    kept, except for a room or building that this tool has put there: that is taken away. Options
    and committees have nothing that can be cleared."""

    only: Annotated[tuple[OnlySettings, ...], BeforeValidator(empty_is_none)] = ()
    """A pilot group of the feed's kind: only these records are kept in step, in addition to those
    that others need."""

    allow_text: tuple[Damage, ...] = ()
    """Damage to text that is not an error in this feed: `mojibake` (`Ã¸` for ø), `html`
    (`&aring;`), `escape` (`\\u00e5`, `%C3%A5`), `null` (`\\N`, `(null)`, `#N/A`; as identifiers
    also `NULL`), `replacement` (U+FFFD in place of a lost character)."""

    @property
    def clear_blanks(self) -> bool:
        """Tell whether a blank value empties Inspera's."""
        return self.blank == "clear"

    def fields(self) -> dict[str, FieldSettings]:
        """Return the settings of every field by name, including `key` if it comes from another field."""
        feed: Any = self  # `kind` and `map` are declared by each subclass
        mapped: dict[str, FieldSettings] = feed.map.mapped()
        source = KEY_FROM.get(feed.kind)
        return {"key": mapped[source], **mapped} if source else mapped


class PeopleFeed(FeedSettings):
    """The settings that feeds of learners and of staff share."""

    auth_system: NonBlank | None = None
    """The auth system that every person of this feed logs in with, as the tenant names it, such as
    `FEIDE`."""

    def fields(self) -> dict[str, FieldSettings]:
        """Return the settings of every field by name, including `auth_system` if the feed sets it."""
        mapped = super().fields()
        if self.auth_system is not None:
            mapped["auth_system"] = FieldSettings(constant=self.auth_system)
        return mapped


class LearnerFeed(PeopleFeed):
    """A feed of learners: the people who sit exams."""

    kind: Literal[Kind.LEARNER]
    """`learner`."""
    map: LearnerMap
    """Where each field comes from."""


class StaffFeed(PeopleFeed):
    """A feed of staff: the people who write, run and grade exams, as administrative users."""

    kind: Literal[Kind.STAFF]
    """`staff`."""
    map: StaffMap
    """Where each field comes from."""


class ActivateSettings(Strict):
    """When the tests of a feed are activated. The first activation of a test mails its graders."""

    before: Annotated[Duration, between(timedelta(minutes=15), timedelta(days=30))]
    """How long before its start a test is activated, once its candidates, contributors, committees
    and options are in Inspera. A job must run more often than that."""


class TestFeed(FeedSettings):
    """A feed of tests: the exams as events in time."""

    __test__ = False  # pytest would collect the class by its name

    kind: Literal[Kind.TEST]
    """`test`."""
    longest_duration: Annotated[Duration, between(timedelta(minutes=1), timedelta(days=366))] = (
        timedelta(hours=24)
    )
    """How long a test of this feed may last. A longer one is held until a person allows it. Home
    exams may need `7d`."""
    freeze: Annotated[FeedFreezeSettings, BeforeValidator(empty_is_default)] = FeedFreezeSettings()
    """How long tests of this feed are protected, where it differs from `freeze`. A single test has
    its own in `map` (`freeze_before`, `freeze_after`)."""
    plausible: Annotated[PlausibleSettings, BeforeValidator(empty_is_default)] = PlausibleSettings()
    """The times at which tests of this feed may be. What lies outside is held."""
    activate: ActivateSettings | None = None
    """When tests of this feed are activated, so that candidates can enter them. Without it, a
    planner activates each test by hand. Tests that were in Inspera before are activated only if
    `existing.claim` names them."""
    committees: CommitteesSettings | None = None
    """Committees of tests of this feed that no feed names, where they differ from `committees`."""
    map: TestMap
    """Where each field comes from."""

    @property
    def zone(self) -> str | None:
        """Return the time zone of the tests' start, if the feed sets it."""
        start = self.fields()["start"]
        return start.zone if isinstance(start, TimeSettings) else None

    @model_validator(mode="after")
    def _check_zone(self) -> "TestFeed":
        if self.plausible.needs_zone and self.zone is None:
            reason = "needs a time zone for its days and hours, and the feed's 'start' sets none"
            remedy = "add it, such as 'zone: Europe/Oslo'"
            raise validation_errors([InvalidSetting("plausible", reason, remedy)])
        return self


class OptionFeed(FeedSettings):
    """A feed of options: settings of tests, such as the lock-down browser and its pin."""

    kind: Literal[Kind.OPTION]
    """`option`."""
    map: OptionMap
    """Where each field comes from."""


class CommitteeFeed(FeedSettings):
    """A feed of committees. Committees that contributors and candidates name don't need one."""

    kind: Literal[Kind.COMMITTEE]
    """`committee`."""
    map: CommitteeMap
    """Where each field comes from."""


class ContributorFeed(FeedSettings):
    """A feed of contributors: the roles of staff on tests.

    Several roles of one person are a list in one row, or several rows.
    """

    kind: Literal[Kind.CONTRIBUTOR]
    """`contributor`."""
    notify: bool = False
    """Whether Inspera notifies each person of this feed, once, that they were added to the test."""
    map: ContributorMap
    """Where each field comes from."""

    def fields(self) -> dict[str, FieldSettings]:
        """Return the settings of every field by name, including `notify` if people are notified."""
        mapped = super().fields()
        return {**mapped, "notify": FieldSettings(constant="true")} if self.notify else mapped


class CandidateFeed(FeedSettings):
    """A feed of candidates: the learners who sit a test."""

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
"""A feed of the kind that its `kind` names."""
