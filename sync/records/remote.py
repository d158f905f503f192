"""What Inspera has, and what a seat on a test is to be, in our own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from typing import TYPE_CHECKING, Final

from sync.contract import STATUSES, Stage, stage_of
from sync.records.candidate import CANDIDATE
from sync.records.changes import Fields
from sync.records.committee import COMMITTEE
from sync.records.contributor import CONTRIBUTOR


@dataclass(frozen=True, slots=True)
class RemoteTest:
    """A test as Inspera shows it.

    Times are text as in a plan (UTC, whole seconds); `None` is what it did not show.

    `duration` is in minutes, and the documented answers leave it out. `is_parent` tells whether
    other tests are parts of it (`isAssessmentPath`), and `parent_id` which test it is a part of.
    `statuses` are the words of this tenant, by which `status` is judged.
    """

    remote_id: str
    external_test_id: str | None = None
    title: str | None = None
    start: str | None = None
    end: str | None = None
    status: str | None = None
    duration: int | None = None
    is_parent: bool | None = None
    parent_id: str | None = None
    statuses: Mapping[str, Stage] = field(
        default_factory=lambda: STATUSES, repr=False, compare=False
    )

    @property
    def stage(self) -> Stage:
        """Return what the status of the test means."""
        return stage_of(self.status, self.statuses)


@dataclass(frozen=True, slots=True)
class RemotePerson:
    """A person as Inspera shows them; `external_ids` are pairs of auth system and external id.

    `status` is `active` or `disabled`, `None` when it was not shown, as in all that is documented
    for learners.
    """

    remote_id: str | None
    username: str | None
    external_ids: tuple[tuple[str, str], ...] = ()
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    status: str | None = None


MEMBER_KINDS: Final = (CANDIDATE, CONTRIBUTOR, COMMITTEE)
"""The kinds that can be read back from a test."""

if TYPE_CHECKING:

    @dataclass(frozen=True)
    class Member:
        """A candidate, a contributor or a committee on a test as Inspera shows it.

        `None` is what it did not show.

        It has every field that records of these kinds compare; those that code names are listed
        here. `extra_time` is in minutes; `roles` and `committees` are lists
        (`sync.records.base.joined`), roles without the vendor's prefix.
        """

        remote_user_id: str | None = None
        candidate_id: str | None = None
        extra_time: int | None = None
        room: str | None = None
        building: str | None = None
        committees: str | None = None
        roles: str | None = None
        type: str | None = None

else:  # made from the record types, so that a new field is one line there and none here
    Member = make_dataclass(
        "Member",
        [
            (name, "str | int | None", None)
            for name in dict.fromkeys(
                ["remote_user_id", *(name for each in MEMBER_KINDS for name in each.compared)]
            )
        ],
        frozen=True,
        slots=True,
        namespace={"__module__": __name__},
    )


@dataclass(frozen=True, slots=True)
class Members:
    """All candidates (or contributors, or committees) of one test, by auth system and external id.

    Committees stand under an empty auth system and their name.

    When the tenant does not let them be read, `readable` is false and `message` says why. `unnamed`
    counts the ones that Inspera showed without an external id: anybody might be among them.
    `unnamed_numbers` are their candidate numbers.
    """

    readable: bool
    there: Mapping[tuple[str, str], Member] = field(default_factory=dict)
    unnamed: int = 0
    message: str = ""
    unnamed_numbers: tuple[str, ...] = ()

    @property
    def taken(self) -> int:
        """Return how many people have a seat: one who is under several ids counts once."""
        return len({id(seat) for seat in self.there.values()}) + self.unnamed

    def lack(self, auth_system: str, external_id: str) -> bool:
        """Tell whether this reading proves that the person has no seat."""
        return self.readable and not self.unnamed and (auth_system, external_id) not in self.there


@dataclass(frozen=True, slots=True)
class Assignment:
    """One entry of what is put on a test, or taken off it.

    For a candidate `fields` are `candidate_id`, `extra_time`, `room`, `building`, `committees`; for
    a contributor `first_name`, `last_name`, `email`, `roles`, `committees`, `room`, `building`,
    `notify`. A committee is under an empty auth system and its name, with its `type`; an option
    likewise, with its `value`, `group`, `type` and `secret`. `fields` may hold a secret and names
    of people, so they are never shown. Entries that are `together` are in one call, or are not
    sent: they swap what no two may have at once.
    """

    auth_system: str
    external_id: str
    fields: Fields = field(default_factory=dict, repr=False)
    together: bool = False
