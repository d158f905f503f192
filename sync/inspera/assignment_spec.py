"""How each kind of record is put on a test, told apart when it is read back there, and taken off it."""

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

Word = Callable[[Call, Sequence[Assignment]], object]
"""Words the body of a call with these entries."""


@dataclass(frozen=True, slots=True)
class AssignmentSpec:
    """How one kind is put on a test and taken off it (vendor contract, Test API).

    `shows` are the fields that a reading must show as they are wanted before an assignment whose answer was lost counts
    as done; `None` when the kind can't be read back, so that only repeating settles it. `remove` is `None` for what
    can't be taken off.
    """

    assign: Call
    word: Word
    shows: tuple[str, ...] | None
    remove: Call | None = None
    word_removal: Word | None = None

    def proven(self, seat: Member, entry: Assignment, *, repeatable: bool) -> bool:
        """Whether a reading shows all that is wanted.

        What it does not show is not proven; but where nothing may be repeated blindly, to be there as far as is shown
        is enough, since sending it again could not tell any better.
        """
        for name in self.shows or ():
            wanted, shown = entry.fields.get(name), getattr(seat, name)
            if wanted is not None and wanted != shown and (repeatable or shown is not None):
                return False
        return True


MANNERS: Final[Mapping[Kind, AssignmentSpec]] = {
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
    # A committee's name is all that there is to it: of what type it is can't be changed.
    Kind.COMMITTEE: AssignmentSpec(
        COMMITTEE_CREATE, entries.committees, (), COMMITTEE_REMOVE, entries.leaving_committees
    ),
    Kind.OPTION: AssignmentSpec(OPTION_SET, entries.options, None),
}


def may_be_repeated(call: Call, entry: Assignment) -> bool:
    """Whether an entry may be sent again although a call with it may have been carried out (`sync.contract.Repeat`)."""
    if call.repeat is Repeat.WITHOUT_NOTICE:
        return not entry.fields.get("notify")
    return call.repeat is Repeat.SAFE
