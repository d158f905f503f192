"""A plan in figures, by what is sent together: an estimate of its calls rests on them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync.planning.export_need import NewPeople
from sync.records.base import Kind
from sync.records.changes import Action


@dataclass(frozen=True, slots=True)
class PlanPart:
    """The changes of a plan of one kind and action that go ahead.

    Those on tests are counted by what is sent together: `action` is then `create` or `remove`,
    `groups` the number of tests, and `batches` that of the calls which they fill.
    """

    kind: Kind
    action: Action
    changes: int
    groups: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True)
class PlanSize:
    """A plan in figures.

    Attributes:
        parts: its changes by kind and action.
        new_people: how many new people go ahead, by kind.
        passwords: how many new learners get a first password.
        secured: on how many tests security options are set.
        shared: on how many tests both committees and contributors are put, which one reading shows.
        blank: whether the state knows nothing, so that a lost state is looked for.
    """

    parts: Sequence[PlanPart]
    new_people: Mapping[Kind, NewPeople] = field(default_factory=dict)
    passwords: int = 0
    secured: int = 0
    shared: int = 0
    blank: bool = False
