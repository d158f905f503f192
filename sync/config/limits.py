"""The settings of the guard.

They define what absence means, how many changes need no permission, and which existing records
become managed.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sync.config_base.base import (
    InvalidSetting,
    NonBlank,
    Strict,
    empty_is_default,
    validation_error,
    validation_errors,
)
from sync.config_base.durations import Duration, between
from sync.contract import MAX_COMMITTEE_NAME
from sync.planning.grace import GraceRules
from sync.planning.limits import Limit, Limits
from sync.records.base import Kind

Count = Annotated[int, Field(ge=0, le=10_000_000)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class OnAbsence(Strict):
    """What happens to a record that its source no longer contains.

    It applies only if every feed of the kind was read completely.
    """

    learner: Literal["release", "keep"] = "release"
    """`release`: stop managing the learner once they are not a candidate of any test (Inspera can't
    delete learners). `keep`: keep managing the learner."""
    staff: Literal["disable", "delete", "keep"] = "disable"
    """`disable`: the person can't log in to Inspera; this can be undone. `delete`: this can't be
    undone. `keep`: change nothing."""
    test: Literal["withdraw", "keep"] = "withdraw"
    """`withdraw`: report a test that has not ended, so that a person decides; nothing is deleted.
    `keep`: change nothing."""
    committee: Literal["keep", "remove"] = "keep"
    """`keep`: leave the committee on the test. `remove`: remove it, if this tool created it."""
    contributor: Literal["remove", "keep"] = "remove"
    """`remove`: remove the contributor from the test, if this tool added them. `keep`: leave them on
    the test."""
    candidate: Literal["remove", "keep"] = "remove"
    """`remove`: remove the candidate from the test, unless the test has started. `keep`: leave them
    on the test."""


_DEFAULT = Limits()


class LimitSettings(Strict):
    """How many changes need no permission: `max(at_least, min(percent of known, at_most))`.

    If there are more, all of them are held.
    """

    at_least: Count
    """This many changes never need permission."""
    percent: Percent
    """This share of the known records may change without permission, in per cent."""
    at_most: Count | None = None
    """The upper bound of `percent`."""

    def as_limit(self) -> Limit:
        """Return the limit that the guard counts by."""
        return Limit(**self.model_dump())

    @model_validator(mode="after")
    def _check_order(self) -> "LimitSettings":
        if self.at_most is not None and self.at_most < self.at_least:
            raise validation_errors(
                [
                    InvalidSetting(
                        "at_most",
                        "is below 'at_least', so it has no effect",
                        "raise it, or lower 'at_least'",
                    )
                ]
            )
        return self


class KindLimit(LimitSettings):
    """The limit of removals of one kind, over all tests."""

    at_least: Count = _DEFAULT.kind.at_least
    """This many removals of a kind never need permission."""
    percent: Percent = _DEFAULT.kind.percent
    """This share of the kind's known records may be removed without permission, in per cent."""
    at_most: Count | None = _DEFAULT.kind.at_most
    """The upper bound of `percent`, unless `at_most_percent` is more."""
    at_most_percent: Percent = _DEFAULT.kind.at_most_percent
    """In large institutions `at_most` grows to this share of the kind's known records, in per cent:
    with 100,000 known, to 3,000. If you set only `at_most`, this is 0."""

    @model_validator(mode="before")
    @classmethod
    def _keep_own_bound(cls, given: object) -> object:
        """Set `at_most_percent` to 0 if only `at_most` is set, so that it is an exact bound."""
        if isinstance(given, dict) and "at_most" in given and "at_most_percent" not in given:
            return {**given, "at_most_percent": 0}
        return given


class TestLimit(LimitSettings):
    """The limit of removals of one kind on one test, such as of its candidates."""

    __test__ = False  # pytest would collect the class by its name

    at_least: Count = _DEFAULT.test.at_least
    """This many removals on a test never need permission."""
    percent: Percent = _DEFAULT.test.percent
    """This share of the kind's known records on the test may be removed without permission, in per
    cent."""
    at_most: Count | None = _DEFAULT.test.at_most
    """The upper bound of `percent`."""


class UpdateLimit(LimitSettings):
    """The limit of updates of one kind."""

    at_least: Count = _DEFAULT.updates.at_least
    """This many updates of a kind never need permission."""
    percent: Percent = _DEFAULT.updates.percent
    """This share of the kind's known records may be updated without permission, in per cent."""
    at_most: Count | None = _DEFAULT.updates.at_most
    """The upper bound of `percent`. Without it, `percent` has no upper bound."""


class CreateLimit(LimitSettings):
    """The limit of creates of one kind.

    A first load has no limit: nothing of the kind was known more than 7 days ago.
    """

    at_least: Count = _DEFAULT.creates.at_least
    """This many creates of a kind never need permission."""
    percent: Percent = _DEFAULT.creates.percent
    """How many may be created without permission, in per cent of the kind's known records, with
    those that have ended within a year."""
    at_most: Count | None = _DEFAULT.creates.at_most
    """The upper bound of `percent`. Without it, `percent` has no upper bound."""


class OnTestLimit(LimitSettings):
    """A limit of changes of one kind on one test, such as of its candidates."""

    at_least: Count
    """This many changes on a test never need permission."""
    percent: Percent
    """This share of the kind's known records on the test may change without permission, in per
    cent."""
    at_most: Count | None = None
    """The upper bound of `percent`."""


class ConfigurationLimit(LimitSettings):
    """The limit of what a change of the configuration does to one kind."""

    at_least: Count = _DEFAULT.configuration.at_least
    """This many changes of a kind never need permission."""
    percent: Percent = _DEFAULT.configuration.percent
    """This share of the kind's known records may be created, updated or removed only because the
    configuration changed, in per cent."""
    at_most: Count | None = _DEFAULT.configuration.at_most
    """The upper bound of `percent`. Without it, `percent` has no upper bound."""


class LimitsSettings(Strict):
    """How many changes a run may make without permission, with those of the last 24 hours.

    If there are more, they are held until a person allows them with `apply --allow HASH`.
    """

    kind: Annotated[KindLimit, BeforeValidator(empty_is_default)] = KindLimit()
    """Removals of one kind."""
    test: Annotated[TestLimit, BeforeValidator(empty_is_default)] = TestLimit()
    """Removals of one kind on one test, such as of its candidates."""
    updates: Annotated[UpdateLimit, BeforeValidator(empty_is_default)] = UpdateLimit()
    """Updates of one kind."""
    updates_on_test: OnTestLimit | None = None
    """Updates of one kind on one test. Without it, only `updates` applies."""
    creates: Annotated[CreateLimit, BeforeValidator(empty_is_default)] = CreateLimit()
    """New records of one kind."""
    creates_on_test: OnTestLimit | None = None
    """New records of one kind on a test that has some. Without it, only `creates` applies."""
    per_week: Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)] = _DEFAULT.per_week
    """How many times its limit may change within 7 days without permission."""
    configuration: Annotated[ConfigurationLimit, BeforeValidator(empty_is_default)] = (
        ConfigurationLimit()
    )
    """What only a change of the configuration does to one kind: creates, updates and removals."""

    def as_limits(self) -> Limits:
        """Return the limits that the guard counts by."""
        return Limits(
            self.kind.as_limit(),
            self.test.as_limit(),
            self.updates.as_limit(),
            self.creates.as_limit(),
            self.updates_on_test.as_limit() if self.updates_on_test else None,
            self.creates_on_test.as_limit() if self.creates_on_test else None,
            self.per_week,
            self.configuration.as_limit(),
        )


_Before = Annotated[Duration, between(timedelta(0), timedelta(days=7))]
_After = Annotated[Duration, between(timedelta(0), timedelta(days=366))]


class FreezeSettings(Strict):
    """The protection of tests that start soon, are running or have ended."""

    before: _Before = timedelta(hours=2)
    """How long before its start a test is protected, until it ends. Nothing then shortens, moves or
    renames the test, or removes anyone from it, unless a person allows it. Additions, more extra
    time and a later end are sent."""
    after: _After = timedelta(days=14)
    """How long after its end contributors, committees and options of a test still change. Nothing
    else of it changes after its end."""


class FeedFreezeSettings(Strict):
    """The protection of the tests of one feed, where it differs from `freeze`."""

    before: _Before | None = None
    """How long before its start a test of this feed is protected, until it ends."""
    after: _After | None = None
    """How long after its end contributors, committees and options of a test of this feed still
    change."""


class GraceSettings(Strict):
    """How long a record must be absent from its source before it is removed.

    It applies to candidates, contributors, committees and staff that no row names any more. A row
    that marks its record as departed or disabled needs no grace.
    """

    readings: Annotated[int, Field(ge=1, le=100)] = 2
    """How many readings by `apply` in a row, each complete and healthy, must lack the record."""
    age: Annotated[Duration, between(timedelta(0), timedelta(days=90))] = timedelta(hours=1)
    """How long ago the first of these readings must be."""
    staff_age: Annotated[Duration, between(timedelta(0), timedelta(days=365))] = timedelta(days=7)
    """The same for staff, who can't log in any more once they are disabled."""

    def as_rules(self) -> GraceRules:
        """Return the rules that the guard decides by."""
        return GraceRules(self.readings, self.age, {Kind.STAFF: self.staff_age})


def _check_committee(name: str) -> str:
    if len(name) > MAX_COMMITTEE_NAME:
        remedy = f"use no more characters than {MAX_COMMITTEE_NAME}"
        raise validation_error("is too long", remedy)
    return name


class CommitteesSettings(Strict):
    """Committees that no feed names."""

    ensure: Annotated[NonBlank, AfterValidator(_check_committee)] | None = None
    """The name of a committee, such as `A`, that each test gets that has none at all, as a test
    without a committee cannot be graded. Default: none is created."""


class ExistingSettings(Strict):
    """How to treat what was in Inspera before this tool.

    On tests it is unmanaged by default, so it is never removed.
    """

    claim: tuple[NonBlank, ...] = ()
    """The tests whose existing candidates, contributors and committees become managed, by key; with
    the wildcards `*`, `?` and `[…]`."""
    unread: Literal["unmanaged", "managed"] = "unmanaged"
    """Whether the candidates, contributors and committees that this tool sends to an existing test
    are `managed` if the test could not be read first. Only managed ones are ever removed."""
    look_up_learners: bool = True
    """Whether to find out whether a new learner has an account before creating them, so that nobody
    gets a second one. Set `false` only for the first load of an empty tenant."""
    export_above: Annotated[int, Field(ge=0, le=1_000_000)] = 500
    """Above how many new learners, or new staff, one export of Inspera's people tells which logins
    exist. Then only people with such a login are looked up, with two more calls for each; the
    others are created at once. People for tests of the next 7 days do not count: they are always
    looked up. It does not see an account with another login and the same external id. `0` to look
    everyone up."""
    match_email: bool = False
    """Whether `adopt` also matches people by email address, if neither the external id nor the login
    matches."""


class ReconcileSettings(Strict):
    """What `reconcile` reads from Inspera, and whether it repairs differences."""

    repair: bool = False
    """Whether to repair managed records that were changed or removed in Inspera. Otherwise they are
    only reported."""
    people: Literal["one_by_one", "export", "none"] = "one_by_one"
    """How to read people: with one call for each (`one_by_one`), all at once with Inspera's export
    (`export`), or not at all (`none`)."""
