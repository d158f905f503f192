"""The calls that put each kind of record on a test and remove it, and how a read confirms it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sync.contract import (
    CANDIDATE_ASSIGN,
    CANDIDATE_REMOVE,
    COMMITTEE_CREATE,
    COMMITTEE_REMOVE,
    CONTRIBUTOR_ASSIGN,
    CONTRIBUTOR_REMOVE,
    OPTION_SET,
    Call,
    Repeat,
)
from sync.inspera.requests import entries
from sync.records.base import Kind
from sync.records.candidate import CANDIDATE
from sync.records.contributor import CONTRIBUTOR
from sync.records.remote import Assignment, Member

BuildBody = Callable[[Call, Sequence[Assignment]], object]
"""A function that builds the body of a call with these entries."""


@dataclass(frozen=True, slots=True)
class AssignmentSpec:
    """The calls that put one kind on a test and remove it (vendor contract, Test API).

    Attributes:
        assign: the call that puts entries on a test.
        build_assign: builds the body of that call.
        readable_fields: the fields that must read back as wanted before an assignment whose
            response was lost counts as done; `None` when the kind can't be read back. Then only
            sending it again settles it.
        remove: the call that takes entries off; `None` when Inspera has no such call.
        build_remove: builds the body of that call.
    """

    assign: Call
    build_assign: BuildBody
    readable_fields: tuple[str, ...] | None
    remove: Call | None = None
    build_remove: BuildBody | None = None

    def confirms(self, member: Member, entry: Assignment, *, repeatable: bool) -> bool:
        """Tell whether a member that was read has all the values that the entry wants.

        A value that Inspera does not show is not confirmed. Where the call may not be repeated
        blindly, such a value is accepted: sending the entry again could not confirm it either.
        """
        for name in self.readable_fields or ():
            wanted, shown = entry.fields.get(name), getattr(member, name)
            if wanted is not None and wanted != shown and (repeatable or shown is not None):
                return False
        return True


ASSIGNMENT_SPECS: Final[Mapping[Kind, AssignmentSpec]] = {
    Kind.CANDIDATE: AssignmentSpec(
        CANDIDATE_ASSIGN,
        entries.candidates,
        CANDIDATE.compared,
        CANDIDATE_REMOVE,
        entries.leaving_people,
    ),
    Kind.CONTRIBUTOR: AssignmentSpec(
        CONTRIBUTOR_ASSIGN,
        entries.contributors,
        CONTRIBUTOR.compared,
        CONTRIBUTOR_REMOVE,
        entries.leaving_people,
    ),
    # No fields to compare: a committee has only its name, since its type can't be changed.
    Kind.COMMITTEE: AssignmentSpec(
        COMMITTEE_CREATE, entries.committees, (), COMMITTEE_REMOVE, entries.leaving_committees
    ),
    Kind.OPTION: AssignmentSpec(OPTION_SET, entries.options, None),
}


def may_be_repeated(call: Call, entry: Assignment) -> bool:
    """Tell whether an entry may be sent again although a lost call may have carried it out.

    `sync.contract.Repeat` says so for each call. An entry that notifies a person is not repeated.
    """
    if call.repeat is Repeat.WITHOUT_NOTICE:
        return not entry.fields.get("notify")
    return call.repeat is Repeat.SAFE
