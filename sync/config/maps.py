"""Where each field of a record comes from: the `map` of a feed of each kind."""

from sync.config.fields import (
    DurationSettings,
    EndSettings,
    FieldSettings,
    ListSettings,
    MinutesSettings,
    TimeSettings,
)
from sync.config_base.base import Strict


class LearnerMap(Strict):
    """Where each field of a learner comes from. A field that is not mapped is never sent."""

    key: FieldSettings | None = None
    """The source's own stable identifier, such as a student number. It is never sent. Default: `external_id`."""
    username: FieldSettings
    """The login name in Inspera. It can't be changed there afterwards."""
    external_id: FieldSettings
    """The identifier by which the auth system knows the person."""
    auth_system: FieldSettings | None = None
    """The auth system, where it differs from row to row; otherwise use the feed's own `auth_system`."""
    first_name: FieldSettings
    """The given name."""
    last_name: FieldSettings
    """The family name."""
    email: FieldSettings | None = None
    """The email address."""
    password: FieldSettings | None = None
    """A first password. It is sent when the learner is created, and never stored, compared or shown."""


class StaffMap(Strict):
    """Where each field of a member of staff comes from. A field that is not mapped is never sent."""

    key: FieldSettings | None = None
    """The source's own stable identifier, such as an employee number. It is never sent. Default: `external_id`."""
    username: FieldSettings
    """The login name in Inspera. It can't be changed there afterwards."""
    external_id: FieldSettings
    """The identifier by which the auth system knows the person."""
    auth_system: FieldSettings | None = None
    """The auth system, where it differs from row to row; otherwise use the feed's own `auth_system`."""
    first_name: FieldSettings
    """The given name."""
    last_name: FieldSettings
    """The family name."""
    email: FieldSettings | None = None
    """The email address."""
    status: FieldSettings | None = None
    """`active` or `disabled`; where the source has other words, `lookup` translates them."""
    accesses: ListSettings | None = None
    """What the person may do in Inspera: a list, in the tenant's words."""
    organisations: ListSettings | None = None
    """The organisations in Inspera to which the person belongs: a list, in the tenant's words."""
    password: FieldSettings | None = None
    """A first password. It is sent when the person is created, and never stored, compared or shown."""


class TestMap(Strict):
    """Where each field of a test comes from. A field that is not mapped is never sent."""

    __test__ = False  # not a test case, whatever pytest thinks of its name

    key: FieldSettings | None = None
    """The source's own stable identifier. It is never sent. Default: `external_test_id`."""
    external_test_id: FieldSettings
    """The identifier under which Inspera keeps the test for us."""
    title: FieldSettings
    """The title: at most 500 characters, without square brackets."""
    start: TimeSettings
    """When the test opens."""
    end: EndSettings
    """When the test closes for those without extra time."""
    duration: DurationSettings
    """The working time, in minutes; at most the time between start and end."""
    template: FieldSettings | None = None
    """The test in Inspera to copy. It is sent only when the test is created."""


class OptionMap(Strict):
    """Where each part of a test's option comes from. Usually `option` is a constant: one feed for each option."""

    test: FieldSettings
    """The key of the test, as the test feed's `key` makes it."""
    option: FieldSettings
    """The option's name in Inspera, such as `LOCKDOWN_BROWSER`, or one declared under `inspera.options`."""
    value: FieldSettings
    """What the option is set to. A switch takes true or false (also yes, no, 1, 0, on, off); a pin is a secret, of 6 or
    more printable ASCII characters with letters and digits among them. A blank leaves Inspera's value alone."""


class CommitteeMap(Strict):
    """Where each field of a committee comes from. A field that is not mapped is never sent."""

    test: FieldSettings
    """The key of the test, as the test feed's `key` makes it."""
    committee: FieldSettings
    """The committee's name: at most 50 characters."""
    type: FieldSettings | None = None
    """`GRADING` or `REASSESSMENT`. Without it, Inspera makes it a grading committee."""


class ContributorMap(Strict):
    """Where each field of a contributor comes from. A field that is not mapped is never sent."""

    test: FieldSettings
    """The key of the test, as the test feed's `key` makes it."""
    staff: FieldSettings
    """The key of the member of staff, as the staff feed's `key` makes it."""
    roles: ListSettings
    """What the person does on the test: a list of `evaluate`, `monitor`, `plan`, `author`, `invigilate`,
    `chief_invigilate` and `review`; where the source has other words, `lookup` translates them."""
    committees: ListSettings | None = None
    """The committees that the person is on: a list of names. Those that no feed names are created."""
    room: FieldSettings | None = None
    """The room."""
    building: FieldSettings | None = None
    """The building."""
    notify: FieldSettings | None = None
    """Whether Inspera tells the person, once, that they are on the test: true or false. Otherwise use the feed's own
    `notify`."""


class CandidateMap(Strict):
    """Where each field of a candidate comes from. A field that is not mapped is never sent."""

    test: FieldSettings
    """The key of the test, as the test feed's `key` makes it."""
    learner: FieldSettings
    """The key of the learner, as the learner feed's `key` makes it."""
    candidate_id: FieldSettings | None = None
    """The candidate number on this test."""
    extra_time: MinutesSettings | None = None
    """Extra time: minutes, or a share of the duration such as `25%`, `12,5 %` or `15 min/h`; at most the duration."""
    room: FieldSettings | None = None
    """The room."""
    building: FieldSettings | None = None
    """The building."""
    committees: ListSettings | None = None
    """The committees that grade the candidate: a list of names. Those that no feed names are created."""
