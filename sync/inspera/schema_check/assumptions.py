"""The inferred facts about the vendor's interface, and what a tenant's own schema says of each.

The table is the whole list: what is assumed, where the schema may say it, and the setting that
changes it. Pure.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sync import contract
from sync.contract import FLAT, ROLES, Call, StaffBody
from sync.inspera.requests.bodies import staff_members
from sync.inspera.schema_check.compare import setting
from sync.inspera.schema_check.schema import Members, Operation, Schema

_TELL: Final = "no setting changes this: send us the schema"
_MOVES: Final = ("candidates/move", "candidates/remove", "contributors/move", "contributors/remove")
_INFERRED_GROUP: Final = "after_test"
_SHAPES: Final[tuple[StaffBody, ...]] = ("flat", "nested")


class Settled(StrEnum):
    """What a schema says of an assumption."""

    AS_ASSUMED = "as assumed"
    DIFFERENT = "different"
    UNSAID = "not said"


@dataclass(frozen=True, slots=True)
class SchemaFinding:
    """What a schema says of one assumption, in words, and what to do about it."""

    settled: Settled
    found: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the schema says of one call: the operation in the place of the call, and its body."""

    schema: Schema
    call: Call
    operation: Operation
    staff_body: StaffBody

    @property
    def body(self) -> Members:
        """Return the members of the whole body."""
        return self.schema.members(self.operation.body)

    @property
    def entry(self) -> Members:
        """Return the members inside the wrapper, or of the body of a call without one."""
        content = self.operation.body
        if self.call.wrapper:
            content = self.body.schemas.get(self.call.wrapper, {})
        return self.schema.members(self.schema.entry(content))

    @property
    def answer(self) -> Members:
        """Return the members of a successful answer, or of the entries of a list."""
        return self.schema.members(self.schema.entry(self.operation.answer))


Judge = Callable[[Reading], SchemaFinding]
"""A function that says what a schema says of an assumption about one call."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One inferred fact (vendor contract, opening).

    Attributes:
        name: what it is about.
        assumed: what is assumed.
        call: the call whose place in the schema may say it.
        judge: says what the schema says of it.
        essential: whether the call can't do its work when the tenant differs.
    """

    name: str
    assumed: str
    call: Call
    judge: Judge
    essential: bool = True


def settle(
    schema: Schema, calls: Collection[Call], staff_body: StaffBody = FLAT
) -> list[tuple[Assumption, SchemaFinding]]:
    """Return what a schema says of each assumption about these calls, which are those in force.

    `staff_body` is the shape in which staff are sent: `flat` or `nested`.
    """
    by_name = {call.name: call for call in calls}
    return [
        (assumption, _settle(assumption, schema, by_name[assumption.call.name], staff_body))
        for assumption in ASSUMPTIONS
        if assumption.call.name in by_name
    ]


def _settle(
    assumption: Assumption, schema: Schema, call: Call, staff_body: StaffBody
) -> SchemaFinding:
    operation = schema.at(call.path).get(call.method)
    if operation is None and call.operation:
        operation = schema.named(call.operation)
    if operation is None:
        return SchemaFinding(Settled.UNSAID, f"the schema has no {call.method} {call.path}")
    return assumption.judge(Reading(schema, call, operation, staff_body))


def _as_assumed(found: str = "") -> SchemaFinding:
    return SchemaFinding(Settled.AS_ASSUMED, found)


def _different(found: str, remedy: str = _TELL) -> SchemaFinding:
    return SchemaFinding(Settled.DIFFERENT, found, remedy)


def _unsaid(found: str = "the schema leaves it open") -> SchemaFinding:
    return SchemaFinding(Settled.UNSAID, found)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _exists(reading: Reading) -> SchemaFinding:
    return _as_assumed(f"the schema has {reading.operation.method} {reading.operation.path}")


def _wrapper(reading: Reading) -> SchemaFinding:
    """Judge the list in which entries are sent, and what is sent next to it."""
    body, call = reading.body, reading.call
    if call.wrapper not in body.schemas and (body.open or not body.schemas):
        return _unsaid()
    if call.wrapper not in body.schemas:
        lists = [name for name, each in body.schemas.items() if reading.schema.holds_others(each)]
        remedy = f"set {setting(call, 'wrapper')} to {lists[0]}" if len(lists) == 1 else _TELL
        return _different(f"the body has {_listed(sorted(body.schemas))}", remedy)
    return _members(("authenticationSystem",), body)


def _sends(*names: str) -> Judge:
    """Return a judge of whether each entry of the body has these members."""
    return lambda reading: _members(names, reading.entry)


def _answers(*names: str) -> Judge:
    """Return a judge of whether an answer shows these members."""

    def judge(reading: Reading) -> SchemaFinding:
        wrapped = reading.answer
        inner = [
            reading.schema.members(reading.schema.entry(each)) for each in wrapped.schemas.values()
        ]
        best = max([wrapped, *inner], key=lambda each: len(set(names) & set(each.schemas)))
        return _members(names, best)

    return judge


def _members(names: Sequence[str], members: Members) -> SchemaFinding:
    return _judge(names, members.schemas, is_open=members.open or not members.schemas)


def _judge(names: Sequence[str], has: Collection[str], *, is_open: bool = False) -> SchemaFinding:
    """Judge whether all names are among those that the schema has, which may be open for others."""
    lacking = [name for name in names if name not in has]
    if not lacking:
        return _as_assumed(_listed(names))
    if is_open:
        return _unsaid()
    return _different(f"without {_listed(lacking)}; it has {_listed(sorted(has))}")


def _staff_body(reading: Reading) -> SchemaFinding:
    """Judge which of the two shapes of a member of staff the schema has."""
    flat, nested = (
        [name for name in staff_members(one) if name not in staff_members(other)]
        for one, other in (_SHAPES, _SHAPES[::-1])
    )
    proofs = [[name for name in own if name in reading.entry.schemas] for own in (flat, nested)]
    if len(proofs[0]) == len(proofs[1]):
        return _unsaid()
    shape, proof = max(zip(_SHAPES, proofs, strict=True), key=lambda pair: len(pair[1]))
    found = f"{shape}: it has {_listed(proof)}"
    if shape == reading.staff_body:
        return _as_assumed(found)
    return _different(found, f"set inspera.staff_body to {shape}")


def _query(*names: str) -> Judge:
    """Return a judge of whether a search takes these query parameters."""

    def judge(reading: Reading) -> SchemaFinding:
        has = reading.operation.query
        if not has:
            return _unsaid("the schema names no query parameter")
        return _judge(names, has)

    return judge


def _option_groups(reading: Reading) -> SchemaFinding:
    has = reading.entry.schemas
    member = reading.call.groups[_INFERRED_GROUP]
    if member in has:
        return _as_assumed(member)
    groups = sorted(name for name in has if name.lower().endswith(("option", "options")))
    if reading.entry.open or not groups:
        return _unsaid()
    return _different(f"the groups are {_listed(groups)}")


def _roles(reading: Reading) -> SchemaFinding:
    words = reading.schema.words(reading.entry.schemas.get("roles"))
    if not words:
        return _unsaid("the schema does not list the roles")
    theirs = {word.lower().removeprefix("ar_") for word in words}
    lacking = [role for role in ROLES if role not in theirs]
    if not lacking:
        return _as_assumed(_listed(tuple(ROLES)))
    return _different(
        f"without {_listed(lacking)}; it has {_listed(sorted(words))}",
        "use only the tenant's roles in the feeds of contributors",
    )


def _committee_moves(reading: Reading) -> SchemaFinding:
    has = [move for move in _MOVES if reading.schema.at(f"{reading.call.path}/{move}")]
    if not has:
        return _unsaid("the schema has none of them; no call of ours needs them")
    return _as_assumed(_listed(has))


def _limit_status(reading: Reading) -> SchemaFinding:
    if not reading.operation.statuses:
        return _unsaid()
    return (
        _as_assumed()
        if "429" in reading.operation.statuses
        else _unsaid("the schema lists no 429; words about a limit count, whatever the status")
    )


ASSUMPTIONS: Final = (
    Assumption(
        "candidates are sent",
        "in `candidates`, with `authenticationSystem` next to them",
        contract.CANDIDATE_ASSIGN,
        _wrapper,
    ),
    Assumption(
        "members of a candidate",
        "`externalId`, `candidateId`, `extraTimeMins`, `roomName`, `buildingName`,"
        " `committeesName`",
        contract.CANDIDATE_ASSIGN,
        _sends(
            *("externalId", "candidateId", "extraTimeMins"),
            *("roomName", "buildingName", "committeesName"),
        ),
    ),
    Assumption(
        "candidates are read",
        "with `userId`, `candidateId`, `externalUserIds` and `extraTimeMins`",
        contract.CANDIDATE_LIST,
        _answers("userId", "candidateId", "externalUserIds", "extraTimeMins"),
        essential=False,
    ),
    Assumption(
        "candidates are removed",
        "in `candidates`, with `authenticationSystem` next to them",
        contract.CANDIDATE_REMOVE,
        _wrapper,
    ),
    Assumption(
        "contributors are removed",
        "in `contributors`, with `authenticationSystem` next to them",
        contract.CONTRIBUTOR_REMOVE,
        _wrapper,
    ),
    Assumption(
        "roles of contributors",
        "the roles that feeds may use",
        contract.CONTRIBUTOR_ASSIGN,
        _roles,
        essential=False,
    ),
    Assumption(
        "body of staff", "in the shape of inspera.staff_body", contract.STAFF_CREATE, _staff_body
    ),
    Assumption(
        "staff are disabled", "by the member `status`", contract.STAFF_DISABLE, _sends("status")
    ),
    Assumption("staff are deleted", "by their user id", contract.STAFF_DELETE, _exists),
    Assumption(
        "external ids of learners",
        "in `externalIds`, when a learner is saved",
        contract.LEARNER_CREATE,
        _sends("externalIds"),
    ),
    Assumption(
        "search for people", "by the parameter `query`", contract.PERSON_SEARCH, _query("query")
    ),
    Assumption(
        "pages of a search", "by the parameter `page`", contract.TEST_SEARCH, _query("page")
    ),
    Assumption(
        "options after the test",
        "in `afterTestOptions`",
        contract.OPTION_SET,
        _option_groups,
        essential=False,
    ),
    Assumption(
        "moves between committees",
        "by calls of their own, which inspera-sync does not make",
        contract.COMMITTEE_CREATE,
        _committee_moves,
        essential=False,
    ),
    Assumption(
        "status of the limit on requests",
        "429",
        contract.CANDIDATE_ASSIGN,
        _limit_status,
        essential=False,
    ),
)
"""All assumptions whose truth a schema can settle (vendor contract, Conventions to Test API)."""
