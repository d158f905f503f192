"""Settings of the guard.

They say what absence means, how much may go unasked, and which existing records are managed.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from sync.config_base.base import Filled, InvalidSetting, Strict, empty_is_default, told
from sync.config_base.durations import Duration, between
from sync.planning.limits import Limit, Limits

Count = Annotated[int, Field(ge=0, le=10_000_000)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class OnAbsence(Strict):
    """What becomes of a record that its source no longer has.

    It applies once every feed of its kind was read whole.
    """

    learner: Literal["release", "keep"] = "release"
    """`release` forgets the learner (Inspera can't delete one) when no seat is left; `keep` goes on
    keeping them."""
    staff: Literal["disable", "delete", "keep"] = "disable"
    """`disable` keeps the person out of Inspera, and can be undone; `delete` is for good; `keep`
    leaves them be."""
    test: Literal["withdraw", "keep"] = "withdraw"
    """`withdraw` lists a test that has not ended for a person to look at (nothing is deleted);
    `keep` leaves it be."""
    committee: Literal["keep", "remove"] = "keep"
    """`keep` leaves the committee on the test; `remove` takes it off, if this tool made it."""
    contributor: Literal["remove", "keep"] = "remove"
    """`remove` takes the contributor off the test, if this tool put them there; `keep` leaves them
    on it."""
    candidate: Literal["remove", "keep"] = "remove"
    """`remove` takes the candidate off the test, unless the test has started; `keep` leaves them on
    it."""


_DEFAULT = Limits()


class LimitSettings(Strict):
    """How many changes go unasked: `max(at_least, min(percent of known, at_most))`.

    Of more, all are held.
    """

    at_least: Count
    """This many always go."""
    percent: Percent
    """This share of what is known goes, in per cent."""
    at_most: Count | None = None
    """But never more than this many."""

    def as_limit(self) -> Limit:
        """Return the limit that the guard counts by."""
        return Limit(**self.model_dump())

    @model_validator(mode="after")
    def _in_order(self) -> "LimitSettings":
        if self.at_most is not None and self.at_most < self.at_least:
            raise told(
                [
                    InvalidSetting(
                        "at_most",
                        "is below 'at_least', so it never matters",
                        "raise it, or lower 'at_least'",
                    )
                ]
            )
        return self


class KindLimit(LimitSettings):
    """The limit of removals of one kind, over all tests."""

    at_least: Count = _DEFAULT.kind.at_least
    """This many removals of a kind always go."""
    percent: Percent = _DEFAULT.kind.percent
    """This share of the kind's known records may go, in per cent."""
    at_most: Count | None = _DEFAULT.kind.at_most
    """But never more than this many, or than `at_most_percent` where that is more."""
    at_most_percent: Percent = _DEFAULT.kind.at_most_percent
    """`at_most` grows to this share of the kind's known records, in per cent: with 100,000 known,
    3,000. 0 where you set `at_most` yourself and not this."""

    @model_validator(mode="before")
    @classmethod
    def _own_bound(cls, given: object) -> object:
        """Let an `at_most` that somebody has set be the bound that it says."""
        if isinstance(given, dict) and "at_most" in given and "at_most_percent" not in given:
            return {**given, "at_most_percent": 0}
        return given


class TestLimit(LimitSettings):
    """The limit of removals of one kind on one test, such as of its candidates."""

    __test__ = False  # not a test case, whatever pytest thinks of its name

    at_least: Count = _DEFAULT.test.at_least
    """This many removals on a test always go."""
    percent: Percent = _DEFAULT.test.percent
    """This share of what is known of the kind on the test may go, in per cent."""
    at_most: Count | None = _DEFAULT.test.at_most
    """But never more than this many."""


class UpdateLimit(LimitSettings):
    """The limit of updates of one kind."""

    at_least: Count = _DEFAULT.updates.at_least
    """This many updates of a kind always go."""
    percent: Percent = _DEFAULT.updates.percent
    """This share of the kind's known records may change, in per cent."""
    at_most: Count | None = _DEFAULT.updates.at_most
    """But never more than this many. Without it, the share alone decides."""


class LimitsSettings(Strict):
    """How much may change in one run without a person's word.

    What is above is held until `apply --allow HASH`.
    """

    kind: Annotated[KindLimit, BeforeValidator(empty_is_default)] = KindLimit()
    """Removals of one kind."""
    test: Annotated[TestLimit, BeforeValidator(empty_is_default)] = TestLimit()
    """Removals of one kind on one test, such as of its candidates."""
    updates: Annotated[UpdateLimit, BeforeValidator(empty_is_default)] = UpdateLimit()
    """Updates of one kind."""

    def as_limits(self) -> Limits:
        """Return the limits that the guard counts by."""
        return Limits(self.kind.as_limit(), self.test.as_limit(), self.updates.as_limit())


class FreezeSettings(Strict):
    """How long before its start a test is left as it is. It stays so until it has ended."""

    before: Annotated[Duration, between(timedelta(0), timedelta(days=7))] = timedelta(hours=2)
    """From how long before its start until its end nothing shortens, moves or renames a test, or
    takes anybody off it, unless a person allows it. Additions, more extra time and a later end are
    sent."""


class ExistingSettings(Strict):
    """What was in Inspera before this tool first touched it.

    On tests it is unmanaged, so it is never removed.
    """

    claim: tuple[Filled, ...] = ()
    """Tests (by key, with the wildcards `*`, `?` and `[…]`) whose existing candidates, contributors
    and committees become managed."""
    unread: Literal["unmanaged", "managed"] = "unmanaged"
    """Whose the candidates, contributors and committees are that we put on an existing test that
    could not be read first; only `managed` ones are removed."""
    look_up_learners: bool = True
    """Whether each new learner is looked up before being made, so that nobody gets a second
    account. That takes two calls more for each; `false` is for the first load of a tenant that has
    nobody yet."""
    match_email: bool = False
    """Whether `adopt` matches a person by email address too, where neither the external id nor the
    login finds one."""


class ReconcileSettings(Strict):
    """What `reconcile` reads of Inspera, and what it does about the differences that it finds."""

    repair: bool = False
    """Whether what is managed and was changed there, or is gone, is put right. Otherwise it is only
    listed."""
    people: Literal["one_by_one", "export", "none"] = "one_by_one"
    """How people are read: one call for each (`one_by_one`), all at once by Inspera's export
    (`export`), or not."""
